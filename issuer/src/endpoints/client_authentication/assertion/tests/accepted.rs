//! Assertions that are taken.

use http::StatusCode;
use serde_json::json;
use wardgate_shared::jwt::SignatureAlgorithm;

use super::{
    ASSERTION_TYPE, BACKEND, BACKEND_REDIRECT, Backend, SCOPE, backend, inline, is_invalid_client, present,
};
use crate::domain::audit_event::AuditOutcome;
use crate::testing::{ISSUER, START, Signer, assertion_claims};
use crate::web::testing::{Clinic, PATIENT, VERIFIER, app_request, changed};

// SMART-30, SMART-31, SMART-35, SMART-61, SMART-62, SMART-63
#[tokio::test]
async fn an_assertion_as_the_smart_test_kit_sends_it_gets_a_token() {
    let clinic = Clinic::open().await;
    for algorithm in [SignatureAlgorithm::ES384, SignatureAlgorithm::RS384] {
        let client_id = format!("backend-{algorithm}");
        let signer = Signer::new(algorithm, Some("b41528b6f37a9500edb8a905a595bdd7"));
        clinic
            .issuer
            .add_client(backend(&client_id, inline(&[&signer])))
            .await;
        let claims = assertion_claims(&client_id, START);
        assert!(claims.get("iat").is_none() && claims.get("nbf").is_none());
        assert_eq!(claims["exp"], START.seconds() + 300);
        let answer = present(&clinic, &signer.sign(&signer.header(), &claims), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{algorithm}: {answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        let body = answer.json();
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["scope"], SCOPE);
        assert_eq!(body["expires_in"], 300, "SMART-65");
        assert!(body.get("refresh_token").is_none(), "SMART-65");
        let token = clinic.access_claims(&body["access_token"]).await.into_claims();
        assert_eq!(token.client_id, client_id);
        assert!(token.is_client_itself());
        let event = clinic.last_audit().await;
        assert_eq!(event.outcome, AuditOutcome::Success);
        assert_eq!(event.client_id, Some(client_id));
    }
}

#[tokio::test]
async fn every_advertised_algorithm_is_taken() {
    let clinic = Clinic::open().await;
    for algorithm in SignatureAlgorithm::ALL {
        let client_id = algorithm.name();
        let signer = Signer::new(algorithm, Some("k"));
        clinic
            .issuer
            .add_client(backend(client_id, inline(&[&signer])))
            .await;
        let answer = present(&clinic, &signer.assertion(client_id, START), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{algorithm}: {answer:?}");
    }
    let metadata = clinic
        .browser()
        .get("/.well-known/openid-configuration")
        .await
        .json();
    let names = json!(SignatureAlgorithm::ALL.map(SignatureAlgorithm::name));
    for endpoint in ["token", "revocation"] {
        assert_eq!(
            metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")],
            names
        );
    }
}

// SMART-30
#[tokio::test]
async fn code_exchange_and_refresh_take_assertions_without_client_id() {
    let Backend { clinic, signer } = Backend::open().await;
    let request = changed(
        app_request("openid patient/*.read offline_access"),
        &[
            ("client_id", Some(BACKEND)),
            ("redirect_uri", Some(BACKEND_REDIRECT)),
        ],
    );
    let code = clinic
        .browser()
        .authorize(&request, PATIENT)
        .await
        .sent("code")
        .unwrap();
    let assertion = signer.assertion(BACKEND, START);
    let exchanged = clinic
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", BACKEND_REDIRECT),
            ("code_verifier", VERIFIER),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ])
        .await;
    assert_eq!(exchanged.status, StatusCode::OK, "{exchanged:?}");
    let refresh_token = text(&exchanged, "refresh_token");
    let assertion = signer.assertion(BACKEND, START);
    let refreshed = clinic
        .token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &refresh_token),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ])
        .await;
    assert_eq!(refreshed.status, StatusCode::OK, "{refreshed:?}");
    let without = clinic
        .token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &text(&refreshed, "refresh_token")),
            ("client_id", BACKEND),
        ])
        .await;
    is_invalid_client(&without);
}

#[tokio::test]
async fn a_client_revokes_with_an_assertion() {
    let backend = Backend::open().await;
    let clinic = &backend.clinic;
    let body = present(clinic, &backend.assertion(), &[]).await.json();
    assert!(clinic.is_live(&body["access_token"]).await);
    let mut claims = backend.claims();
    claims["aud"] = format!("{ISSUER}/oauth2/revoke").into();
    let assertion = backend.signer.sign(&backend.signer.header(), &claims);
    let fields = [
        ("token", body["access_token"].as_str().unwrap()),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &assertion),
    ];
    let answer = clinic.browser().post("/oauth2/revoke", &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert!(!clinic.is_live(&body["access_token"]).await);
    assert_eq!(
        clinic.last_audit().await.method.as_deref(),
        Some("private_key_jwt")
    );
    let again = clinic.browser().post("/oauth2/revoke", &fields).await;
    is_invalid_client(&again);
}

// OIDC-02, OIDC-91
#[tokio::test]
async fn the_issuer_and_its_endpoints_are_good_audiences() {
    let backend = Backend::open().await;
    for audience in [
        json!(format!("{ISSUER}/oauth2/token")),
        json!(format!("{ISSUER}/oauth/token")),
        json!(ISSUER),
        json!([ISSUER]),
        json!([ISSUER, format!("{ISSUER}/oauth2/token")]),
    ] {
        let mut claims = backend.claims();
        claims["aud"] = audience.clone();
        assert_eq!(
            backend.claiming(&claims).await.status,
            StatusCode::OK,
            "{audience}"
        );
    }
}

// OIDC-06
#[tokio::test]
async fn keys_without_a_name_are_found_by_trying_those_that_fit() {
    let clinic = Clinic::open().await;
    let [first, second] = [(); 2].map(|()| Signer::new(SignatureAlgorithm::RS256, None));
    let other = Signer::new(SignatureAlgorithm::ES256, None);
    let keys = inline(&[&other, &first, &second]);
    clinic.issuer.add_client(backend(BACKEND, keys)).await;
    for signer in [&first, &second, &other] {
        let answer = present(&clinic, &signer.assertion(BACKEND, START), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let stranger = Signer::new(SignatureAlgorithm::RS256, None);
    is_invalid_client(&present(&clinic, &stranger.assertion(BACKEND, START), &[]).await);
}

// SMART-32: of several keys, the one of this `kid` and this type.
#[tokio::test]
async fn keys_of_one_name_are_told_apart_by_their_algorithm() {
    let clinic = Clinic::open().await;
    let signers = [SignatureAlgorithm::ES384, SignatureAlgorithm::RS384]
        .map(|algorithm| Signer::new(algorithm, Some("same")));
    let keys = inline(&signers.each_ref());
    clinic.issuer.add_client(backend(BACKEND, keys)).await;
    for signer in &signers {
        let answer = present(&clinic, &signer.assertion(BACKEND, START), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
}

// FAPI-33
#[tokio::test]
async fn a_clock_a_little_ahead_is_forgiven_and_one_far_ahead_is_not() {
    let backend = Backend::open().await;
    for claim in ["iat", "nbf"] {
        for (seconds, status) in [(8, 200), (30, 200), (31, 401), (61, 401)] {
            let mut claims = backend.claims();
            claims[claim] = (START.seconds() + seconds).into();
            let answer = backend.claiming(&claims).await;
            assert_eq!(answer.status, status, "{claim} {seconds} s ahead: {answer:?}");
        }
    }
}

#[tokio::test]
async fn client_id_may_be_repeated_in_the_body() {
    let backend = Backend::open().await;
    let named = [("client_id", BACKEND)];
    let answer = present(&backend.clinic, &backend.assertion(), &named).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    for another in ["service", "nobody", ""] {
        let answer = present(&backend.clinic, &backend.assertion(), &[("client_id", another)]).await;
        if another.is_empty() {
            assert_eq!(answer.status, StatusCode::OK, "an empty parameter is absent");
        } else {
            is_invalid_client(&answer);
        }
    }
}

fn text(answer: &crate::web::testing::Answer, member: &str) -> String {
    answer.json()[member].as_str().unwrap().into()
}
