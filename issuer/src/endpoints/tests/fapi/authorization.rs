//! Pushed requests of such a client, and what becomes of them in the browser.

use axum::body::Body;
use http::{Method, StatusCode};

use super::{Fapi, ONE, REDIRECT, SCOPE, TWO, fapi_client, reference, request, visit};
use crate::testing::{ISSUER, Signer};
use crate::web::testing::{Browser, PASSWORD, PATIENT, changed};
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::redirect_uri::RegisteredRedirectUri;

// FAPI-03, FAPI-04, FAPI-05
#[tokio::test]
async fn a_pushed_request_leads_to_a_code_with_issuer_and_state_in_the_query() {
    let fapi = Fapi::open().await;
    let answer = fapi.push(ONE, &request(ONE)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let body = answer.json();
    assert_eq!(body["expires_in"], 60);
    let request_uri = body["request_uri"].as_str().unwrap();
    let reordered = SCOPE.split(' ').rev().collect::<Vec<_>>().join(" ");
    let mut query = changed(
        request(ONE),
        &[("scope", Some(&*reordered)), ("request_uri", Some(request_uri))],
    );
    query.reverse();
    let answer = fapi.clinic.browser().authorize(&query, PATIENT).await;
    let location = answer.location();
    assert!(location.starts_with(&format!("{REDIRECT}&")), "{location}");
    assert!(!location.contains('#'));
    assert_eq!(answer.sent("iss").as_deref(), Some(ISSUER));
    assert_eq!(answer.sent("state").as_deref(), Some("xyz123"));
    let members: Vec<&str> = location
        .split_once('?')
        .unwrap()
        .1
        .split('&')
        .map(|pair| pair.split('=').next().unwrap())
        .collect();
    assert_eq!(members, ["dummy1", "dummy2", "code", "state", "iss"]);
}

// FAPI-06, FAPI-07
#[tokio::test]
async fn state_and_nonce_are_never_invented_and_never_cut() {
    let fapi = Fapi::open().await;
    let answer = fapi.authorize(&[("state", None), ("nonce", None)]).await;
    assert_eq!(answer.sent("state"), None);
    let tokens = fapi.redeem(ONE, &answer.sent("code").unwrap(), &[]).await.json();
    let claims = fapi.clinic.id_claims(&tokens["id_token"], ONE).await;
    assert_eq!(claims.into_claims().nonce, None);
    for length in [64, 384] {
        let (nonce, state) = ("n".repeat(length), "s".repeat(1000));
        let answer = fapi
            .authorize(&[("state", Some(&state)), ("nonce", Some(&nonce))])
            .await;
        assert_eq!(answer.sent("state"), Some(state));
        let tokens = fapi.redeem(ONE, &answer.sent("code").unwrap(), &[]).await.json();
        let claims = fapi.clinic.id_claims(&tokens["id_token"], ONE).await;
        assert_eq!(claims.into_claims().nonce, Some(nonce));
    }
}

// FAPI-08
#[tokio::test]
async fn values_beside_the_reference_are_not_read() {
    let fapi = Fapi::open().await;
    let request_uri = fapi.pushed(ONE, &changed(request(ONE), &[("state", None)])).await;
    let mut query = reference(ONE, &request_uri);
    query.extend([("state", "outside"), ("nonce", "outside")]);
    let answer = fapi.clinic.browser().authorize(&query, PATIENT).await;
    assert_eq!(answer.sent("state"), None);
    let tokens = fapi.redeem(ONE, &answer.sent("code").unwrap(), &[]).await.json();
    let claims = fapi.clinic.id_claims(&tokens["id_token"], ONE).await;
    assert_eq!(claims.into_claims().nonce.as_deref(), Some("n-1"));
}

// FAPI-09, OIDC-05
#[tokio::test]
async fn a_request_that_was_not_pushed_is_refused() {
    let fapi = Fapi::open().await;
    visit(&fapi.clinic.browser(), &request(ONE))
        .await
        .is_error_redirect_beside(REDIRECT, "invalid_request", Some("xyz123"));
}

// FAPI-10, FAPI-11, FAPI-12, FAPI-13, FAPI-14
#[tokio::test]
async fn a_push_that_breaks_a_rule_is_refused() {
    let fapi = Fapi::open().await;
    let elsewhere = "https://elsewhere.example/cb";
    for (changes, error) in [
        (
            vec![("code_challenge", None), ("code_challenge_method", None)],
            "invalid_request",
        ),
        (vec![("code_challenge_method", Some("plain"))], "invalid_request"),
        (vec![("code_challenge_method", None)], "invalid_request"),
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
            vec![("request_uri", Some("urn:ietf:params:oauth:request_uri:x"))],
            "request_uri_not_supported",
        ),
        (vec![("request", Some("x.y.z"))], "request_not_supported"),
        (vec![("redirect_uri", None)], "invalid_request"),
        (vec![("redirect_uri", Some(elsewhere))], "invalid_request"),
    ] {
        let answer = fapi.push(ONE, &changed(request(ONE), &changes)).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, error);
    }
    let put = Browser::request(Method::PUT, "/oauth2/par")
        .body(Body::empty())
        .unwrap();
    let answer = fapi.clinic.browser().send(put).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_redirect_uri_that_is_not_https_gets_a_page() {
    let fapi = Fapi::open().await;
    let signer = Signer::new(SignatureAlgorithm::ES256, Some("key"));
    let mut client = fapi_client("native", &signer);
    let uri = "http://127.0.0.1:3000/cb";
    client.redirect_uris = vec![RegisteredRedirectUri::parse(uri).unwrap()];
    fapi.clinic.issuer.add_client(client).await;
    let query = changed(request("native"), &[("redirect_uri", Some(uri))]);
    visit(&fapi.clinic.browser(), &query)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    let event = fapi.clinic.last_audit().await;
    assert_eq!(event.reason.as_deref(), Some("insecure_redirect_uri"));
}

// FAPI-15
#[tokio::test]
async fn a_reference_is_good_for_a_minute() {
    let fapi = Fapi::open().await;
    let request_uri = fapi.pushed(ONE, &request(ONE)).await;
    fapi.clinic.issuer.advance(59);
    visit(&fapi.clinic.browser(), &reference(ONE, &request_uri))
        .await
        .location();
    let request_uri = fapi.pushed(ONE, &request(ONE)).await;
    fapi.clinic.issuer.advance(60);
    visit(&fapi.clinic.browser(), &reference(ONE, &request_uri))
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

// FAPI-16, FAPI-17
#[tokio::test]
async fn a_reference_is_its_clients_and_an_answer_consumes_it_where_a_visit_does_not() {
    let fapi = Fapi::open().await;
    let request_uri = fapi.pushed(ONE, &request(ONE)).await;
    let browser = fapi.clinic.browser();
    visit(&browser, &reference(TWO, &request_uri))
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    visit(&browser, &reference(ONE, &request_uri)).await.location();
    let answer = browser.authorize(&reference(ONE, &request_uri), PATIENT).await;
    assert!(answer.sent("code").is_some());
    visit(&browser, &reference(ONE, &request_uri))
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

// FAPI-18
#[tokio::test]
async fn a_person_who_declines_is_sent_back_with_state_and_the_registered_query() {
    let fapi = Fapi::open().await;
    let request_uri = fapi.pushed(ONE, &request(ONE)).await;
    let browser = fapi.clinic.browser();
    let page = visit(&browser, &reference(ONE, &request_uri)).await;
    let page = browser.sign_in(page.location(), PATIENT, PASSWORD).await;
    let page = browser.get(page.location()).await;
    let consent = browser.get(page.location()).await;
    assert!(consent.body.contains("value=\"deny\""), "{consent:?}");
    browser
        .decide(page.location(), "deny")
        .await
        .is_error_redirect_beside(REDIRECT, "access_denied", Some("xyz123"));
}
