//! `/oauth2/token`: the token endpoint (RFC 6749 section 3.2). Its alias `/auth/token` takes JSON as well.
//!
//! Form, client, grant type, DPoP proof, grant: in this order, and each step's outcome is a type. An API key in the place of a
//! client goes its own way ([`api_key`]). Every answer, good or
//! bad, is in the audit trail, except that a device still waits.

mod api_key;
mod authorization_code;
mod client_credentials;
mod description;
mod device_code;
mod direct_grant;
mod error;
mod first_tokens;
mod foreign_token;
mod implied_client;
mod jwt_bearer;
mod refresh_token;
mod request;
mod token_exchange;

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use wardgate_shared::dpop::VerifiedProof;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::Rules;
use crate::error::json_body::json_error;
use crate::extract::{ClientAddress, Form, FormError, FormOrJson, Parameters, RequestTarget};
use crate::state::AppState;

use super::client_authentication::{
    AuthenticatedClient, ClientAuthenticationError, authenticate, named_client,
};
use super::dpop;
use error::{InvalidGrant, TokenError};
use request::{GrantRequest, TokenRequest};

pub use description::{describe, proof};

/// A token request that is being answered.
struct Exchange<'a> {
    state: &'a AppState,
    client: &'a AuthenticatedClient,
    parameters: &'a Parameters,
    /// The DPoP proof, verified and not yet used up: that happens when the access token is stored.
    proof: Option<VerifiedProof>,
    address: Option<IpAddr>,
    now: Timestamp,
}

impl Exchange<'_> {
    /// What the client is held to.
    fn rules(&self) -> Rules {
        self.state.rules(self.client.client())
    }

    /// What access tokens for the client are signed with.
    fn access_token_algorithm(&self) -> SignatureAlgorithm {
        self.rules()
            .access_token_algorithm(self.state.config().keys.algorithm)
    }

    /// An audit event for this exchange.
    fn audit(&self, method: &'static str, outcome: AuditOutcome) -> AuditEvent {
        AuditEvent::new(self.now, AuditAction::TokenRequest, outcome)
            .with_client(&*self.client.client().client_id)
            .with_ip_address(self.address)
            .with_method(method)
    }

    /// Whether the request shows the key that something is bound to, if it is.
    fn check_key(&self, bound_to: Option<&str>) -> Result<(), InvalidGrant> {
        match (bound_to, &self.proof) {
            (None, _) => Ok(()),
            (Some(thumbprint), Some(proof)) if proof.is_by(thumbprint) => Ok(()),
            (Some(_), _) => Err(InvalidGrant::Key),
        }
    }

    /// The key that a refresh token is bound to: the proof's, if the client cannot prove who it is otherwise (FAPI-40).
    fn key_of_public_client(&self) -> Option<String> {
        let proof = self.proof.as_ref().filter(|_| self.client.client().is_public());
        proof.map(|proof| proof.thumbprint().into())
    }
}

/// Answers a token request.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    target: RequestTarget,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Response {
    match answer(&state, address, &target, &headers, form).await {
        Ok(response) => response,
        Err(error) => {
            let recorded = match error.audit(state.now(), address) {
                Some(event) => state.record_refusal(event).await,
                None => Ok(()),
            };
            match recorded {
                Ok(()) => error.error.respond(state.config()),
                Err(failure) => TokenError::Internal(failure.into()).respond(state.config()),
            }
        }
    }
}

/// Answers a token request whose parameters may be a JSON object.
pub async fn post_form_or_json(
    state: State<AppState>,
    address: ClientAddress,
    target: RequestTarget,
    headers: HeaderMap,
    form: Result<FormOrJson, FormError>,
) -> Response {
    post(state, address, target, headers, form.map(FormOrJson::into_form)).await
}

/// Answers every other method.
pub async fn other_method(State(state): State<AppState>) -> Response {
    let description = "The token endpoint takes POST only";
    json_error(
        state.config(),
        StatusCode::METHOD_NOT_ALLOWED,
        OAuthErrorCode::InvalidRequest,
        description,
    )
}

/// An error and what is known of the request by then.
struct Refused {
    error: TokenError,
    client_id: Option<String>,
    method: Option<&'static str>,
}

impl Refused {
    /// The event to record, unless it has been recorded with a change already or the issuer itself failed.
    fn audit(&self, now: Timestamp, address: Option<IpAddr>) -> Option<AuditEvent> {
        let reason = self.error.audit_reason()?;
        let mut event = AuditEvent::new(now, AuditAction::TokenRequest, AuditOutcome::Failure)
            .with_ip_address(address)
            .with_reason(reason);
        if let Some(client_id) = &self.client_id {
            event = event.with_client(&**client_id);
        }
        Some(match self.method {
            Some(method) => event.with_method(method),
            None => event,
        })
    }
}

impl From<TokenError> for Refused {
    fn from(error: TokenError) -> Self {
        Self {
            error,
            client_id: None,
            method: None,
        }
    }
}

async fn answer(
    state: &AppState,
    address: Option<IpAddr>,
    target: &RequestTarget,
    headers: &HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Response, Refused> {
    let Form(parameters) = form.map_err(TokenError::Form)?;
    if let Some(key) = api_key::named(state.config(), &parameters) {
        return api_key::exchange(state, address, target, headers, &parameters, key).await;
    }
    let client = authenticate(state, headers, &parameters)
        .await
        .map_err(TokenError::Internal)?;
    let client = match client {
        Err(ClientAuthenticationError::NoClient) => implied_client::find(state, &parameters)
            .await
            .map_err(TokenError::Internal)?
            .ok_or(ClientAuthenticationError::NoClient),
        outcome => outcome,
    };
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            let named = named_client(state, headers, &parameters).await;
            let named = named.map_err(TokenError::Internal)?;
            let basic = headers.contains_key(http::header::AUTHORIZATION);
            return Err(Refused {
                error: TokenError::Client { error, basic },
                method: named.as_ref().and_then(|named| named.method),
                client_id: named.map(|named| named.client_id),
            });
        }
    };
    let known = |error, method| Refused {
        error,
        client_id: Some(client.client().client_id.clone()),
        method,
    };
    let request = TokenRequest::read(&parameters).map_err(|error| known(error, None))?;
    let method = Some(request.grant.grant_type().as_str());
    if !client.client().allows(request.grant.grant_type()) {
        return Err(known(TokenError::GrantNotAllowed, method));
    }
    let now = state.now();
    let proof = dpop::presented_by_client(state, headers, target, client.client(), now)
        .await
        .map_err(|refusal| known(TokenError::Proof(refusal), method))?;
    let exchange = Exchange {
        state,
        client: &client,
        parameters: &parameters,
        proof,
        address,
        now,
    };
    let outcome = match request.grant {
        GrantRequest::AuthorizationCode(code) => authorization_code::exchange(&exchange, code).await,
        GrantRequest::ClientCredentials => client_credentials::issue(&exchange, request.scope).await,
        GrantRequest::DeviceCode(code) => device_code::exchange(&exchange, &code).await,
        GrantRequest::TokenExchange(offered) => {
            token_exchange::exchange(&exchange, offered, request.scope).await
        }
        GrantRequest::JwtBearer(assertion) => {
            jwt_bearer::exchange(&exchange, &assertion, request.scope).await
        }
        GrantRequest::RefreshToken(token) => refresh_token::exchange(&exchange, token, request.scope).await,
    };
    outcome.map_err(|error| known(error, method))
}

/// A successful answer.
fn success(body: &impl Serialize) -> Response {
    Json(body).into_response()
}

#[cfg(test)]
mod tests;
