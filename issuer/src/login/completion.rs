//! What happens once a person has proved who they are: the one way to a session.

use std::net::IpAddr;

use axum::response::Response;
use http::{HeaderMap, header};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::domain::session::{AuthenticationMethod, Session};
use crate::domain::user::User;
use crate::domain::user_agent::UserAgent;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::cookies::Cookie;
use crate::rng;
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;

use super::destination::Destination;

/// Who the person is, and by what they have proved it in this sign-in.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The person; they may sign in.
    pub user: User,
    /// By what, the first step first.
    pub methods: Vec<AuthenticationMethod>,
    /// When the last step was done; at another provider, when that authenticated them.
    pub at: Timestamp,
}

/// The browser that signs in.
#[derive(Clone, Copy, Debug)]
pub struct Browser<'a> {
    /// The headers of its request.
    pub headers: &'a HeaderMap,
    /// Its address.
    pub address: Option<IpAddr>,
}

impl Browser<'_> {
    /// What it calls itself.
    fn user_agent(&self) -> Option<UserAgent> {
        let value = self.headers.get(header::USER_AGENT)?;
        UserAgent::clean(&String::from_utf8_lossy(value.as_bytes()))
    }
}

/// Goes on after a step of the sign-in, with a session and to its destination.
///
/// # Errors
/// When the store cannot answer.
pub async fn proceed(
    state: &AppState,
    browser: Browser<'_>,
    proof: Proof,
    destination: &Destination,
) -> Result<Response, PageError> {
    begin_session(state, browser, proof, destination).await
}

/// Stores a session with a new secret, ends the one this browser had, and leads to the destination.
async fn begin_session(
    state: &AppState,
    browser: Browser<'_>,
    proof: Proof,
    destination: &Destination,
) -> Result<Response, PageError> {
    let public_url = &state.config().server.public_url;
    let pending = destination.pending();
    // Another provider may have authenticated the person a while ago; the session begins now.
    let now = state.now();
    let mut audit = AuditEvent::new(now, AuditAction::SignIn, AuditOutcome::Success)
        .with_user(&*proof.user.id)
        .with_ip_address(browser.address);
    if let Some(method) = proof.methods.last() {
        audit = audit.with_method(method.as_str());
    }
    if let Some(pending) = pending {
        audit = audit.with_client(&*pending.client.client_id);
    }
    let secret = OpaqueSecret::Session.generate().map_err(InternalError::from)?;
    let session = Session {
        digest: secret.digest,
        id: rng::identifier("session-").map_err(InternalError::from)?,
        user_id: proof.user.id,
        authenticated_at: proof.at,
        methods: proof.methods,
        last_seen_at: now,
        request: pending.map(|pending| pending.request.digest),
        user_agent: browser.user_agent(),
        ip_address: browser.address,
        second_factor_at: None,
        factor_request: None,
        device_id: None,
        expires_at: now.plus(state.config().sessions.absolute_seconds),
    };
    let replaced = Cookie::Session
        .read(browser.headers, public_url)
        .map(SecretDigest::of);
    state
        .store()
        .begin_session(session, replaced, audit)
        .await
        .map_err(InternalError::from)?;
    let mut response = redirect::to_own_page(&destination.path())?;
    let cookie = Cookie::Session
        .set(secret.value.expose(), public_url)
        .map_err(InternalError::from)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
