//! Proofs at the token endpoint: what they bind, and who must bring one.

use http::StatusCode;
use wardgate_shared::claims::Binding;
use wardgate_shared::dpop::ALGORITHMS;

use super::{
    OFFLINE, TOKEN, bound_tokens, bound_tokens_of_web, is_invalid_proof, own_token, prove, redemption, text,
    token_with,
};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::testing::{Prover, client};
use crate::web::testing::{
    APP, APP_REDIRECT, Answer, Clinic, PATIENT, SERVICE, WEB, app_request, basic, changed, form,
};

async fn refresh(clinic: &Clinic, token: &str, key: Option<&Prover>) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", APP),
    ];
    match key {
        Some(key) => prove(clinic, &fields, key).await,
        None => clinic.token(&fields).await,
    }
}

async fn refresh_as_web(clinic: &Clinic, token: &str, key: Option<&Prover>) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", WEB),
        ("client_secret", &clinic.web_secret),
    ];
    match key {
        Some(key) => prove(clinic, &fields, key).await,
        None => clinic.token(&fields).await,
    }
}

#[track_caller]
fn is_invalid_grant(answer: &Answer) {
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
}

// FAPI-39, FAPI-43
#[tokio::test]
async fn tokens_are_bound_to_the_key_of_the_proof_whatever_its_algorithm() {
    let clinic = Clinic::open().await;
    for algorithm in ALGORITHMS {
        let key = Prover::with(algorithm);
        let answer = prove(&clinic, &own_token(&clinic), &key).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(
            answer.header("dpop-nonce"),
            None,
            "nobody is asked for nonces by default"
        );
        let body = answer.json();
        assert_eq!(body["token_type"], "DPoP");
        let claims = clinic.access_claims(&body["access_token"]).await.into_claims();
        assert_eq!(claims.binding(), Binding::Key(&key.thumbprint()));
    }
    let key = Prover::new();
    let tokens = bound_tokens(&clinic, &key, OFFLINE).await;
    assert_eq!(tokens["token_type"], "DPoP");
    let claims = clinic.access_claims(&tokens["access_token"]).await.into_claims();
    assert_eq!(claims.binding(), Binding::Key(&key.thumbprint()));
    assert!(tokens["id_token"].is_string());
}

#[tokio::test]
async fn without_a_proof_tokens_are_bearer_tokens() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens("openid", PATIENT).await;
    assert_eq!(tokens["token_type"], "Bearer");
    let claims = clinic.access_claims(&tokens["access_token"]).await.into_claims();
    assert_eq!(claims.confirmation, None);
}

// FAPI-45
#[tokio::test]
async fn a_clock_that_is_a_little_off_and_further_times_do_no_harm() {
    let clinic = Clinic::open().await;
    let now = clinic.issuer.now();
    let key = Prover::new();
    for (lead, more) in [(-10, None), (8, None), (0, Some("nbf")), (0, Some("exp"))] {
        let mut claims = Prover::claims("POST", TOKEN, now.plus(lead));
        if let Some(member) = more {
            claims[member] = now.plus(100).seconds().into();
        }
        let answer = token_with(&clinic, &own_token(&clinic), &[&key.claiming(&claims)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{lead} {more:?} {answer:?}");
    }
}

#[tokio::test]
async fn a_proof_that_is_not_good_is_refused_before_the_grant_is_looked_at() {
    let clinic = Clinic::open().await;
    let now = clinic.issuer.now();
    let key = Prover::new();
    let code = clinic.code("openid", PATIENT).await;
    let fields = redemption(&code);
    let good = key.post(TOKEN, now);
    let other = key.post(TOKEN, now);
    for proofs in [
        vec!["x"],
        vec![good.as_str(), other.as_str()],
        vec![good.as_str(), good.as_str()],
    ] {
        is_invalid_proof(&token_with(&clinic, &fields, &proofs).await);
    }
    for path in ["/oauth2/par", "/oauth/token", "/oauth2/userinfo"] {
        is_invalid_proof(&token_with(&clinic, &fields, &[&key.post(path, now)]).await);
    }
    for claims in [
        Prover::claims("GET", TOKEN, now),
        Prover::claims("POST", TOKEN, now.minus(3600)),
        Prover::claims("POST", TOKEN, now.plus(3600)),
    ] {
        is_invalid_proof(&token_with(&clinic, &fields, &[&key.claiming(&claims)]).await);
    }
    let event = clinic.last_audit().await;
    assert_eq!(
        (
            event.client_id.as_deref(),
            event.reason.as_deref(),
            event.method.as_deref()
        ),
        (Some(APP), Some("invalid_dpop_proof"), Some("authorization_code"))
    );
    let answer = token_with(&clinic, &fields, &[&good]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn the_other_address_of_the_token_endpoint_takes_proofs_for_itself() {
    let clinic = Clinic::open().await;
    let proof = Prover::new().post("/oauth/token", clinic.issuer.now());
    let answer = clinic
        .browser()
        .post_with("/oauth/token", &own_token(&clinic), &[("DPoP", &proof)])
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

// FAPI-42, FAPI-40
#[tokio::test]
async fn a_client_whose_tokens_must_be_bound_gets_none_without_a_proof() {
    let clinic = Clinic::open().await;
    let mut registered = client(
        "bound",
        ClientAuthentication::Public,
        &[GrantType::AuthorizationCode, GrantType::RefreshToken],
        &["https://bound.example/cb"],
        "openid offline_access",
    );
    registered.metadata.dpop_bound_access_tokens = true;
    clinic.issuer.add_client(registered).await;
    for fields in [
        [
            ("grant_type", "authorization_code"),
            ("code", "x"),
            ("client_id", "bound"),
        ],
        [
            ("grant_type", "refresh_token"),
            ("refresh_token", "x"),
            ("client_id", "bound"),
        ],
    ] {
        is_invalid_proof(&clinic.token(&fields).await);
        let reason = clinic.last_audit().await.reason;
        assert_eq!(reason.as_deref(), Some("no_dpop_proof"));
        is_invalid_grant(&prove(&clinic, &fields, &Prover::new()).await);
    }
}

// FAPI-43, FAPI-44
#[tokio::test]
async fn a_code_that_is_bound_to_a_key_is_redeemed_with_that_key_alone() {
    let clinic = Clinic::open().await;
    let (key, other) = (Prover::new(), Prover::new());
    let thumbprint = key.thumbprint();
    let bound_code = async || {
        let request = changed(app_request("openid"), &[("dpop_jkt", Some(&thumbprint))]);
        let answer = clinic.browser().authorize(&request, PATIENT).await;
        answer.sent("code").unwrap()
    };
    let code = bound_code().await;
    let answer = prove(&clinic, &redemption(&code), &key).await;
    assert_eq!(answer.json()["token_type"], "DPoP");

    let code = bound_code().await;
    is_invalid_grant(&prove(&clinic, &redemption(&code), &other).await);
    let reason = clinic.last_audit().await.reason;
    assert_eq!(reason.as_deref(), Some("dpop_key_mismatch"));
    is_invalid_grant(&prove(&clinic, &redemption(&code), &key).await);

    let code = bound_code().await;
    is_invalid_grant(&clinic.redeem(&code).await);
}

#[tokio::test]
async fn a_thumbprint_that_is_none_is_refused() {
    let clinic = Clinic::open().await;
    for value in ["x", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I="] {
        let request = changed(app_request("openid"), &[("dpop_jkt", Some(value))]);
        let answer = clinic
            .browser()
            .get(&format!("/oauth2/authorize?{}", form(&request)))
            .await;
        answer.is_error_redirect(APP_REDIRECT, "invalid_request", Some("xyz123"));
    }
}

#[tokio::test]
async fn a_refresh_token_of_a_public_client_is_bound_to_the_key() {
    let clinic = Clinic::open().await;
    let (key, other) = (Prover::new(), Prover::new());
    let first = bound_tokens(&clinic, &key, OFFLINE).await;
    let token = text(&first, "refresh_token");
    is_invalid_grant(&refresh(&clinic, token, None).await);
    is_invalid_grant(&refresh(&clinic, token, Some(&other)).await);
    let reason = clinic.last_audit().await.reason;
    assert_eq!(reason.as_deref(), Some("dpop_key_mismatch"));
    let second = refresh(&clinic, token, Some(&key)).await.json();
    assert_eq!(second["token_type"], "DPoP");
    let token = text(&second, "refresh_token");
    is_invalid_grant(&refresh(&clinic, token, Some(&other)).await);
    let third = refresh(&clinic, token, Some(&key)).await;
    assert_eq!(third.status, StatusCode::OK, "{third:?}");
}

// FAPI-40, FAPI-39
#[tokio::test]
async fn a_refresh_token_of_a_confidential_client_is_bound_to_the_client_and_not_to_the_key() {
    let clinic = Clinic::open().await;
    let (key, other) = (Prover::new(), Prover::new());
    let first = bound_tokens_of_web(&clinic, &key).await;
    let answer = refresh_as_web(&clinic, text(&first, "refresh_token"), Some(&other)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let second = answer.json();
    assert_eq!(second["token_type"], "DPoP");
    let claims = clinic.access_claims(&second["access_token"]).await.into_claims();
    assert_eq!(claims.binding(), Binding::Key(&other.thumbprint()));

    let token = text(&second, "refresh_token");
    is_invalid_grant(&refresh(&clinic, token, Some(&other)).await);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
    prove(&clinic, &fields, &other)
        .await
        .is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
}

// FAPI-40
#[tokio::test]
async fn a_confidential_client_that_must_prove_gets_no_refresh_without_a_proof() {
    let clinic = Clinic::open().await;
    let mut registered = client(
        "bound-web",
        ClientAuthentication::Secret(SecretDigest::of("secret")),
        &[GrantType::RefreshToken],
        &[],
        "openid",
    );
    registered.metadata.dpop_bound_access_tokens = true;
    clinic.issuer.add_client(registered).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let authorization = basic("bound-web", "secret");
    let answer = clinic
        .browser()
        .post_with(TOKEN, &fields, &[("authorization", &authorization)])
        .await;
    is_invalid_proof(&answer);
}

#[tokio::test]
async fn introspection_names_the_key_of_a_bound_token() {
    let clinic = Clinic::open().await;
    let key = Prover::new();
    let bound = prove(&clinic, &own_token(&clinic), &key).await.json();
    let bearer = clinic.token(&own_token(&clinic)).await.json();
    let ask = async |token: &str| {
        let authorization = basic(SERVICE, &clinic.service_secret);
        clinic
            .browser()
            .post_with(
                "/oauth2/introspect",
                &[("token", token)],
                &[("authorization", &authorization)],
            )
            .await
            .json()
    };
    let told = ask(text(&bound, "access_token")).await;
    assert_eq!(told["token_type"], "DPoP");
    assert_eq!(told["cnf"]["jkt"], key.thumbprint());
    let told = ask(text(&bearer, "access_token")).await;
    assert_eq!((&told["token_type"], told.get("cnf")), (&"Bearer".into(), None));
}
