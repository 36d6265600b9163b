//! The four documents under `/.well-known/`: OpenID Connect Discovery, RFC 8414, SMART App Launch "Conformance", and the
//! keys (RFC 7517).
//!
//! They claim what is true now and nothing else (SMART-10): a member appears with the feature. Anybody may read them, from
//! any origin (SMART-79, SMART-83).

mod description;
mod openid_support;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Serialize;
use wardgate_shared::dpop;
use wardgate_shared::jwt::SignatureAlgorithm;

use crate::config::{Config, RegistrationMode};
use crate::domain::authorization_request::ResponseMode;
use crate::domain::client::{GrantType, SecurityProfile};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::state::AppState;
use crate::tokens::status_lists;

use super::client_authentication::methods;
use super::reference;
use openid_support::OpenIdSupport;

pub use description::describe;

/// How long documents other than the keys may be cached, in seconds.
const DOCUMENT_MAXIMUM_AGE_SECONDS: i64 = 300;
/// The longest that the keys may be cached, in seconds: a key that must go at once is gone everywhere after this time.
const KEYS_MAXIMUM_AGE_SECONDS: i64 = 300;

/// Scopes that can be granted. Any resource type may stand for `*`, and any letters for `cruds`.
const SCOPES: [&str; 26] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "fhirUser",
    "launch",
    "launch/patient",
    "launch/encounter",
    "offline_access",
    "online_access",
    "patient/*.cruds",
    "patient/*.rs",
    "patient/*.read",
    "patient/*.write",
    "patient/*.*",
    "user/*.cruds",
    "user/*.rs",
    "user/*.read",
    "user/*.write",
    "user/*.*",
    "system/*.cruds",
    "system/*.rs",
    "system/*.read",
    "system/*.write",
    "system/*.*",
];

/// What SMART clients can rely on. A patient's own record is the context of a standalone launch.
const CAPABILITIES: [&str; 19] = [
    "launch-ehr",
    "launch-standalone",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-banner",
    "context-style",
    "context-standalone-patient",
    "context-standalone-encounter",
    "permission-patient",
    "permission-user",
    "permission-offline",
    "permission-online",
    "permission-v1",
    "permission-v2",
    "authorize-post",
    "sso-openid-connect",
];

/// Members that all three documents share.
#[derive(Serialize)]
struct Common {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    jwks_uri: String,
    scopes_supported: [&'static str; SCOPES.len()],
    response_types_supported: [&'static str; 1],
    grant_types_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: &'static [&'static str],
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    code_challenge_methods_supported: [&'static str; 1],
}

impl Common {
    fn new(config: &Config) -> Self {
        let (url, profile) = (&config.server.public_url, config.security.profile);
        Self {
            issuer: url.as_str().into(),
            authorization_endpoint: url.join("/oauth2/authorize"),
            token_endpoint: url.join("/oauth2/token"),
            revocation_endpoint: url.join("/oauth2/revoke"),
            introspection_endpoint: url.join("/oauth2/introspect"),
            registration_endpoint: match config.registration.mode {
                RegistrationMode::Off => None,
                RegistrationMode::Token | RegistrationMode::Open => Some(url.join("/oauth2/register")),
            },
            jwks_uri: url.join("/.well-known/jwks.json"),
            scopes_supported: SCOPES,
            response_types_supported: ["code"],
            grant_types_supported: grant_types(config),
            token_endpoint_auth_methods_supported: methods(profile),
            token_endpoint_auth_signing_alg_values_supported: names(profile.algorithms()),
            code_challenge_methods_supported: ["S256"],
        }
    }
}

/// OpenID Connect Discovery section 3 and RFC 8414 section 2: one document under two names.
#[derive(Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the specifications give these members as booleans"
)]
struct AuthorizationServer {
    #[serde(flatten)]
    common: Common,
    revocation_endpoint_auth_methods_supported: &'static [&'static str],
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    userinfo_endpoint: String,
    end_session_endpoint: String,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    device_authorization_endpoint: String,
    pushed_authorization_request_endpoint: String,
    status_list_aggregation_endpoint: String,
    require_pushed_authorization_requests: bool,
    response_modes_supported: [&'static str; ResponseMode::ALL.len()],
    subject_types_supported: [&'static str; 2],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    userinfo_signing_alg_values_supported: Vec<&'static str>,
    #[serde(flatten)]
    openid: OpenIdSupport,
    dpop_signing_alg_values_supported: [&'static str; dpop::ALGORITHMS.len()],
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    authorization_response_iss_parameter_supported: bool,
    service_documentation: String,
}

/// SMART App Launch 2.2 "Conformance".
#[derive(Serialize)]
struct SmartConfiguration {
    #[serde(flatten)]
    common: Common,
    capabilities: Vec<&'static str>,
}

/// `/.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`.
pub async fn authorization_server(State(state): State<AppState>) -> Result<Response, PageError> {
    let profile = state.config().security.profile;
    let document = AuthorizationServer {
        common: Common::new(state.config()),
        revocation_endpoint_auth_methods_supported: methods(profile),
        revocation_endpoint_auth_signing_alg_values_supported: names(profile.algorithms()),
        introspection_endpoint_auth_methods_supported: introspection_methods(profile),
        userinfo_endpoint: state.config().server.public_url.join("/oauth2/userinfo"),
        end_session_endpoint: state.config().server.public_url.join("/oauth2/logout"),
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        device_authorization_endpoint: state
            .config()
            .server
            .public_url
            .join("/oauth2/device_authorization"),
        pushed_authorization_request_endpoint: state.config().server.public_url.join("/oauth2/par"),
        // draft-ietf-oauth-status-list section 9.1.
        status_list_aggregation_endpoint: state.config().server.public_url.join(status_lists::PATH),
        // For all clients alike; one client can be held to it alone.
        require_pushed_authorization_requests: profile == SecurityProfile::Fapi2,
        response_modes_supported: ResponseMode::ALL.map(ResponseMode::as_str),
        subject_types_supported: ["public", "pairwise"],
        id_token_signing_alg_values_supported: id_token_algorithms(&state, profile),
        // Signed with the same keys.
        userinfo_signing_alg_values_supported: id_token_algorithms(&state, profile),
        openid: OpenIdSupport::now(),
        dpop_signing_alg_values_supported: dpop::ALGORITHMS.map(SignatureAlgorithm::name),
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        authorization_response_iss_parameter_supported: true,
        service_documentation: state.config().server.public_url.join(reference::PATH),
    };
    Ok(public(&document, DOCUMENT_MAXIMUM_AGE_SECONDS)?)
}

/// The grant types that lead to a token. Without a trusted issuer nobody can make an assertion.
fn grant_types(config: &Config) -> Vec<&'static str> {
    let asserts = config.trusted_issuers.iter().any(|issuer| issuer.assertions);
    let all = GrantType::ALL.into_iter();
    all.filter(|grant_type| asserts || *grant_type != GrantType::JwtBearer)
        .map(GrantType::as_str)
        .collect()
}

/// The algorithms that there are keys for (OIDC-63) and that the deployment's profile allows.
fn id_token_algorithms(state: &AppState, profile: SecurityProfile) -> Vec<&'static str> {
    let mut algorithms = state.keys().algorithms();
    algorithms.retain(|algorithm| profile.algorithms().contains(algorithm));
    names(&algorithms)
}

fn names(algorithms: &[SignatureAlgorithm]) -> Vec<&'static str> {
    algorithms.iter().map(|algorithm| algorithm.name()).collect()
}

/// Every method by which a client proves who it is, and access tokens (RFC 8414 section 2 allows their types here).
fn introspection_methods(profile: SecurityProfile) -> Vec<&'static str> {
    let proofs = methods(profile)
        .iter()
        .copied()
        .filter(|method| *method != "none");
    proofs.chain(["Bearer", "DPoP"]).collect()
}

/// What is true of [`CAPABILITIES`] in a deployment that is held to `profile`.
fn capabilities(profile: SecurityProfile) -> Vec<&'static str> {
    let fapi = profile == SecurityProfile::Fapi2;
    let needs_another_client = |name: &str| matches!(name, "client-public" | "client-confidential-symmetric");
    let mut capabilities = CAPABILITIES.to_vec();
    capabilities.retain(|name| !fapi || !needs_another_client(name));
    capabilities
}

/// `/.well-known/smart-configuration`.
pub async fn smart_configuration(State(state): State<AppState>) -> Result<Response, PageError> {
    let document = SmartConfiguration {
        common: Common::new(state.config()),
        capabilities: capabilities(state.config().security.profile),
    };
    Ok(public(&document, DOCUMENT_MAXIMUM_AGE_SECONDS)?)
}

/// `/.well-known/jwks.json`: cached for less than the time for which a new key is published before it signs, so that every
/// cache knows a key by the time it is used.
pub async fn keys(State(state): State<AppState>) -> Result<Response, PageError> {
    let maximum_age = KEYS_MAXIMUM_AGE_SECONDS.min(state.config().keys.publish_lead_seconds / 2);
    Ok(public(
        &state.keys().published(state.now()).to_json(),
        maximum_age,
    )?)
}

fn public(document: &impl Serialize, maximum_age_seconds: i64) -> Result<Response, InternalError> {
    let mut response = Json(document).into_response();
    let caching = HeaderValue::from_str(&format!("public, max-age={maximum_age_seconds}"))?;
    response.headers_mut().insert(header::CACHE_CONTROL, caching);
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}

#[cfg(test)]
mod tests;
