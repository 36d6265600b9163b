use std::collections::HashSet;

use serde_json::Value;

use crate::testing::ISSUER;
use crate::web::testing::{Answer, Clinic};

async fn document(clinic: &Clinic, name: &str) -> (Answer, Value) {
    let answer = clinic.browser().get(&format!("/.well-known/{name}")).await;
    let value = answer.json();
    (answer, value)
}

#[track_caller]
fn lists(document: &Value, member: &str, value: &str) -> bool {
    document[member]
        .as_array()
        .unwrap()
        .iter()
        .any(|entry| entry == value)
}

// SMART-01, SMART-79, OIDC-10
#[tokio::test]
async fn documents_are_for_everybody_and_may_be_cached() {
    let clinic = Clinic::open().await;
    for name in [
        "openid-configuration",
        "oauth-authorization-server",
        "smart-configuration",
        "jwks.json",
    ] {
        let (answer, _) = document(&clinic, name).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(answer.header("pragma"), None);
    }
}

// OUT-01
#[tokio::test]
async fn every_endpoint_is_named_where_it_is() {
    let clinic = Clinic::open().await;
    let (_, openid) = document(&clinic, "openid-configuration").await;
    for (member, path) in [
        ("authorization_endpoint", "/oauth2/authorize"),
        ("token_endpoint", "/oauth2/token"),
        ("revocation_endpoint", "/oauth2/revoke"),
        ("introspection_endpoint", "/oauth2/introspect"),
        ("jwks_uri", "/.well-known/jwks.json"),
        ("pushed_authorization_request_endpoint", "/oauth2/par"),
        ("device_authorization_endpoint", "/oauth2/device_authorization"),
        ("status_list_aggregation_endpoint", "/oauth2/status"),
        ("end_session_endpoint", "/oauth2/logout"),
        ("userinfo_endpoint", "/oauth2/userinfo"),
    ] {
        assert_eq!(openid[member], format!("{ISSUER}{path}"), "{member}");
    }
}

// OIDC-14, OUT-10, FAPI-01, SMART-48, SMART-49
#[tokio::test]
async fn openid_and_oauth_metadata_are_one_document_with_what_the_conformance_plan_wants() {
    let clinic = Clinic::open().await;
    let (_, openid) = document(&clinic, "openid-configuration").await;
    let (_, oauth) = document(&clinic, "oauth-authorization-server").await;
    assert_eq!(openid, oauth);
    assert_eq!(openid["issuer"], ISSUER);
    assert_eq!(openid["response_types_supported"], serde_json::json!(["code"]));
    assert_eq!(
        openid["response_modes_supported"],
        serde_json::json!(["query", "form_post"])
    );
    assert_eq!(
        openid["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
    assert_eq!(
        openid["id_token_signing_alg_values_supported"],
        serde_json::json!(["ES256", "RS256", "PS256", "EdDSA"])
    );
    assert_eq!(
        openid["subject_types_supported"],
        serde_json::json!(["public", "pairwise"])
    );
    assert_eq!(
        openid["userinfo_signing_alg_values_supported"],
        openid["id_token_signing_alg_values_supported"]
    );
    assert_eq!(openid["claims_parameter_supported"], true);
    assert_eq!(openid["ui_locales_supported"], serde_json::json!(["en"]));
    for display in ["page", "popup"] {
        assert!(lists(&openid, "display_values_supported", display));
    }
    assert_eq!(openid["acr_values_supported"].as_array().unwrap().len(), 4);
    assert_eq!(openid["authorization_response_iss_parameter_supported"], true);
    assert!(lists(
        &openid,
        "introspection_endpoint_auth_methods_supported",
        "client_secret_basic"
    ));
    assert!(!lists(
        &openid,
        "introspection_endpoint_auth_methods_supported",
        "none"
    ));
    assert_eq!(
        openid["dpop_signing_alg_values_supported"],
        serde_json::json!(["PS256", "ES256", "ES384", "EdDSA"])
    );
    for scheme in ["Bearer", "DPoP"] {
        assert!(lists(
            &openid,
            "introspection_endpoint_auth_methods_supported",
            scheme
        ));
    }
    for flag in ["request_parameter_supported", "request_uri_parameter_supported"] {
        assert_eq!(openid[flag], false, "{flag}");
    }
    assert_eq!(openid["require_pushed_authorization_requests"], false);
    for grant in [
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
        assert!(lists(&openid, "grant_types_supported", grant));
    }
    for method in [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "none",
    ] {
        assert!(lists(&openid, "token_endpoint_auth_methods_supported", method));
    }
    assert_eq!(openid["backchannel_logout_supported"], true);
    assert_eq!(openid["backchannel_logout_session_supported"], true);
    for scope in ["openid", "profile", "email", "address", "phone"] {
        assert!(lists(&openid, "scopes_supported", scope));
    }
    for claim in ["sub", "name", "email", "email_verified"] {
        assert!(lists(&openid, "claims_supported", claim));
    }
}

// OIDC-10, OIDC-11, OIDC-12, OIDC-13, OIDC-15, OIDC-16, OIDC-17, OIDC-19, OIDC-20, OIDC-67
#[tokio::test]
async fn discovery_has_the_members_and_types_that_certification_reads() {
    let clinic = Clinic::open().await;
    let (answer, openid) = document(&clinic, "openid-configuration").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(ISSUER.starts_with("https://"));
    assert_eq!(openid["issuer"], ISSUER);
    for (member, value) in openid.as_object().unwrap() {
        let url = value.as_str().is_some_and(|value| value.starts_with("https://"));
        assert!(
            url || !(member.ends_with("_endpoint") || member.ends_with("_uri")),
            "{member}"
        );
        let of_text = |list: &Vec<Value>| {
            let distinct: std::collections::BTreeSet<&str> = list.iter().filter_map(Value::as_str).collect();
            !list.is_empty() && distinct.len() == list.len()
        };
        if member.ends_with("_supported") && !value.is_boolean() {
            assert!(value.as_array().is_some_and(of_text), "{member}: {value}");
        }
    }
    for member in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "claims_supported",
    ] {
        assert!(openid.get(member).is_some(), "{member}");
    }
    assert!(lists(&openid, "response_types_supported", "code"));
    assert!(lists(&openid, "scopes_supported", "openid"));
    assert!(lists(
        &openid,
        "token_endpoint_auth_methods_supported",
        "client_secret_post"
    ));
    for member in [
        "id_token_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
    ] {
        assert!(
            lists(&openid, member, "RS256") && !lists(&openid, member, "none"),
            "{member}"
        );
    }
}

// SMART-05, SMART-09, SMART-10
#[tokio::test]
async fn nothing_is_claimed_that_is_not_there() {
    let clinic = Clinic::open().await;
    for name in ["openid-configuration", "smart-configuration"] {
        let (_, document) = document(&clinic, name).await;
        assert!(document.get("registration_endpoint").is_none(), "{name}");
        assert!(document.get("frontchannel_logout_supported").is_none(), "{name}");
        assert!(!lists(&document, "scopes_supported", "launch/imagingstudy"));
        for (member, value) in document.as_object().unwrap() {
            if member.ends_with("_endpoint") {
                let path = value.as_str().unwrap().strip_prefix(ISSUER).unwrap();
                assert_ne!(clinic.browser().get(path).await.status, 404, "{member}");
            }
        }
    }
}

// SMART-02, SMART-03, SMART-04, SMART-08
#[tokio::test]
async fn smart_configuration_has_what_its_test_kit_wants() {
    let clinic = Clinic::open().await;
    let (answer, smart) = document(&clinic, "smart-configuration").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(smart["issuer"], ISSUER);
    assert_eq!(smart["jwks_uri"], format!("{ISSUER}/.well-known/jwks.json"));
    assert!(lists(&smart, "grant_types_supported", "authorization_code"));
    // SMART-61: backend services.
    assert!(lists(&smart, "grant_types_supported", "client_credentials"));
    assert!(lists(
        &smart,
        "token_endpoint_auth_methods_supported",
        "private_key_jwt"
    ));
    for algorithm in ["RS384", "ES384"] {
        assert!(lists(
            &smart,
            "token_endpoint_auth_signing_alg_values_supported",
            algorithm
        ));
    }
    assert_eq!(
        smart["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
    for capability in [
        "launch-ehr",
        "context-ehr-patient",
        "context-ehr-encounter",
        "context-standalone-encounter",
        "context-banner",
        "context-style",
        "launch-standalone",
        "client-public",
        "client-confidential-symmetric",
        "client-confidential-asymmetric",
        "sso-openid-connect",
        "permission-v2",
        "authorize-post",
    ] {
        assert!(lists(&smart, "capabilities", capability));
    }
    assert!(!lists(&smart, "capabilities", "smart-app-state"));
}

// OIDC-18, SMART-50
#[tokio::test]
async fn keys_are_public_distinct_and_complete() {
    let clinic = Clinic::open().await;
    let (_, set) = document(&clinic, "jwks.json").await;
    let keys = set["keys"].as_array().unwrap();
    let distinct = |member: &str| {
        let values: HashSet<&str> = keys.iter().map(|key| key[member].as_str().unwrap()).collect();
        values.len()
    };
    assert_eq!((keys.len(), distinct("kid"), distinct("alg")), (4, 4, 4));
    for key in keys {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none());
        }
    }
}

#[tokio::test]
async fn keys_are_not_cached_beyond_half_the_lead_of_a_new_one() {
    let clinic = Clinic::with_config(|config| config.keys.publish_lead_seconds = 300).await;
    let (answer, _) = document(&clinic, "jwks.json").await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=150"));
}
