//! Requests that say in their body what they ask for: they are read, decided on, and forwarded in the same bytes.

use serde_json::{Value, json};
use wardgate_tests::edge::Edge;
use wardgate_tests::http::{Answer, send};

use crate::expect::{assert_challenge, assert_fhir_refusal, assert_nothing_forwarded};

const FHIR: &str = "application/fhir+json";
const FORM: &str = "application/x-www-form-urlencoded";

async fn post(
    edge: &Edge,
    path: &str,
    scope: &str,
    media_type: &str,
    body: impl Into<reqwest::Body>,
) -> Answer {
    let request = edge
        .request("POST", path)
        .bearer_auth(edge.token_with_scope(scope))
        .header("content-type", media_type)
        .body(body);
    send(request).await
}

fn bundle(kind: &str, entries: &[Value]) -> String {
    // Spaces that no writer of JSON would put there show whether the bytes pass unchanged.
    format!(
        "{{ \"resourceType\" :\"Bundle\",\n\t\"type\":\"{kind}\", \"note\":\"\u{e9}\\u00e9\", \"entry\":{}}}\n",
        Value::from(entries)
    )
}

fn reading(url: &str) -> Value {
    json!({ "request": { "method": "GET", "url": url } })
}

// SMART-77
#[tokio::test]
async fn a_permitted_batch_reaches_the_upstream_in_the_same_bytes() {
    let edge = Edge::start().await;
    for kind in ["batch", "transaction"] {
        edge.upstream.forget();
        let writing = json!({
            "resource": { "resourceType": "Observation" },
            "request": { "method": "POST", "url": "Observation", "ifNoneExist": "identifier=1" }
        });
        let body = bundle(kind, &[reading("Observation/1"), writing]);
        let answer = post(&edge, "/fhir", "system/Observation.crs", FHIR, body.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let request = edge.upstream.only_request();
        assert_eq!(request.body, body.as_bytes());
        assert_eq!(request.header("content-type"), Some(FHIR));
        let length = body.len().to_string();
        assert_eq!(request.header("content-length"), Some(length.as_str()));
        assert_eq!(request.header("x-wardgate-access-level"), Some("system"));
    }
}

// SMART-77, SMART-78
#[tokio::test]
async fn an_entry_out_of_scope_refuses_the_whole_batch_and_is_named() {
    let edge = Edge::start().await;
    let entries = [
        reading("Observation/1"),
        reading("Observation/2"),
        reading("Patient/1"),
    ];
    for kind in ["batch", "transaction"] {
        let body = bundle(kind, &entries);
        let answer = post(&edge, "/fhir", "system/Observation.r", FHIR, body).await;
        assert_fhir_refusal(&answer, 403, "forbidden");
        let challenge = assert_challenge(&answer, Some("insufficient_scope"));
        assert_eq!(challenge.parameter("scope"), Some("system/Patient.r"));
        assert!(answer.text().contains("Bundle.entry[2]: "), "{}", answer.text());
        assert!(!answer.text().contains("Patient/1"), "{}", answer.text());
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn a_batch_of_two_meanings_is_refused() {
    let edge = Edge::start().await;
    for body in [
        "",
        "{",
        r#"{"resourceType":"Patient"}"#,
        r#"{"resourceType":"Bundle","type":"batch","entry":[]}"#,
        r#"{"resourceType":"Bundle","type":"batch","entry":[],"entry":[{"request":{"method":"GET","url":"Patient/1"}}]}"#,
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1","Url":"a"}}]}"#,
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"/Patient/1"}}]}"#,
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/%31"}}]}"#,
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"POST","url":"Observation"},"resource":{"resourceType":"Patient"}}]}"#,
    ] {
        let answer = post(&edge, "/fhir", "system/*.cruds", FHIR, body).await;
        assert_fhir_refusal(&answer, 400, "invalid");
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn a_body_that_is_decided_on_is_bounded_and_of_one_form() {
    let edge = Edge::start_with(&[("WARDGATE_MAXIMUM_BODY_BYTES", "2048")]).await;
    let scope = "system/*.cruds";
    let padded = |length: usize| {
        let mut body = bundle("batch", &[reading("Patient/1")]);
        body.push_str(&" ".repeat(length - body.len()));
        body
    };
    assert_eq!(post(&edge, "/fhir", scope, FHIR, padded(2048)).await.status, 200);
    edge.upstream.forget();
    assert_fhir_refusal(
        &post(&edge, "/fhir", scope, FHIR, padded(2049)).await,
        413,
        "invalid",
    );
    let large = format!("name={}", "a".repeat(2048));
    assert_fhir_refusal(
        &post(&edge, "/fhir/Patient/_search", scope, FORM, large).await,
        413,
        "invalid",
    );
    for (path, media_type) in [
        ("/fhir", "application/fhir+xml"),
        ("/fhir", "application/json; charset=utf-16"),
        ("/fhir/Patient/_search", "multipart/form-data; boundary=a"),
    ] {
        let answer = post(&edge, path, scope, media_type, padded(2000)).await;
        assert_fhir_refusal(&answer, 415, "not-supported");
    }
    let compressed = edge
        .request("POST", "/fhir")
        .bearer_auth(edge.token_with_scope(scope))
        .header("content-type", FHIR)
        .header("content-encoding", "gzip")
        .body(padded(2000));
    assert_fhir_refusal(&send(compressed).await, 415, "not-supported");
    assert_nothing_forwarded(&edge);
    // Bodies that decide nothing are not bounded.
    let created = post(&edge, "/fhir/Patient", scope, FHIR, padded(4096)).await;
    assert_eq!(created.status, 200);
    assert_eq!(edge.upstream.only_request().body.len(), 4096);
}

#[tokio::test]
async fn a_search_form_reaches_the_upstream_in_the_same_bytes_when_its_parameters_are_permitted() {
    let edge = Edge::start().await;
    let form = "name=a+b%20c&_count=5&&birthdate=%32000";
    let answer = post(
        &edge,
        "/fhir/Patient/_search?active=true",
        "system/Patient.s",
        FORM,
        form,
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = edge.upstream.only_request();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/Patient/_search?active=true")
    );
    assert_eq!(request.body, form.as_bytes());
    edge.upstream.forget();

    let answer = post(
        &edge,
        "/fhir/Patient/_search",
        "system/Patient.s",
        FORM,
        "%5finclude=*",
    )
    .await;
    assert_fhir_refusal(&answer, 403, "forbidden");
    let challenge = assert_challenge(&answer, Some("insufficient_scope"));
    assert_eq!(challenge.parameter("scope"), Some("system/*.rs"));
    let answer = post(
        &edge,
        "/fhir/Patient/_search",
        "system/Patient.s",
        FORM,
        "access_token=a",
    )
    .await;
    assert_fhir_refusal(&answer, 400, "invalid");
    assert_nothing_forwarded(&edge);
}
