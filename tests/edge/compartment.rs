//! The patient compartment, seen from outside (SMART App Launch 2.2, "Scopes and Launch Context").

use serde_json::{Value, json};
use wardgate_tests::edge::Edge;
use wardgate_tests::http::{Answer, send};
use wardgate_tests::upstream::UpstreamAnswer;

use crate::expect::{assert_fhir_refusal, assert_nothing_forwarded};

const FHIR: &str = "application/fhir+json";

fn token(edge: &Edge, scope: &str) -> String {
    edge.claims()
        .with("sub", "user-7")
        .with("client_id", "app")
        .with("scope", scope)
        .with("launch_context", json!({ "patient_id": "p-1" }))
        .sign(&edge.key)
}

fn of(patient: &str) -> Value {
    json!({ "resourceType": "Observation", "id": "1", "subject": { "reference": format!("Patient/{patient}") } })
}

/// The same with spaces that no writer of JSON would put there.
fn written(resource: &Value) -> String {
    format!(" {resource}\n")
}

fn found(resources: &[Value]) -> String {
    let entries: Vec<Value> = resources
        .iter()
        .map(|resource| json!({ "resource": resource }))
        .collect();
    json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries }).to_string()
}

fn versioned(status: u16, body: &str) -> UpstreamAnswer {
    UpstreamAnswer::new(status, body.to_owned())
        .with_header("etag", "W/\"3\"")
        .with_header("last-modified", "Wed, 01 Jul 2026 00:00:00 GMT")
}

async fn ask(edge: &Edge, method: &str, path: &str, token: &str, body: &str) -> Answer {
    let request = edge
        .request(method, path)
        .bearer_auth(token)
        .header("content-type", FHIR)
        .header("if-none-match", "W/\"3\"");
    send(request.body(body.to_owned())).await
}

#[tokio::test]
async fn a_record_of_the_patient_arrives_in_its_bytes_with_its_version() {
    let edge = Edge::start().await;
    let token = token(&edge, "patient/*.rs");
    let body = written(&of("p-1"));
    edge.upstream.answer_with(versioned(200, &body));
    for method in ["GET", "HEAD"] {
        edge.upstream.forget();
        let answer = ask(&edge, method, "/fhir/Observation/1", &token, "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("etag"), Some("W/\"3\""));
        assert_eq!(
            answer.header("last-modified"),
            Some("Wed, 01 Jul 2026 00:00:00 GMT")
        );
        assert_eq!(answer.header("content-type"), Some(FHIR));
        assert_eq!(answer.text(), if method == "GET" { body.as_str() } else { "" });
        let asked = edge.upstream.only_request();
        assert_eq!(
            (asked.method.as_str(), asked.target.as_str()),
            ("GET", "/Observation/1")
        );
        assert_eq!(asked.header("accept"), Some(FHIR));
        assert_eq!(asked.header("if-none-match"), None);
        assert_eq!(asked.header("x-wardgate-patient"), Some("p-1"));
    }
}

#[tokio::test]
async fn a_record_of_somebody_else_is_as_unknown_as_one_that_never_was() {
    let edge = Edge::start().await;
    let token = token(&edge, "patient/*.cruds");
    let patch = "{\"status\":\"final\"}";
    for (method, media_type, body) in [
        ("GET", FHIR, String::new()),
        ("HEAD", FHIR, String::new()),
        ("PUT", FHIR, of("p-1").to_string()),
        ("PATCH", "application/merge-patch+json", patch.to_owned()),
        ("DELETE", FHIR, String::new()),
    ] {
        let mut answers = Vec::new();
        for upstream in [
            versioned(200, &of("p-2").to_string()),
            UpstreamAnswer::new(404, "{\"resourceType\":\"OperationOutcome\"}"),
            UpstreamAnswer::new(410, ""),
        ] {
            edge.upstream.forget();
            edge.upstream.answer_with(upstream);
            let request = edge
                .request(method, "/fhir/Observation/1")
                .bearer_auth(&token)
                .header("content-type", media_type);
            let answer = send(request.body(body.clone())).await;
            assert_eq!(
                edge.upstream.only_request().method,
                "GET",
                "{method} changes nothing"
            );
            assert_eq!(answer.status, 404, "{method}: {}", answer.text());
            assert!(!answer.text().contains("p-2"));
            assert_eq!(answer.header("etag"), None);
            answers.push((answer.header("content-length").map(str::to_owned), answer.text()));
        }
        assert!(
            answers.windows(2).all(|pair| pair[0] == pair[1]),
            "{method}: {answers:?}"
        );
    }
}

#[tokio::test]
async fn a_search_names_the_patient_upstream_in_its_query_and_in_its_form() {
    let edge = Edge::start().await;
    let token = token(&edge, "patient/*.rs");
    let body = found(&[of("p-1")]);
    edge.upstream.answer_with(UpstreamAnswer::new(200, body.clone()));
    let answer = ask(&edge, "GET", "/fhir/Observation?code=a%20b", &token, "").await;
    assert_eq!((answer.status, answer.text()), (200, body.as_str().into()));
    assert_eq!(
        edge.upstream.only_request().target,
        "/Observation?code=a%20b&patient=Patient/p-1"
    );
    edge.upstream.forget();

    let search = |form: &'static str| {
        let request = edge
            .request("POST", "/fhir/Observation/_search")
            .bearer_auth(&token);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        send(request.body(form))
    };
    for (form, sent) in [
        ("code=a+b", "patient=Patient/p-1&code=a+b"),
        ("", "patient=Patient/p-1&"),
        ("patient=p-1&code=c", "patient=p-1&code=c"),
    ] {
        let answer = search(form).await;
        assert_eq!(
            (answer.status, answer.text()),
            (200, body.as_str().into()),
            "{form}"
        );
        let asked = edge.upstream.only_request();
        assert_eq!(asked.body, sent.as_bytes(), "{form}");
        assert_eq!(
            asked.header("content-length"),
            Some(sent.len().to_string().as_str())
        );
        edge.upstream.forget();
    }
    assert_fhir_refusal(&search("patient=p-2").await, 403, "forbidden");
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn nothing_leaks_from_a_search_that_finds_somebody_elses_records() {
    let edge = Edge::start().await;
    let token = token(&edge, "patient/*.rs");
    for (path, resources) in [
        ("/fhir/Observation", vec![of("p-1"), of("p-2")]),
        (
            "/fhir/Observation?_include=*",
            vec![json!({ "resourceType": "Patient", "id": "p-2" })],
        ),
        (
            "/fhir/Patient?name=a",
            vec![json!({ "resourceType": "Patient", "id": "p-2" })],
        ),
    ] {
        edge.upstream
            .answer_with(UpstreamAnswer::new(200, found(&resources)));
        let answer = ask(&edge, "GET", path, &token, "").await;
        assert_fhir_refusal(&answer, 403, "forbidden");
        assert!(!answer.text().contains("p-2"), "{}", answer.text());
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_judged_is_withheld() {
    let edge = Edge::start().await;
    let token = token(&edge, "patient/*.rs");
    let large = format!("{{\"note\":\"{}\"}}", "a".repeat(4 * 1024 * 1024));
    let mut in_xml = UpstreamAnswer::new(200, "<Observation/>");
    in_xml.headers = vec![("content-type".to_owned(), b"application/fhir+xml".to_vec())];
    for upstream in [
        in_xml,
        UpstreamAnswer::new(200, "{"),
        UpstreamAnswer::new(200, ""),
        UpstreamAnswer::new(200, large),
        UpstreamAnswer::new(204, ""),
        UpstreamAnswer::new(304, ""),
    ] {
        edge.upstream.answer_with(upstream);
        let answer = ask(&edge, "GET", "/fhir/Observation/1", &token, "").await;
        assert_fhir_refusal(&answer, 502, "transient");
    }
    edge.upstream
        .answer_with(UpstreamAnswer::new(200, of("p-1").to_string()));
    let answer = ask(&edge, "GET", "/fhir/Observation/1?_format=xml", &token, "").await;
    assert_fhir_refusal(&answer, 406, "not-supported");
}

#[tokio::test]
async fn what_leaves_the_compartment_is_refused() {
    let edge = Edge::start().await;
    let token = token(&edge, "patient/*.cruds");
    for (method, path) in [
        ("GET", "/fhir/Binary/1"),
        ("GET", "/fhir/Observation?patient=p-2"),
        ("GET", "/fhir/Observation?subject:Patient.name=a"),
        ("GET", "/fhir/Practitioner?_has:Observation:performer:patient=p-2"),
        ("GET", "/fhir/Observation?_filter=a"),
        ("GET", "/fhir/Observation/_history"),
        ("GET", "/fhir/_history"),
        ("GET", "/fhir?_type=Observation"),
        ("PUT", "/fhir/Practitioner/1"),
        ("PUT", "/fhir/Observation?patient=p-1"),
        ("DELETE", "/fhir/Observation?patient=p-1"),
        ("DELETE", "/fhir/Observation/1/_history"),
        ("GET", "/fhir/Patient/p-2"),
    ] {
        assert_fhir_refusal(&ask(&edge, method, path, &token, "{}").await, 403, "forbidden");
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn a_write_acts_on_the_version_that_was_looked_at() {
    let edge = Edge::start().await;
    let token = token(&edge, "patient/*.cruds");
    edge.upstream.answer_with(versioned(200, &of("p-1").to_string()));
    let body = written(&of("p-1"));
    for (method, media_type, sent) in [
        ("PUT", FHIR, body.as_str()),
        (
            "PATCH",
            "application/json-patch+json",
            "[{\"op\":\"replace\",\"path\":\"/status\",\"value\":\"final\"}]",
        ),
        ("DELETE", FHIR, ""),
    ] {
        let write = |if_match: Option<&'static str>| {
            let request = edge.request(method, "/fhir/Observation/1").bearer_auth(&token);
            let mut request = request.header("content-type", media_type).body(sent.to_owned());
            if let Some(tag) = if_match {
                request = request.header("if-match", tag);
            }
            send(request)
        };
        let answer = write(None).await;
        assert_eq!(answer.status, 200, "{method}: {}", answer.text());
        let received = edge.upstream.received();
        let [reading, writing] = &received[..] else {
            panic!("{received:?}");
        };
        assert_eq!((reading.method.as_str(), reading.body.len()), ("GET", 0));
        assert_eq!(reading.header("content-type"), None);
        assert_eq!(reading.header("x-wardgate-access-level"), Some("patient"));
        assert_eq!(writing.method, method);
        assert_eq!(writing.header("if-match"), Some("W/\"3\""));
        assert_eq!(writing.body, sent.as_bytes());
        edge.upstream.forget();
        assert_fhir_refusal(&write(Some("W/\"2\"")).await, 412, "invalid");
        assert_eq!(edge.upstream.received().len(), 1, "{method}");
        edge.upstream.forget();
    }
}

#[tokio::test]
async fn what_is_written_belongs_to_the_patient() {
    let edge = Edge::start().await;
    let token = token(&edge, "patient/*.cruds");
    let mine = written(&of("p-1"));
    edge.upstream
        .answer_with(UpstreamAnswer::new(201, "").with_header("location", "Observation/9"));
    let answer = ask(&edge, "POST", "/fhir/Observation", &token, &mine).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(edge.upstream.only_request().body, mine.as_bytes());
    edge.upstream.forget();
    for (method, path, body, status) in [
        ("POST", "/fhir/Observation", of("p-2").to_string(), 403),
        (
            "POST",
            "/fhir/Observation",
            "{\"resourceType\":\"Observation\"}".to_owned(),
            403,
        ),
        ("POST", "/fhir/Condition", mine.clone(), 400),
        ("PUT", "/fhir/Observation/2", mine.clone(), 400),
        (
            "PUT",
            "/fhir/Patient/p-1",
            "{\"resourceType\":\"Patient\",\"id\":\"p-2\"}".to_owned(),
            400,
        ),
    ] {
        let answer = ask(&edge, method, path, &token, &body).await;
        assert_fhir_refusal(
            &answer,
            status,
            if status == 400 { "invalid" } else { "forbidden" },
        );
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn the_answer_to_a_batch_is_judged_entry_by_entry() {
    let edge = Edge::start().await;
    let token = token(&edge, "patient/*.rs");
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": [
        { "request": { "method": "GET", "url": "Patient/p-1" } },
        { "request": { "method": "GET", "url": "Observation/1" } },
    ] })
    .to_string();
    for (patient, status) in [("p-1", 200), ("p-2", 404)] {
        let body = json!({ "resourceType": "Bundle", "type": "batch-response", "entry": [
            { "response": { "status": "200" }, "resource": { "resourceType": "Patient", "id": "p-1" } },
            { "response": { "status": "200" }, "resource": of(patient) },
        ] })
        .to_string();
        edge.upstream.answer_with(UpstreamAnswer::new(200, body));
        let answer = ask(&edge, "POST", "/fhir", &token, &batch).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(!answer.text().contains("p-2"));
    }
}

#[tokio::test]
async fn an_api_can_leave_the_compartment_to_its_server() {
    let edge = Edge::start_with(&[("WARDGATE_PATIENT_COMPARTMENT", "server")]).await;
    let token = token(&edge, "patient/*.rs");
    edge.upstream
        .answer_with(UpstreamAnswer::new(200, of("p-2").to_string()));
    let answer = ask(&edge, "GET", "/fhir/Observation/1", &token, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let asked = edge.upstream.only_request();
    assert_eq!(asked.header("x-wardgate-access-level"), Some("patient"));
    assert_eq!(asked.header("if-none-match"), Some("W/\"3\""));
}
