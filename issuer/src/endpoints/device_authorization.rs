//! `/oauth2/device_authorization`: a device asks for the two codes, one for itself and one for its person (RFC 8628
//! section 3.1). The person answers on [`crate::device`].

mod description;

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;

use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::GrantType;
use crate::domain::device_authorization::{
    DEVICE_LIFETIME_SECONDS, DeviceAuthorization, POLL_INTERVAL_SECONDS, UserCode,
};
use crate::error::internal::InternalError;
use crate::error::json_body::{json_error, json_internal};
use crate::extract::{ClientAddress, Form, FormError};
use crate::rng;
use crate::state::AppState;
use crate::store::{Insertion, StoreError};
use crate::tokens::granting;
use crate::tokens::opaque::OpaqueSecret;

use super::client_request::{ClientRequest, ClientRequestError, Refusal, refuse};
use super::resources;

pub use description::describe;

/// How often a user code is made anew because the one before was in use; with 34 bits that hardly ever happens once.
const ATTEMPTS: usize = 4;

/// RFC 8628 section 3.2. Serialised at once and not kept: the device code is a secret in clear.
#[derive(Serialize)]
struct DeviceResponse {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: i64,
    interval: i64,
}

/// Why there are no codes.
#[derive(Debug)]
enum DeviceError {
    Request(ClientRequestError),
    /// The reason, of a client that is known.
    Refused(DeviceRequestRefusal, String),
    Internal(InternalError),
}

/// What is wrong with the request of a client that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DeviceRequestRefusal {
    GrantNotAllowed,
    NoScope,
    MalformedScope,
    NothingToGrant,
    ScopeTooLong,
    UnknownTarget,
}

impl DeviceRequestRefusal {
    const fn code(self) -> OAuthErrorCode {
        match self {
            Self::GrantNotAllowed => OAuthErrorCode::UnauthorizedClient,
            Self::NoScope | Self::MalformedScope | Self::NothingToGrant | Self::ScopeTooLong => {
                OAuthErrorCode::InvalidScope
            }
            Self::UnknownTarget => OAuthErrorCode::InvalidTarget,
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::GrantNotAllowed => "The client is not registered for the device_code grant",
            Self::NoScope => "scope is missing",
            Self::MalformedScope => "scope must be a list of scopes with one space between two of them",
            Self::NothingToGrant => {
                "The client may have none of the requested scopes in the name of a person"
            }
            Self::ScopeTooLong => "The requested scopes are too many for one access token",
            Self::UnknownTarget => {
                "resource, audience and aud must name a resource that this server issues tokens for"
            }
        }
    }
}

impl Refusal for DeviceError {
    fn audit_reason(&self) -> Option<&'static str> {
        match self {
            Self::Request(error) => error.audit_reason(),
            Self::Refused(refusal, _) => Some(refusal.code().as_str()),
            Self::Internal(_) => None,
        }
    }

    fn name_in(&self, event: AuditEvent) -> AuditEvent {
        match self {
            Self::Request(error) => error.name_in(event),
            Self::Refused(_, client_id) => event.with_client(&**client_id),
            Self::Internal(_) => event,
        }
    }

    fn respond(&self, config: &Config) -> Response {
        match self {
            Self::Request(error) => error.respond(config),
            Self::Refused(refusal, _) => json_error(
                config,
                StatusCode::BAD_REQUEST,
                refusal.code(),
                refusal.description(),
            ),
            Self::Internal(error) => json_internal(config, error),
        }
    }
}

impl From<InternalError> for DeviceError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

/// Gives a device its codes.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Response {
    let error = match begin(&state, address, &headers, form).await {
        Ok(codes) => return Json(codes).into_response(),
        Err(error) => error,
    };
    refuse(&state, event(&state, AuditOutcome::Failure, address), &error).await
}

/// Answers every other method.
pub async fn other_method(State(state): State<AppState>) -> Response {
    let description = "The device authorization endpoint takes POST only";
    json_error(
        state.config(),
        StatusCode::METHOD_NOT_ALLOWED,
        OAuthErrorCode::InvalidRequest,
        description,
    )
}

async fn begin(
    state: &AppState,
    address: Option<IpAddr>,
    headers: &HeaderMap,
    form: Result<Form, FormError>,
) -> Result<DeviceResponse, DeviceError> {
    let request = ClientRequest::read(state, headers, form)
        .await
        .map_err(DeviceError::Request)?;
    let client = request.client.client();
    let refused = |refusal| DeviceError::Refused(refusal, client.client_id.clone());
    if !client.allows(GrantType::DeviceCode) {
        return Err(refused(DeviceRequestRefusal::GrantNotAllowed));
    }
    let scope = request.parameters.all("scope").next();
    let scope = ScopeSet::parse(scope.ok_or_else(|| refused(DeviceRequestRefusal::NoScope))?)
        .map_err(|_| refused(DeviceRequestRefusal::MalformedScope))?;
    let scope = granting::for_request(&scope, client);
    if scope.is_empty() {
        return Err(refused(DeviceRequestRefusal::NothingToGrant));
    }
    if !granting::fits_into_a_token(&scope) {
        return Err(refused(DeviceRequestRefusal::ScopeTooLong));
    }
    let audiences = resources::requested(state.config(), &request.parameters)
        .map_err(|_| refused(DeviceRequestRefusal::UnknownTarget))?;

    let now = state.now();
    let device_code = OpaqueSecret::DeviceCode.generate().map_err(InternalError::from)?;
    let audit = event(state, AuditOutcome::Success, address)
        .with_client(&*client.client_id)
        .with_method(request.client.method());
    for _ in 0..ATTEMPTS {
        let bytes = Secret::new(rng::bytes::<32>().map_err(InternalError::from)?);
        let Some(user_code) = UserCode::from_random(bytes.expose()) else {
            continue;
        };
        let device = DeviceAuthorization {
            digest: device_code.digest,
            user_code: user_code.clone(),
            client_id: client.client_id.clone(),
            scope: scope.clone(),
            audiences: audiences.clone(),
            interval_seconds: POLL_INTERVAL_SECONDS,
            last_polled_at: None,
            decided_at: None,
            grant_id: None,
            redeemed_at: None,
            expires_at: now.plus(DEVICE_LIFETIME_SECONDS),
        };
        let inserted = state
            .store()
            .insert_device_authorization(device, audit.clone())
            .await
            .map_err(InternalError::from)?;
        if inserted == Insertion::Inserted {
            let page = state.config().server.public_url.join("/device");
            return Ok(DeviceResponse {
                device_code: device_code.value.expose().clone(),
                verification_uri_complete: format!("{page}?user_code={user_code}"),
                verification_uri: page,
                user_code: user_code.to_string(),
                expires_in: DEVICE_LIFETIME_SECONDS,
                interval: POLL_INTERVAL_SECONDS,
            });
        }
    }
    Err(InternalError::from(StoreError::Busy).into())
}

fn event(state: &AppState, outcome: AuditOutcome, address: Option<IpAddr>) -> AuditEvent {
    AuditEvent::new(state.now(), AuditAction::DeviceAuthorization, outcome).with_ip_address(address)
}
