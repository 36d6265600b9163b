//! Proofs and `dpop_jkt` with pushed requests (RFC 9449 section 10.1).

use http::StatusCode;

use super::{PAR, TOKEN, is_invalid_proof, prove, redemption};
use crate::domain::audit_event::AuditAction;
use crate::testing::Prover;
use crate::web::testing::{APP, Answer, Clinic, PATIENT, app_request, changed};

async fn push(clinic: &Clinic, named: Option<&str>, proofs: &[&str]) -> Answer {
    let fields = changed(app_request("openid"), &[("dpop_jkt", named)]);
    let headers: Vec<(&str, &str)> = proofs.iter().map(|proof| ("dpop", *proof)).collect();
    clinic.browser().post_with(PAR, &fields, &headers).await
}

async fn code_of(clinic: &Clinic, pushed: &Answer) -> String {
    assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
    let body = pushed.json();
    let query = [
        ("client_id", APP),
        ("request_uri", body["request_uri"].as_str().unwrap()),
    ];
    let answer = clinic.browser().authorize(&query, PATIENT).await;
    answer.sent("code").unwrap()
}

// FAPI-43, FAPI-44
#[tokio::test]
async fn a_thumbprint_a_proof_or_both_bind_the_code_to_the_key() {
    let clinic = Clinic::open().await;
    let (key, other) = (Prover::new(), Prover::new());
    let thumbprint = key.thumbprint();
    for (named, proves) in [(true, false), (false, true), (true, true)] {
        let named = named.then_some(thumbprint.as_str());
        for (redeemer, status) in [(&key, StatusCode::OK), (&other, StatusCode::BAD_REQUEST)] {
            let proof = key.post(PAR, clinic.issuer.now());
            let proofs = [proof.as_str()];
            let pushed = push(&clinic, named, if proves { &proofs } else { &[] }).await;
            let code = code_of(&clinic, &pushed).await;
            let answer = prove(&clinic, &redemption(&code), redeemer).await;
            assert_eq!(answer.status, status, "{named:?} {proves} {answer:?}");
            match status {
                StatusCode::OK => assert_eq!(answer.json()["token_type"], "DPoP"),
                _ => {
                    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
                }
            }
        }
    }
}

// FAPI-44
#[tokio::test]
async fn a_thumbprint_unlike_the_proof_is_refused() {
    let clinic = Clinic::open().await;
    let (key, other) = (Prover::new(), Prover::new());
    let proof = key.post(PAR, clinic.issuer.now());
    is_invalid_proof(&push(&clinic, Some(&other.thumbprint()), &[&proof]).await);
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.client_id.as_deref(), event.reason.as_deref()),
        (
            AuditAction::PushedAuthorization,
            Some(APP),
            Some("dpop_key_mismatch")
        )
    );
    push(&clinic, Some("x"), &[])
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
}

// FAPI-45
#[tokio::test]
async fn a_clock_that_is_a_little_off_does_no_harm_at_a_push() {
    let clinic = Clinic::open().await;
    let now = clinic.issuer.now();
    for lead in [-10, 8] {
        let proof = Prover::new().post(PAR, now.plus(lead));
        let answer = push(&clinic, None, &[&proof]).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{lead} {answer:?}");
    }
}

#[tokio::test]
async fn a_proof_that_is_not_good_is_refused_at_a_push() {
    let clinic = Clinic::open().await;
    let (key, now) = (Prover::new(), clinic.issuer.now());
    let (one, two) = (key.post(PAR, now), key.post(PAR, now));
    is_invalid_proof(&push(&clinic, None, &[&one, &two]).await);
    is_invalid_proof(&push(&clinic, None, &[&key.post(TOKEN, now)]).await);
    is_invalid_proof(&push(&clinic, None, &[&key.post(PAR, now.minus(3600))]).await);
    assert_eq!(push(&clinic, None, &[&one]).await.status, StatusCode::CREATED);
    is_invalid_proof(&push(&clinic, None, &[&one]).await);
    let reason = clinic.last_audit().await.reason;
    assert_eq!(reason.as_deref(), Some("dpop_proof_replayed"));
}
