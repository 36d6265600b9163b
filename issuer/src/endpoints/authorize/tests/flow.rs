//! The whole way from an authorization request to a code, a page or an error at the client.

use http::StatusCode;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::testing::{ISSUER, client};
use crate::web::testing::{
    APP_REDIRECT, Clinic, PASSWORD, PATIENT, PHYSICIAN, WEB_REDIRECT, app_request, changed, form, web_request,
};

// OIDC-46, SMART-12, SMART-14
#[tokio::test]
async fn sign_in_consent_code() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let to_login = browser
        .get(&format!(
            "/oauth2/authorize?{}",
            form(&app_request("openid patient/*.read"))
        ))
        .await;
    assert!(to_login.location().starts_with("/login?request=wga_"));
    let signed_in = browser.sign_in(to_login.location(), PATIENT, PASSWORD).await;
    let continued = browser.get(signed_in.location()).await;
    assert!(continued.location().starts_with("/consent?request=wga_"));
    let page = browser.get(continued.location()).await;
    assert!(
        page.body
            .contains("read and search all data in your health record"),
        "{page:?}"
    );
    assert!(page.body.contains("Pat Patient") && page.body.contains(PATIENT));
    let answer = browser.decide(continued.location(), "allow").await;
    assert!(
        answer
            .location()
            .starts_with(&format!("{APP_REDIRECT}?code=wgc_"))
    );
    assert_eq!(answer.sent("state").as_deref(), Some("xyz123"));
    assert_eq!(answer.sent("iss").as_deref(), Some(ISSUER));
    assert_eq!(answer.sent("error"), None);
    let events = clinic.issuer.store().audit_events(3).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| (event.action, event.outcome)).collect();
    assert_eq!(
        actions,
        [
            (AuditAction::Authorization, AuditOutcome::Success),
            (AuditAction::Consent, AuditOutcome::Success),
            (AuditAction::SignIn, AuditOutcome::Success),
        ]
    );
}

// SMART-15, FAPI-18
#[tokio::test]
async fn a_no_goes_back_to_the_client() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let answer = browser
        .get(&format!("/oauth2/authorize?{}", form(&app_request("openid"))))
        .await;
    let answer = browser.sign_in(answer.location(), PATIENT, PASSWORD).await;
    let consent = browser.get(answer.location()).await;
    let answer = browser.decide(consent.location(), "deny").await;
    answer.is_error_redirect(APP_REDIRECT, "access_denied", Some("xyz123"));
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::Consent, AuditOutcome::Failure)
    );
    browser
        .get(consent.location())
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

// OIDC-32, SMART-13
#[tokio::test]
async fn a_post_from_another_site_goes_the_same_way() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let first = browser.authorize(&web_request("openid"), PATIENT).await;
    assert!(first.sent("code").is_some());
    // No cookie comes with a cross-site POST; the redirect that follows has them.
    let headers = [
        ("origin", "https://web.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    let posted = clinic
        .browser()
        .post_with("/oauth2/authorize", &web_request("openid"), &headers)
        .await;
    assert!(
        posted
            .location()
            .starts_with("/oauth2/authorize/continue?request=wga_")
    );
    let answer = browser.get(posted.location()).await;
    assert!(
        answer.location().starts_with(WEB_REDIRECT) && answer.sent("code").is_some(),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_posted_prompt_none_is_kept() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let request = changed(web_request("openid"), &[("prompt", Some("none"))]);
    let posted = browser.post("/oauth2/authorize", &request).await;
    let answer = browser.get(posted.location()).await;
    answer.is_error_redirect(WEB_REDIRECT, "login_required", Some("xyz123"));
    browser
        .get(posted.location())
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_alias_of_the_endpoint_answers_alike() {
    let clinic = Clinic::open().await;
    let answer = clinic
        .browser()
        .get(&format!("/authorize?{}", form(&app_request("openid"))))
        .await;
    assert!(answer.location().starts_with("/login?request=wga_"));
}

// OIDC-30, OIDC-31
#[tokio::test]
async fn unknown_parameters_and_another_order_make_no_difference() {
    let clinic = Clinic::open().await;
    let mut request = changed(
        app_request("openid"),
        &[
            ("extra", Some("foobar")),
            ("display", Some("popup")),
            ("ui_locales", Some("se")),
            ("claims_locales", Some("se")),
            ("acr_values", Some("1 2")),
            ("login_hint", Some("buffy@id.example.org")),
            ("response_mode", Some("query")),
            ("claims", Some(r#"{"userinfo":{"name":{"essential":true}}}"#)),
        ],
    );
    request.reverse();
    let answer = clinic.browser().authorize(&request, PATIENT).await;
    assert!(answer.sent("code").is_some());
}

// OIDC-26, SMART-14
#[tokio::test]
async fn state_travels_unchanged() {
    let clinic = Clinic::open().await;
    let long = "-._~aZ09".repeat(125);
    for state in [long.as_str(), "a b+c&d=e%20/?#\"'<>\\é"] {
        let answer = clinic
            .browser()
            .authorize(
                &changed(app_request("openid"), &[("state", Some(state))]),
                PATIENT,
            )
            .await;
        assert_eq!(answer.sent("state").as_deref(), Some(state));
    }
    let answer = clinic
        .browser()
        .authorize(&changed(app_request("openid"), &[("state", None)]), PATIENT)
        .await;
    assert_eq!(answer.sent("state"), None);
}

// OIDC-23
#[tokio::test]
async fn the_query_of_a_registered_uri_survives() {
    let clinic = Clinic::open().await;
    let uri = "https://query.example/cb?bar=foo&x=%20";
    let registered = client(
        "query",
        ClientAuthentication::Public,
        &[GrantType::AuthorizationCode],
        &[uri],
        "openid",
    );
    clinic.issuer.add_client(registered).await;
    let request = changed(
        app_request("openid"),
        &[("client_id", Some("query")), ("redirect_uri", Some(uri))],
    );
    let answer = clinic.browser().authorize(&request, PATIENT).await;
    assert!(
        answer.location().starts_with(&format!("{uri}&code=wgc_")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_person_who_can_give_nothing_is_not_asked() {
    let clinic = Clinic::open().await;
    let answer = clinic
        .browser()
        .authorize(&app_request("patient/*.read launch/patient"), PHYSICIAN)
        .await;
    answer.is_error_redirect(APP_REDIRECT, "invalid_scope", Some("xyz123"));
}

#[tokio::test]
async fn only_what_the_person_can_give_is_asked_for() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let request = form(&app_request("openid patient/*.read user/Patient.rs introspect"));
    let answer = browser.get(&format!("/oauth2/authorize?{request}")).await;
    let answer = browser.sign_in(answer.location(), PHYSICIAN, PASSWORD).await;
    let picker = browser.get(answer.location()).await;
    let answer = browser.choose(picker.location(), &[("none", "patient")]).await;
    let consent = browser.get(answer.location()).await;
    let page = browser.get(consent.location()).await;
    assert!(
        page.body.contains("user/Patient.rs") && !page.body.contains("patient/*.read"),
        "{page:?}"
    );
    assert!(!page.body.contains("introspect"));
}

#[tokio::test]
async fn a_request_waits_ten_minutes() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let answer = browser
        .get(&format!("/oauth2/authorize?{}", form(&app_request("openid"))))
        .await;
    clinic.issuer.advance(599);
    assert_eq!(browser.get(answer.location()).await.status, StatusCode::OK);
    clinic.issuer.advance(1);
    browser
        .get(answer.location())
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_unknown_request_leads_nowhere() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    for path in [
        "/login?request=",
        "/consent?request=",
        "/oauth2/authorize/continue?request=",
    ] {
        for id in [
            "wga_x",
            "https%3A%2F%2Fevil.example",
            "%2F%2Fevil.example",
            "wga_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            browser
                .get(&format!("{path}{id}"))
                .await
                .is_error_page(StatusCode::BAD_REQUEST);
        }
    }
    browser
        .get("/consent")
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    browser
        .get("/oauth2/authorize/continue")
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    browser
        .get("/login?request=%FF")
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}
