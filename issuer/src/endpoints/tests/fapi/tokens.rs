//! Codes and tokens of such a client.

use http::StatusCode;
use wardgate_shared::claims::Binding;
use wardgate_shared::jwt::{SignatureAlgorithm, UnverifiedJwt};

use super::{Fapi, ONE, REDIRECT, TOKEN, TWO, is_invalid_client, is_invalid_grant, refreshing};
use crate::config::Config;
use crate::testing::Prover;
use crate::web::testing::{APP, Clinic, PATIENT, VERIFIER};

fn algorithm(token: &serde_json::Value) -> SignatureAlgorithm {
    UnverifiedJwt::parse(token.as_str().unwrap(), 8192)
        .unwrap()
        .algorithm()
}

// FAPI-35, FAPI-36
#[tokio::test]
async fn a_code_works_once_and_for_less_than_a_minute() {
    let fapi = Fapi::open().await;
    let code = fapi.code().await;
    fapi.clinic.issuer.advance(60);
    is_invalid_grant(&fapi.redeem(ONE, &code, &[]).await);
    let code = fapi.code().await;
    fapi.clinic.issuer.advance(59);
    let answer = fapi.redeem(ONE, &code, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let tokens = answer.json();
    fapi.clinic.issuer.advance(1);
    is_invalid_grant(&fapi.redeem(ONE, &code, &[]).await);
    assert!(!fapi.clinic.is_live(&tokens["access_token"]).await);
}

// FAPI-37
#[tokio::test]
async fn a_code_is_its_clients_and_an_assertion_its_signers() {
    let fapi = Fapi::open().await;
    is_invalid_grant(&fapi.redeem(TWO, &fapi.code().await, &[]).await);
    let code = fapi.code().await;
    let forged = fapi.one.sign(&fapi.one.header(), &fapi.claims(TWO));
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    is_invalid_client(&fapi.call("/oauth2/token", &forged, &fields).await);
    let named = [&fields[..], &[("client_id", TWO)]].concat();
    is_invalid_client(&fapi.call("/oauth2/token", &fapi.assertion(ONE), &named).await);
}

// FAPI-38
#[tokio::test]
async fn a_missing_or_wrong_verifier_is_refused() {
    let fapi = Fapi::open().await;
    let wrong = "x".repeat(43);
    for verifier in [None, Some(&*wrong)] {
        let code = fapi.code().await;
        is_invalid_grant(&fapi.redeem(ONE, &code, &[("code_verifier", verifier)]).await);
    }
}

// FAPI-39, FAPI-01
#[tokio::test]
async fn tokens_are_signed_with_an_allowed_algorithm_and_cannot_be_guessed() {
    for (configured, expected) in [
        (SignatureAlgorithm::ES256, SignatureAlgorithm::ES256),
        (SignatureAlgorithm::RS256, SignatureAlgorithm::PS256),
    ] {
        let fapi = Fapi::configured(|config: &mut Config| config.keys.algorithm = configured).await;
        let tokens = fapi.tokens().await;
        assert_eq!(algorithm(&tokens["access_token"]), expected);
        assert_eq!(algorithm(&tokens["id_token"]), SignatureAlgorithm::PS256);
        let id_token = UnverifiedJwt::parse(tokens["id_token"].as_str().unwrap(), 8192).unwrap();
        assert!(id_token.key_id().is_some());
        assert!(tokens["expires_in"].as_i64().unwrap() > 0);
        let access = fapi.clinic.access_claims(&tokens["access_token"]).await;
        let token_id = access.into_claims().token_id;
        assert_eq!(token_id.len(), "at-".len() + 8 + 22, "the date and 128 bits");
        assert_eq!(tokens["token_type"], "DPoP");
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(refresh.strip_prefix("wgr_").unwrap().len(), 43, "256 bits");
        let other = fapi.clinic.tokens("openid", PATIENT).await;
        assert_eq!(algorithm(&other["access_token"]), configured, "another client's");
    }
}

// FAPI-42
#[tokio::test]
async fn a_code_without_a_proof_gives_nothing_and_is_not_spent() {
    let fapi = Fapi::open().await;
    let code = fapi.code().await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let answer = fapi.call(TOKEN, &fapi.assertion(ONE), &fields).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_dpop_proof");
    assert_eq!(fapi.token(ONE, &fields).await.status, StatusCode::OK);
}

// FAPI-39, FAPI-40
#[tokio::test]
async fn a_refresh_may_come_with_a_new_key_and_not_without_one() {
    let fapi = Fapi::open().await;
    let first = fapi.tokens().await;
    assert_eq!(first["token_type"], "DPoP");
    let claims = fapi
        .clinic
        .access_claims(&first["access_token"])
        .await
        .into_claims();
    assert_eq!(claims.binding(), Binding::Key(&fapi.key.thumbprint()));

    let answer = fapi.call(TOKEN, &fapi.assertion(ONE), &refreshing(&first)).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_dpop_proof");

    let key = Prover::new();
    let answer = fapi
        .prove(TOKEN, &fapi.assertion(ONE), &key, &refreshing(&first))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let second = answer.json();
    assert_eq!(second["token_type"], "DPoP");
    let claims = fapi
        .clinic
        .access_claims(&second["access_token"])
        .await
        .into_claims();
    assert_eq!(claims.binding(), Binding::Key(&key.thumbprint()));
}

// FAPI-40
#[tokio::test]
async fn a_refresh_needs_the_client_it_was_issued_to() {
    let fapi = Fapi::open().await;
    let tokens = fapi.tokens().await;
    is_invalid_grant(&fapi.refresh(TWO, &tokens).await);
    let unproved = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", ONE),
    ];
    is_invalid_client(&fapi.clinic.token(&unproved).await);
    assert_eq!(fapi.refresh(ONE, &tokens).await.status, StatusCode::OK);
}

// FAPI-41, OIDC-04
#[tokio::test]
async fn a_superseded_refresh_token_works_on_for_a_minute_and_no_longer() {
    let fapi = Fapi::open().await;
    let first = fapi.tokens().await;
    let second = fapi.refresh(ONE, &first).await.json();
    assert_eq!(fapi.refresh(ONE, &second).await.status, StatusCode::OK);
    fapi.clinic.issuer.advance(30);
    let third = fapi.refresh(ONE, &first).await;
    assert_eq!(third.status, StatusCode::OK, "{third:?}");
    let fourth = fapi.refresh(ONE, &third.json()).await;
    assert_eq!(fourth.status, StatusCode::OK, "{fourth:?}");
    fapi.clinic.issuer.advance(30);
    is_invalid_grant(&fapi.refresh(ONE, &first).await);
    is_invalid_grant(&fapi.refresh(ONE, &fourth.json()).await);
}

// OIDC-01
#[tokio::test]
async fn other_clients_are_held_to_what_they_are_registered_with() {
    let fapi = Fapi::open().await;
    let clinic: &Clinic = &fapi.clinic;
    let tokens = clinic
        .tokens("openid offline_access patient/*.read", PATIENT)
        .await;
    assert_eq!(algorithm(&tokens["id_token"]), SignatureAlgorithm::RS256);
    let refreshed = clinic.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{APP}: {refreshed:?}");
}
