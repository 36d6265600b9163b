//! `prompt`, `max_age` and remembered consent: when a page is shown and when not.

use wardgate_shared::time::Timestamp;

use crate::config::Resource;
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::testing::{AUDIENCE, START, client};
use crate::web::testing::{
    Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, WEB, WEB_REDIRECT, app_request, changed, form,
    web_request,
};

/// The answer to the confidential client's request with these parameters besides.
async fn ask<'a>(browser: &Browser, changes: &[(&'a str, Option<&'a str>)]) -> Answer {
    browser
        .get(&format!(
            "/oauth2/authorize?{}",
            form(&changed(web_request("openid"), changes))
        ))
        .await
}

/// When the person of this code was authenticated, as the ID token says.
async fn auth_time(clinic: &Clinic, code: &str) -> Option<Timestamp> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &clinic.web_secret),
    ];
    let body = clinic.token(&fields).await.json();
    clinic
        .id_claims(&body["id_token"], WEB)
        .await
        .into_claims()
        .authenticated_at
}

#[track_caller]
fn asks_to_sign_in(answer: &Answer) {
    assert!(answer.location().starts_with("/login?request="), "{answer:?}");
}

#[track_caller]
fn asks_for_consent(answer: &Answer) {
    assert!(answer.location().starts_with("/consent?request="), "{answer:?}");
}

#[track_caller]
fn gives_a_code(answer: &Answer) -> String {
    assert!(answer.location().starts_with(WEB_REDIRECT), "{answer:?}");
    answer.sent("code").unwrap()
}

// OIDC-35
#[tokio::test]
async fn none_without_a_session_is_login_required() {
    let clinic = Clinic::open().await;
    let answer = ask(&clinic.browser(), &[("prompt", Some("none"))]).await;
    answer.is_error_redirect(WEB_REDIRECT, "login_required", Some("xyz123"));
}

#[tokio::test]
async fn none_without_consent_is_consent_required() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let answer = ask(&browser, &[("prompt", Some("none"))]).await;
    answer.is_error_redirect(WEB_REDIRECT, "consent_required", Some("xyz123"));
}

// OIDC-36
#[tokio::test]
async fn none_with_session_and_consent_gives_a_code_at_once() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let first = browser
        .authorize(&web_request("openid"), PATIENT)
        .await
        .sent("code")
        .unwrap();
    clinic.issuer.advance(30);
    let second = gives_a_code(&ask(&browser, &[("prompt", Some("none"))]).await);
    assert_eq!(auth_time(&clinic, &first).await, Some(START));
    assert_eq!(auth_time(&clinic, &second).await, Some(START));
}

#[tokio::test]
async fn a_remembered_answer_skips_the_page_until_more_is_asked_for() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser
        .authorize(&web_request("openid patient/*.read"), PATIENT)
        .await;
    gives_a_code(&ask(&browser, &[("scope", Some("patient/*.read"))]).await);
    asks_for_consent(&ask(&browser, &[("scope", Some("patient/*.read offline_access"))]).await);
    asks_for_consent(&ask(&browser, &[("prompt", Some("consent"))]).await);
    // Another browser of the same person: the answer is theirs, not the browser's.
    let other = clinic.browser();
    other.sign_in("/login", PATIENT, PASSWORD).await;
    gives_a_code(&ask(&other, &[]).await);
}

#[tokio::test]
async fn a_no_is_not_remembered_as_a_yes() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let consent = ask(&browser, &[]).await;
    browser.decide(consent.location(), "deny").await;
    asks_for_consent(&ask(&browser, &[]).await);
}

#[tokio::test]
async fn an_app_on_the_person_s_device_asks_each_time() {
    let clinic = Clinic::open().await;
    for (client_id, redirect_uri) in [
        ("local", "http://127.0.0.1/cb"),
        ("mobile", "com.example.app:/cb"),
        ("developer", "http://localhost:3000/cb"),
    ] {
        let grants = [GrantType::AuthorizationCode];
        let registered = client(
            client_id,
            ClientAuthentication::Public,
            &grants,
            &[redirect_uri],
            "openid",
        );
        clinic.issuer.add_client(registered).await;
        let browser = clinic.browser();
        let request = changed(
            app_request("openid"),
            &[
                ("client_id", Some(client_id)),
                ("redirect_uri", Some(redirect_uri)),
            ],
        );
        assert!(browser.authorize(&request, PATIENT).await.sent("code").is_some());
        asks_for_consent(
            &browser
                .get(&format!("/oauth2/authorize?{}", form(&request)))
                .await,
        );
        let silent = changed(request, &[("prompt", Some("none"))]);
        let answer = browser.get(&format!("/oauth2/authorize?{}", form(&silent))).await;
        answer.is_error_redirect(redirect_uri, "consent_required", Some("xyz123"));
    }
}

// OIDC-37
#[tokio::test]
async fn login_shows_the_page_again_and_moves_auth_time() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let first = browser
        .authorize(&web_request("openid"), PATIENT)
        .await
        .sent("code")
        .unwrap();
    for prompt in ["login", "select_account"] {
        // Even within the same second.
        asks_to_sign_in(&ask(&browser, &[("prompt", Some(prompt))]).await);
    }
    clinic.issuer.advance(10);
    let request = changed(web_request("openid"), &[("prompt", Some("login"))]);
    let second = browser.authorize(&request, PATIENT).await.sent("code").unwrap();
    assert_eq!(auth_time(&clinic, &first).await, Some(START));
    assert_eq!(auth_time(&clinic, &second).await, Some(START.plus(10)));
}

#[tokio::test]
async fn max_age_counts_from_the_sign_in() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.authorize(&web_request("openid"), PATIENT).await;
    clinic.issuer.advance(2);
    gives_a_code(&ask(&browser, &[("max_age", Some("15000"))]).await);
    gives_a_code(&ask(&browser, &[("max_age", Some("2"))]).await);
    asks_to_sign_in(&ask(&browser, &[("max_age", Some("1"))]).await);
    asks_to_sign_in(&ask(&browser, &[("max_age", Some("0"))]).await);
    let answer = ask(&browser, &[("max_age", Some("1")), ("prompt", Some("none"))]).await;
    answer.is_error_redirect(WEB_REDIRECT, "login_required", Some("xyz123"));
    let request = changed(web_request("openid"), &[("max_age", Some("1"))]);
    let code = browser.authorize(&request, PATIENT).await.sent("code").unwrap();
    assert_eq!(auth_time(&clinic, &code).await, Some(START.plus(2)));
}

#[tokio::test]
async fn a_fresh_sign_in_is_dated_by_the_clock_and_counts_for_its_request_alone() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let waiting = ask(&browser, &[("prompt", Some("login"))]).await;
    // All within one second, and `verify` refuses what was issued in the future.
    let request = changed(web_request("openid"), &[("prompt", Some("login"))]);
    let code = browser.authorize(&request, PATIENT).await.sent("code").unwrap();
    assert_eq!(auth_time(&clinic, &code).await, Some(START));
    let resumed = waiting.location().replace("/login", "/oauth2/authorize/continue");
    asks_to_sign_in(&browser.get(&resumed).await);
}

#[tokio::test]
async fn consent_for_one_api_is_not_consent_for_another() {
    let other = "https://other.example.org/api";
    let clinic = Clinic::with_config(|config| {
        config.resources.push(Resource {
            search_url: None,
            identifier: other.into(),
            aliases: Vec::new(),
            fhir: false,
        });
    })
    .await;
    let browser = clinic.browser();
    browser.authorize(&web_request("openid"), PATIENT).await;
    gives_a_code(&ask(&browser, &[]).await);
    let both = [("resource", Some(other)), ("audience", Some(AUDIENCE))];
    for changes in [&both[..1], &both[..]] {
        let answer = ask(&browser, changes).await;
        asks_for_consent(&answer);
        assert!(browser.get(answer.location()).await.body.contains(other));
    }
    let answer = ask(&browser, &both[..1]).await;
    browser.decide(answer.location(), "allow").await;
    gives_a_code(&ask(&browser, &both).await);
}

#[tokio::test]
async fn whoever_is_there_stays_signed_in_however_short_the_idle_time() {
    let clinic = Clinic::with_config(|config| config.sessions.idle_seconds = 60).await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    for _ in 0..6 {
        clinic.issuer.advance(40);
        assert!(browser.get("/").await.body.contains("Pat Patient"));
    }
    clinic.issuer.advance(60);
    assert!(!browser.get("/").await.body.contains("Pat Patient"));
}

#[tokio::test]
async fn the_consent_page_insists_on_a_fresh_sign_in_too() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let login = ask(&browser, &[("prompt", Some("login"))]).await;
    let consent = login.location().replace("/login", "/consent");
    asks_to_sign_in(&browser.get(&consent).await);
}

#[tokio::test]
async fn an_expired_session_counts_for_nothing() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.authorize(&web_request("openid"), PATIENT).await;
    clinic.issuer.advance(3500);
    gives_a_code(&ask(&browser, &[]).await);
    clinic.issuer.advance(3600);
    asks_to_sign_in(&ask(&browser, &[]).await);
}

/// An ID token of the confidential client for `email`, who signs in with `browser`.
async fn id_token(clinic: &Clinic, browser: &Browser, email: &str) -> String {
    let code = browser
        .authorize(&web_request("openid"), email)
        .await
        .sent("code")
        .unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &*clinic.web_secret),
    ];
    let body = clinic.token(&fields).await.json();
    body["id_token"].as_str().unwrap().into()
}

// OIDC-41
#[tokio::test]
async fn a_hint_about_who_is_signed_in_changes_nothing() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let hint = id_token(&clinic, &browser, PATIENT).await;
    clinic.issuer.advance(600);
    let changes = [("prompt", Some("none")), ("id_token_hint", Some(&*hint))];
    let code = gives_a_code(&ask(&browser, &changes).await);
    assert_eq!(auth_time(&clinic, &code).await, Some(START));
}

// OIDC-41
#[tokio::test]
async fn a_hint_about_somebody_else_is_login_required_without_a_page() {
    let clinic = Clinic::open().await;
    let hint = id_token(&clinic, &clinic.browser(), PATIENT).await;
    let browser = clinic.browser();
    id_token(&clinic, &browser, PHYSICIAN).await;
    clinic.issuer.advance(1);
    let changes = [("prompt", Some("none")), ("id_token_hint", Some(&*hint))];
    let answer = ask(&browser, &changes).await;
    answer.is_error_redirect(WEB_REDIRECT, "login_required", Some("xyz123"));
    // The same by POST, which is decided later.
    let posted = browser
        .post("/oauth2/authorize", &changed(web_request("openid"), &changes))
        .await;
    let answer = browser.get(posted.location()).await;
    answer.is_error_redirect(WEB_REDIRECT, "login_required", Some("xyz123"));
}

#[tokio::test]
async fn a_hint_about_somebody_else_lets_them_sign_in_and_nobody_else_answer() {
    let clinic = Clinic::open().await;
    let hint = id_token(&clinic, &clinic.browser(), PATIENT).await;
    let browser = clinic.browser();
    id_token(&clinic, &browser, PHYSICIAN).await;
    clinic.issuer.advance(10);
    let hinted = [("id_token_hint", Some(&*hint))];
    let answer = ask(&browser, &hinted).await;
    asks_to_sign_in(&answer);
    let login = String::from(answer.location());
    // Going round the sign-in page helps nobody.
    let consent = login.replace("/login", "/consent");
    assert_eq!(browser.get(&consent).await.location(), login);
    clinic.issuer.advance(10);
    let answer = browser.sign_in(&login, PHYSICIAN, PASSWORD).await;
    let answer = browser.get(answer.location()).await;
    answer.is_error_redirect(WEB_REDIRECT, "login_required", Some("xyz123"));
    let login = String::from(ask(&browser, &hinted).await.location());
    clinic.issuer.advance(10);
    let answer = browser.sign_in(&login, PATIENT, PASSWORD).await;
    gives_a_code(&browser.get(answer.location()).await);
}

#[tokio::test]
async fn a_hint_that_is_no_id_token_of_the_client_is_refused() {
    let clinic = Clinic::open().await;
    let foreign = clinic.tokens("openid", PATIENT).await;
    let own = id_token(&clinic, &clinic.browser(), PATIENT).await;
    let mut forged = own.clone();
    forged.truncate(own.len() - 4);
    let texts = ["x", &forged, foreign["id_token"].as_str().unwrap()];
    for hint in texts
        .into_iter()
        .chain([foreign["access_token"].as_str().unwrap()])
    {
        let answer = ask(&clinic.browser(), &[("id_token_hint", Some(hint))]).await;
        answer.is_error_redirect(WEB_REDIRECT, "invalid_request", Some("xyz123"));
    }
}
