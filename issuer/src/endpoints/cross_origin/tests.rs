use axum::body::Body;
use http::{Method, StatusCode};

use crate::web::testing::{APP, APP_REDIRECT, Answer, Browser, Clinic, PATIENT, VERIFIER};

async fn preflight(clinic: &Clinic, path: &str, origin: &str) -> Answer {
    let request = Browser::request(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    clinic.browser().send(request.body(Body::empty()).unwrap()).await
}

// SMART-81
#[tokio::test]
async fn a_registered_origin_may_call() {
    let clinic = Clinic::open().await;
    for path in [
        "/oauth2/token",
        "/oauth/token",
        "/oauth2/revoke",
        "/oauth2/userinfo",
    ] {
        let answer = preflight(&clinic, path, "https://app.example").await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("https://app.example")
        );
        assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
        assert_eq!(
            answer.header("access-control-allow-headers"),
            Some("authorization, content-type, dpop")
        );
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
}

#[tokio::test]
async fn any_other_origin_may_not() {
    let clinic = Clinic::open().await;
    for origin in [
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://sub.app.example",
        "null",
    ] {
        let answer = preflight(&clinic, "/oauth2/token", origin).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        let headers = [("origin", origin)];
        let answer = clinic.browser().post_with("/oauth2/token", &[], &headers).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
}

#[tokio::test]
async fn answers_good_and_bad_are_readable_for_the_app() {
    let clinic = Clinic::open().await;
    let headers = [("origin", "https://app.example")];
    let code = clinic.code("openid", PATIENT).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", APP_REDIRECT),
        ("client_id", APP),
        ("code_verifier", VERIFIER),
    ];
    for status in [StatusCode::OK, StatusCode::BAD_REQUEST] {
        let answer = clinic
            .browser()
            .post_with("/oauth2/token", &fields, &headers)
            .await;
        assert_eq!(answer.status, status);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("https://app.example")
        );
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(exposed.split(", ").any(|name| name == "dpop-nonce"), "{exposed}");
        assert_eq!(
            answer
                .headers
                .get_all("access-control-allow-origin")
                .iter()
                .count(),
            1
        );
    }
}

#[tokio::test]
async fn userinfo_is_readable_for_the_app_and_introspection_is_not() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens("openid", PATIENT).await;
    let authorization = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let request = Browser::request(Method::GET, "/oauth2/userinfo")
        .header("origin", "https://app.example")
        .header("authorization", authorization);
    let answer = clinic.browser().send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://app.example")
    );
    let headers = [("origin", "https://app.example")];
    let answer = clinic
        .browser()
        .post_with("/oauth2/introspect", &[("token", "x")], &headers)
        .await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn pages_are_not_shared_with_any_origin() {
    let clinic = Clinic::open().await;
    for path in ["/", "/login", "/logout"] {
        let request = Browser::request(Method::GET, path).header("origin", "https://app.example");
        let answer = clinic.browser().send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }
}
