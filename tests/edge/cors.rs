//! Cross-origin calls from browsers (WHATWG Fetch, "CORS protocol"; SMART App Launch 2.2).

use wardgate_tests::edge::Edge;
use wardgate_tests::fake_issuer::JwksAnswer;
use wardgate_tests::http::{Answer, send};
use wardgate_tests::upstream::{BUNDLE, UpstreamAnswer};

use crate::expect::assert_nothing_forwarded;

const PATH: &str = "/fhir/Patient/1";
const SMART: &str = "/fhir/.well-known/smart-configuration";
const ORIGIN: &str = "https://app.example";
const LISTED: (&str, &str) = (
    "WARDGATE_CORS_ORIGINS",
    "https://app.example http://localhost:3000",
);

async fn preflight(edge: &Edge, origin: &str, method: &str) -> Answer {
    let request = edge
        .request("OPTIONS", PATH)
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization,content-type");
    send(request).await
}

// SMART-73, SMART-83
#[tokio::test]
async fn a_preflight_needs_no_token_and_never_reaches_the_upstream() {
    let edge = Edge::start().await;
    let answer = preflight(&edge, ORIGIN, "PUT").await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let methods = answer.header("access-control-allow-methods").expect("methods");
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        assert!(methods.split(", ").any(|own| own == method), "{methods}");
    }
    let headers = answer
        .header("access-control-allow-headers")
        .expect("headers")
        .to_ascii_lowercase();
    for header in [
        "authorization",
        "content-type",
        "if-match",
        "if-none-match",
        "if-none-exist",
        "prefer",
    ] {
        assert!(headers.split(", ").any(|own| own == header), "{headers}");
    }
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_eq!(answer.header("www-authenticate"), None);
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn a_listed_origin_is_echoed() {
    let edge = Edge::start_with(&[LISTED]).await;
    for origin in [ORIGIN, "http://localhost:3000"] {
        let answer = preflight(&edge, origin, "GET").await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
}

#[tokio::test]
async fn another_origin_is_told_nothing() {
    let edge = Edge::start_with(&[LISTED]).await;
    for origin in [
        "https://evil.example",
        "https://app.example.evil.example",
        "http://app.example",
        "null",
        "https://APP.example",
    ] {
        let answer = preflight(&edge, origin, "GET").await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        let request = edge
            .request("GET", PATH)
            .bearer_auth(edge.token())
            .header("origin", origin);
        let answer = send(request).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        assert!(
            answer.header("vary").is_some_and(|vary| vary.contains("Origin")),
            "{:?}",
            answer.headers
        );
    }
}

// SMART-82, SMART-83
#[tokio::test]
async fn refusals_carry_the_headers_so_that_pages_can_read_them() {
    let edge = Edge::start_with(&[LISTED]).await;
    for token in [
        String::from("x.y.z"),
        edge.token_with_scope("openid"),
        edge.token(),
    ] {
        let request = edge
            .request("GET", PATH)
            .bearer_auth(token)
            .header("origin", ORIGIN);
        let answer = send(request).await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(ORIGIN),
            "{}",
            answer.status
        );
        let exposed = answer
            .header("access-control-expose-headers")
            .expect("exposed headers");
        for name in ["WWW-Authenticate", "ETag", "Location", "Retry-After"] {
            assert!(exposed.split(", ").any(|own| own == name), "{exposed}");
        }
    }
}

/// What pages are to read of an answer, whatever it is.
const EXPOSED: [&str; 15] = [
    "Allow",
    "Content-Location",
    "DPoP-Nonce",
    "ETag",
    "Last-Modified",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-Id",
];

#[track_caller]
fn assert_readable(answer: &Answer, origin: &str) {
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some(origin),
        "{answer:?}"
    );
    let exposed = answer
        .header("access-control-expose-headers")
        .expect("exposed headers");
    assert_eq!(
        exposed.split(", ").collect::<Vec<_>>(),
        EXPOSED,
        "{}",
        answer.status
    );
    assert!(answer.header("x-request-id").is_some());
}

#[tokio::test]
async fn every_answer_exposes_its_headers_whatever_its_status() {
    let limits = r#"[{"name":"default","limit":3,"window_seconds":86400}]"#;
    for (origins, told) in [("*", "*"), (LISTED.1, ORIGIN)] {
        let edge = Edge::start_with(&[("WARDGATE_CORS_ORIGINS", origins), ("WARDGATE_LIMITS", limits)]).await;
        let ask = async |method: &str, path: &str, token: &str| {
            let request = edge.request(method, path).header("origin", ORIGIN);
            send(request.bearer_auth(token)).await
        };
        let token = edge.token();
        let (malformed, narrow) = ("x.y.z".to_owned(), edge.token_with_scope("openid"));
        for (method, path, token, status) in [
            ("GET", "/health", &token, 200),
            ("GET", "/.well-known/oauth-protected-resource/fhir", &token, 200),
            ("GET", SMART, &token, 200),
            ("GET", "/fhir/metadata", &token, 200),
            ("GET", PATH, &token, 200),
            ("GET", "/fhir/Patient%2F1", &token, 400),
            ("GET", PATH, &malformed, 401),
            ("GET", PATH, &narrow, 403),
            ("GET", "/elsewhere", &token, 404),
            ("OPTIONS", PATH, &token, 405),
        ] {
            let answer = ask(method, path, token).await;
            assert_eq!(answer.status, status, "{method} {path}");
            assert_readable(&answer, told);
        }
        // One unit of the three is spent by now; what fails behind the edge spends the others.
        edge.upstream.answer_with(UpstreamAnswer::new(500, "a fault"));
        assert_readable(&ask("GET", PATH, &token).await, told);
        edge.upstream
            .answer_with(UpstreamAnswer::new(302, "").with_header("location", "/elsewhere"));
        for status in [502, 429] {
            let answer = ask("GET", PATH, &token).await;
            assert_eq!(answer.status, status);
            assert_readable(&answer, told);
            assert!(answer.header("x-ratelimit-remaining").is_some(), "{status}");
        }
    }
    let edge = Edge::start().await;
    edge.issuer.answer_keys_with(JwksAnswer::Status(500));
    let undecided = edge.get_with(PATH, &edge.token()).await;
    assert_eq!(undecided.status, 503);
    assert_readable(&undecided, "*");
}

#[tokio::test]
async fn the_upstreams_own_cors_headers_are_replaced() {
    let edge = Edge::start().await;
    edge.upstream.answer_with(
        UpstreamAnswer::new(200, BUNDLE)
            .with_header("access-control-allow-origin", "https://other.example")
            .with_header("access-control-allow-credentials", "true"),
    );
    let answer = send(
        edge.request("GET", PATH)
            .bearer_auth(edge.token())
            .header("origin", ORIGIN),
    )
    .await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn options_that_are_no_preflight_are_refused() {
    let edge = Edge::start().await;
    for request in [
        edge.request("OPTIONS", PATH),
        edge.request("OPTIONS", PATH).header("origin", ORIGIN),
        edge.request("OPTIONS", PATH)
            .header("access-control-request-method", "GET"),
    ] {
        let answer = send(request.bearer_auth(edge.token())).await;
        assert_eq!(answer.status, 405);
    }
    assert_nothing_forwarded(&edge);
}
