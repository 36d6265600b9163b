//! What a token's scopes permit, seen from outside (SMART App Launch 2.2, "Scopes"; RFC 6750 section 3.1).

use wardgate_tests::edge::Edge;
use wardgate_tests::http::{raw_request, send};

use crate::expect::{assert_challenge, assert_fhir_refusal, assert_nothing_forwarded};

// SMART-75, SMART-78
#[tokio::test]
async fn refuses_what_the_scope_does_not_cover_and_says_what_would() {
    let edge = Edge::start().await;
    for (scope, method, path, needed) in [
        (
            "system/Observation.rs",
            "GET",
            "/fhir/Patient/1",
            "system/Patient.r",
        ),
        ("system/Patient.s", "GET", "/fhir/Patient/1", "system/Patient.r"),
        ("system/Patient.r", "GET", "/fhir/Patient", "system/Patient.s"),
        ("system/Patient.rs", "POST", "/fhir/Patient", "system/Patient.c"),
        ("system/Patient.crs", "PUT", "/fhir/Patient/1", "system/Patient.u"),
        (
            "system/Patient.read",
            "PATCH",
            "/fhir/Patient/1",
            "system/Patient.u",
        ),
        (
            "system/Patient.crus",
            "DELETE",
            "/fhir/Patient/1",
            "system/Patient.d",
        ),
        (
            "system/Patient.write",
            "GET",
            "/fhir/Patient/1",
            "system/Patient.r",
        ),
        ("", "GET", "/fhir/Patient/1", "system/Patient.r"),
        ("openid launch", "GET", "/fhir/Patient/1", "system/Patient.r"),
        // A client that acts for nobody has no user and no patient.
        (
            "user/*.cruds patient/*.cruds",
            "GET",
            "/fhir/Patient/1",
            "system/Patient.r",
        ),
    ] {
        let answer = send(
            edge.request(method, path)
                .bearer_auth(edge.token_with_scope(scope)),
        )
        .await;
        assert_fhir_refusal(&answer, 403, "forbidden");
        let challenge = assert_challenge(&answer, Some("insufficient_scope"));
        assert_eq!(
            challenge.parameter("scope"),
            Some(needed),
            "{scope}: {method} {path}"
        );
    }
    assert_nothing_forwarded(&edge);
}

// SMART-75
#[tokio::test]
async fn permits_what_the_scope_covers_in_either_version() {
    let edge = Edge::start().await;
    for (scope, method, path) in [
        ("system/Patient.r", "GET", "/fhir/Patient/1"),
        ("system/Patient.read", "GET", "/fhir/Patient"),
        ("system/*.read", "GET", "/fhir/Observation/1"),
        ("system/Patient.s", "POST", "/fhir/Patient/_search"),
        ("system/Patient.write", "DELETE", "/fhir/Patient/1"),
        ("system/Patient.u", "PUT", "/fhir/Patient/1"),
        (
            "openid system/Observation.rs system/Patient.c",
            "POST",
            "/fhir/Patient",
        ),
    ] {
        let answer = send(
            edge.request(method, path)
                .bearer_auth(edge.token_with_scope(scope)),
        )
        .await;
        assert_eq!(answer.status, 200, "{scope}: {method} {path}: {}", answer.text());
    }
}

// SMART-76
#[tokio::test]
async fn a_patients_token_reaches_no_other_patient() {
    let edge = Edge::start().await;
    let token = edge
        .claims()
        .with("sub", "user-7")
        .with("client_id", "app")
        .with("scope", "patient/*.cruds launch/patient")
        .with("launch_context", serde_json::json!({ "patient_id": "p-1" }))
        .sign(&edge.key);
    assert_eq!(edge.get_with("/fhir/Patient/p-1", &token).await.status, 200);
    edge.upstream.forget();
    for (method, path) in [
        ("GET", "/fhir/Patient/p-2"),
        ("GET", "/fhir/Patient/P-1"),
        ("PUT", "/fhir/Patient/p-2"),
        ("DELETE", "/fhir/Patient/p-2"),
        ("GET", "/fhir/Patient/p-2/Observation"),
        ("POST", "/fhir/Patient"),
    ] {
        let answer = send(edge.request(method, path).bearer_auth(&token)).await;
        assert_fhir_refusal(&answer, 403, "forbidden");
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn the_upstream_is_told_which_patient_a_search_must_be_confined_to() {
    let edge = Edge::start_with(&[("WARDGATE_PATIENT_COMPARTMENT", "server")]).await;
    let token = edge
        .claims()
        .with("sub", "user-7")
        .with("client_id", "app")
        .with("scope", "patient/*.rs launch/patient")
        .with("launch_context", serde_json::json!({ "patient_id": "p-1" }))
        .sign(&edge.key);
    for path in [
        "/fhir/Observation?patient=p-2",
        "/fhir/Patient?_id=p-2",
        "/fhir/Patient",
    ] {
        edge.upstream.forget();
        assert_eq!(edge.get_with(path, &token).await.status, 200);
        let request = edge.upstream.only_request();
        assert_eq!(request.header("x-wardgate-access-level"), Some("patient"));
        assert_eq!(request.header("x-wardgate-patient"), Some("p-1"));
    }
}

#[tokio::test]
async fn a_search_restricted_by_its_scope_must_be_handled_strictly() {
    let edge = Edge::start().await;
    let token = edge.token_with_scope("system/Observation.s?category=laboratory");
    let request = edge
        .request("GET", "/fhir/Observation?category=laboratory&code=x")
        .bearer_auth(&token);
    assert_eq!(
        send(request.header("prefer", "handling=lenient")).await.status,
        200
    );
    assert_eq!(
        edge.upstream.only_request().header("prefer"),
        Some("handling=strict")
    );
}

#[tokio::test]
async fn a_restricted_scope_permits_no_search_without_its_restriction() {
    let edge = Edge::start().await;
    let token = edge.token_with_scope("system/Observation.s?category=laboratory");
    let bearer = format!("Authorization: Bearer {token}");
    for target in [
        "/fhir/Observation",
        "/fhir/Observation?category=vital-signs",
        "/fhir/Observation?category=laboratory,vital-signs",
        "/fhir/Observation?category:not=laboratory",
        "/fhir/Observation/1",
        "/fhir/Patient?category=laboratory",
        // The runtime sends nothing from a `#` on, so what stands there must not count.
        "/fhir/Observation?code=x#&category=laboratory",
        "/fhir/Observation?#category=laboratory",
        "/fhir/Observation#?category=laboratory",
    ] {
        let answer = edge
            .raw(&raw_request("GET", target, &[bearer.as_bytes()]))
            .await
            .expect("an answer");
        assert!(
            [400, 403].contains(&answer.status),
            "{target}: {} {}",
            answer.status,
            answer.text()
        );
    }
    assert_nothing_forwarded(&edge);
}

// SMART-78
#[tokio::test]
async fn refuses_operations_that_nobody_listed() {
    let edge = Edge::start().await;
    let token = edge.token();
    for (method, path) in [
        ("GET", "/fhir/Patient/1/$everything"),
        ("POST", "/fhir/$reindex"),
        ("POST", "/fhir/Patient/$purge"),
    ] {
        let answer = send(edge.request(method, path).bearer_auth(&token).body("{}")).await;
        assert_fhir_refusal(&answer, 403, "forbidden");
    }
    assert_nothing_forwarded(&edge);
}
