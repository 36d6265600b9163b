//! `/oauth2/par`: a client sends its authorization request itself, ahead of the browser (RFC 9126).
//!
//! The client authenticates as at the token endpoint; a public one names itself. The request is checked by the same code
//! as one that comes through the browser ([`check`]), and the browser then carries only a reference to it. A DPoP proof binds
//! the code to its key, as `dpop_jkt` does (RFC 9449 section 10.1).

mod description;

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::authorization_request::PUSHED_LIFETIME_SECONDS;
use crate::domain::proof_use::ProofUse;
use crate::error::dpop::ProofRefusal;
use crate::error::internal::InternalError;
use crate::error::json_body::{json_error, json_internal};
use crate::extract::{ClientAddress, Form, FormError, RequestTarget};
use crate::state::AppState;

use super::authorize::check::{self, Arrival};
use super::authorize::pushed::PREFIX;
use super::authorize::refusal::Refusal;
use super::client_request::{self, ClientRequest, ClientRequestError, refuse};
use super::dpop;

pub use description::describe;

/// RFC 9126 section 2.2.
#[derive(Serialize)]
struct Pushed {
    request_uri: String,
    expires_in: i64,
}

/// Why nothing is kept.
#[derive(Debug)]
enum PushError {
    Request(ClientRequestError),
    Refused(Refusal),
    Proof(String, ProofRefusal),
    Internal(InternalError),
}

impl client_request::Refusal for PushError {
    fn audit_reason(&self) -> Option<&'static str> {
        match self {
            Self::Request(error) => error.audit_reason(),
            Self::Refused(refusal) => Some(refusal.reason()),
            Self::Proof(_, refusal) => refusal.reason(),
            Self::Internal(_) => None,
        }
    }

    fn name_in(&self, event: AuditEvent) -> AuditEvent {
        match self {
            Self::Request(error) => error.name_in(event),
            Self::Refused(refusal) => match refusal.client_id() {
                Some(client_id) => event.with_client(client_id),
                None => event,
            },
            Self::Proof(client_id, _) => event.with_client(&**client_id),
            Self::Internal(_) => event,
        }
    }

    /// RFC 9126 section 2.3.
    fn respond(&self, config: &Config) -> Response {
        match self {
            Self::Request(error) => error.respond(config),
            Self::Refused(refusal) => {
                let (code, description) = refusal.for_client();
                json_error(config, StatusCode::BAD_REQUEST, code, description)
            }
            Self::Proof(_, refusal) => json_error(
                config,
                StatusCode::BAD_REQUEST,
                refusal.code(),
                refusal.description(),
            ),
            Self::Internal(error) => json_internal(config, error),
        }
    }
}

impl From<InternalError> for PushError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

/// Takes a request.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    target: RequestTarget,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Response {
    let error = match push(&state, address, &target, &headers, form).await {
        Ok(pushed) => return (StatusCode::CREATED, Json(pushed)).into_response(),
        Err(error) => error,
    };
    refuse(&state, event(&state, AuditOutcome::Failure, address), &error).await
}

/// Answers every other method (FAPI-12).
pub async fn other_method(State(state): State<AppState>) -> Response {
    let description = "The pushed authorization request endpoint takes POST only";
    json_error(
        state.config(),
        StatusCode::METHOD_NOT_ALLOWED,
        OAuthErrorCode::InvalidRequest,
        description,
    )
}

async fn push(
    state: &AppState,
    address: Option<IpAddr>,
    target: &RequestTarget,
    headers: &HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Pushed, PushError> {
    let request = ClientRequest::read(state, headers, form)
        .await
        .map_err(PushError::Request)?;
    let now = state.now();
    let client = request.client.client().clone();
    let audit = event(state, AuditOutcome::Success, address)
        .with_client(&*client.client_id)
        .with_method(request.client.method());
    let refused = |refusal| PushError::Proof(request.client.client().client_id.clone(), refusal);
    let proof = dpop::presented(state, headers, target, None, now)
        .await
        .map_err(refused)?;
    let mut checked = check::check_of(client, Arrival::Pushed, state, &request.parameters, now)
        .await?
        .map_err(PushError::Refused)?;
    if let Some(proof) = &proof {
        checked.bind_to_key(proof).map_err(refused)?;
    }
    let pending = checked.into_pending(Some(now.plus(PUSHED_LIFETIME_SECONDS)))?;
    let request_uri = format!("{PREFIX}{}", pending.id());
    let proof = proof.as_ref().map(ProofUse::of);
    let stored = state
        .store()
        .push_authorization_request(pending.request, proof, audit);
    stored.await.map_err(|error| match InternalError::from(error) {
        error if error.is_replayed_proof() => refused(ProofRefusal::Replayed),
        error => PushError::Internal(error),
    })?;
    Ok(Pushed {
        request_uri,
        expires_in: PUSHED_LIFETIME_SECONDS,
    })
}

fn event(state: &AppState, outcome: AuditOutcome, address: Option<IpAddr>) -> AuditEvent {
    AuditEvent::new(state.now(), AuditAction::PushedAuthorization, outcome).with_ip_address(address)
}

#[cfg(test)]
mod tests;
