//! What the Worker writes to its log: one line a decision, and nothing that tells of a person.

use serde_json::{Value, json};
use wardgate_tests::clock::eventually;
use wardgate_tests::edge::Edge;
use wardgate_tests::fake_issuer::JwksAnswer;
use wardgate_tests::http::send;

/// The Worker's lines of this event so far.
fn lines(edge: &Edge, event: &str) -> Vec<Value> {
    let log = edge.worker.log();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["event"] == event).collect()
}

#[tokio::test]
async fn every_request_leaves_one_line_with_its_decision() {
    let edge = Edge::start().await;
    let token = edge.token_with_scope("system/Patient.r");
    let expected = [
        ("r-1", "/fhir/Patient/1", Some(token.as_str()), "allow", 200),
        ("r-2", "/fhir/Patient/1", None, "deny", 401),
        ("r-3", "/fhir/Patient/1", Some("x.y.z"), "deny", 401),
        ("r-4", "/fhir/Observation/1", Some(token.as_str()), "deny", 403),
        ("r-5", "/fhir/Patient%2F1", Some(token.as_str()), "deny", 400),
        ("r-6", "/elsewhere", None, "deny", 404),
        ("r-7", "/fhir/metadata", None, "open", 200),
    ];
    for (id, path, token, _, status) in expected {
        let mut request = edge.request("GET", path).header("x-request-id", id);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        assert_eq!(send(request).await.status, status, "{id}");
    }
    for (id, _, _, outcome, status) in expected {
        let found = || {
            lines(&edge, "decision")
                .into_iter()
                .filter(|line| line["request_id"] == id)
                .collect::<Vec<_>>()
        };
        eventually("the line is written", async || !found().is_empty()).await;
        let found = found();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (&found[0]["outcome"], &found[0]["status"]),
            (&json!(outcome), &json!(status)),
            "{id}"
        );
        assert_eq!(
            found[0]["reason"].is_string(),
            outcome == "deny",
            "{id}: a refusal has a reason"
        );
    }
}

#[tokio::test]
async fn an_incident_says_why_there_are_no_keys() {
    let edge = Edge::start().await;
    edge.issuer.answer_keys_with(JwksAnswer::Status(500));
    assert_eq!(edge.get_with("/fhir/Patient/1", &edge.token()).await.status, 503);
    eventually("the incident is written", async || {
        !lines(&edge, "incident").is_empty()
    })
    .await;
    let incident = lines(&edge, "incident").remove(0);
    assert_eq!(
        (&incident["reason"], &incident["status"]),
        (&json!("keys_unreachable"), &json!(500))
    );
}

#[tokio::test]
async fn no_line_holds_a_token_a_name_or_anything_of_the_request() {
    let edge = Edge::start().await;
    let token = edge
        .claims()
        .with("sub", "subject-ada-lovelace")
        .with("jti", "token-id-4711")
        .with("scope", "patient/*.rs user/*.rs launch/patient")
        .with("launch_context", json!({ "patient_id": "patient-4711" }))
        .with("fhirUser", "Patient/patient-4711")
        .sign(&edge.key);
    for path in [
        "/fhir/Patient/patient-4711",
        "/fhir/Patient?name=lovelace&birthdate=1815-12-10",
        "/fhir/Patient/patient-4711/Observation/bad/path",
        "/fhir/Patient%2Fpatient-4711",
        "/fhir/Patient?access_token=opaque-4711",
        "/patient-4711",
    ] {
        let request = edge
            .request("GET", path)
            .bearer_auth(&token)
            .header("x-request-id", "last");
        send(
            request
                .header("cookie", "session-4711")
                .header("x-api-secret", ""),
        )
        .await;
        send(
            edge.request("GET", path)
                .bearer_auth(&token)
                .header("x-request-id", "last"),
        )
        .await;
    }
    send(
        edge.request("GET", "/fhir/Patient/1")
            .bearer_auth("secret-4711.e30.e30")
            .header("x-request-id", "end"),
    )
    .await;
    eventually("the last line is written", async || {
        lines(&edge, "decision")
            .iter()
            .any(|line| line["request_id"] == "end")
    })
    .await;
    let log = edge.worker.log();
    let (_, signature) = token.rsplit_once('.').expect("a compact JWT");
    for trace in ["4711", "lovelace", "1815", "ada", "Observation", signature] {
        assert!(!log.contains(trace), "the log holds {trace:?}");
    }
}
