//! What the upstream is told of the token's holder, and that nobody else can tell it.

use serde_json::json;
use wardgate_tests::edge::Edge;
use wardgate_tests::http::{raw_request, send};

const PATH: &str = "/fhir/Patient/1";

#[tokio::test]
async fn tells_who_a_service_is_and_what_permitted_it() {
    let edge = Edge::start().await;
    let answer = edge
        .get_with(
            PATH,
            &edge.token_with_scope("system/Patient.rs system/Observation.read"),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = edge.upstream.only_request();
    let expected = [
        ("x-wardgate-subject", "test_service"),
        ("x-wardgate-client", "test_service"),
        ("x-wardgate-issuer", edge.issuer.url.as_str()),
        ("x-wardgate-token-id", "token-1"),
        ("x-wardgate-scope", "system/Patient.rs system/Observation.read"),
        ("x-wardgate-access-level", "system"),
        ("x-wardgate-authorized-by", "system/Patient.rs"),
    ];
    for (name, value) in expected {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    let told = request
        .headers
        .names()
        .into_iter()
        .filter(|name| name.starts_with("x-wardgate-"))
        .count();
    assert_eq!(
        told,
        expected.len(),
        "nothing is said that the token does not say: {request:#?}"
    );
}

#[tokio::test]
async fn tells_who_a_person_is_and_which_patient_is_in_context() {
    let edge = Edge::start().await;
    let token = edge
        .claims()
        .with("sub", "user-7")
        .with("client_id", "app")
        .with("scope", "patient/*.rs launch/patient")
        .with(
            "launch_context",
            json!({ "patient_id": "p-1", "encounter_id": "e-1" }),
        )
        .with("fhirUser", "Practitioner/9")
        .with("practitioner_id", "9")
        .with("organization_id", "o-1")
        .sign(&edge.key);
    let answer = edge.get_with("/fhir/Observation?code=x", &token).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = edge.upstream.only_request();
    for (name, value) in [
        ("x-wardgate-subject", "user-7"),
        ("x-wardgate-client", "app"),
        ("x-wardgate-patient", "p-1"),
        ("x-wardgate-encounter", "e-1"),
        ("x-wardgate-fhir-user", "Practitioner/9"),
        ("x-wardgate-practitioner", "9"),
        ("x-wardgate-organization", "o-1"),
        ("x-wardgate-access-level", "patient"),
        ("x-wardgate-authorized-by", "patient/*.rs"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_patient_that_is_no_fhir_id_is_nobody() {
    let edge = Edge::start().await;
    for (scope, status) in [("patient/*.rs", 403), ("user/*.rs", 200)] {
        let token = edge
            .claims()
            .with("sub", "user-7")
            .with("client_id", "app")
            .with("scope", scope)
            .with("launch_context", json!({ "patient_id": "p-1,p-2" }))
            .sign(&edge.key);
        let answer = edge.get_with("/fhir/Observation?code=x", &token).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    assert_eq!(edge.upstream.only_request().header("x-wardgate-patient"), None);
}

#[tokio::test]
async fn no_claim_can_break_out_of_its_header() {
    let edge = Edge::start().await;
    let subject = "Zoë\r\nX-Wardgate-Scope: system/*.cruds\n\n\u{0} 100%";
    let answer = edge
        .get_with(
            PATH,
            &edge
                .claims()
                .with("sub", subject)
                .with("scope", "user/*.rs")
                .sign(&edge.key),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = edge.upstream.only_request();
    let encoded = "Zo%C3%AB%0D%0AX-Wardgate-Scope:%20system/*.cruds%0A%0A%00%20100%25";
    assert_eq!(request.header("x-wardgate-subject"), Some(encoded));
    assert_eq!(request.header("x-wardgate-scope"), Some("user/*.rs"));
}

#[tokio::test]
async fn identity_from_outside_is_stripped_in_every_spelling() {
    let edge = Edge::start().await;
    let bearer = format!(
        "Authorization: Bearer {}",
        edge.token_with_scope("system/Patient.r")
    );
    let spoofed = [
        "X-Wardgate-Subject: root",
        "x-wardgate-patient: p-2",
        "X_Wardgate_Patient: p-2",
        "x_wardgate_subject: root",
        "X-WARDGATE_SCOPE: system/*.cruds",
        "X-Wardgate-Access-Level: system",
        "X-Wardgate-Anything-New: 1",
    ];
    let mut lines: Vec<&[u8]> = vec![bearer.as_bytes()];
    lines.extend(spoofed.iter().map(|line| line.as_bytes()));
    let answer = edge
        .raw(&raw_request("GET", PATH, &lines))
        .await
        .expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = edge.upstream.only_request();
    for name in request.headers.names() {
        assert!(!name.contains('_'), "{name} reached the upstream");
        if name.starts_with("x-wardgate") {
            let value = request.header(name).expect("a value");
            assert!(
                !["root", "p-2", "system/*.cruds", "1"].contains(&value),
                "{name}: {value}"
            );
        }
    }
    assert_eq!(request.header("x-wardgate-subject"), Some("test_service"));
    assert_eq!(request.header("x-wardgate-patient"), None);
}

#[tokio::test]
async fn an_open_request_has_no_identity_at_all() {
    let edge = Edge::start().await;
    let request = edge
        .request("GET", "/fhir/metadata")
        .header("x-wardgate-subject", "root")
        .bearer_auth("not-a-token");
    let answer = send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = edge.upstream.only_request();
    assert!(
        !request
            .headers
            .names()
            .iter()
            .any(|name| name.starts_with("x-wardgate")),
        "{request:#?}"
    );
    assert_eq!(request.header("authorization"), None);
}
