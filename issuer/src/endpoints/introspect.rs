//! `/oauth2/introspect`: what a token is worth (RFC 7662, SMART App Launch 2.2 "Token introspection").
//!
//! Two kinds of caller. A confidential client authenticates as at the token endpoint and is told about its own tokens. A
//! caller with an access token of the scope [`SCOPE`], which a resource server gets registered for, is told about the
//! access tokens of every client (SMART-72), and about no refresh token: an API must never take one for an access token.
//! Whatever a caller may not know, and whatever is not good, gets one and the same answer (RFC 7662 section 2.2).

mod description;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use wardgate_shared::claims::Actor;
use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::time::Timestamp;

use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::domain::launch::LaunchParameters;
use crate::error::bearer::BearerError;
use crate::error::internal::InternalError;
use crate::error::json_body::{json_client_challenge, json_error, json_internal};
use crate::extract::{ClientAddress, Form, FormError, Parameters, RequestTarget};
use crate::state::AppState;
use crate::tokens::{confirmation, own};

use super::bearer_authentication::{self, Scheme};
use super::client_authentication::{self, ClientAuthenticationError};

pub use description::describe;

/// The scope of access tokens that open this endpoint.
pub const SCOPE: &str = "introspect";

/// Why a question is not answered.
#[derive(Debug)]
enum IntrospectionError {
    Form(FormError),
    Client(ClientAuthenticationError),
    /// The client cannot prove who it is.
    PublicClient,
    Bearer(BearerError),
    Repeated,
    NoToken,
    Internal(InternalError),
}

impl IntrospectionError {
    fn respond(&self, config: &Config, headers: &HeaderMap) -> Response {
        let bad_request = |description| {
            json_error(
                config,
                StatusCode::BAD_REQUEST,
                OAuthErrorCode::InvalidRequest,
                description,
            )
        };
        match self {
            Self::Form(error) => json_error(
                config,
                error.status(),
                OAuthErrorCode::InvalidRequest,
                error.description(),
            ),
            Self::Client(error) if error.is_malformed_request() => bad_request(error.description()),
            Self::Client(error) => challenge(config, error.description()),
            Self::PublicClient => challenge(config, "A client without a secret cannot introspect tokens"),
            Self::Bearer(error) => match error.respond(config, headers) {
                Ok(response) => response,
                Err(failure) => json_internal(config, &failure),
            },
            Self::Repeated => bad_request("A parameter is repeated"),
            Self::NoToken => bad_request("token is missing"),
            Self::Internal(error) => json_internal(config, error),
        }
    }

    const fn audit_reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Form(_) => "malformed_request",
            Self::Client(error) => error.reason(),
            Self::PublicClient => "public_client",
            Self::Bearer(error) => error.reason(),
            Self::Repeated => "repeated_parameter",
            Self::NoToken => "missing_parameter",
            Self::Internal(_) => return None,
        })
    }
}

/// 401 with both ways in.
fn challenge(config: &Config, description: &'static str) -> Response {
    let mut response = json_client_challenge(config, description);
    let bearer = HeaderValue::from_static(r#"Bearer realm="wardgate", scope="introspect""#);
    response.headers_mut().append(header::WWW_AUTHENTICATE, bearer);
    response
}

impl From<InternalError> for IntrospectionError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

/// Whom a caller may ask about.
enum Caller {
    /// A client, by its id: about its own tokens.
    Client(String),
    /// A resource server: about all access tokens.
    ResourceServer,
}

/// The answer about a token that is good.
#[derive(Serialize)]
struct Living {
    active: bool,
    client_id: String,
    scope: String,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    sub: String,
    iss: String,
    aud: Vec<String>,
    /// The kind of access token (RFC 6749 section 5.1); absent for a refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// The key that an access token is bound to (RFC 9449 section 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patient: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encounter: Option<String>,
    #[serde(flatten)]
    launch: LaunchParameters,
    #[serde(rename = "fhirUser", skip_serializing_if = "Option::is_none")]
    fhir_user: Option<String>,
    /// Who acts for the subject (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Actor>,
}

/// The answer about every other text: exactly this (SMART-71).
#[derive(Serialize)]
struct Dead {
    active: bool,
}

/// Answers a question.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    target: RequestTarget,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Response {
    match introspect(&state, &target, &headers, form).await {
        Ok(Some(active)) => Json(active).into_response(),
        Ok(None) => Json(Dead { active: false }).into_response(),
        Err(error) => {
            let recorded = match error.audit_reason() {
                Some(reason) => {
                    let event = AuditEvent::new(
                        state.now(),
                        AuditAction::TokenIntrospection,
                        AuditOutcome::Failure,
                    )
                    .with_ip_address(address)
                    .with_reason(reason);
                    state.record_refusal(event).await
                }
                None => Ok(()),
            };
            match recorded {
                Ok(()) => error.respond(state.config(), &headers),
                Err(failure) => json_internal(state.config(), &failure.into()),
            }
        }
    }
}

/// Answers every other method.
pub async fn other_method(State(state): State<AppState>) -> Response {
    let description = "The introspection endpoint takes POST only";
    json_error(
        state.config(),
        StatusCode::METHOD_NOT_ALLOWED,
        OAuthErrorCode::InvalidRequest,
        description,
    )
}

async fn introspect(
    state: &AppState,
    target: &RequestTarget,
    headers: &HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Option<Living>, IntrospectionError> {
    let Form(parameters) = form.map_err(IntrospectionError::Form)?;
    let caller = caller(state, target, headers, &parameters).await?;
    parameters
        .refuse_repeated(&[])
        .map_err(|_| IntrospectionError::Repeated)?;
    let token = parameters
        .all("token")
        .next()
        .ok_or(IntrospectionError::NoToken)?;
    // `token_type_hint` only says where to look first (RFC 7662 section 2.1), and both looks are cheap.
    let active = match access_token(state, token).await? {
        Some(active) => Some(active),
        None => refresh_token(state, token).await?,
    };
    Ok(active.filter(|active| match &caller {
        Caller::Client(client_id) => active.client_id == *client_id,
        Caller::ResourceServer => active.token_type.is_some(),
    }))
}

async fn caller(
    state: &AppState,
    target: &RequestTarget,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Caller, IntrospectionError> {
    if headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .any(|value| Scheme::of(value).is_some())
    {
        bearer_authentication::authenticate(state, target, headers, None, SCOPE)
            .await?
            .map_err(IntrospectionError::Bearer)?;
        return Ok(Caller::ResourceServer);
    }
    let client = client_authentication::authenticate(state, headers, parameters)
        .await?
        .map_err(IntrospectionError::Client)?;
    if client.client().is_public() {
        return Err(IntrospectionError::PublicClient);
    }
    Ok(Caller::Client(client.client().client_id.clone()))
}

async fn access_token(state: &AppState, text: &str) -> Result<Option<Living>, InternalError> {
    let Some(live) = own::live_access_token(state, text, state.now()).await? else {
        return Ok(None);
    };
    let (exp, iat) = (live.token.expires_at(), live.token.issued_at());
    let claims = live.token.into_claims();
    let launch = state.store().launch_parameters_of(&claims.token_id).await?;
    let token_type = confirmation::token_type(&claims);
    Ok(Some(Living {
        active: true,
        client_id: claims.client_id,
        scope: claims.scope,
        exp: exp.seconds(),
        iat: iat.map(Timestamp::seconds),
        sub: claims.subject,
        iss: claims.issuer,
        aud: claims.audiences.iter().map(String::from).collect(),
        token_type: Some(token_type),
        cnf: claims.confirmation,
        jti: Some(claims.token_id),
        patient: claims.launch_context.patient_id,
        encounter: claims.launch_context.encounter_id,
        launch,
        fhir_user: claims.fhir_user,
        act: claims.actor,
    }))
}

async fn refresh_token(state: &AppState, text: &str) -> Result<Option<Living>, InternalError> {
    let digest = SecretDigest::of(text);
    if !state.store().is_refresh_token_live(&digest, state.now()).await? {
        return Ok(None);
    }
    let found = state.store().refresh_token(&digest).await?;
    Ok(found.map(|(token, grant)| Living {
        active: true,
        client_id: grant.client_id,
        scope: grant.scope.to_string(),
        exp: token.expires_at.seconds(),
        iat: Some(token.issued_at.seconds()),
        sub: grant.subject,
        iss: state.config().server.public_url.as_str().into(),
        aud: grant.audiences,
        token_type: None,
        cnf: None,
        jti: None,
        patient: grant.launch_context.patient_id,
        encounter: grant.launch_context.encounter_id,
        launch: grant.launch_parameters,
        fhir_user: None,
        act: None,
    }))
}

#[cfg(test)]
mod tests;
