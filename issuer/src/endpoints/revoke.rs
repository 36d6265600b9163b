//! `/oauth2/revoke`: a client gives tokens back (RFC 7009).
//!
//! A refresh token takes its whole grant with it. A token that was issued to another client is refused with
//! `invalid_grant` (RFC 7009 section 2.1: "If this validation fails, the request is refused and the client is informed of
//! the error"); an unknown one, an expired one included, is answered with 200 (section 2.2).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use wardgate_shared::claims::AccessClaims;
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::error::internal::InternalError;
use crate::error::json_body::{json_client_challenge, json_error, json_internal};
use crate::extract::{ClientAddress, Form, FormError, Parameters};
use crate::state::AppState;
use crate::tokens::own::{self, Expiry};
use crate::tokens::subjects;

use super::client_authentication::{
    AuthenticatedClient, ClientAuthenticationError, NamedClient, authenticate, named_client,
};

/// Why a revocation is refused.
#[derive(Debug)]
enum RevocationError {
    Form(FormError),
    Client {
        error: ClientAuthenticationError,
        basic: bool,
    },
    Repeated,
    NoToken,
    AnotherClient,
    Internal(InternalError),
}

impl RevocationError {
    fn respond(&self, config: &Config) -> Response {
        let bad_request = |code, description| json_error(config, StatusCode::BAD_REQUEST, code, description);
        match self {
            Self::Form(error) => json_error(
                config,
                error.status(),
                OAuthErrorCode::InvalidRequest,
                error.description(),
            ),
            Self::Client { error, .. } if error.is_malformed_request() => {
                bad_request(OAuthErrorCode::InvalidRequest, error.description())
            }
            Self::Client { error, basic: true } => json_client_challenge(config, error.description()),
            Self::Client { error, basic: false } => json_error(
                config,
                StatusCode::UNAUTHORIZED,
                OAuthErrorCode::InvalidClient,
                error.description(),
            ),
            Self::Repeated => bad_request(OAuthErrorCode::InvalidRequest, "A parameter is repeated"),
            Self::NoToken => bad_request(OAuthErrorCode::InvalidRequest, "token is missing"),
            Self::AnotherClient => bad_request(
                OAuthErrorCode::InvalidGrant,
                "The token was issued to another client",
            ),
            Self::Internal(error) => json_internal(config, error),
        }
    }

    const fn audit_reason(&self) -> Option<&'static str> {
        match self {
            Self::Form(_) => Some("malformed_request"),
            Self::Client { error, .. } => Some(error.reason()),
            Self::Repeated => Some("repeated_parameter"),
            Self::NoToken => Some("missing_parameter"),
            Self::AnotherClient => Some("token_of_another_client"),
            Self::Internal(_) => None,
        }
    }
}

impl From<InternalError> for RevocationError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

/// A refusal and the client it is for, where that is known.
struct Refused {
    error: RevocationError,
    client: Option<NamedClient>,
}

impl From<RevocationError> for Refused {
    fn from(error: RevocationError) -> Self {
        Self { error, client: None }
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
        Err(Refused { error, client }) => {
            let recorded = match error.audit_reason() {
                Some(reason) => {
                    let event = audit(AuditOutcome::Failure).with_reason(reason);
                    let event = match client {
                        Some(client) => client.name_in(event),
                        None => event,
                    };
                    state.record_refusal(event).await
                }
                None => Ok(()),
            };
            match recorded {
                Ok(()) => error.respond(state.config()),
                Err(failure) => json_internal(state.config(), &failure.into()),
            }
        }
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
) -> Result<(), Refused> {
    let Form(parameters) = form.map_err(RevocationError::Form)?;
    let client = match authenticate(state, headers, &parameters)
        .await
        .map_err(RevocationError::Internal)?
    {
        Ok(client) => client,
        Err(error) => {
            let named = named_client(state, headers, &parameters).await;
            let basic = headers.contains_key(header::AUTHORIZATION);
            return Err(Refused {
                error: RevocationError::Client { error, basic },
                client: named.map_err(RevocationError::Internal)?,
            });
        }
    };
    let outcome = revoke_for(state, &client, &parameters, audit).await;
    outcome.map_err(|error| Refused {
        error,
        client: Some(NamedClient {
            client_id: client.client().client_id.clone(),
            method: Some(client.method()),
        }),
    })
}

async fn revoke_for(
    state: &AppState,
    client: &AuthenticatedClient,
    parameters: &Parameters,
    audit: AuditEvent,
) -> Result<(), RevocationError> {
    parameters
        .refuse_repeated(&[])
        .map_err(|_| RevocationError::Repeated)?;
    let token = parameters.all("token").next().ok_or(RevocationError::NoToken)?;
    let audit = audit
        .with_client(&*client.client().client_id)
        .with_method(client.method());

    // `token_type_hint` only says where to look first (RFC 7009 section 2.1), and both looks are cheap.
    let found = state
        .store()
        .refresh_token(&SecretDigest::of(token))
        .await
        .map_err(InternalError::from)?;
    if let Some((_, grant)) = found {
        if grant.client_id != client.client().client_id {
            return Err(RevocationError::AnotherClient);
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
        return revoke_access_token(state, client, token.claims(), audit).await;
    }
    Ok(())
}

async fn revoke_access_token(
    state: &AppState,
    client: &AuthenticatedClient,
    claims: &AccessClaims,
    audit: AuditEvent,
) -> Result<(), RevocationError> {
    let client_id = &client.client().client_id;
    if claims.client_id != *client_id {
        return Err(RevocationError::AnotherClient);
    }
    let audit = if claims.is_client_itself() {
        audit
    } else {
        audit.with_user(subjects::account_of_own(state, claims.subject.clone()).await?)
    };
    let revoked = state
        .store()
        .revoke_access_token(&claims.token_id, client_id, state.now(), audit)
        .await;
    revoked.map_err(InternalError::from)?;
    Ok(())
}

#[cfg(test)]
mod tests;
