//! A proof works once, whatever it is presented for.

use std::sync::Arc;

use http::StatusCode;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use wardgate_shared::dpop::LONGEST_AGE_SECONDS;

use super::{
    OFFLINE, TOKEN, USERINFO, bound_tokens, is_invalid_proof, own_token, redemption, text, token_with,
    userinfo_with,
};
use crate::testing::Prover;
use crate::web::testing::{APP, Clinic, PATIENT};

const RACERS: usize = 32;

#[tokio::test]
async fn a_proof_is_taken_once_at_the_token_endpoint() {
    let clinic = Clinic::open().await;
    let key = Prover::new();
    let proof = key.post(TOKEN, clinic.issuer.now());
    let answer = token_with(&clinic, &own_token(&clinic), &[&proof]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    is_invalid_proof(&token_with(&clinic, &own_token(&clinic), &[&proof]).await);
    let reason = clinic.last_audit().await.reason;
    assert_eq!(reason.as_deref(), Some("dpop_proof_replayed"));
}

#[tokio::test]
async fn a_replayed_proof_leaves_code_and_refresh_token_as_they_were() {
    let clinic = Clinic::open().await;
    let key = Prover::new();
    let proof = key.post(TOKEN, clinic.issuer.now());
    let answer = token_with(&clinic, &own_token(&clinic), &[&proof]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");

    let code = clinic.code(OFFLINE, PATIENT).await;
    is_invalid_proof(&token_with(&clinic, &redemption(&code), &[&proof]).await);
    let fresh = key.post(TOKEN, clinic.issuer.now());
    let tokens = token_with(&clinic, &redemption(&code), &[&fresh]).await.json();

    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&tokens, "refresh_token")),
        ("client_id", APP),
    ];
    is_invalid_proof(&token_with(&clinic, &fields, &[&fresh]).await);
    let another = key.post(TOKEN, clinic.issuer.now());
    let answer = token_with(&clinic, &fields, &[&another]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn a_proof_is_taken_once_at_userinfo() {
    let clinic = Clinic::open().await;
    let key = Prover::new();
    let tokens = bound_tokens(&clinic, &key, "openid").await;
    let token = text(&tokens, "access_token");
    let proof = key.call("GET", USERINFO, token, clinic.issuer.now());
    assert_eq!(userinfo_with(&clinic, token, &proof).await.status, StatusCode::OK);
    userinfo_with(&clinic, token, &proof)
        .await
        .is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_dpop_proof");
}

#[tokio::test]
async fn nobody_uses_up_the_proofs_of_another_key() {
    let clinic = Clinic::open().await;
    let claims = Prover::claims("POST", TOKEN, clinic.issuer.now());
    for key in [Prover::new(), Prover::new()] {
        let answer = token_with(&clinic, &own_token(&clinic), &[&key.claiming(&claims)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
}

#[tokio::test]
async fn a_proof_is_remembered_until_it_is_refused_for_its_age() {
    let clinic = Clinic::open().await;
    let key = Prover::new();
    let issuer = &clinic.issuer;
    let lead = 20;
    let claims = Prover::claims("POST", TOKEN, issuer.now().plus(lead));
    let proof = key.claiming(&claims);
    let answer = token_with(&clinic, &own_token(&clinic), &[&proof]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    for (seconds, reason) in [
        (LONGEST_AGE_SECONDS + lead - 1, "dpop_proof_replayed"),
        (1, "invalid_dpop_proof"),
    ] {
        issuer.advance(seconds);
        issuer.store().purge_expired(issuer.now()).await.unwrap();
        is_invalid_proof(&token_with(&clinic, &own_token(&clinic), &[&proof]).await);
        assert_eq!(clinic.last_audit().await.reason.as_deref(), Some(reason));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_one_proof_at_once_one_gets_a_token() {
    let clinic = Arc::new(Clinic::open().await);
    let proof: Arc<str> = Prover::new().post(TOKEN, clinic.issuer.now()).into();
    let start = Arc::new(Barrier::new(RACERS));
    let mut racers = JoinSet::new();
    for _ in 0..RACERS {
        let (clinic, proof, start) = (clinic.clone(), proof.clone(), start.clone());
        racers.spawn(async move {
            start.wait().await;
            token_with(&clinic, &own_token(&clinic), &[&proof]).await.status
        });
    }
    let statuses = racers.join_all().await;
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!(count(StatusCode::OK), 1);
    assert_eq!(count(StatusCode::BAD_REQUEST), RACERS - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_one_proof_at_once_one_opens_userinfo() {
    let clinic = Arc::new(Clinic::open().await);
    let key = Prover::new();
    let tokens = bound_tokens(&clinic, &key, "openid").await;
    let token: Arc<str> = text(&tokens, "access_token").into();
    let proof: Arc<str> = key.call("GET", USERINFO, &token, clinic.issuer.now()).into();
    let start = Arc::new(Barrier::new(RACERS));
    let mut racers = JoinSet::new();
    for _ in 0..RACERS {
        let (clinic, token, proof, start) = (clinic.clone(), token.clone(), proof.clone(), start.clone());
        racers.spawn(async move {
            start.wait().await;
            userinfo_with(&clinic, &token, &proof).await.status
        });
    }
    let statuses = racers.join_all().await;
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!(count(StatusCode::OK), 1);
    assert_eq!(count(StatusCode::UNAUTHORIZED), RACERS - 1);
}
