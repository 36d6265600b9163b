//! What is refused before any grant is looked at.

use axum::body::Body;
use http::{Method, StatusCode, header};

use crate::layers::MAXIMUM_BODY_BYTES;
use crate::web::testing::{APP, Answer, Browser, Clinic, SERVICE, basic};

async fn raw(clinic: &Clinic, content_type: Option<&str>, body: impl Into<Body>) -> Answer {
    let mut request = Browser::request(Method::POST, "/oauth2/token");
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    request = request.header(header::AUTHORIZATION, basic(SERVICE, &clinic.service_secret));
    clinic.browser().send(request.body(body.into()).unwrap()).await
}

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const LAWFUL: &str = "grant_type=client_credentials";

#[tokio::test]
async fn takes_a_form_with_a_charset_and_unknown_parameters() {
    let clinic = Clinic::open().await;
    let answer = raw(
        &clinic,
        Some("Application/X-WWW-Form-Urlencoded; charset=UTF-8"),
        LAWFUL,
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let answer = raw(
        &clinic,
        FORM,
        "extra=foobar&grant_type=client_credentials&scope=&redirect_uri=",
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn refuses_another_content_type() {
    let clinic = Clinic::open().await;
    for content_type in [
        None,
        Some("application/json"),
        Some("text/plain"),
        Some("multipart/form-data; boundary=x"),
    ] {
        let answer = raw(&clinic, content_type, LAWFUL).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    }
}

#[tokio::test]
async fn refuses_repeated_parameters() {
    let clinic = Clinic::open().await;
    for repeated in [
        "grant_type=client_credentials",
        "scope=system/*.read&scope=system/*.read",
        "client_id=a&client_id=a",
        "x=1&x=2",
    ] {
        let answer = raw(&clinic, FORM, format!("{LAWFUL}&{repeated}")).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    }
}

#[tokio::test]
async fn takes_a_repeated_resource() {
    let clinic = Clinic::open().await;
    let resources = "&resource=https://api.example.org&resource=https://api.example.org/fhir";
    let answer = raw(&clinic, FORM, format!("{LAWFUL}{resources}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn refuses_malformed_encodings() {
    let clinic = Clinic::open().await;
    for body in ["grant_type=%", "grant_type=%zz", "grant_type=%C3%28", "scope=%FF"] {
        raw(&clinic, FORM, body)
            .await
            .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    }
    raw(&clinic, FORM, vec![0xFF, 0xFE])
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
}

#[tokio::test]
async fn refuses_an_oversized_body_whether_or_not_it_says_its_length() {
    let clinic = Clinic::open().await;
    let long = format!("{LAWFUL}&x={}", "a".repeat(MAXIMUM_BODY_BYTES));
    raw(&clinic, FORM, long.clone())
        .await
        .is_oauth_error(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request");
    let request = Browser::request(Method::POST, "/oauth2/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONTENT_LENGTH, long.len())
        .body(Body::from(long));
    let answer = clinic.browser().send(request.unwrap()).await;
    answer.is_oauth_error(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request");
}

#[tokio::test]
async fn refuses_unknown_and_missing_grant_types() {
    let clinic = Clinic::open().await;
    for grant_type in ["not_a_grant_type", "password", "implicit", "Client_Credentials"] {
        let answer = raw(&clinic, FORM, format!("grant_type={grant_type}")).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    for body in ["", "grant_type=", "scope=system/*.read"] {
        let description = raw(&clinic, FORM, body)
            .await
            .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
        assert_eq!(description, "grant_type is missing");
    }
}

#[tokio::test]
async fn refuses_a_grant_that_the_client_is_not_registered_for() {
    let clinic = Clinic::open().await;
    let answer = raw(&clinic, FORM, "grant_type=authorization_code&code=x").await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "unauthorized_client");
    let answer = raw(&clinic, FORM, "grant_type=refresh_token&refresh_token=x").await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "unauthorized_client");
}

// OIDC-58
#[tokio::test]
async fn names_the_missing_parameter() {
    let clinic = Clinic::open().await;
    for (grant_type, missing) in [("authorization_code", "code"), ("refresh_token", "refresh_token")] {
        let answer = clinic
            .token(&[("grant_type", grant_type), ("client_id", APP)])
            .await;
        let description = answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
        assert_eq!(description, format!("{missing} is missing"));
    }
}

#[tokio::test]
async fn refuses_other_methods() {
    let clinic = Clinic::open().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD] {
        let request = Browser::request(method.clone(), "/oauth2/token?grant_type=client_credentials");
        let answer = clinic.browser().send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), Some("POST"));
        if method != Method::HEAD {
            answer.is_oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request");
        }
    }
}
