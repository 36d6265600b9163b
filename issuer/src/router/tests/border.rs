//! What every endpoint that programs call refuses alike, before it looks at what it is asked: one table for all.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};

use crate::web::testing::{Answer, Clinic, WEB, basic};

const FORM: &str = "application/x-www-form-urlencoded";
/// The endpoints at which a client authenticates, with a parameter that is theirs.
const ENDPOINTS: [(&str, &str); 6] = [
    ("/oauth2/token", "grant_type=client_credentials"),
    ("/oauth/token", "grant_type=client_credentials"),
    ("/oauth2/revoke", "token=x"),
    ("/oauth2/introspect", "token=x"),
    ("/oauth2/par", "response_type=code"),
    ("/oauth2/device_authorization", "scope=openid"),
];

/// Sends a body as the web application, which proves itself.
async fn send(clinic: &Clinic, path: &str, content_type: Option<&str>, body: impl Into<Body>) -> Answer {
    let authorization = basic(WEB, &clinic.web_secret);
    let mut request = Request::post(path).header(header::AUTHORIZATION, authorization);
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    clinic.browser().send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn bodies_that_are_no_form_are_refused() {
    let clinic = Clinic::open().await;
    for (path, own) in ENDPOINTS {
        for content_type in [
            None,
            Some("application/json"),
            Some("text/plain"),
            Some("multipart/form-data"),
        ] {
            let answer = send(&clinic, path, content_type, own).await;
            let said = answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
            assert!(said.contains(FORM), "{path}: {said}");
        }
    }
}

#[tokio::test]
async fn bodies_that_are_malformed_are_refused() {
    let clinic = Clinic::open().await;
    let many = "a=b&".repeat(65);
    for (path, own) in ENDPOINTS {
        for body in ["x=%", "x=%4", "x=%zz", "%zz=x", "x=%ff", "%c3%28=x", &many] {
            let answer = send(&clinic, path, Some(FORM), format!("{own}&{body}")).await;
            answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
        }
        let answer = send(&clinic, path, Some(FORM), b"x=\xff\xfe".to_vec()).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    }
}

#[tokio::test]
async fn bodies_that_are_too_long_are_refused() {
    let clinic = Clinic::open().await;
    for (path, own) in ENDPOINTS {
        let longest = 64 * 1024 - own.len() - "&x=".len();
        let body = format!("{own}&x={}", "a".repeat(longest));
        let answer = send(&clinic, path, Some(FORM), body.clone()).await;
        assert_ne!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        let answer = send(&clinic, path, Some(FORM), format!("{body}a")).await;
        answer.is_oauth_error(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request");
        let event = clinic.last_audit().await;
        assert_eq!(event.reason.as_deref(), Some("malformed_request"), "{path}");
    }
}

#[tokio::test]
async fn repeated_parameters_are_refused_known_or_not() {
    let clinic = Clinic::open().await;
    for (path, own) in ENDPOINTS {
        for repeated in [
            format!("{own}&{own}"),
            format!("{own}&unknown=1&unknown=2"),
            format!("{own}&client_id={WEB}&client_id={WEB}"),
            format!("{own}&scope=a&scope=b"),
        ] {
            let answer = send(&clinic, path, Some(FORM), repeated.clone()).await;
            let said = answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
            assert_eq!(said, "A parameter is repeated", "{path} {repeated}");
        }
    }
}

#[tokio::test]
async fn two_proofs_are_refused() {
    let clinic = Clinic::open().await;
    let (first, second) = (basic(WEB, &clinic.web_secret), basic(WEB, "x"));
    for (path, own) in ENDPOINTS {
        let request = Request::post(path)
            .header(header::AUTHORIZATION, &first)
            .header(header::AUTHORIZATION, &second)
            .header(header::CONTENT_TYPE, FORM);
        let answer = clinic
            .browser()
            .send(request.body(Body::from(own)).unwrap())
            .await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
        let both = format!("{own}&client_secret={}", clinic.web_secret);
        let answer = send(&clinic, path, Some(FORM), both).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    }
}

#[tokio::test]
async fn other_methods_are_refused_in_the_endpoints_own_words() {
    let clinic = Clinic::open().await;
    for (path, _) in ENDPOINTS {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let request = Request::builder().method(method).uri(path);
            let answer = clinic.browser().send(request.body(Body::empty()).unwrap()).await;
            let said = answer.is_oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request");
            assert!(said.contains("POST"), "{path}: {said}");
        }
    }
}

#[tokio::test]
async fn userinfo_refuses_what_is_malformed_too_long_or_repeated() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let send = async |body: String| {
        let request = Request::post("/oauth2/userinfo").header(header::CONTENT_TYPE, FORM);
        browser.send(request.body(Body::from(body)).unwrap()).await
    };
    for body in [
        "access_token=%".into(),
        "access_token=%ff".into(),
        "access_token=a&access_token=b".into(),
        "a=b&".repeat(65),
    ] {
        let answer = send(body).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    }
    let answer = send(format!("access_token={}", "a".repeat(64 * 1024))).await;
    answer.is_oauth_error(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request");
}

/// Every code that is on the wire, the seed's table among them, has its place on the page to which `error_uri` points.
#[tokio::test]
async fn every_code_on_the_wire_is_explained_where_error_uri_points() {
    let clinic = Clinic::open().await;
    let page = clinic.browser().get("/docs/errors").await.body;
    let codes: Vec<&str> = include_str!("../../../../shared/src/oauth_error.rs")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \""))
        .map(|(_, rest)| rest.trim_end_matches("\","))
        .collect();
    for code in [
        "invalid_client",
        "invalid_grant",
        "expired_token",
        "insufficient_scope",
        "invalid_token",
    ] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    for code in codes {
        assert!(page.contains(&format!("<dt id=\"{code}\">")), "{code}");
    }
}
