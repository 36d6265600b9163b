use http::StatusCode;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::web::testing::{Clinic, PASSWORD, PATIENT};

const SESSION: &str = "__Host-wardgate_session";

#[tokio::test]
async fn signing_out_ends_the_session_and_takes_the_cookie() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let cookie = browser.cookie(SESSION).unwrap();
    let token = browser.get("/logout").await.field("form_token");
    assert_eq!(
        browser
            .post("/logout", &[("form_token", &token)])
            .await
            .location(),
        "/logout"
    );
    assert_eq!(browser.cookie(SESSION), None);
    assert!(browser.get("/logout").await.body.contains("You are signed out"));
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::SignOut, AuditOutcome::Success)
    );
    let thief = clinic.browser();
    thief.set_cookie(SESSION, &cookie);
    assert!(!thief.get("/").await.body.contains("Pat Patient"));
}

#[tokio::test]
async fn a_forged_form_signs_nobody_out() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    browser
        .post("/logout", &[])
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    browser
        .post("/logout", &[("form_token", "x")])
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    let token = browser.get("/logout").await.field("form_token");
    let foreign = [("sec-fetch-site", "cross-site")];
    browser
        .post_with("/logout", &[("form_token", &token)], &foreign)
        .await
        .is_error_page(StatusCode::FORBIDDEN);
    assert!(browser.get("/").await.body.contains("Pat Patient"));
}

#[tokio::test]
async fn signing_out_twice_does_no_harm() {
    let clinic = Clinic::open().await;
    assert_eq!(clinic.browser().post("/logout", &[]).await.location(), "/logout");
}
