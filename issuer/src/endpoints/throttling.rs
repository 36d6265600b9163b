//! The layer around the endpoints that clients call themselves: whoever calls too often, or fails too often, is told to wait
//! (429, RFC 6585 section 4) before anything is looked up, verified or recorded.
//!
//! The client is the one that the request names, unproved: see [`crate::throttle`] for why this locks nobody else out. A
//! device that polls is told `slow_down`, which it knows how to obey (RFC 8628 section 3.5); everybody else
//! `temporarily_unavailable`.

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use wardgate_shared::jwt::{MAXIMUM_JWT_BYTES, UnverifiedJwt};
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::api;
use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::GrantType;
use crate::error::internal::InternalError;
use crate::error::json_body::json_error;
use crate::error::problem::problem;
use crate::extract::{ClientAddress, FormError, FormOrJson, Parameters, distinguishing_address};
use crate::layers::MAXIMUM_BODY_BYTES;
use crate::state::AppState;
use crate::throttle::{Call, Caller, Outcome, Throttled};

use super::client_authentication::claimed_client;

/// Refuses in problem documents.
const LAUNCHES: &str = "/v1/launches";
/// The API for administrators as one endpoint, which refuses in problem documents too.
const ADMINISTRATION: &str = "the API for administrators";
/// The one endpoint that reads its parameters from JSON too: a client is counted whichever way it asks.
const TAKES_JSON: &str = "/auth/token";

/// What is throttled, under which name, and what the audit trail calls it. Aliases count as the endpoint.
fn endpoint(method: &Method, path: &str) -> Option<(&'static str, AuditAction)> {
    if let Some(client_id) = path.strip_prefix("/oauth2/register/") {
        let action = match *method {
            Method::PUT => AuditAction::ClientUpdate,
            Method::DELETE => AuditAction::ClientDeletion,
            _ => return None,
        };
        return (!client_id.contains('/')).then_some(("/oauth2/register/{client_id}", action));
    }
    if api::is_of_api(path) {
        return Some((ADMINISTRATION, AuditAction::Administration));
    }
    if method != Method::POST {
        return None;
    }
    Some(match path {
        "/oauth2/token" | "/oauth/token" | "/auth/token" => ("/oauth2/token", AuditAction::TokenRequest),
        "/oauth2/revoke" => ("/oauth2/revoke", AuditAction::TokenRevocation),
        "/oauth2/introspect" => ("/oauth2/introspect", AuditAction::TokenIntrospection),
        "/oauth2/par" => ("/oauth2/par", AuditAction::PushedAuthorization),
        "/oauth2/device_authorization" => ("/oauth2/device_authorization", AuditAction::DeviceAuthorization),
        "/oauth2/register" => ("/oauth2/register", AuditAction::ClientRegistration),
        LAUNCHES => (LAUNCHES, AuditAction::Launch),
        _ => return None,
    })
}

/// Lets a call through, or not, and counts what became of it.
pub async fn throttle(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    request: Request,
    next: Next,
) -> Response {
    let Some((endpoint, action)) = endpoint(request.method(), request.uri().path()) else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    let limited = Request::from_parts(parts.clone(), body);
    let body = match Bytes::from_request(limited, &state).await {
        Ok(body) => body,
        // As long as it takes for the endpoint to refuse it in its own words.
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Bytes::from(vec![0; MAXIMUM_BODY_BYTES.saturating_add(1)])
        }
        Err(_) => {
            let error = FormError::Interrupted;
            let code = OAuthErrorCode::InvalidRequest;
            return json_error(state.config(), error.status(), code, error.description());
        }
    };
    let parameters = match parts.uri.path() {
        TAKES_JSON => FormOrJson::parse(&parts.headers, &body)
            .ok()
            .map(|parsed| parsed.0),
        _ => Parameters::parse(&body).ok(),
    };
    let call = Call {
        endpoint,
        network: distinguishing_address(address, &state.config().server),
        caller: caller(&parts.headers, parameters.as_ref()),
    };
    let now = state.now();
    if let Err(throttled) = state.throttle().admit(&call, now) {
        return too_many(state.config(), endpoint, parameters.as_ref(), throttled);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if state.throttle().count(&call, outcome(&response), now) {
        let audit = AuditEvent::new(now, action, AuditOutcome::Failure)
            .with_ip_address(address)
            .with_reason("throttled");
        if let Err(failure) = state.store().record(audit).await {
            // The call itself is done, and what it gave is durable: its answer goes out.
            InternalError::from(failure).log();
        }
    }
    response
}

fn caller(headers: &HeaderMap, parameters: Option<&Parameters>) -> Caller {
    let authorization = headers.get(header::AUTHORIZATION);
    let token = authorization
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| !scheme.eq_ignore_ascii_case("Basic"));
    if let Some((_, token)) = token {
        // The client that an access token names, so that it is known by each of its tokens. A token of another kind is a caller
        // of its own; only its hash is kept.
        let unverified = UnverifiedJwt::parse(token, MAXIMUM_JWT_BYTES).ok();
        let client_id = unverified.and_then(|token| token.client_id_hint());
        return Caller::WithProof(client_id.unwrap_or_else(|| token.into()));
    }
    match parameters.and_then(|parameters| claimed_client(headers, parameters)) {
        Some(claimed) if claimed.has_proof => Caller::WithProof(claimed.client_id),
        Some(claimed) => Caller::NameOnly(claimed.client_id),
        None => Caller::Nameless,
    }
}

fn outcome(response: &Response) -> Outcome {
    match response.extensions().get::<OAuthErrorCode>() {
        Some(code) if is_fault_of_caller(*code) => Outcome::Failure,
        None if response.status().is_success() => Outcome::Success,
        // A challenge to a request without any credentials names no error, and neither does a problem document.
        None if response.status().is_client_error() => Outcome::Failure,
        Some(_) | None => Outcome::Neither,
    }
}

/// Whether an error says that the caller should not have asked like this. What a device hears while it waits,
/// and a proof that lacks only the server's nonce, does not.
const fn is_fault_of_caller(code: OAuthErrorCode) -> bool {
    match code {
        OAuthErrorCode::InvalidRequest
        | OAuthErrorCode::InvalidClient
        | OAuthErrorCode::InvalidGrant
        | OAuthErrorCode::UnauthorizedClient
        | OAuthErrorCode::UnsupportedGrantType
        | OAuthErrorCode::InvalidScope
        | OAuthErrorCode::InvalidTarget
        | OAuthErrorCode::UnsupportedResponseType
        | OAuthErrorCode::UnsupportedTokenType
        | OAuthErrorCode::InvalidToken
        | OAuthErrorCode::InsufficientScope
        | OAuthErrorCode::LoginRequired
        | OAuthErrorCode::ConsentRequired
        | OAuthErrorCode::InteractionRequired
        | OAuthErrorCode::RequestNotSupported
        | OAuthErrorCode::RequestUriNotSupported
        | OAuthErrorCode::UnmetAuthenticationRequirements
        | OAuthErrorCode::InvalidDpopProof
        | OAuthErrorCode::InvalidRedirectUri
        | OAuthErrorCode::InvalidClientMetadata
        | OAuthErrorCode::UnapprovedSoftwareStatement
        // A device that has heard either has nothing more to ask.
        | OAuthErrorCode::AccessDenied
        | OAuthErrorCode::ExpiredToken => true,
        OAuthErrorCode::AuthorizationPending
        | OAuthErrorCode::SlowDown
        | OAuthErrorCode::UseDpopNonce
        | OAuthErrorCode::ServerError
        | OAuthErrorCode::TemporarilyUnavailable => false,
    }
}

fn too_many(
    config: &Config,
    endpoint: &str,
    parameters: Option<&Parameters>,
    throttled: Throttled,
) -> Response {
    let polls = parameters.is_some_and(|parameters| {
        let mut grant_types = parameters.all("grant_type");
        grant_types.any(|name| name == GrantType::DeviceCode.as_str())
    });
    let code = if polls {
        OAuthErrorCode::SlowDown
    } else {
        OAuthErrorCode::TemporarilyUnavailable
    };
    let description = "There were too many requests; wait as long as Retry-After says";
    let status = StatusCode::TOO_MANY_REQUESTS;
    let mut response = if [LAUNCHES, ADMINISTRATION].contains(&endpoint) {
        problem(status, "Too many requests", Some(Cow::Borrowed(description)))
    } else {
        json_error(config, status, code, description)
    };
    let seconds = HeaderValue::from(throttled.retry_after_seconds);
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

#[cfg(test)]
mod tests;
