//! `/logout`: the sign-out page.
//!
//! It ends a session that has been idle too long as well: such a one signs nobody in, but what was granted for its length
//! may still live. A sign-in that was left unfinished in the browser is over, too.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, header};

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::domain::user::User;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::cookies::Cookie;
use crate::extract::{ClientAddress, Form, FormError, Parameters, SameOrigin};
use crate::single_sign_on::sign_out::{self, Onward};
use crate::state::AppState;
use crate::views::{FormTargets, SignOutForm, SignOutPage, page};

use super::form_token::{FormPurpose, form_token, is_form_token};

/// Asks whether to sign out, or says that nobody is signed in. A browser that comes back from a provider goes on to the app
/// that asked its person to sign out.
pub async fn get(
    State(state): State<AppState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let Some(held) = HeldSession::find(&state, &headers).await? else {
        if let Some(response) = go_on(&state, &query.unwrap_or_default()).await? {
            return Ok(response);
        }
        let provider = sign_out::offered(&state, &headers, None).await?;
        let shown = SignOutPage {
            form: None,
            provider: provider
                .as_ref()
                .map(|connection| connection.settings.name.as_str()),
            onward: None,
        };
        let endpoint = provider.as_ref().and_then(sign_out::endpoint);
        let targets = endpoint.map_or_else(FormTargets::none, |endpoint| FormTargets::server(&endpoint));
        return Ok(page(&shown, &targets)?);
    };
    let form_token = form_token(state.form_key(), held.secret, FormPurpose::SignOut);
    let form = SignOutForm {
        user_name: &held.user.name,
        form_token: &form_token,
    };
    let shown = SignOutPage {
        form: Some(form),
        provider: None,
        onward: None,
    };
    Ok(page(&shown, &FormTargets::own())?)
}

/// The way on to the app of which `state` in this query speaks.
async fn go_on(state: &AppState, query: &str) -> Result<Option<Response>, InternalError> {
    let parameters = Parameters::parse(query.as_bytes()).ok();
    let sealed = parameters
        .as_ref()
        .and_then(|parameters| parameters.single("state").ok()?);
    let Some(onward) = sealed.and_then(|sealed| Onward::open(sealed, state.sealer())) else {
        return Ok(None);
    };
    let target = onward.target(state.store()).await?;
    target
        .map(|target| redirect::after_logout(&target, onward.state.as_deref()))
        .transpose()
}

/// Signs out: ends the session, and with it what was granted for its length.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    if let Some(held) = HeldSession::find(&state, &headers).await? {
        let token = parameters
            .single("form_token")
            .map_err(|_| PageError::Field)?
            .unwrap_or_default();
        if !is_form_token(state.form_key(), held.secret, FormPurpose::SignOut, token) {
            return Err(PageError::StaleForm);
        }
        let audit = AuditEvent::new(state.now(), AuditAction::SignOut, AuditOutcome::Success)
            .with_user(held.user.id)
            .with_ip_address(address);
        state
            .store()
            .end_session(&held.digest, audit)
            .await
            .map_err(InternalError::from)?;
    }
    let public_url = &state.config().server.public_url;
    // Nobody goes on with what somebody began in this browser.
    if let Some(unfinished) = Cookie::SignIn.read(&headers, public_url) {
        let unfinished = SecretDigest::of(unfinished);
        let abandoned = state.store().abandon_sign_in(&unfinished).await;
        abandoned.map_err(InternalError::from)?;
    }
    let mut response = redirect::to_own_page("/logout")?;
    for cookie in [Cookie::Session, Cookie::SignIn] {
        let over = cookie.clear(public_url).map_err(InternalError::from)?;
        response.headers_mut().append(header::SET_COOKIE, over);
    }
    Ok(response)
}

/// The session that the browser's cookie names, in whatever state.
struct HeldSession<'a> {
    /// The cookie's value.
    secret: &'a str,
    digest: SecretDigest,
    user: User,
}

impl<'a> HeldSession<'a> {
    async fn find(state: &AppState, headers: &'a HeaderMap) -> Result<Option<Self>, InternalError> {
        let Some(secret) = Cookie::Session.read(headers, &state.config().server.public_url) else {
            return Ok(None);
        };
        let digest = SecretDigest::of(secret);
        let user = state.store().session_owner(&digest).await?;
        Ok(user.map(|user| Self { secret, digest, user }))
    }
}

#[cfg(test)]
mod tests;
