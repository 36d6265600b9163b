//! Nonces, where they are required (RFC 9449 sections 8 and 9).

use http::StatusCode;
use serde_json::Value;

use super::{PAR, TOKEN, USERINFO, own_token, redemption, text, token_with, userinfo_with};
use crate::config::DpopNonces;
use crate::endpoints::dpop::nonce::{self, SLOT_SECONDS};
use crate::testing::Prover;
use crate::web::testing::{Answer, Clinic, PATIENT, app_request};

async fn clinic() -> Clinic {
    Clinic::with_config(|config| config.dpop.nonce = DpopNonces::Required).await
}

fn with_nonce(mut claims: Value, nonce: &str) -> Value {
    claims["nonce"] = nonce.into();
    claims
}

/// The one nonce of an answer, of the characters that RFC 9449 section 8.1 allows.
#[track_caller]
fn given(answer: &Answer) -> String {
    assert_eq!(
        answer.headers.get_all("dpop-nonce").iter().count(),
        1,
        "{answer:?}"
    );
    let nonce = answer.header("dpop-nonce").unwrap();
    assert!(!nonce.is_empty());
    assert!(
        nonce
            .bytes()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)),
        "{nonce}"
    );
    nonce.into()
}

// FAPI-48
#[tokio::test]
async fn a_proof_without_a_nonce_is_told_one_at_every_endpoint() {
    let clinic = clinic().await;
    let (key, now) = (Prover::new(), clinic.issuer.now());
    let before = clinic.issuer.store().audit_events(1000).await.unwrap().len();
    let answer = token_with(&clinic, &own_token(&clinic), &[&key.post(TOKEN, now)]).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "use_dpop_nonce");
    let nonce = given(&answer);
    let proof = key.post(PAR, now);
    let answer = clinic
        .browser()
        .post_with(PAR, &app_request("openid"), &[("dpop", &proof)])
        .await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "use_dpop_nonce");
    assert_eq!(given(&answer), nonce);
    let after = clinic.issuer.store().audit_events(1000).await.unwrap().len();
    assert_eq!(before, after, "asking for a nonce is no event");

    let code = clinic.code("openid", PATIENT).await;
    let claims = with_nonce(Prover::claims("POST", TOKEN, now), &nonce);
    let answer = token_with(&clinic, &redemption(&code), &[&key.claiming(&claims)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    given(&answer);
    let tokens = answer.json();
    let token = text(&tokens, "access_token");
    let answer = userinfo_with(&clinic, token, &key.call("GET", USERINFO, token, now)).await;
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, "use_dpop_nonce");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with(r#"DPoP realm="wardgate", error="use_dpop_nonce""#),
        "{challenge}"
    );
    let claims = with_nonce(Prover::claims_for("GET", USERINFO, token, now), &given(&answer));
    let answer = userinfo_with(&clinic, token, &key.claiming(&claims)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    given(&answer);
}

#[tokio::test]
async fn a_nonce_is_good_in_its_slot_and_the_next_and_no_longer() {
    let clinic = clinic().await;
    let key = Prover::new();
    let nonce = nonce::current(&clinic.issuer.state, clinic.issuer.now());
    let call = async || {
        let claims = with_nonce(Prover::claims("POST", TOKEN, clinic.issuer.now()), &nonce);
        token_with(&clinic, &own_token(&clinic), &[&key.claiming(&claims)]).await
    };
    let answer = call().await;
    assert_eq!((answer.status, given(&answer)), (StatusCode::OK, nonce.clone()));
    clinic.issuer.advance(SLOT_SECONDS);
    let answer = call().await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_ne!(given(&answer), nonce, "the next one comes with the answer");
    clinic.issuer.advance(SLOT_SECONDS);
    let answer = call().await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "use_dpop_nonce");
}

#[tokio::test]
async fn a_nonce_that_was_not_given_here_is_none() {
    let clinic = clinic().await;
    let key = Prover::new();
    let now = clinic.issuer.now();
    let ahead = nonce::current(&clinic.issuer.state, now.plus(SLOT_SECONDS));
    let mut cut = nonce::current(&clinic.issuer.state, now);
    cut.pop();
    for nonce in ["", "x", &ahead, &cut] {
        let claims = with_nonce(Prover::claims("POST", TOKEN, now), nonce);
        let answer = token_with(&clinic, &own_token(&clinic), &[&key.claiming(&claims)]).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "use_dpop_nonce");
    }
}

#[tokio::test]
async fn without_a_proof_there_is_no_nonce() {
    let clinic = clinic().await;
    let answer = clinic.token(&own_token(&clinic)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("dpop-nonce"), None);
}
