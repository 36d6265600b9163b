//! `/oauth2/register/{client_id}`: a client looks at its registration, changes it, or ends it (RFC 7592).
//!
//! Only for clients that registered themselves, and only with the registration access token that they got then. It stays
//! the same for as long as the registration lasts: it is a secret of 256 bits that nobody else has a use for, and a client
//! that lost an answer would be locked out by a new one.
//!
//! An unknown client and a wrong token get the same answer (RFC 7592 section 2.1).

use std::net::IpAddr;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::{Client, ClientAuthentication};
use crate::domain::digest::SecretDigest;
use crate::domain::registration::ManagedClient;
use crate::error::bearer::BearerError;
use crate::error::internal::InternalError;
use crate::extract::{ClientAddress, JsonBody, JsonBodyError};
use crate::registration::{Document, Standing};
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;

use super::answer::{self, Secrets};
use super::error::RegistrationError;
use super::{bearer_token, requested};

/// Members of an answer that a client must not send back (RFC 7592 section 2.2).
const FORBIDDEN: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_id_issued_at",
    "client_secret_expires_at",
];

/// A client that has shown its registration access token.
struct Authenticated<'a> {
    managed: ManagedClient,
    access_token: &'a str,
    digest: SecretDigest,
}

/// Shows the registration.
pub async fn get(
    State(state): State<AppState>,
    client_id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    match authenticate(&state, client_id, &headers).await {
        Ok(Authenticated {
            managed,
            access_token,
            ..
        }) => {
            let secrets = Secrets {
                client_secret: None,
                access_token,
            };
            answer::document(state.config(), StatusCode::OK, &managed.client, &secrets)
        }
        Err(error) => error.respond(state.config()),
    }
}

/// Replaces the registration.
pub async fn put(
    State(state): State<AppState>,
    client_id: Result<Path<String>, PathRejection>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    body: Result<JsonBody, JsonBodyError>,
) -> Response {
    let action = AuditAction::ClientUpdate;
    let authenticated = match authenticate(&state, client_id, &headers).await {
        Ok(authenticated) => authenticated,
        Err(error) => return refuse(&state, action, address, None, &error).await,
    };
    let client_id = authenticated.managed.client.client_id.clone();
    match replace(&state, address, authenticated, body).await {
        Ok(answer) => answer,
        Err(error) => refuse(&state, action, address, Some(client_id), &error).await,
    }
}

/// Ends the registration: the client, and everything that was issued to it, is gone (OIDC-82).
pub async fn delete(
    State(state): State<AppState>,
    client_id: Result<Path<String>, PathRejection>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
) -> Response {
    match end(&state, client_id, address, &headers).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refuse(&state, AuditAction::ClientDeletion, address, None, &error).await,
    }
}

/// Answers every other method.
pub async fn other_method(State(state): State<AppState>) -> Response {
    let description = "A client's registration takes GET, PUT and DELETE only";
    RegistrationError::OtherMethod(description).respond(state.config())
}

async fn authenticate<'a>(
    state: &AppState,
    client_id: Result<Path<String>, PathRejection>,
    headers: &'a HeaderMap,
) -> Result<Authenticated<'a>, RegistrationError> {
    let access_token = bearer_token(headers)?;
    let Ok(Path(client_id)) = client_id else {
        return Err(BearerError::InvalidToken.into());
    };
    if !OpaqueSecret::RegistrationAccessToken.is_shape_of(access_token) {
        return Err(BearerError::InvalidToken.into());
    }
    let digest = SecretDigest::of(access_token);
    let managed = state.store().managed_client(&client_id, &digest).await;
    let managed = managed.map_err(InternalError::from)?;
    Ok(Authenticated {
        managed: managed.ok_or(BearerError::InvalidToken)?,
        access_token,
        digest,
    })
}

async fn replace(
    state: &AppState,
    address: Option<IpAddr>,
    authenticated: Authenticated<'_>,
    body: Result<JsonBody, JsonBodyError>,
) -> Result<Response, RegistrationError> {
    let JsonBody(body) = body.map_err(RegistrationError::Body)?;
    let document = Document::parse(&body)?;
    let ManagedClient { client, ceiling } = authenticated.managed;
    check_identity(&document, &client)?;
    let registration = &state.config().registration;
    let fresh = OpaqueSecret::ClientSecret
        .generate()
        .map_err(InternalError::from)?;
    let kept = match client.authentication {
        ClientAuthentication::Secret(digest) => Some(digest),
        ClientAuthentication::Public | ClientAuthentication::PrivateKeyJwt { .. } => None,
    };
    let standing = Standing {
        client_id: client.client_id,
        secret: kept.unwrap_or(fresh.digest),
        pkce_required: registration.require_pkce,
        created_at: client.created_at,
    };
    let ceiling = ceiling.as_ref().unwrap_or(&registration.ceiling);
    let client = requested(state, &document, standing, ceiling).await?;
    let audit = event(
        state,
        AuditAction::ClientUpdate,
        AuditOutcome::Success,
        address,
        Some(&client.client_id),
    );
    let updated = state
        .store()
        .update_managed_client(client.clone(), authenticated.digest, audit)
        .await;
    if !updated.map_err(InternalError::from)? {
        return Err(BearerError::InvalidToken.into());
    }
    let has_new_secret = client.authentication == ClientAuthentication::Secret(fresh.digest);
    let secrets = Secrets {
        client_secret: has_new_secret.then(|| fresh.value.expose().as_str()),
        access_token: authenticated.access_token,
    };
    Ok(answer::document(
        state.config(),
        StatusCode::OK,
        &client,
        &secrets,
    ))
}

/// What a document says about who the client is must be so, and the rest is not for the client to say.
fn check_identity(document: &Document, client: &Client) -> Result<(), RegistrationError> {
    if FORBIDDEN.iter().any(|name| document.member(name).is_some()) {
        return Err(RegistrationError::ForbiddenMember);
    }
    let is_itself = document.text("client_id")? == Some(&*client.client_id);
    let is_its_secret = match (document.text("client_secret")?, &client.authentication) {
        (None, _) => true,
        (Some(secret), ClientAuthentication::Secret(digest)) => SecretDigest::of(secret) == *digest,
        (Some(_), ClientAuthentication::Public | ClientAuthentication::PrivateKeyJwt { .. }) => false,
    };
    if is_itself && is_its_secret {
        Ok(())
    } else {
        Err(RegistrationError::NotItself)
    }
}

async fn end(
    state: &AppState,
    client_id: Result<Path<String>, PathRejection>,
    address: Option<IpAddr>,
    headers: &HeaderMap,
) -> Result<(), RegistrationError> {
    let authenticated = authenticate(state, client_id, headers).await?;
    let client_id = authenticated.managed.client.client_id;
    let audit = event(
        state,
        AuditAction::ClientDeletion,
        AuditOutcome::Success,
        address,
        Some(&client_id),
    );
    let deleted = state
        .store()
        .delete_managed_client(&client_id, &authenticated.digest, audit)
        .await;
    if deleted.map_err(InternalError::from)? {
        Ok(())
    } else {
        Err(BearerError::InvalidToken.into())
    }
}

async fn refuse(
    state: &AppState,
    action: AuditAction,
    address: Option<IpAddr>,
    client_id: Option<String>,
    error: &RegistrationError,
) -> Response {
    let event = event(
        state,
        action,
        AuditOutcome::Failure,
        address,
        client_id.as_deref(),
    );
    error.record_and_respond(state, event).await
}

fn event(
    state: &AppState,
    action: AuditAction,
    outcome: AuditOutcome,
    address: Option<IpAddr>,
    client_id: Option<&str>,
) -> AuditEvent {
    let event = AuditEvent::new(state.now(), action, outcome).with_ip_address(address);
    match client_id {
        Some(client_id) => event.with_client(client_id),
        None => event,
    }
}

#[cfg(test)]
mod tests;
