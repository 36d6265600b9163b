//! Authorization requests that are refused, to the client's face or on a page.

use http::StatusCode;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::testing::client;
use crate::web::testing::{
    APP, APP_REDIRECT, Answer, Clinic, SERVICE, WEB_REDIRECT, app_request, changed, form, web_request,
};

async fn ask(clinic: &Clinic, parameters: &[(&str, &str)]) -> Answer {
    clinic
        .browser()
        .get(&format!("/oauth2/authorize?{}", form(parameters)))
        .await
}

// OIDC-21, OIDC-22, OIDC-24, OIDC-52, SMART-16
#[tokio::test]
async fn nothing_is_sent_to_an_uncertain_place() {
    let clinic = Clinic::open().await;
    let several = client(
        "several",
        ClientAuthentication::Public,
        &[GrantType::AuthorizationCode],
        &["https://one.example/cb", "https://two.example/cb?x=1"],
        "openid",
    );
    clinic.issuer.add_client(several).await;
    for (changes, reason) in [
        (vec![("client_id", None)], "no_client"),
        (vec![("client_id", Some(""))], "no_client"),
        (vec![("client_id", Some("nobody"))], "unknown_client"),
        (vec![("client_id", Some("several"))], "unregistered_redirect_uri"),
        (
            vec![("client_id", Some("several")), ("redirect_uri", None)],
            "no_redirect_uri",
        ),
        (
            vec![
                ("client_id", Some("several")),
                ("redirect_uri", Some("https://two.example/cb")),
            ],
            "unregistered_redirect_uri",
        ),
        (
            vec![
                ("client_id", Some("several")),
                ("redirect_uri", Some("https://two.example/cb?x=2")),
            ],
            "unregistered_redirect_uri",
        ),
        (
            vec![("client_id", Some(SERVICE)), ("redirect_uri", None)],
            "no_redirect_uri",
        ),
        (
            vec![("redirect_uri", Some("https://app.example/cb/extra"))],
            "unregistered_redirect_uri",
        ),
        (
            vec![("redirect_uri", Some("https://app.example/cb?foo=bar"))],
            "unregistered_redirect_uri",
        ),
        (
            vec![("redirect_uri", Some("https://APP.example/cb"))],
            "unregistered_redirect_uri",
        ),
        (
            vec![("redirect_uri", Some("https://app.example/cb#x"))],
            "unregistered_redirect_uri",
        ),
        (
            vec![("redirect_uri", Some("https://evil.example/cb"))],
            "unregistered_redirect_uri",
        ),
        (
            vec![("redirect_uri", Some("//evil.example"))],
            "unregistered_redirect_uri",
        ),
        (
            vec![("redirect_uri", Some("javascript:alert(1)"))],
            "unregistered_redirect_uri",
        ),
        // The outer redirect URI counts, whatever a request object would say (OIDC-52).
        (
            vec![
                ("redirect_uri", Some("https://evil.example/cb")),
                ("request", Some("e30.e30.")),
            ],
            "unregistered_redirect_uri",
        ),
    ] {
        let answer = ask(&clinic, &changed(app_request("openid"), &changes)).await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
        let event = clinic.last_audit().await;
        assert_eq!(
            (event.action, event.outcome),
            (AuditAction::Authorization, AuditOutcome::Failure)
        );
        assert_eq!(event.reason.as_deref(), Some(reason), "{changes:?}");
    }
}

#[tokio::test]
async fn a_repeated_client_or_redirect_uri_is_uncertain() {
    let clinic = Clinic::open().await;
    for repeated in [("client_id", APP), ("redirect_uri", APP_REDIRECT)] {
        let mut parameters = app_request("openid");
        parameters.push(repeated);
        ask(&clinic, &parameters)
            .await
            .is_error_page(StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn unreadable_parameters_get_a_page() {
    let clinic = Clinic::open().await;
    for query in ["client_id=%", "client_id=app&scope=%FF", "%zz=1"] {
        let answer = clinic.browser().get(&format!("/oauth2/authorize?{query}")).await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
    }
}

// OIDC-25, OIDC-27, OIDC-28, OIDC-50, OIDC-51, SMART-15, SMART-17, SMART-24
#[tokio::test]
async fn the_client_hears_of_every_other_error() {
    let clinic = Clinic::open().await;
    let long = "x".repeat(2049);
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c";
    for (changes, code) in [
        (vec![("response_type", None)], "invalid_request"),
        (
            vec![("response_type", Some("token"))],
            "unsupported_response_type",
        ),
        (
            vec![("response_type", Some("code id_token"))],
            "unsupported_response_type",
        ),
        (vec![("response_mode", Some("fragment"))], "invalid_request"),
        (vec![("response_mode", Some("form_post.jwt"))], "invalid_request"),
        (vec![("scope", None)], "invalid_scope"),
        (vec![("scope", Some("openid  patient/*.read"))], "invalid_scope"),
        (vec![("scope", Some("openid \"x\""))], "invalid_scope"),
        (vec![("scope", Some("unknown:scope"))], "invalid_scope"),
        (vec![("scope", Some("system/*.read"))], "invalid_scope"),
        (vec![("scope", Some("patient/Patient.Read"))], "invalid_scope"),
        (vec![("code_challenge", None)], "invalid_request"),
        (
            vec![("code_challenge", None), ("code_challenge_method", None)],
            "invalid_request",
        ),
        (vec![("code_challenge_method", None)], "invalid_request"),
        (vec![("code_challenge_method", Some("plain"))], "invalid_request"),
        (vec![("code_challenge", Some(challenge))], "invalid_request"),
        (
            vec![("aud", Some("https://elsewhere.example/fhir"))],
            "invalid_request",
        ),
        (
            vec![("resource", Some("https://elsewhere.example/fhir"))],
            "invalid_target",
        ),
        (
            vec![("audience", Some("https://elsewhere.example/fhir"))],
            "invalid_target",
        ),
        (vec![("launch", Some("xyz123"))], "invalid_request"),
        (vec![("prompt", Some("none login"))], "invalid_request"),
        (vec![("prompt", Some("create"))], "invalid_request"),
        (vec![("max_age", Some("-1"))], "invalid_request"),
        (vec![("max_age", Some("+1"))], "invalid_request"),
        (vec![("max_age", Some("1.5"))], "invalid_request"),
        (vec![("request", Some("e30.e30."))], "request_not_supported"),
        (
            vec![("request_uri", Some("https://app.example/request"))],
            "request_uri_not_supported",
        ),
        (vec![("nonce", Some(long.as_str()))], "invalid_request"),
        (vec![("nonce", Some("a\nb"))], "invalid_request"),
    ] {
        let answer = ask(&clinic, &changed(app_request("openid"), &changes)).await;
        answer.is_error_redirect(APP_REDIRECT, code, Some("xyz123"));
        let event = clinic.last_audit().await;
        assert_eq!(
            (event.client_id.as_deref(), event.reason.as_deref()),
            (Some(APP), Some(code)),
            "{changes:?}"
        );
    }
}

#[tokio::test]
async fn a_state_that_is_refused_comes_back_all_the_same() {
    let clinic = Clinic::open().await;
    for state in ["x".repeat(2049).as_str(), "a\r\nSet-Cookie: x=y"] {
        let answer = ask(
            &clinic,
            &changed(app_request("openid"), &[("state", Some(state))]),
        )
        .await;
        answer.is_error_redirect(APP_REDIRECT, "invalid_request", Some(state));
    }
}

#[tokio::test]
async fn repeated_parameters_are_refused() {
    let clinic = Clinic::open().await;
    for repeated in ["scope", "response_type", "code_challenge", "nonce", "unknown"] {
        let mut parameters = changed(
            app_request("openid"),
            &[("nonce", Some("n")), ("unknown", Some("u"))],
        );
        let again = *parameters.iter().find(|(name, _)| *name == repeated).unwrap();
        parameters.push(again);
        ask(&clinic, &parameters)
            .await
            .is_error_redirect(APP_REDIRECT, "invalid_request", Some("xyz123"));
    }
    let mut parameters = app_request("openid");
    parameters.push(("state", "another"));
    ask(&clinic, &parameters)
        .await
        .is_error_redirect(APP_REDIRECT, "invalid_request", None);
}

#[tokio::test]
async fn a_client_without_the_code_grant_is_refused() {
    let clinic = Clinic::open().await;
    let backend = client(
        "backend",
        ClientAuthentication::Public,
        &[GrantType::ClientCredentials],
        &["https://backend.example/cb"],
        "openid",
    );
    clinic.issuer.add_client(backend).await;
    let changes = [
        ("client_id", Some("backend")),
        ("redirect_uri", Some("https://backend.example/cb")),
    ];
    let answer = ask(&clinic, &changed(app_request("openid"), &changes)).await;
    answer.is_error_redirect(
        "https://backend.example/cb",
        "unauthorized_client",
        Some("xyz123"),
    );
}

#[tokio::test]
async fn a_challenge_of_a_client_that_needs_none_is_held_to_the_rules() {
    let clinic = Clinic::open().await;
    let request = changed(
        web_request("openid"),
        &[("code_challenge", Some("x".repeat(43).as_str()))],
    )
    .into_iter()
    .map(|(name, value)| (String::from(name), String::from(value)))
    .collect::<Vec<_>>();
    let request: Vec<_> = request
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    ask(&clinic, &request)
        .await
        .is_error_redirect(WEB_REDIRECT, "invalid_request", Some("xyz123"));
}

// OIDC-26
#[tokio::test]
async fn no_state_sent_none_returned() {
    let clinic = Clinic::open().await;
    let answer = ask(&clinic, &changed(app_request("nothing"), &[("state", None)])).await;
    answer.is_error_redirect(APP_REDIRECT, "invalid_scope", None);
}

#[tokio::test]
async fn a_post_is_refused_like_a_get() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let answer = browser
        .post(
            "/oauth2/authorize",
            &changed(app_request("openid"), &[("aud", Some("x"))]),
        )
        .await;
    answer.is_error_redirect(APP_REDIRECT, "invalid_request", Some("xyz123"));
    let answer = browser
        .post(
            "/oauth2/authorize",
            &changed(app_request("openid"), &[("client_id", Some("x"))]),
        )
        .await;
    answer.is_error_page(StatusCode::BAD_REQUEST);
    let long = "x".repeat(70_000);
    let answer = browser
        .post(
            "/oauth2/authorize",
            &changed(app_request("openid"), &[("x", Some(&long))]),
        )
        .await;
    answer.is_error_page(StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn other_methods_get_a_page() {
    let clinic = Clinic::open().await;
    let request = crate::web::testing::Browser::request(http::Method::PUT, "/oauth2/authorize");
    let answer = clinic
        .browser()
        .send(request.body(axum::body::Body::empty()).unwrap())
        .await;
    answer.is_error_page(StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
}
