//! `/oauth2/revoke`: a client gives tokens back (RFC 7009).
//!
//! A refresh token takes its whole grant with it. A token that was issued to another client is refused with
//! `invalid_grant` (RFC 7009 section 2.1: "If this validation fails, the request is refused and the client is informed of
//! the error"); an unknown one, an expired one included, is answered with 200 (section 2.2).

mod description;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use wardgate_shared::claims::AccessClaims;
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::error::internal::InternalError;
use crate::error::json_body::{json_error, json_internal};
use crate::extract::{ClientAddress, Form, FormError};
use crate::state::AppState;
use crate::tokens::own::{self, Expiry};
use crate::tokens::subjects;

use super::client_authentication::NamedClient;
use super::client_request::{ClientRequest, ClientRequestError, Refusal, refuse};

pub use description::describe;

/// Why a revocation is refused.
#[derive(Debug)]
enum RevocationError {
    Request(ClientRequestError),
    /// What is wrong with the request of a client that is known.
    Refused(TokenRefusal, NamedClient),
    Internal(InternalError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenRefusal {
    Missing,
    OfAnotherClient,
}

impl Refusal for RevocationError {
    fn audit_reason(&self) -> Option<&'static str> {
        match self {
            Self::Request(error) => error.audit_reason(),
            Self::Refused(TokenRefusal::Missing, _) => Some("missing_parameter"),
            Self::Refused(TokenRefusal::OfAnotherClient, _) => Some("token_of_another_client"),
            Self::Internal(_) => None,
        }
    }

    fn name_in(&self, event: AuditEvent) -> AuditEvent {
        match self {
            Self::Request(error) => error.name_in(event),
            Self::Refused(_, client) => client.clone().name_in(event),
            Self::Internal(_) => event,
        }
    }

    fn respond(&self, config: &Config) -> Response {
        let bad_request = |code, description| json_error(config, StatusCode::BAD_REQUEST, code, description);
        match self {
            Self::Request(error) => error.respond(config),
            Self::Refused(TokenRefusal::Missing, _) => {
                bad_request(OAuthErrorCode::InvalidRequest, "token is missing")
            }
            Self::Refused(TokenRefusal::OfAnotherClient, _) => bad_request(
                OAuthErrorCode::InvalidGrant,
                "The token was issued to another client",
            ),
            Self::Internal(error) => json_internal(config, error),
        }
    }
}

impl From<InternalError> for RevocationError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

/// Answers a revocation request.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Response {
    let audit = |outcome| {
        AuditEvent::new(state.now(), AuditAction::TokenRevocation, outcome).with_ip_address(address)
    };
    match revoke(&state, &headers, form, audit(AuditOutcome::Success)).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => refuse(&state, audit(AuditOutcome::Failure), &error).await,
    }
}

/// Answers every other method.
pub async fn other_method(State(state): State<AppState>) -> Response {
    let description = "The revocation endpoint takes POST only";
    json_error(
        state.config(),
        StatusCode::METHOD_NOT_ALLOWED,
        OAuthErrorCode::InvalidRequest,
        description,
    )
}

async fn revoke(
    state: &AppState,
    headers: &HeaderMap,
    form: Result<Form, FormError>,
    audit: AuditEvent,
) -> Result<(), RevocationError> {
    let request = ClientRequest::read(state, headers, form)
        .await
        .map_err(RevocationError::Request)?;
    let client = &request.client;
    let named = NamedClient {
        client_id: client.client().client_id.clone(),
        method: Some(client.method()),
    };
    let Some(token) = request.parameters.all("token").next() else {
        return Err(RevocationError::Refused(TokenRefusal::Missing, named));
    };
    let audit = named.clone().name_in(audit);

    // `token_type_hint` only says where to look first (RFC 7009 section 2.1), and both looks are cheap.
    let found = state
        .store()
        .refresh_token(&SecretDigest::of(token))
        .await
        .map_err(InternalError::from)?;
    if let Some((_, grant)) = found {
        if grant.client_id != client.client().client_id {
            return Err(RevocationError::Refused(TokenRefusal::OfAnotherClient, named));
        }
        let audit = audit.with_user(&*grant.user_id);
        state
            .store()
            .end_grant(&grant.id, state.now(), audit)
            .await
            .map_err(InternalError::from)?;
        return Ok(());
    }
    // Expired or not: a client is told that it gave back another client's token, as long as the signature holds.
    if let Some(token) = own::access_token(state, token, Expiry::Ignored, state.now()).await {
        return revoke_access_token(state, named, token.claims(), audit).await;
    }
    Ok(())
}

async fn revoke_access_token(
    state: &AppState,
    client: NamedClient,
    claims: &AccessClaims,
    audit: AuditEvent,
) -> Result<(), RevocationError> {
    if claims.client_id != client.client_id {
        return Err(RevocationError::Refused(TokenRefusal::OfAnotherClient, client));
    }
    let audit = if claims.is_client_itself() {
        audit
    } else {
        audit.with_user(subjects::account_of_own(state, claims.subject.clone()).await?)
    };
    let revoked = state
        .store()
        .revoke_access_token(&claims.token_id, &client.client_id, state.now(), audit)
        .await;
    revoked.map_err(InternalError::from)?;
    Ok(())
}

#[cfg(test)]
mod tests;
