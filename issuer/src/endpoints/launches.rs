//! `/v1/launches`: an EHR says that it is about to open an app, and in which context (SMART App Launch 2.2 "EHR launch";
//! SMART-18, SMART-19).
//!
//! The caller is a client that acts for itself, with an access token of the scope [`SCOPE`]. What it says about patient and
//! person is believed, so only an EHR gets that scope registered. It is given an opaque value, bound to the app and good
//! for one authorization within ten minutes, and the address to which it sends the browser.
//!
//! Refusals are problem documents (RFC 9457). Left out on purpose: looking up, changing or withdrawing a launch.

mod description;
mod request;

use std::borrow::Cow;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use wardgate_shared::redirect_uri::RegisteredRedirectUri;

use crate::config::{Config, Resource, is_url};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::{Client, GrantType};
use crate::domain::launch::{LAUNCH_LIFETIME_SECONDS, Launch};
use crate::domain::user::{User, normalize_email};
use crate::error::bearer::BearerError;
use crate::error::internal::InternalError;
use crate::error::problem::{problem, problem_bearer, problem_internal};
use crate::extract::{ClientAddress, RequestTarget};
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;

use super::{bearer_authentication, resources};
use request::{LaunchRequest, RequestFault};

pub use description::describe;

/// The scope of access tokens that open this endpoint: two underscores, as SMART asks of scopes that it does not define.
pub const SCOPE: &str = "__launches";

/// Why a launch is refused.
#[derive(Debug)]
enum LaunchError {
    Bearer(BearerError),
    /// The token speaks for a person: only an EHR itself is believed.
    PersonsToken,
    Request(RequestFault),
    /// `client_id` names no app that signs people in.
    NoApp,
    /// The app has no usable `launch_uri`.
    NoLaunchUri,
    /// `aud` names no FHIR base of ours, or none is configured.
    NoFhirBase,
    /// `user` names nobody who may sign in.
    NoUser,
    Internal(InternalError),
}

impl LaunchError {
    fn respond(&self, config: &Config, headers: &HeaderMap) -> Response {
        let unprocessable = |detail: Cow<'static, str>| {
            problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The app cannot be launched like this",
                Some(detail),
            )
        };
        match self {
            Self::Bearer(error) => problem_bearer(config, headers, *error),
            Self::PersonsToken => problem(
                StatusCode::FORBIDDEN,
                "The access token does not open this endpoint",
                Some(Cow::Borrowed(
                    "Only a client that acts for itself (grant client_credentials) may launch apps",
                )),
            ),
            Self::Request(fault) if fault.is_malformed() => problem(
                fault.status(),
                "The request body cannot be read",
                Some(Cow::Owned(fault.to_string())),
            ),
            Self::Request(fault) => unprocessable(Cow::Owned(fault.to_string())),
            Self::NoApp => unprocessable(Cow::Borrowed(
                "client_id must be a registered client that may use authorization_code",
            )),
            Self::NoLaunchUri => unprocessable(Cow::Borrowed(
                "the app has no launch_uri: register one in its metadata, an https URL without fragment",
            )),
            Self::NoFhirBase => unprocessable(Cow::Borrowed(
                "aud must be the URL of a FHIR base that this server issues tokens for",
            )),
            Self::NoUser => unprocessable(Cow::Borrowed(
                "user must be the sub or the e-mail address of a person who may sign in",
            )),
            Self::Internal(error) => problem_internal(error),
        }
    }

    const fn audit_reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Bearer(error) => error.reason(),
            Self::PersonsToken => "not_a_client_itself",
            Self::Request(_) => "malformed_request",
            Self::NoApp => "unknown_client",
            Self::NoLaunchUri => "no_launch_uri",
            Self::NoFhirBase => "invalid_target",
            Self::NoUser => "unknown_user",
            Self::Internal(_) => return None,
        })
    }
}

impl From<InternalError> for LaunchError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

/// The answer.
#[derive(Serialize)]
struct Launched {
    /// The value for the app.
    launch: String,
    /// Where to send the browser.
    launch_url: String,
    /// Until when the app may come back with it (RFC 3339, UTC).
    expires_at: String,
}

/// Makes a launch.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    target: RequestTarget,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let audit = |outcome| AuditEvent::new(state.now(), AuditAction::Launch, outcome).with_ip_address(address);
    let body = body.map_err(|rejection| RequestFault::Unreadable(rejection.status()));
    match launch(&state, &target, &headers, body, audit(AuditOutcome::Success)).await {
        Ok(launched) => (StatusCode::CREATED, Json(launched)).into_response(),
        Err(error) => {
            let recorded = match error.audit_reason() {
                Some(reason) => {
                    let event = audit(AuditOutcome::Failure).with_reason(reason);
                    state.record_refusal(event).await
                }
                None => Ok(()),
            };
            match recorded {
                Ok(()) => error.respond(state.config(), &headers),
                Err(failure) => problem_internal(&failure.into()),
            }
        }
    }
}

/// Answers every other method.
pub async fn other_method() -> Response {
    let detail = Cow::Borrowed("The launch endpoint takes POST only");
    problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "The method is not allowed",
        Some(detail),
    )
}

async fn launch(
    state: &AppState,
    target: &RequestTarget,
    headers: &HeaderMap,
    body: Result<Bytes, RequestFault>,
    audit: AuditEvent,
) -> Result<Launched, LaunchError> {
    let live = bearer_authentication::authenticate(state, target, headers, None, SCOPE)
        .await?
        .map_err(LaunchError::Bearer)?;
    if live.user.is_some() {
        return Err(LaunchError::PersonsToken);
    }
    let launched_by = live.token.into_claims().client_id;
    let body = body.map_err(LaunchError::Request)?;
    let request = LaunchRequest::read(headers, &body).map_err(LaunchError::Request)?;

    let store = state.store();
    let app = store
        .client(&request.client_id)
        .await
        .map_err(InternalError::from)?;
    let app = app
        .filter(|app| app.allows(GrantType::AuthorizationCode))
        .ok_or(LaunchError::NoApp)?;
    let launch_uri = launch_uri(&app).ok_or(LaunchError::NoLaunchUri)?;
    let (resource, base) =
        fhir_base(state.config(), request.aud.as_deref()).ok_or(LaunchError::NoFhirBase)?;
    let user = match &request.user {
        Some(name) => Some(user(state, name).await?.ok_or(LaunchError::NoUser)?),
        None => None,
    };

    let secret = OpaqueSecret::Launch.generate().map_err(InternalError::from)?;
    let launch = Launch {
        digest: secret.digest,
        client_id: app.client_id.clone(),
        launched_by: launched_by.clone(),
        audience: resource.identifier.clone(),
        context: request.into_context(user.map(|user| user.id)),
        created_at: state.now(),
        expires_at: state.now().plus(LAUNCH_LIFETIME_SECONDS),
    };
    let expires_at = launch.expires_at;
    let mut audit = audit.with_client(launched_by);
    if let Some(user_id) = &launch.context.user_id {
        audit = audit.with_user(&**user_id);
    }
    store
        .insert_launch(launch, audit)
        .await
        .map_err(InternalError::from)?;
    Ok(Launched {
        launch_url: launch_url(launch_uri, base, secret.value.expose()),
        launch: secret.value.expose().clone(),
        expires_at: DateTime::from_timestamp(expires_at.seconds(), 0).map_or_else(
            || expires_at.to_string(),
            |date| date.to_rfc3339_opts(SecondsFormat::Secs, true),
        ),
    })
}

/// Where an EHR starts `app`, if that may be registered. Registered whole and taken as it is (SMART-16).
fn launch_uri(app: &Client) -> Option<&str> {
    let uri = app.metadata.launch_uri.as_deref()?;
    RegisteredRedirectUri::parse(uri).is_ok().then_some(uri)
}

/// The resource that `aud` names, or the first FHIR base; with its URL, which the app is told as `iss` and discovers
/// everything from (SMART-18): the name that `aud` uses, where that is a URL. A resource without a URL cannot be launched
/// at.
fn fhir_base<'a>(config: &'a Config, aud: Option<&str>) -> Option<(&'a Resource, &'a str)> {
    let Some(aud) = aud else {
        let resource = config.resources.iter().find(|resource| resource.fhir)?;
        return Some((resource, resource.url()?));
    };
    let (resource, name) = resources::find_with_name(config, aud).filter(|(resource, _)| resource.fhir)?;
    let url = if is_url(name) { name } else { resource.url()? };
    Some((resource, url))
}

/// The person of this `sub` or address, if they may sign in.
async fn user(state: &AppState, name: &str) -> Result<Option<User>, InternalError> {
    let found = match state.store().user(name).await? {
        Some(user) => Some(user),
        None => state.store().user_by_email(&normalize_email(name)).await?,
    };
    Ok(found.filter(User::is_active))
}

/// `launch_uri` with `iss` and `launch` in its query.
fn launch_url(launch_uri: &str, base: &str, launch: &str) -> String {
    let separator = if launch_uri.contains('?') { '&' } else { '?' };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("iss", base)
        .append_pair("launch", launch)
        .finish();
    format!("{launch_uri}{separator}{query}")
}

#[cfg(test)]
mod tests;
