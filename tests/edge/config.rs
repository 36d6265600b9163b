//! A Worker whose configuration is wrong decides nothing and says which variable it is.

use wardgate_tests::edge::Edge;
use wardgate_tests::http::send;

use crate::expect::{assert_fhir_refusal, assert_nothing_forwarded, assert_problem};

/// Every request is answered 503 and names each of `variables`, and no value of theirs.
async fn names(changes: &[(&str, &str)], variables: &[&str]) {
    let edge = Edge::start_with(changes).await;
    let token = edge.token();
    for request in [
        edge.request("GET", "/fhir/Patient/1").bearer_auth(&token),
        edge.request("GET", "/fhir/metadata"),
    ] {
        let answer = send(request.header("accept", "application/fhir+json")).await;
        assert_fhir_refusal(&answer, 503, "exception");
        for variable in variables {
            assert!(
                answer.text().contains(variable),
                "{variable} in {}",
                answer.text()
            );
        }
        for (_, value) in changes.iter().filter(|(_, value)| value.len() > 3) {
            assert!(
                !answer.text().contains(value),
                "a value stands in {}",
                answer.text()
            );
        }
        assert_eq!(answer.header("www-authenticate"), None);
        assert_eq!(answer.header("retry-after"), Some("60"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    assert_problem(&edge.get_with("/fhir/Patient/1", &token).await, 503);
    let health = edge.get("/health").await;
    assert_eq!(health.status, 503);
    assert_eq!(health.json()["status"], "misconfigured");
    assert_eq!(health.header("retry-after"), Some("60"));
    assert_eq!(health.header("cache-control"), Some("no-store"));
    assert_eq!(health.header("access-control-allow-origin"), Some("*"));
    assert!(health.header("x-request-id").is_some());
    assert_nothing_forwarded(&edge);
    assert_eq!(edge.issuer.key_requests(), 0);
}

#[tokio::test]
async fn names_a_variable_that_is_missing() {
    for variable in [
        "WARDGATE_ISSUER",
        "WARDGATE_AUDIENCES",
        "WARDGATE_UPSTREAM",
        "WARDGATE_PUBLIC_URL",
    ] {
        names(&[(variable, "")], &[variable]).await;
    }
}

#[tokio::test]
async fn names_every_variable_that_is_wrong_at_once() {
    names(
        &[
            ("WARDGATE_ISSUER", "issuer-without-scheme"),
            ("WARDGATE_AUDIENCES", " "),
            ("WARDGATE_UPSTREAM", "http://fhir.example/plain"),
            ("WARDGATE_PREFIX", "no-slash"),
            ("WARDGATE_CLOCK_SKEW_SECONDS", "86399"),
            ("WARDGATE_JWKS_FRESH_SECONDS", "soon-enough"),
            ("WARDGATE_CORS_ORIGINS", "https://app.example/with/path"),
            ("WARDGATE_UPSTREAM_TIMEOUT_MILLISECONDS", "-1234"),
        ],
        &[
            "WARDGATE_ISSUER",
            "WARDGATE_AUDIENCES",
            "WARDGATE_UPSTREAM",
            "WARDGATE_PREFIX",
            "WARDGATE_CLOCK_SKEW_SECONDS",
            "WARDGATE_JWKS_FRESH_SECONDS",
            "WARDGATE_CORS_ORIGINS",
            "WARDGATE_UPSTREAM_TIMEOUT_MILLISECONDS",
        ],
    )
    .await;
}

#[tokio::test]
async fn names_a_public_url_with_a_path() {
    names(
        &[("WARDGATE_PUBLIC_URL", "https://edge.example/below")],
        &["WARDGATE_PUBLIC_URL"],
    )
    .await;
}

#[tokio::test]
async fn names_a_source_of_addresses_that_a_limit_of_networks_cannot_do_without() {
    let limits = r#"[{"name":"burst","counts":"network","limit":50}]"#;
    names(
        &[
            ("WARDGATE_LIMITS", limits),
            ("WARDGATE_LIMITED_BY", "burst"),
            ("WARDGATE_CLIENT_ADDRESS", "none"),
        ],
        &["WARDGATE_CLIENT_ADDRESS"],
    )
    .await;
}

#[tokio::test]
async fn names_a_misspelt_variable() {
    names(
        &[("WARDGATE_AUDIENCE", "https://edge.example/fhir")],
        &["WARDGATE_AUDIENCE"],
    )
    .await;
}

#[tokio::test]
async fn variables_of_others_are_none_of_its_business() {
    let edge = Edge::start_with(&[("SOMETHING_ELSE", "1")]).await;
    assert_eq!(edge.get_with("/fhir/Patient/1", &edge.token()).await.status, 200);
}

#[tokio::test]
async fn several_audiences_are_accepted() {
    let edge = Edge::start_with(&[("WARDGATE_AUDIENCES", "https://other.example api:his")]).await;
    for (audience, status) in [
        ("https://other.example", 200),
        ("api:his", 200),
        ("api", 401),
        ("https://other.example api:his", 401),
    ] {
        let token = edge.claims().with("aud", audience).sign(&edge.key);
        assert_eq!(
            edge.get_with("/fhir/Patient/1", &token).await.status,
            status,
            "{audience}"
        );
    }
}

#[tokio::test]
async fn refuses_a_token_that_lives_longer_than_configured() {
    let edge = Edge::start_with(&[("WARDGATE_MAXIMUM_TOKEN_LIFETIME_SECONDS", "200")]).await;
    let token = edge.token();
    let answer = edge.get_with("/fhir/Patient/1", &token).await;
    crate::expect::assert_token_refused(&edge, &answer, &token);
    let short = edge
        .claims()
        .with("exp", wardgate_tests::clock::now() + 100)
        .sign(&edge.key);
    assert_eq!(edge.get_with("/fhir/Patient/1", &short).await.status, 200);
    let ageless = edge.claims().without("iat").sign(&edge.key);
    assert_eq!(edge.get_with("/fhir/Patient/1", &ageless).await.status, 401);
}
