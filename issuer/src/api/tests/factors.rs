//! Second factors by the API.

use http::{Method, StatusCode};
use serde_json::json;

use super::{Office, READ_AND_WRITE, ROOT, is_problem};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::factor::{Factor, FactorKind};
use crate::web::testing::{PASSWORD, PATIENT, PHYSICIAN};

/// Gives the person a confirmed factor, and gives the person's id.
async fn with_factor(office: &Office, email: &str, id: &str) -> String {
    let store = office.clinic.issuer.store();
    let user = store.user_by_email(email).await.unwrap().unwrap();
    let factor = Factor {
        id: id.into(),
        user_id: user.id.clone(),
        kind: FactorKind::Totp,
        name: "Phone".into(),
        sealed: Some(vec![7; 40]),
        detail: None,
        created_at: office.clinic.issuer.now(),
        confirmed_at: Some(office.clinic.issuer.now()),
        last_used_at: None,
        last_step: None,
    };
    let _ = store.insert_factor(factor, None).await.unwrap();
    user.id
}

#[tokio::test]
async fn factors_are_listed_without_their_secrets_and_reset_with_all_that_stood_on_them() {
    let office = Office::open().await;
    // Somebody who is signed in from before they had a factor.
    let browser = office.clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let patient = with_factor(&office, PATIENT, "factor-1").await;
    let physician = with_factor(&office, PHYSICIAN, "factor-2").await;
    let half_way = office.clinic.browser();
    let asked = half_way.sign_in("/login", PATIENT, PASSWORD).await;
    assert_eq!(asked.location(), "/login/mfa");

    let path = format!("/auth/users/{patient}/factors");
    let listed = office.get(&path).await;
    assert_eq!(listed.status, StatusCode::OK, "{listed:?}");
    let factor = json!({
        "id": "factor-1",
        "kind": "totp",
        "name": "Phone",
        "createdAt": "2027-01-15T08:00:00Z",
        "lastUsedAt": null,
    });
    assert_eq!(listed.json()["data"], json!([factor]));

    assert_eq!(office.delete(&path).await.status, StatusCode::NO_CONTENT);
    let event = office.clinic.last_audit().await;
    assert_eq!(event.action, AuditAction::FactorReset);
    assert_eq!(event.user_id.as_deref(), Some(patient.as_str()));
    assert_eq!(office.get(&path).await.json()["data"], json!([]));
    assert!(
        browser.get("/account").await.location().starts_with("/login?"),
        "their sessions are over"
    );
    assert!(
        half_way.get("/login/mfa").await.location().starts_with("/login"),
        "so are sign-ins half way"
    );
    let kept = office.clinic.issuer.store().factors(&physician).await.unwrap();
    assert_eq!(kept.len(), 1, "another person's stay");
}

#[tokio::test]
async fn nobody_has_the_factors_of_somebody_unknown() {
    let office = Office::open().await;
    let path = "/auth/users/user-x/factors";
    is_problem(&office.get(path).await, StatusCode::NOT_FOUND);
    is_problem(&office.delete(path).await, StatusCode::NOT_FOUND);
}

/// Asserts that a reset with this token is refused, says this, is recorded for this reason, and leaves the factor.
async fn is_refused_a_reset(office: &Office, token: &str, user_id: &str, said: &str, reason: &str) {
    let path = format!("/auth/users/{user_id}/factors");
    let answer = office.call(token, Method::DELETE, &path, None).await;
    is_problem(&answer, StatusCode::FORBIDDEN);
    assert!(answer.body.contains(said), "{answer:?}");
    let event = office.clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.reason.as_deref()),
        (AuditAction::Administration, AuditOutcome::Failure, Some(reason))
    );
    let kept = office.clinic.issuer.store().factors(user_id).await.unwrap();
    assert_eq!(kept.len(), 1);
}

#[tokio::test]
async fn refuses_to_reset_the_factors_of_somebody_beyond_the_callers_own_role() {
    let office = Office::open().await;
    let lesser = office.role("Lesser", &format!("openid {READ_AND_WRITE}")).await;
    office.person("lesser@example.org", &lesser).await;
    let equal = office.person("equal@example.org", &lesser).await;
    let token = office.token_of("lesser@example.org").await;
    let greater = with_factor(&office, ROOT, "factor-1").await;
    is_refused_a_reset(&office, &token, &greater, "Your own role", "beyond_own_role").await;

    with_factor(&office, "equal@example.org", "factor-2").await;
    let path = format!("/auth/users/{}/factors", equal.id);
    let answer = office.call(&token, Method::DELETE, &path, None).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
}

#[tokio::test]
async fn a_stolen_token_does_not_end_the_factors_of_its_own_person() {
    let office = Office::open().await;
    let token = office.token_of(ROOT).await;
    let own = with_factor(&office, ROOT, "factor-1").await;
    is_refused_a_reset(&office, &token, &own, "/account/factors", "own_factors").await;
}
