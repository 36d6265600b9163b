//! `response_mode=form_post`: the answer in a form that submits itself.

use http::StatusCode;

use crate::testing::ISSUER;
use crate::web::testing::{
    Answer, Browser, Clinic, PASSWORD, PATIENT, WEB, WEB_REDIRECT, changed, form, web_request,
};

async fn ask<'a>(browser: &Browser, changes: &[(&'a str, Option<&'a str>)]) -> Answer {
    let mut all = vec![("response_mode", Some("form_post"))];
    all.extend_from_slice(changes);
    let request = form(&changed(web_request("openid"), &all));
    browser.get(&format!("/oauth2/authorize?{request}")).await
}

/// Asserts that the answer is a form for the web application, and nothing in an address.
#[track_caller]
fn is_form(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(
        answer
            .body
            .contains(&format!(r#"<form method="post" action="{WEB_REDIRECT}">"#))
    );
    // No enctype: what a form has by itself is application/x-www-form-urlencoded.
    assert!(!answer.body.contains("enctype"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'sha256-"), "{policy}");
    assert!(
        policy.contains("form-action 'self' https://web.example;"),
        "{policy}"
    );
    assert_eq!(answer.field("iss"), ISSUER);
    assert_eq!(answer.field("state"), "xyz123");
}

#[track_caller]
fn is_error(answer: &Answer, code: &str) {
    is_form(answer);
    assert_eq!(answer.field("error"), code);
    assert_eq!(answer.field("error_uri"), format!("{ISSUER}/docs/errors/{code}"));
    assert!(!answer.body.contains(r#"name="code""#));
}

// OIDC-75, OIDC-77
#[tokio::test]
async fn a_code_comes_in_a_form_with_a_script_and_a_button() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let login = ask(&browser, &[]).await;
    let answer = browser.sign_in(login.location(), PATIENT, PASSWORD).await;
    let consent = browser.get(answer.location()).await;
    let answer = browser.decide(consent.location(), "allow").await;
    is_form(&answer);
    assert!(answer.body.contains(r#"<button type="submit">Continue</button>"#));
    assert!(
        answer
            .body
            .contains("<script>document.forms[0].submit();</script>")
    );
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*answer.field("code")),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &*clinic.web_secret),
    ];
    assert_eq!(clinic.token(&fields).await.status, StatusCode::OK);
    // At once, now that the person has agreed; and by POST.
    is_form(&ask(&browser, &[("prompt", Some("none"))]).await);
    let posted = changed(web_request("openid"), &[("response_mode", Some("form_post"))]);
    let answer = browser.post("/oauth2/authorize", &posted).await;
    is_form(&browser.get(answer.location()).await);
}

// OIDC-76
#[tokio::test]
async fn errors_take_the_same_way() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    is_error(
        &ask(&browser, &[("response_type", None)]).await,
        "invalid_request",
    );
    is_error(
        &ask(&browser, &[("prompt", Some("none"))]).await,
        "login_required",
    );
    is_error(
        &ask(&browser, &[("response_type", Some("token"))]).await,
        "unsupported_response_type",
    );
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let consent = ask(&browser, &[]).await;
    is_error(&browser.decide(consent.location(), "deny").await, "access_denied");
}

#[tokio::test]
async fn values_of_the_request_stay_text() {
    let clinic = Clinic::open().await;
    let hostile = "\"><script>alert(1)</script>";
    let answer = ask(
        &clinic.browser(),
        &[("prompt", Some("none")), ("state", Some(hostile))],
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body.matches("<script").count(), 1, "{answer:?}");
}

#[tokio::test]
async fn an_uncertain_place_gets_no_form() {
    let clinic = Clinic::open().await;
    let evil = [("redirect_uri", Some("https://evil.example/cb"))];
    let answer = ask(&clinic.browser(), &evil).await;
    answer.is_error_page(StatusCode::BAD_REQUEST);
}
