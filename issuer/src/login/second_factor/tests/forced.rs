//! Requests that force a second factor: `prompt=login`, `max_age`, `acr_values` and an essential `acr`.

use super::HOUR;
use crate::web::testing::{
    Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, WEB, WEB_REDIRECT, changed, form, web_request,
};

const MULTI_FACTOR: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";

async fn ask<'a>(browser: &Browser, changes: &[(&'a str, Option<&'a str>)]) -> Answer {
    let query = form(&changed(web_request("openid"), changes));
    browser.get(&format!("/oauth2/authorize?{query}")).await
}

fn essential(value: &str) -> String {
    serde_json::json!({ "id_token": { "acr": { "essential": true, "value": value } } }).to_string()
}

/// A browser that is remembered, with a session by the password alone.
async fn remembered(clinic: &Clinic, seed: &super::Seed) -> Browser {
    let browser = clinic.browser();
    browser.sign_in_with(clinic, seed, true).await;
    clinic.issuer.advance(60);
    assert_eq!(browser.sign_in("/login", PATIENT, PASSWORD).await.location(), "/");
    browser
}

#[track_caller]
fn asks_for_factor(answer: &Answer) -> String {
    assert!(answer.location().starts_with("/login/mfa?request="), "{answer:?}");
    answer.location().into()
}

#[tokio::test]
async fn prompt_login_and_max_age_zero_force_password_and_factor_anew() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    for forced in [("prompt", Some("login")), ("max_age", Some("0"))] {
        let browser = remembered(&clinic, &seed).await;
        let page = ask(&browser, &[forced]).await;
        assert!(page.location().starts_with("/login?request="), "{page:?}");
        let answer = browser.sign_in(page.location(), PATIENT, PASSWORD).await;
        let page = asks_for_factor(&answer);
        clinic.issuer.advance(30);
        let answer = browser.give(&page, &seed.code(clinic.issuer.now()), true).await;
        let answer = browser.get(answer.location()).await;
        assert!(answer.location().starts_with("/consent"), "{answer:?}");
        clinic.issuer.advance(30);
    }
}

#[tokio::test]
async fn a_factor_alone_does_not_answer_prompt_login() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = remembered(&clinic, &seed).await;
    let page = ask(&browser, &[("prompt", Some("login"))]).await;
    let id = page.location().split_once('=').unwrap().1;
    clinic.issuer.advance(30);
    let code = seed.code(clinic.issuer.now());
    let answer = browser
        .give(&format!("/login/mfa?request={id}"), &code, true)
        .await;
    let answer = browser.get(answer.location()).await;
    assert!(answer.location().starts_with("/login?request="), "{answer:?}");
}

#[tokio::test]
async fn max_age_counts_for_the_factor_as_for_the_password() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = remembered(&clinic, &seed).await;
    let enough = ask(&browser, &[("max_age", Some("3600"))]).await;
    assert!(enough.location().starts_with("/consent"), "{enough:?}");
    // The password was given a moment ago, the factor a minute before.
    asks_for_factor(&ask(&browser, &[("max_age", Some("30"))]).await);
    let fresh = clinic.browser();
    clinic.issuer.advance(HOUR);
    fresh.sign_in_with(&clinic, &seed, false).await;
    let enough = ask(&fresh, &[("max_age", Some("30"))]).await;
    assert!(enough.location().starts_with("/consent"), "{enough:?}");
}

#[tokio::test]
async fn a_wish_for_more_is_tried_where_the_person_can_and_passed_over_where_not() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let wish = [("acr_values", Some(MULTI_FACTOR))];
    let browser = remembered(&clinic, &seed).await;
    let page = asks_for_factor(&ask(&browser, &wish).await);
    clinic.issuer.advance(30);
    let answer = browser.give(&page, &seed.code(clinic.issuer.now()), true).await;
    let answer = browser.get(answer.location()).await;
    assert!(answer.location().starts_with("/consent"), "{answer:?}");
    // Nothing that they have withstands phishing, and the physician has nothing.
    let answer = ask(&browser, &[("acr_values", Some("phr"))]).await;
    assert!(answer.location().starts_with("/consent"), "{answer:?}");
    let physician = clinic.browser();
    physician.sign_in("/login", PHYSICIAN, PASSWORD).await;
    let answer = ask(&physician, &wish).await;
    assert!(answer.location().starts_with("/consent"), "{answer:?}");
}

#[tokio::test]
async fn what_a_client_is_registered_to_wish_counts_where_it_wishes_nothing() {
    let clinic = Clinic::with_web_client(|client| {
        client.metadata.default_acr_values = vec![MULTI_FACTOR.into()];
    })
    .await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = remembered(&clinic, &seed).await;
    asks_for_factor(&ask(&browser, &[]).await);
    let modest = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
    let answer = ask(&browser, &[("acr_values", Some(modest))]).await;
    assert!(answer.location().starts_with("/consent"), "{answer:?}");
}

#[tokio::test]
async fn an_essential_acr_is_asked_for_until_it_is_met_and_told() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let claims = essential(MULTI_FACTOR);
    let browser = remembered(&clinic, &seed).await;
    let insist = [("claims", Some(claims.as_str()))];
    let silent = ask(&browser, &[insist[0], ("prompt", Some("none"))]).await;
    silent.is_error_redirect(WEB_REDIRECT, "login_required", Some("xyz123"));
    let page = asks_for_factor(&ask(&browser, &insist).await);
    clinic.issuer.advance(30);
    let answer = browser.give(&page, &seed.code(clinic.issuer.now()), true).await;
    let consent = browser.get(answer.location()).await;
    let code = browser
        .decide(consent.location(), "allow")
        .await
        .sent("code")
        .unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &clinic.web_secret),
    ];
    let body = clinic.token(&fields).await.json();
    let told = clinic.id_claims(&body["id_token"], WEB).await.into_claims();
    assert_eq!(told.authentication_context.as_deref(), Some(MULTI_FACTOR));
}

#[tokio::test]
async fn an_essential_acr_that_cannot_be_reached_is_refused_and_one_that_can_is_set_up() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.sign_in("/login", PHYSICIAN, PASSWORD).await;
    // Whoever has nothing can set up what reaches it, and is offered nothing else.
    let resistant = essential("phr");
    let answer = ask(&browser, &[("claims", Some(&resistant))]).await;
    let choice = browser.get(answer.location()).await;
    assert!(
        choice.body.contains("value=\"passkey\"") && !choice.body.contains("value=\"totp\""),
        "{choice:?}"
    );
    // Whoever has an app has to give that first; it does not reach it.
    let seed = clinic.add_app(PATIENT).await;
    let other = clinic.browser();
    other.sign_in_with(&clinic, &seed, false).await;
    let answer = ask(&other, &[("claims", Some(&resistant))]).await;
    answer.is_error_redirect(WEB_REDIRECT, "unmet_authentication_requirements", Some("xyz123"));
    let multiple = essential(MULTI_FACTOR);
    let answer = ask(&browser, &[("claims", Some(&multiple))]).await;
    let page = answer.location();
    assert!(page.starts_with("/login/mfa/enrol?request="), "{answer:?}");
    assert!(!browser.get(page).await.body.contains("Not now"));
    let silent = ask(&browser, &[("claims", Some(&multiple)), ("prompt", Some("none"))]).await;
    silent.is_error_redirect(WEB_REDIRECT, "interaction_required", Some("xyz123"));
}
