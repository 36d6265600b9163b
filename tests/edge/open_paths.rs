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

// SMART-73, SMART-80
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

// SMART-06
#[tokio::test]
async fn capabilities_name_the_issuers_addresses() {
    let edge = Edge::start().await;
    let statement = r#"{"resourceType":"CapabilityStatement","rest":[{"mode":"server"}]}"#;
    let answer = UpstreamAnswer::new(200, statement)
        .with_header("etag", "\"of-other-bytes\"")
        .with_header("last-modified", "Sun, 22 Nov 2026 00:00:00 GMT");
    edge.upstream.answer_with(answer);
    let answer = edge.get("/fhir/metadata").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/fhir+json"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("etag"), None);
    assert!(answer.header("x-request-id").is_some());
    let security = &answer.json()["rest"][0]["security"];
    assert_eq!(security["service"][0]["coding"][0]["code"], "SMART-on-FHIR");
    assert_eq!(
        security["extension"][0]["extension"],
        json!([{ "url": "token", "valueUri": format!("{}/oauth2/token", edge.issuer.url) }])
    );
    let request = edge.upstream.only_request();
    assert_eq!(request.header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn compressed_capabilities_are_read_all_the_same() {
    // The statement `{"resourceType":"CapabilityStatement","rest":[{"mode":"server"}]}` by gzip.
    let hex = "1f8b0800000000000203ab562a4a2dce2f2d4a4e0da92c4855b252724e2c484ccaccc92ca90c2e492c49cd4dcd2b51d201\
               292a51b28aae56cacd4f01a92a4e2d2a4b2d52aa8dad05007aa65f1841000000";
    let bytes: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let edge = Edge::start().await;
    edge.upstream
        .answer_with(UpstreamAnswer::new(200, bytes).with_header("content-encoding", "gzip"));
    let answer = edge.get("/fhir/metadata").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-encoding"), None);
    assert!(answer.json()["rest"][0]["security"]["extension"].is_array());
}

#[tokio::test]
async fn capabilities_in_another_form_pass_as_they_are() {
    let edge = Edge::start().await;
    let mut answer = UpstreamAnswer::new(200, "<CapabilityStatement/>");
    answer.headers = vec![("content-type".to_owned(), b"application/fhir+xml".to_vec())];
    edge.upstream.answer_with(answer);
    let answer = edge.get("/fhir/metadata?_format=xml").await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "<CapabilityStatement/>")
    );
    let head = send(edge.request("HEAD", "/fhir/metadata")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn capabilities_are_shown_while_the_issuer_is_down() {
    let mut edge = Edge::start().await;
    edge.issuer.go_down().await;
    let statement = r#"{"resourceType":"CapabilityStatement","rest":[{"mode":"server"}]}"#;
    edge.upstream.answer_with(UpstreamAnswer::new(200, statement));
    let answer = edge.get("/fhir/metadata").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains("oauth-uris"), "{}", answer.text());
}

#[tokio::test]
async fn capabilities_larger_than_any_have_reason_to_be_are_refused() {
    let edge = Edge::start().await;
    let statement = format!(
        r#"{{"resourceType":"CapabilityStatement","description":"{}"}}"#,
        "a".repeat(4 * 1024 * 1024)
    );
    edge.upstream.answer_with(UpstreamAnswer::new(200, statement));
    let answer = edge.get("/fhir/metadata").await;
    assert_fhir_refusal(&answer, 502, "transient");
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
    let algorithms = json!(["PS256", "ES256", "ES384", "EdDSA"]);
    assert_eq!(body["dpop_signing_alg_values_supported"], algorithms);
    assert_nothing_forwarded(&edge);
}

// SMART-01, SMART-73, SMART-79
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
            json!({
                "issuer": edge.issuer.url,
                "token_endpoint": format!("{}/oauth2/token", edge.issuer.url),
                "capabilities": ["client-public"],
            })
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
