use http::StatusCode;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::web::testing::{Clinic, PASSWORD, PATIENT, app_request};

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

#[tokio::test]
async fn signing_out_after_an_idle_time_still_ends_what_lives_with_the_session() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let answer = browser.authorize(&app_request("openid"), PATIENT).await;
    let tokens = clinic.redeem(&answer.sent("code").unwrap()).await.json();
    let seconds = clinic.issuer.state.config().sessions.idle_seconds;
    clinic.issuer.advance(seconds + 1);
    assert!(
        !browser.get("/").await.body.contains("Pat Patient"),
        "nobody is signed in"
    );
    browser
        .post("/logout", &[("form_token", "x")])
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    let token = browser.get("/logout").await.field("form_token");
    browser
        .post("/logout", &[("form_token", &token)])
        .await
        .location();
    assert_eq!(clinic.last_audit().await.action, AuditAction::SignOut);
    let token = SecretDigest::of(tokens["refresh_token"].as_str().unwrap());
    let (_, grant) = clinic
        .issuer
        .store()
        .refresh_token(&token)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(grant.ended_at, Some(clinic.issuer.now()));
    assert!(browser.get("/logout").await.body.contains("You are signed out"));
}
