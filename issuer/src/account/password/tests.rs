use http::StatusCode;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::messages::Deliveries;
use crate::web::testing::{Answer, Browser, Clinic, PASSWORD, PATIENT, app_request};

const NEW: &str = "Sturdy-oak-7";
const SESSION: &str = "__Host-wardgate_session";

async fn signed_in(clinic: &Clinic) -> Browser {
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await.location();
    browser
}

async fn change(browser: &Browser, present: &str, new: &str) -> Answer {
    let token = browser.get("/account/password").await.field("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("password", present),
        ("new_password", new),
    ];
    browser.post("/account/password", &fields).await
}

/// The fields that the page says are wrong.
fn marked(page: &Answer) -> Vec<&str> {
    let inputs = page.body.split("<input id=\"").skip(1);
    inputs
        .filter_map(|input| {
            let input = input.split_once('>').unwrap().0;
            (input.contains("aria-invalid")).then(|| input.split_once('"').unwrap().0)
        })
        .collect()
}

#[tokio::test]
async fn a_new_password_signs_everybody_out_but_this_browser() {
    let clinic = Clinic::with_config(|config| config.development.outbox = true).await;
    let other = clinic.browser();
    let request = app_request("openid patient/*.rs offline_access launch/patient");
    let code = other.authorize(&request, PATIENT).await.sent("code").unwrap();
    let tokens = clinic.redeem(&code).await.json();
    let browser = signed_in(&clinic).await;
    let before = browser.cookie(SESSION).unwrap();
    assert_eq!(
        change(&browser, PASSWORD, NEW).await.location(),
        "/account/password?done=changed"
    );
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.method.as_deref()),
        (
            AuditAction::PasswordChange,
            AuditOutcome::Success,
            Some("account")
        )
    );
    let page = browser.get("/account/password?done=changed").await;
    assert!(page.body.contains("role=\"status\""), "{page:?}");
    let after = browser.cookie(SESSION).unwrap();
    assert_ne!(before, after);
    let thief = clinic.browser();
    thief.set_cookie(SESSION, &before);
    assert_eq!(thief.get("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(other.get("/account").await.status, StatusCode::SEE_OTHER);
    let refused = clinic.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    refused.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
    assert!(!clinic.is_live(&tokens["access_token"]).await);
    assert_eq!(
        clinic.browser().sign_in("/login", PATIENT, NEW).await.location(),
        "/"
    );
    let state = &clinic.issuer.state;
    Deliveries::new(state.clone()).deliver_due().await.unwrap();
    let mail = state.messages().outbox().unwrap().messages().remove(0);
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_deref()),
        (PATIENT, Some("Your password was changed"))
    );
}

#[tokio::test]
async fn whoever_does_not_know_the_present_password_is_slowed_down() {
    let clinic = Clinic::open().await;
    let browser = signed_in(&clinic).await;
    for _ in 0..5 {
        let answer = change(&browser, "guess", NEW).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.body.contains("present password is not right") && !answer.body.contains("guess"));
        assert_eq!(marked(&answer), ["password"]);
        assert_eq!(
            clinic.last_audit().await.reason.as_deref(),
            Some("wrong_password")
        );
    }
    let answer = change(&browser, PASSWORD, NEW).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.header("retry-after").is_some());
    clinic.issuer.advance(2);
    assert_eq!(
        change(&browser, PASSWORD, NEW).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn a_password_that_may_not_be_is_refused_with_every_reason() {
    let clinic = Clinic::open().await;
    let browser = signed_in(&clinic).await;
    for (new, said) in [
        ("short", "at least 8 characters"),
        ("short", "of 3 of these kinds"),
        ("Password1!", "tried first"),
        ("Pat.Patient1", "your name"),
        (PASSWORD, "is the present one"),
        ("", "fill in both"),
    ] {
        let answer = change(&browser, PASSWORD, new).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{new}");
        assert!(answer.body.contains(said), "{said}: {answer:?}");
        let fields: &[&str] = match new {
            "" => &["password", "new_password"],
            _ => &["new_password"],
        };
        assert_eq!(marked(&answer), fields, "{new}");
    }
    assert_eq!(
        clinic
            .browser()
            .sign_in("/login", PATIENT, PASSWORD)
            .await
            .location(),
        "/",
        "nothing was changed"
    );
}

#[tokio::test]
async fn a_form_of_another_session_changes_nothing() {
    let clinic = Clinic::open().await;
    let (browser, other) = (signed_in(&clinic).await, signed_in(&clinic).await);
    let foreign = other.get("/account/password").await.field("form_token");
    for token in ["", foreign.as_str()] {
        let fields = [
            ("form_token", token),
            ("password", PASSWORD),
            ("new_password", NEW),
        ];
        let answer = browser.post("/account/password", &fields).await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
    }
    let nobody = clinic.browser().get("/account/password").await;
    assert!(nobody.location().starts_with("/login?"), "{nobody:?}");
}

#[tokio::test]
async fn of_two_changes_at_once_one_wins() {
    let clinic = Clinic::open().await;
    let (one, other) = (signed_in(&clinic).await, signed_in(&clinic).await);
    let (first, second) = tokio::join!(
        change(&one, PASSWORD, NEW),
        change(&other, PASSWORD, "Shady-elm-8")
    );
    let won = [&first, &second]
        .iter()
        .filter(|answer| answer.status == StatusCode::SEE_OTHER)
        .filter(|answer| answer.location().ends_with("done=changed"))
        .count();
    assert_eq!(won, 1, "{first:?} {second:?}");
}
