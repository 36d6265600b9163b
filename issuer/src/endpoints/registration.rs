//! `/oauth2/register`: a client registers itself (RFC 7591, OpenID Connect Dynamic Client Registration 1.0).
//!
//! Off by default. Else either an initial access token lets a client in, with what that token says as the most it may ask
//! for, or anybody may come, with what the configuration says. Everything that a client says of itself is held to
//! [`crate::registration`]. Nothing is trusted but the token.
//!
//! Left out on purpose: calls from browsers of other origins, since an origin becomes known by a registration; software
//! statements, since nobody is trusted to make them.

mod answer;
mod description;
pub mod error;
pub mod management;
pub(crate) mod sector;

use std::net::IpAddr;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};

use crate::config::RegistrationMode;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::{Client, ClientAuthentication};
use crate::domain::digest::SecretDigest;
use crate::domain::registration::{Admission, Ceiling, NewRegistration};
use crate::error::bearer::BearerError;
use crate::error::internal::InternalError;
use crate::extract::{ClientAddress, JsonBody, JsonBodyError};
use crate::registration::{Document, RequestedClient, Standing, check};
use crate::rng;
use crate::state::AppState;
use crate::store::Registration;
use crate::tokens::opaque::OpaqueSecret;

use super::bearer_authentication::{self, Scheme};
use answer::Secrets;
use error::RegistrationError;

pub use description::describe;

/// Registers a client.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    body: Result<JsonBody, JsonBodyError>,
) -> Response {
    match register(&state, address, &headers, body).await {
        Ok(answer) => answer,
        Err(error) => {
            let event = AuditEvent::new(
                state.now(),
                AuditAction::ClientRegistration,
                AuditOutcome::Failure,
            );
            error
                .record_and_respond(&state, event.with_ip_address(address))
                .await
        }
    }
}

/// Answers every other method.
pub async fn other_method(State(state): State<AppState>) -> Response {
    RegistrationError::OtherMethod("The registration endpoint takes POST only").respond(state.config())
}

async fn register(
    state: &AppState,
    address: Option<IpAddr>,
    headers: &HeaderMap,
    body: Result<JsonBody, JsonBodyError>,
) -> Result<Response, RegistrationError> {
    let config = &state.config().registration;
    let admission = admission(state, headers).await?;
    let (ceiling, method) = match &admission {
        Admission::Open { .. } => (&config.ceiling, "open"),
        Admission::Token(token) => (&token.ceiling, "registration_token"),
    };
    let now = state.now();
    let secret = OpaqueSecret::ClientSecret
        .generate()
        .map_err(InternalError::from)?;
    let standing = Standing {
        client_id: rng::identifier("client-").map_err(InternalError::from)?,
        secret: secret.digest,
        pkce_required: config.require_pkce,
        created_at: now,
    };
    let JsonBody(body) = body.map_err(RegistrationError::Body)?;
    let document = Document::parse(&body)?;
    let client = requested(state, &document, standing, ceiling).await?;
    let access_token = OpaqueSecret::RegistrationAccessToken
        .generate()
        .map_err(InternalError::from)?;
    let new = NewRegistration {
        client: client.clone(),
        access_token: access_token.digest,
        admission,
        unused_until: now.plus(config.unused_seconds),
    };
    let audit = AuditEvent::new(now, AuditAction::ClientRegistration, AuditOutcome::Success)
        .with_client(&*client.client_id)
        .with_ip_address(address)
        .with_method(method);
    let registered = state.store().register_client(new, now, audit).await;
    match registered.map_err(InternalError::from)? {
        Registration::Registered => {}
        Registration::TokenSpent => return Err(BearerError::InvalidToken.into()),
        Registration::Full => return Err(RegistrationError::Full),
    }
    let has_secret = matches!(client.authentication, ClientAuthentication::Secret(_));
    let secrets = Secrets {
        client_secret: has_secret.then(|| secret.value.expose().as_str()),
        access_token: access_token.value.expose(),
    };
    Ok(answer::document(
        state.config(),
        StatusCode::CREATED,
        &client,
        &secrets,
    ))
}

/// The token of a request. These tokens are bound to no key, so no other scheme than Bearer carries them.
fn bearer_token(headers: &HeaderMap) -> Result<&str, BearerError> {
    match bearer_authentication::present(headers, None)? {
        (Scheme::Bearer, token) => Ok(token),
        (Scheme::Dpop, _) => Err(BearerError::Malformed),
    }
}

/// What lets this request register a client.
async fn admission(state: &AppState, headers: &HeaderMap) -> Result<Admission, RegistrationError> {
    let config = &state.config().registration;
    match config.mode {
        RegistrationMode::Off => return Err(RegistrationError::Off),
        RegistrationMode::Open if !headers.contains_key(header::AUTHORIZATION) => {
            return Ok(Admission::Open {
                limit: config.unused_limit,
            });
        }
        // Whoever has a token may have more by it.
        RegistrationMode::Open | RegistrationMode::Token => {}
    }
    let text = bearer_token(headers)?;
    if !OpaqueSecret::InitialAccessToken.is_shape_of(text) {
        return Err(BearerError::InvalidToken.into());
    }
    let digest = SecretDigest::of(text);
    let token = state.store().registration_token(&digest, state.now()).await;
    let token = token.map_err(InternalError::from)?;
    Ok(Admission::Token(token.ok_or(BearerError::InvalidToken)?))
}

/// The client that a document asks for, if everything about it is as it must be.
async fn requested(
    state: &AppState,
    document: &Document,
    standing: Standing,
    ceiling: &Ceiling,
) -> Result<Client, RegistrationError> {
    let client = RequestedClient::read(document)?.into_client(standing, ceiling)?;
    check(&client, state.config())?;
    sector::check(state, &client).await?;
    Ok(client)
}

#[cfg(test)]
mod tests;
