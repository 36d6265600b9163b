//! A deployment that is held to FAPI as a whole.

use http::StatusCode;
use serde_json::{Value, json};
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::scope::ScopeSet;

use super::{Fapi, ONE, TOKEN, TWO, fapi_client, refreshing, request, visit};
use crate::config::Config;
use crate::domain::client::{GrantType, SecurityProfile};
use crate::keys::KeyRing;
use crate::state::AppState;
use crate::testing::{Signer, master_key};
use crate::web::testing::{
    APP, APP_REDIRECT, Browser, Clinic, PATIENT, SERVICE, WEB, WEB_REDIRECT, app_request, basic, web_request,
};

fn held(config: &mut Config) {
    config.security.profile = SecurityProfile::Fapi2;
}

/// A browser before the same issuer, started again and held to FAPI from now on.
async fn restarted(clinic: &Clinic) -> Browser {
    let issuer = &clinic.issuer;
    let mut config = issuer.state.config().clone();
    held(&mut config);
    let store = issuer.store().clone();
    let keys = KeyRing::load(&store, master_key(), &config).await.unwrap();
    let state = AppState::build(config, store, keys, issuer.clock.clone()).unwrap();
    Browser::new(crate::app(state))
}

async fn document(clinic: &Clinic, name: &str) -> Value {
    clinic.browser().get(&format!("/.well-known/{name}")).await.json()
}

// FAPI-01
#[tokio::test]
async fn metadata_say_what_a_client_that_is_held_to_fapi_needs_and_what_the_deployment_takes() {
    const ALLOWED: [&str; 3] = ["PS256", "ES256", "EdDSA"];
    for (profile, pushed, methods) in [
        (
            SecurityProfile::Standard,
            false,
            json!([
                "client_secret_basic",
                "client_secret_post",
                "private_key_jwt",
                "none"
            ]),
        ),
        (SecurityProfile::Fapi2, true, json!(["private_key_jwt"])),
    ] {
        let clinic = Clinic::with_config(|config| config.security.profile = profile).await;
        let metadata = document(&clinic, "openid-configuration").await;
        let lists = |member: &str, value: &str| {
            let list = metadata[member].as_array().unwrap();
            list.iter().any(|entry| entry == value)
        };
        assert!(lists("response_types_supported", "code"));
        assert!(lists("grant_types_supported", "authorization_code"));
        assert!(lists("code_challenge_methods_supported", "S256"));
        assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
        let endpoint = metadata["pushed_authorization_request_endpoint"]
            .as_str()
            .unwrap();
        assert!(endpoint.starts_with("https://"), "{endpoint}");
        assert_eq!(metadata["require_pushed_authorization_requests"], pushed);
        assert_eq!(metadata["token_endpoint_auth_methods_supported"], methods);
        for member in [
            "id_token_signing_alg_values_supported",
            "token_endpoint_auth_signing_alg_values_supported",
            "revocation_endpoint_auth_signing_alg_values_supported",
        ] {
            assert!(ALLOWED.iter().all(|allowed| lists(member, allowed)), "{member}");
            let others = metadata[member].as_array().unwrap().len() > ALLOWED.len();
            assert_eq!(others, profile == SecurityProfile::Standard, "{member}");
        }
        let proofs = metadata["dpop_signing_alg_values_supported"].as_array().unwrap();
        assert!(
            ALLOWED
                .iter()
                .all(|allowed| proofs.iter().any(|name| name == allowed))
        );
        let smart = document(&clinic, "smart-configuration").await;
        let capabilities = smart["capabilities"].as_array().unwrap();
        let has = |name: &str| capabilities.iter().any(|capability| capability == name);
        assert!(has("client-confidential-asymmetric"));
        assert_eq!(has("client-public"), !pushed);
        assert_eq!(has("client-confidential-symmetric"), !pushed);
    }
}

// FAPI-02
#[tokio::test]
async fn published_keys_are_strong() {
    let clinic = Clinic::open().await;
    for key in document(&clinic, "jwks.json").await["keys"].as_array().unwrap() {
        match key["kty"].as_str().unwrap() {
            // 2048 bits are 256 bytes: 342 characters of base64url.
            "RSA" => assert!(key["n"].as_str().unwrap().len() >= 342, "{key}"),
            "EC" => assert_eq!(key["crv"], "P-256"),
            other => assert_eq!(other, "OKP"),
        }
    }
}

#[tokio::test]
async fn clients_without_a_key_of_their_own_are_refused() {
    let clinic = Clinic::with_config(held).await;
    let public = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_id", APP),
    ];
    let answer = clinic.token(&public).await;
    let description = answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    assert!(description.contains("private_key_jwt"), "{description}");
    assert_eq!(
        clinic.last_audit().await.reason.as_deref(),
        Some("client_authentication_method")
    );
    let header = basic(SERVICE, &clinic.service_secret);
    for path in [
        "/oauth2/token",
        "/oauth2/revoke",
        "/oauth2/introspect",
        "/oauth2/par",
    ] {
        let answer = clinic
            .browser()
            .post_with(
                path,
                &[("grant_type", "client_credentials")],
                &[("authorization", &header)],
            )
            .await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    // Who does not know the secret learns nothing of the client.
    let wrong = basic(SERVICE, "wrong");
    let answer = clinic
        .browser()
        .post_with("/oauth2/token", &[], &[("authorization", &wrong)])
        .await;
    let description = answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    assert!(!description.contains("private_key_jwt"), "{description}");
}

#[tokio::test]
async fn a_public_client_of_earlier_cannot_refresh_whether_it_names_itself_or_not() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens("openid offline_access", PATIENT).await;
    let browser = restarted(&clinic).await;
    let unnamed = refreshing(&tokens);
    let named = [&unnamed[..], &[("client_id", APP)]].concat();
    for fields in [&unnamed[..], &named] {
        let answer = browser.post(TOKEN, fields).await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let answer = clinic.token(&named).await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "the refusals changed nothing: {answer:?}"
    );
}

// FAPI-42
#[tokio::test]
async fn no_grant_gives_a_token_without_a_proof() {
    let fapi = Fapi::configured(held).await;
    let signer = Signer::new(SignatureAlgorithm::ES256, Some("key"));
    let mut client = fapi_client("plain", &signer);
    client.metadata.profile = SecurityProfile::Standard;
    client.grant_types = GrantType::ALL.to_vec();
    client.scope = ScopeSet::parse("system/*.read").unwrap();
    fapi.clinic.issuer.add_client(client).await;
    let assertion = || signer.sign(&signer.header(), &fapi.claims("plain"));
    for grant_type in GrantType::ALL {
        let fields = [
            ("grant_type", grant_type.as_str()),
            ("code", "x"),
            ("refresh_token", "x"),
            ("device_code", "x"),
            ("assertion", "x"),
            ("subject_token", "x"),
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
        ];
        let answer = fapi.call(TOKEN, &assertion(), &fields).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_dpop_proof");
        let reason = fapi.clinic.last_audit().await.reason;
        assert_eq!(reason.as_deref(), Some("no_dpop_proof"), "{grant_type:?}");
    }
    let fields = [("grant_type", "client_credentials")];
    let answer = fapi.prove(TOKEN, &assertion(), &fapi.key, &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json()["token_type"], "DPoP");
}

#[tokio::test]
async fn every_client_must_push() {
    let clinic = Clinic::with_config(held).await;
    let browser = clinic.browser();
    visit(&browser, &app_request("openid")).await.is_error_redirect(
        APP_REDIRECT,
        "invalid_request",
        Some("xyz123"),
    );
    visit(&browser, &web_request("openid")).await.is_error_redirect(
        WEB_REDIRECT,
        "invalid_request",
        Some("xyz123"),
    );
    assert_eq!(clinic.last_audit().await.client_id.as_deref(), Some(WEB));
}

#[tokio::test]
async fn a_client_with_a_key_is_held_to_fapi_whatever_it_is_registered_with() {
    let fapi = Fapi::configured(held).await;
    let signer = Signer::new(SignatureAlgorithm::ES256, Some("key"));
    let mut client = fapi_client("plain", &signer);
    client.metadata.profile = SecurityProfile::Standard;
    client.pkce_required = false;
    fapi.clinic.issuer.add_client(client).await;
    let mut claims = fapi.claims("plain");
    let push = async |claims: &Value, fields: &[(&str, &str)]| {
        let assertion = signer.sign(&signer.header(), claims);
        fapi.call("/oauth2/par", &assertion, fields).await
    };
    let mut fields = request("plain");
    assert_eq!(push(&claims, &fields).await.status, StatusCode::CREATED);
    fields.retain(|(name, _)| !name.starts_with("code_challenge"));
    claims["jti"] = "second".into();
    let answer = push(&claims, &fields).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    claims["jti"] = "third".into();
    claims["aud"] = json!([claims["aud"]]);
    let answer = push(&claims, &request("plain")).await;
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    for client_id in [ONE, TWO] {
        assert_eq!(
            fapi.push(client_id, &request(client_id)).await.status,
            StatusCode::CREATED
        );
    }
}
