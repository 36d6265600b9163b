//! Pushed requests, from the client's POST to the answer at its redirect URI.

use std::collections::HashSet;

use axum::body::Body;
use http::{Method, StatusCode};

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::testing::client;
use crate::web::testing::{
    APP, APP_REDIRECT, Answer, Browser, Clinic, PASSWORD, PATIENT, SERVICE, WEB, WEB_REDIRECT, app_request,
    basic, changed, form, web_request,
};

const PAR: &str = "/oauth2/par";
const NO_CODES: &str = "no-codes";

async fn push(clinic: &Clinic, fields: &[(&str, &str)]) -> Answer {
    clinic.browser().post(PAR, fields).await
}

async fn pushed(clinic: &Clinic, fields: &[(&str, &str)]) -> String {
    let answer = push(clinic, fields).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json()["request_uri"].as_str().unwrap().into()
}

fn reference<'a>(client_id: &'a str, request_uri: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("client_id", client_id), ("request_uri", request_uri)]
}

async fn visit(browser: &Browser, query: &[(&str, &str)]) -> Answer {
    browser.get(&format!("/oauth2/authorize?{}", form(query))).await
}

/// A client like the public app that may use nothing but pushed requests.
async fn add_pushing_client(clinic: &Clinic) {
    let mut registered = client(
        "pusher",
        ClientAuthentication::Public,
        &[GrantType::AuthorizationCode],
        &["https://pusher.example/cb"],
        "openid",
    );
    registered.push_required = true;
    clinic.issuer.add_client(registered).await;
}

// FAPI-03
#[tokio::test]
async fn a_push_is_answered_with_a_reference_that_cannot_be_guessed() {
    let clinic = Clinic::open().await;
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let answer = push(&clinic, &app_request("openid")).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.json();
        assert_eq!(body["expires_in"], 60);
        assert_eq!(body.as_object().unwrap().len(), 2);
        let uri = String::from(body["request_uri"].as_str().unwrap());
        let random = uri
            .strip_prefix("urn:ietf:params:oauth:request_uri:wga_")
            .unwrap();
        assert_eq!(random.len(), 43, "256 bits in base64url");
        assert!(seen.insert(uri));
    }
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.client_id.as_deref()),
        (AuditAction::PushedAuthorization, AuditOutcome::Success, Some(APP))
    );
}

// FAPI-04, FAPI-05
#[tokio::test]
async fn a_reference_leads_to_a_code_alone_or_with_the_parameters_repeated_in_any_order() {
    let clinic = Clinic::open().await;
    for repeated in [false, true] {
        let request_uri = pushed(&clinic, &app_request("openid patient/*.read")).await;
        let mut query = reference(APP, &request_uri);
        if repeated {
            query = changed(
                app_request("patient/*.read openid"),
                &[("request_uri", Some(&request_uri))],
            );
            query.reverse();
        }
        let answer = clinic.browser().authorize(&query, PATIENT).await;
        assert!(
            answer
                .location()
                .starts_with(&format!("{APP_REDIRECT}?code=wgc_")),
            "{answer:?}"
        );
        assert_eq!(answer.sent("state").as_deref(), Some("xyz123"));
        assert_eq!(answer.sent("iss").as_deref(), Some(crate::testing::ISSUER));
        assert!(!answer.location().contains('#'));
        let tokens = clinic.redeem(&answer.sent("code").unwrap()).await.json();
        assert_eq!(tokens["scope"], "openid patient/*.read");
    }
}

// FAPI-04
#[tokio::test]
async fn a_reference_may_be_posted_to_the_authorization_endpoint() {
    let clinic = Clinic::open().await;
    let request_uri = pushed(&clinic, &app_request("openid")).await;
    let browser = clinic.browser();
    let posted = browser
        .post("/oauth2/authorize", &reference(APP, &request_uri))
        .await;
    assert!(
        posted
            .location()
            .starts_with("/oauth2/authorize/continue?request=wga_")
    );
    assert!(
        browser
            .get(posted.location())
            .await
            .location()
            .starts_with("/login?request=wga_")
    );
}

// FAPI-06
#[tokio::test]
async fn neither_state_nor_nonce_is_invented_and_a_nonce_of_64_characters_stays_whole() {
    let clinic = Clinic::open().await;
    let nonce = "n".repeat(64);
    for nonce in [None, Some(nonce.as_str())] {
        let request = changed(app_request("openid"), &[("state", None), ("nonce", nonce)]);
        let request_uri = pushed(&clinic, &request).await;
        let answer = clinic
            .browser()
            .authorize(&reference(APP, &request_uri), PATIENT)
            .await;
        assert_eq!(answer.sent("state"), None);
        let tokens = clinic.redeem(&answer.sent("code").unwrap()).await.json();
        let claims = clinic.id_claims(&tokens["id_token"], APP).await.into_claims();
        assert_eq!(claims.nonce.as_deref(), nonce);
    }
}

// FAPI-07
#[tokio::test]
async fn a_long_nonce_and_a_long_state_are_never_cut() {
    let clinic = Clinic::open().await;
    let (nonce, state) = ("n".repeat(384), "s".repeat(1000));
    let request = changed(
        app_request("openid"),
        &[("state", Some(&state)), ("nonce", Some(&nonce))],
    );
    let request_uri = pushed(&clinic, &request).await;
    let answer = clinic
        .browser()
        .authorize(&reference(APP, &request_uri), PATIENT)
        .await;
    assert_eq!(answer.sent("state"), Some(state));
    let tokens = clinic.redeem(&answer.sent("code").unwrap()).await.json();
    let claims = clinic.id_claims(&tokens["id_token"], APP).await.into_claims();
    assert_eq!(claims.nonce, Some(nonce));
}

// FAPI-08
#[tokio::test]
async fn only_pushed_values_count() {
    let clinic = Clinic::open().await;
    for (state, expected) in [(Some("pushed"), Some("pushed")), (None, None)] {
        let request = changed(
            app_request("openid"),
            &[("state", state), ("nonce", Some("pushed"))],
        );
        let request_uri = pushed(&clinic, &request).await;
        let query = changed(
            reference(APP, &request_uri),
            &[
                ("state", Some("in-the-url")),
                ("nonce", Some("in-the-url")),
                ("scope", Some("openid user/*.*")),
                ("redirect_uri", Some("https://evil.example/cb")),
                ("response_type", Some("token")),
                ("prompt", Some("none")),
            ],
        );
        let answer = clinic.browser().authorize(&query, PATIENT).await;
        assert!(answer.location().starts_with(&format!("{APP_REDIRECT}?")));
        assert_eq!(answer.sent("state").as_deref(), expected);
        let tokens = clinic.redeem(&answer.sent("code").unwrap()).await.json();
        assert_eq!(tokens["scope"], "openid");
        let claims = clinic.id_claims(&tokens["id_token"], APP).await.into_claims();
        assert_eq!(claims.nonce.as_deref(), Some("pushed"));
    }
}

// FAPI-09, OIDC-05
#[tokio::test]
async fn a_client_that_must_push_is_refused_in_the_browser_and_another_is_not() {
    let clinic = Clinic::open().await;
    add_pushing_client(&clinic).await;
    let request = changed(
        app_request("openid"),
        &[
            ("client_id", Some("pusher")),
            ("redirect_uri", Some("https://pusher.example/cb")),
        ],
    );
    let browser = clinic.browser();
    visit(&browser, &request).await.is_error_redirect(
        "https://pusher.example/cb",
        "invalid_request",
        Some("xyz123"),
    );
    let request_uri = pushed(&clinic, &request).await;
    let answer = browser
        .authorize(&reference("pusher", &request_uri), PATIENT)
        .await;
    assert!(answer.sent("code").is_some());
    let plain = browser.authorize(&app_request("openid"), PATIENT).await;
    assert!(plain.sent("code").is_some());
}

// FAPI-10, FAPI-11, FAPI-12, FAPI-13, FAPI-14
#[tokio::test]
async fn what_the_authorization_endpoint_refuses_is_refused_at_once() {
    let clinic = Clinic::open().await;
    for (changes, code) in [
        (
            vec![("code_challenge", None), ("code_challenge_method", None)],
            "invalid_request",
        ),
        (vec![("code_challenge_method", Some("plain"))], "invalid_request"),
        (
            vec![("response_type", Some("code id_token"))],
            "unsupported_response_type",
        ),
        (
            vec![("response_type", Some("token"))],
            "unsupported_response_type",
        ),
        (vec![("response_type", None)], "invalid_request"),
        (
            vec![("request_uri", Some("urn:ietf:params:oauth:request_uri:wga_x"))],
            "request_uri_not_supported",
        ),
        (vec![("request", Some("e30.e30."))], "request_not_supported"),
        (vec![("redirect_uri", None)], "invalid_request"),
        (
            vec![("redirect_uri", Some("https://app.example/other"))],
            "invalid_request",
        ),
        (vec![("scope", None)], "invalid_scope"),
        (vec![("response_mode", Some("fragment"))], "invalid_request"),
        (vec![("id_token_hint", Some("e30.e30."))], "invalid_request"),
        (
            vec![("resource", Some("https://elsewhere.example"))],
            "invalid_target",
        ),
    ] {
        let answer = push(&clinic, &changed(app_request("openid"), &changes)).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, code);
        let event = clinic.last_audit().await;
        assert_eq!(
            (event.action, event.outcome, event.client_id.as_deref()),
            (AuditAction::PushedAuthorization, AuditOutcome::Failure, Some(APP))
        );
    }
}

#[tokio::test]
async fn a_pushed_response_mode_is_the_one_that_counts() {
    let clinic = Clinic::open().await;
    let request = changed(app_request("openid"), &[("response_mode", Some("form_post"))]);
    let request_uri = pushed(&clinic, &request).await;
    let browser = clinic.browser();
    let login = visit(&browser, &reference(APP, &request_uri)).await;
    let signed_in = browser.sign_in(login.location(), PATIENT, PASSWORD).await;
    let consent = browser.get(signed_in.location()).await;
    let answer = browser.decide(consent.location(), "allow").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert!(!answer.field("code").is_empty());
}

// FAPI-12
#[tokio::test]
async fn only_post_is_taken() {
    let clinic = Clinic::open().await;
    for method in [Method::PUT, Method::GET, Method::DELETE] {
        let request = Browser::request(method, PAR).body(Body::from(form(&app_request("openid"))));
        let answer = clinic.browser().send(request.unwrap()).await;
        answer.is_oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request");
    }
}

// FAPI-15
#[tokio::test]
async fn an_expired_reference_gets_a_page() {
    let clinic = Clinic::open().await;
    let request_uri = pushed(&clinic, &app_request("openid")).await;
    let browser = clinic.browser();
    clinic.issuer.advance(59);
    assert!(
        visit(&browser, &reference(APP, &request_uri))
            .await
            .location()
            .starts_with("/login?")
    );
    clinic.issuer.advance(1);
    visit(&browser, &reference(APP, &request_uri))
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    assert_eq!(
        clinic.last_audit().await.reason.as_deref(),
        Some("invalid_request_uri")
    );
}

#[tokio::test]
async fn a_person_who_came_in_time_has_ten_minutes() {
    let clinic = Clinic::open().await;
    let request_uri = pushed(&clinic, &app_request("openid")).await;
    let browser = clinic.browser();
    clinic.issuer.advance(50);
    let login = visit(&browser, &reference(APP, &request_uri)).await;
    clinic.issuer.advance(599);
    let signed_in = browser.sign_in(login.location(), PATIENT, PASSWORD).await;
    assert!(
        browser
            .get(signed_in.location())
            .await
            .location()
            .starts_with("/consent?")
    );
    clinic.issuer.advance(1);
    browser
        .get(signed_in.location())
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

// FAPI-16
#[tokio::test]
async fn a_visit_consumes_nothing_and_an_answer_does() {
    let clinic = Clinic::open().await;
    let request_uri = pushed(&clinic, &app_request("openid")).await;
    let query = reference(APP, &request_uri);
    visit(&clinic.browser(), &query).await.location();
    let browser = clinic.browser();
    let answer = browser.authorize(&query, PATIENT).await;
    assert!(answer.sent("code").is_some());
    visit(&browser, &query)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    visit(&clinic.browser(), &query)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_no_consumes_the_reference_too() {
    let clinic = Clinic::open().await;
    let request_uri = pushed(
        &clinic,
        &changed(app_request("openid"), &[("prompt", Some("none"))]),
    )
    .await;
    let query = reference(APP, &request_uri);
    let browser = clinic.browser();
    visit(&browser, &query)
        .await
        .is_error_redirect(APP_REDIRECT, "login_required", Some("xyz123"));
    visit(&browser, &query)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

// FAPI-17
#[tokio::test]
async fn another_clients_reference_gets_a_page_and_does_no_harm() {
    let clinic = Clinic::open().await;
    let request_uri = pushed(&clinic, &app_request("openid")).await;
    let browser = clinic.browser();
    let made_up = format!("urn:ietf:params:oauth:request_uri:wga_{}", "A".repeat(43));
    for query in [
        reference(WEB, &request_uri),
        reference("nobody", &request_uri),
        vec![("request_uri", request_uri.as_str())],
        reference(APP, &made_up),
        reference(APP, "urn:ietf:params:oauth:request_uri:"),
        [
            reference(APP, &request_uri),
            vec![("request_uri", made_up.as_str())],
        ]
        .concat(),
    ] {
        visit(&browser, &query)
            .await
            .is_error_page(StatusCode::BAD_REQUEST);
    }
    let answer = browser.authorize(&reference(APP, &request_uri), PATIENT).await;
    assert!(answer.sent("code").is_some());
}

#[tokio::test]
async fn a_request_that_was_not_pushed_has_no_reference() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let login = visit(&browser, &app_request("openid")).await;
    let id = login.sent("request").unwrap();
    let request_uri = format!("urn:ietf:params:oauth:request_uri:{id}");
    visit(&browser, &reference(APP, &request_uri))
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn clients_authenticate_as_at_the_token_endpoint() {
    let clinic = Clinic::open().await;
    let request = web_request("openid");
    push(&clinic, &request)
        .await
        .is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    push(
        &clinic,
        &changed(request.clone(), &[("client_secret", Some("wrong"))]),
    )
    .await
    .is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    let event = clinic.last_audit().await;
    assert_eq!(event.client_id.as_deref(), Some(WEB), "whom it named");
    push(&clinic, &changed(request.clone(), &[("client_id", None)]))
        .await
        .is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    push(
        &clinic,
        &changed(app_request("openid"), &[("client_id", Some("nobody"))]),
    )
    .await
    .is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    assert_eq!(clinic.last_audit().await.action, AuditAction::PushedAuthorization);

    let secret = clinic.web_secret.as_str();
    let by_post = pushed(
        &clinic,
        &changed(request.clone(), &[("client_secret", Some(secret))]),
    )
    .await;
    let header = basic(WEB, secret);
    let without_id = changed(request, &[("client_id", None)]);
    let answer = clinic
        .browser()
        .post_with(PAR, &without_id, &[("authorization", &header)])
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let by_header = answer.json();
    for request_uri in [by_post.as_str(), by_header["request_uri"].as_str().unwrap()] {
        let answer = clinic
            .browser()
            .authorize(&reference(WEB, request_uri), PATIENT)
            .await;
        assert!(answer.location().starts_with(WEB_REDIRECT) && answer.sent("code").is_some());
    }
    let failed = clinic
        .browser()
        .post_with(PAR, &without_id, &[("authorization", &basic(WEB, "no"))])
        .await;
    failed.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    assert!(failed.header("www-authenticate").is_some());
}

#[tokio::test]
async fn repeated_parameters_foreign_bodies_and_grants_not_given_are_refused() {
    let clinic = Clinic::open().await;
    let mut repeated = app_request("openid");
    repeated.push(("state", "again"));
    push(&clinic, &repeated)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    let json = Browser::request(Method::POST, PAR)
        .header("content-type", "application/json")
        .body(Body::from("{}"));
    let answer = clinic.browser().send(json.unwrap()).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");

    let no_codes = client(
        NO_CODES,
        ClientAuthentication::Public,
        &[GrantType::RefreshToken],
        &["https://other.example/cb"],
        "openid",
    );
    clinic.issuer.add_client(no_codes).await;
    let request = changed(
        app_request("openid"),
        &[
            ("client_id", Some(NO_CODES)),
            ("redirect_uri", Some("https://other.example/cb")),
        ],
    );
    push(&clinic, &request)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "unauthorized_client");
    let service = changed(
        app_request("openid"),
        &[
            ("client_id", Some(SERVICE)),
            ("client_secret", Some(&clinic.service_secret)),
        ],
    );
    push(&clinic, &service)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
}

#[tokio::test]
async fn a_store_that_fails_is_a_503() {
    let clinic = Clinic::open().await;
    clinic.issuer.store().close().await;
    let answer = push(&clinic, &app_request("openid")).await;
    answer.is_oauth_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable");
}
