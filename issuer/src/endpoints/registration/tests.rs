//! Clients that come of themselves: who is let in, what they get, and what they can do with it.

mod flows;
mod profile;
mod sector;
mod tokens;

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::config::{Config, RegistrationMode};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::testing::ISSUER;
use crate::web::testing::{Answer, Browser, Clinic};

/// A configuration as the certification plans of OpenID Connect need it.
pub(super) fn open(config: &mut Config) {
    config.registration.mode = RegistrationMode::Open;
    config.registration.require_pkce = false;
    config.outbound.allow_loopback_http = true;
}

/// Sends a document with a bearer token.
pub(super) async fn send(clinic: &Clinic, method: Method, path: &str, token: &str, body: &Value) -> Answer {
    let mut request = Browser::request(method, path).header("content-type", "application/json");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    clinic.browser().send(request.body(body).unwrap()).await
}

pub(super) async fn register(clinic: &Clinic, body: &Value) -> Answer {
    send(clinic, Method::POST, "/oauth2/register", "", body).await
}

/// The answer to a registration that must succeed.
pub(super) async fn registered(clinic: &Clinic, body: &Value) -> Value {
    let answer = register(clinic, body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

pub(super) fn app() -> Value {
    json!({ "redirect_uris": ["https://dyn.example/cb"], "client_name": "Dyn" })
}

/// `document` with these members over it; `null` takes one away.
pub(super) fn changed(mut document: Value, members: Value) -> Value {
    let members: Map<String, Value> = serde_json::from_value(members).unwrap();
    for (name, value) in members {
        if value.is_null() {
            document.as_object_mut().unwrap().remove(&name);
        } else {
            document[name] = value;
        }
    }
    document
}

// OIDC-80, OIDC-81
#[tokio::test]
async fn a_client_registers_and_is_told_everything() {
    let clinic = Clinic::with_config(open).await;
    let answer = registered(&clinic, &app()).await;
    let client_id = answer["client_id"].as_str().unwrap();
    assert_eq!(answer["client_secret_expires_at"], 0);
    assert!(answer["client_secret"].as_str().unwrap().starts_with("wgsec_"));
    assert!(
        answer["registration_access_token"]
            .as_str()
            .unwrap()
            .starts_with("wgm_")
    );
    assert_eq!(
        answer["registration_client_uri"],
        format!("{ISSUER}/oauth2/register/{client_id}")
    );
    assert_eq!(answer["client_id_issued_at"], clinic.issuer.now().seconds());
    assert_eq!(answer["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(answer["grant_types"], json!(["authorization_code"]));
    assert_eq!(answer["response_types"], json!(["code"]));
    assert_eq!(answer["application_type"], "web");
    assert_eq!(answer["subject_type"], "public");
    assert_eq!(answer["id_token_signed_response_alg"], "RS256");
    assert!(answer.get("error").is_none());
    let audit = clinic.last_audit().await;
    assert_eq!(
        (audit.action, audit.outcome),
        (AuditAction::ClientRegistration, AuditOutcome::Success)
    );
    assert_eq!(audit.client_id.as_deref(), Some(client_id));
    assert_eq!(audit.method.as_deref(), Some("open"));

    let public = changed(app(), json!({ "token_endpoint_auth_method": "none" }));
    let answer = registered(&clinic, &public).await;
    assert!(answer.get("client_secret").is_none() && answer.get("client_secret_expires_at").is_none());
}

// OUT-08
#[tokio::test]
async fn a_client_registers_where_people_go_once_they_have_signed_out() {
    let clinic = Clinic::with_config(open).await;
    let uris = json!(["https://dyn.example/post_logout_redirect"]);
    let answer = registered(
        &clinic,
        &changed(app(), json!({ "post_logout_redirect_uris": uris })),
    )
    .await;
    assert_eq!(answer["post_logout_redirect_uris"], uris);
    let client_id = answer["client_id"].as_str().unwrap();
    let client = clinic.issuer.store().client(client_id).await.unwrap().unwrap();
    assert!(
        client
            .post_logout_target("https://dyn.example/post_logout_redirect")
            .is_some()
    );
    assert!(client.post_logout_target("https://dyn.example/other").is_none());
}

// OIDC-83
#[tokio::test]
async fn a_redirect_uri_with_a_fragment_is_refused() {
    let clinic = Clinic::with_config(open).await;
    let body = json!({ "redirect_uris": ["https://dyn.example/cb#fragment"] });
    let said = register(&clinic, &body)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_redirect_uri");
    assert_eq!(said, "redirect_uris: the redirect URI has a fragment");
    assert_eq!(
        clinic.last_audit().await.reason.as_deref(),
        Some("invalid_redirect_uri")
    );
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused_in_the_standards_words() {
    let clinic = Clinic::with_config(open).await;
    for (members, code) in [
        (json!({ "redirect_uris": null }), "invalid_redirect_uri"),
        (
            json!({ "logo_uri": "javascript:alert(1)" }),
            "invalid_client_metadata",
        ),
        (
            json!({ "grant_types": ["client_credentials"] }),
            "invalid_client_metadata",
        ),
        (json!({ "scope": "system/*.cruds" }), "invalid_client_metadata"),
        (
            json!({ "software_statement": "e30.e30.x" }),
            "unapproved_software_statement",
        ),
    ] {
        let answer = register(&clinic, &changed(app(), members)).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, code);
    }
    let as_form = clinic
        .browser()
        .post("/oauth2/register", &[("client_name", "x")])
        .await;
    as_form.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_client_metadata");
    let long = json!({ "client_name": "x".repeat(70_000) });
    let answer = register(&clinic, &long).await;
    answer.is_oauth_error(StatusCode::PAYLOAD_TOO_LARGE, "invalid_client_metadata");
    let answer = clinic.browser().get("/oauth2/register").await;
    answer.is_oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request");
}

#[tokio::test]
async fn a_stranger_gets_no_more_than_the_configuration_lets_strangers_have() {
    let clinic = Clinic::with_config(open).await;
    let wide = json!({ "scope": "openid patient/Observation.rs patient/*.cruds user/*.rs system/*.rs offline_access" });
    let answer = registered(&clinic, &changed(app(), wide)).await;
    assert_eq!(answer["scope"], "openid patient/Observation.rs");
    // Not even where the operator lets strangers act for themselves do they get more than the scope of the configuration.
    let clinic = Clinic::with_config(|config| {
        open(config);
        config
            .registration
            .ceiling
            .grant_types
            .push(crate::domain::client::GrantType::ClientCredentials);
    })
    .await;
    let service = json!({ "grant_types": ["client_credentials"], "scope": "system/*.rs" });
    let answer = register(&clinic, &service).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_client_metadata");
}

#[tokio::test]
async fn nobody_registers_while_registration_is_off() {
    let clinic = Clinic::open().await;
    let answer = register(&clinic, &app()).await;
    answer.is_oauth_error(StatusCode::NOT_FOUND, "invalid_request");
    assert_eq!(clinic.issuer.store().clients().await.unwrap().len(), 3);
}

// SMART-07
#[tokio::test]
async fn metadata_names_the_endpoint_where_it_works() {
    for (mode, named) in [
        (RegistrationMode::Off, false),
        (RegistrationMode::Token, true),
        (RegistrationMode::Open, true),
    ] {
        let clinic = Clinic::with_config(|config| config.registration.mode = mode).await;
        for name in ["openid-configuration", "smart-configuration"] {
            let document = clinic.browser().get(&format!("/.well-known/{name}")).await.json();
            let url = named.then(|| Value::from(format!("{ISSUER}/oauth2/register")));
            assert_eq!(document.get("registration_endpoint"), url.as_ref(), "{name}");
        }
    }
}

#[tokio::test]
async fn what_metadata_says_can_be_registered_and_nothing_else() {
    let clinic = Clinic::with_config(open).await;
    let metadata = clinic
        .browser()
        .get("/.well-known/openid-configuration")
        .await
        .json();
    for (member, list) in [
        (
            "id_token_signed_response_alg",
            "id_token_signing_alg_values_supported",
        ),
        (
            "userinfo_signed_response_alg",
            "userinfo_signing_alg_values_supported",
        ),
    ] {
        for algorithm in wardgate_shared::jwt::SignatureAlgorithm::ALL {
            let listed = metadata[list].as_array();
            let supported = listed.is_some_and(|listed| listed.iter().any(|name| name == algorithm.name()));
            let answer = register(&clinic, &changed(app(), json!({ member: algorithm.name() }))).await;
            assert_eq!(
                answer.status == StatusCode::CREATED,
                supported,
                "{member} {algorithm}"
            );
        }
    }
}

#[tokio::test]
async fn strangers_cannot_fill_the_disk() {
    let clinic = Clinic::with_config(|config| {
        open(config);
        config.registration.unused_limit = 2;
        config.registration.unused_seconds = 3600;
    })
    .await;
    for _ in 0..2 {
        registered(&clinic, &app()).await;
    }
    let answer = register(&clinic, &app()).await;
    answer.is_oauth_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable");
    assert_eq!(answer.header("retry-after"), Some("3600"));
    clinic.issuer.advance(3600);
    clinic
        .issuer
        .store()
        .purge_expired(clinic.issuer.now())
        .await
        .unwrap();
    assert_eq!(
        clinic.issuer.store().clients().await.unwrap().len(),
        3,
        "those of the operator"
    );
    registered(&clinic, &app()).await;
}

#[tokio::test]
async fn of_many_registrations_at_once_no_more_than_the_limit_are_taken() {
    let clinic = Clinic::with_config(|config| {
        open(config);
        config.registration.unused_limit = 3;
    })
    .await;
    let clinic = std::sync::Arc::new(clinic);
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let clinic = clinic.clone();
        attempts.spawn(async move { register(&clinic, &app()).await.status });
    }
    let statuses = attempts.join_all().await;
    let taken = statuses
        .iter()
        .filter(|status| **status == StatusCode::CREATED)
        .count();
    assert_eq!(taken, 3, "{statuses:?}");
}
