//! What needs no token: health, discovery, capabilities.

use serde_json::json;
use wardgate_tests::edge::{AUDIENCE, Edge, settings};
use wardgate_tests::http::send;
use wardgate_tests::upstream::UpstreamAnswer;

use crate::expect::{assert_fhir_refusal, assert_nothing_forwarded};

#[tokio::test]
async fn health_says_that_the_worker_runs() {
    let edge = Edge::start().await;
    let answer = edge.get("/health").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_nothing_forwarded(&edge);
    assert_eq!(edge.issuer.key_requests(), 0);
}

#[tokio::test]
async fn capabilities_are_read_without_a_token() {
    let edge = Edge::start().await;
    edge.upstream.answer_with(UpstreamAnswer::new(
        200,
        r#"{"resourceType":"CapabilityStatement"}"#,
    ));
    let answer = edge.get("/fhir/metadata?mode=full").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["resourceType"], "CapabilityStatement");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let request = edge.upstream.only_request();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("GET", "/metadata?mode=full")
    );
}

#[tokio::test]
async fn only_reading_capabilities_is_open() {
    let edge = Edge::start().await;
    for (method, path) in [
        ("POST", "/fhir/metadata"),
        ("PUT", "/fhir/metadata"),
        ("DELETE", "/fhir/metadata"),
        ("GET", "/fhir/metadata/1"),
        ("GET", "/fhir/metadata/"),
        ("GET", "/fhir/Metadata"),
        ("GET", "/fhir/metadata%2f..%2fPatient"),
        ("GET", "/fhir/metadata;/Patient"),
        ("GET", "/fhir/.well-known/other"),
        ("GET", "/fhir/.well-known"),
    ] {
        let answer = send(edge.request(method, path)).await;
        assert!(
            (400..500).contains(&answer.status),
            "{method} {path}: {}",
            answer.status
        );
        assert_nothing_forwarded(&edge);
    }
}

#[tokio::test]
async fn the_resources_metadata_names_issuer_and_way_to_present_tokens() {
    let edge = Edge::start().await;
    let answer = edge.get("/.well-known/oauth-protected-resource/fhir").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let body = answer.json();
    // RFC 9728 section 3.3: the identifier is the one that the document's own address was made from.
    assert_eq!(body["resource"], AUDIENCE);
    assert_eq!(body["authorization_servers"], json!([edge.issuer.url]));
    assert_eq!(body["bearer_methods_supported"], json!(["header"]));
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn smart_configuration_is_the_issuers() {
    let edge = Edge::start().await;
    for _ in 0..3 {
        let answer = edge.get("/fhir/.well-known/smart-configuration").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            answer.json(),
            json!({ "issuer": edge.issuer.url, "capabilities": ["client-public"] })
        );
    }
    assert_eq!(
        edge.issuer.requests_for("/.well-known/smart-configuration"),
        1,
        "the document is kept"
    );
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn smart_configuration_cannot_be_had_while_the_issuer_is_down() {
    let mut edge = Edge::start().await;
    edge.issuer.go_down().await;
    let answer = edge.get("/fhir/.well-known/smart-configuration").await;
    assert_fhir_refusal(&answer, 503, "transient");
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn open_documents_answer_head_and_refuse_other_verbs() {
    let edge = Edge::start().await;
    for path in [
        "/health",
        "/.well-known/oauth-protected-resource/fhir",
        "/fhir/.well-known/smart-configuration",
    ] {
        let head = send(edge.request("HEAD", path)).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let answer = send(edge.request(method, path)).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"), "{method} {path}");
        }
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn metadata_follows_another_prefix() {
    let edge = Edge::start().await;
    let settings = settings(&edge.issuer, &edge.upstream, &[("WARDGATE_PREFIX", "/api/v1")]);
    let worker = wardgate_tests::worker::Worker::start(&settings).await;
    let get =
        async |path: &str| send(wardgate_tests::http::client().get(format!("{}{path}", worker.url()))).await;
    let answer = get("/.well-known/oauth-protected-resource/api/v1").await;
    assert_eq!(answer.json()["resource"], "https://edge.example/api/v1");
    let refusal = get("/api/v1/Patient/1").await;
    let challenge = refusal.header("www-authenticate").expect("a challenge");
    assert!(
        challenge.contains("\"https://edge.example/.well-known/oauth-protected-resource/api/v1\""),
        "{challenge}"
    );
}
