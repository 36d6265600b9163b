use axum::{
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::router;

const FHIR: &str = "application/fhir+json";

struct Client(axum::Router);

impl Client {
    fn new() -> Self {
        Self(router("http://edge/fhir".to_owned()))
    }

    async fn send(&self, method: &str, path: &str, content: &str, body: &Value) -> (Response<()>, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content);
        let body = if let Value::String(text) = body {
            text.clone()
        } else {
            body.to_string()
        };
        self.answer(request.body(Body::from(body)).unwrap()).await
    }

    async fn get(&self, path: &str) -> (Response<()>, Value) {
        self.answer(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn answer(&self, request: Request<Body>) -> (Response<()>, Value) {
        let (parts, body) = self.0.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        (Response::from_parts(parts, ()), json)
    }
}

fn header<'a>(response: &'a Response<()>, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn reads_with_media_type_and_version() {
    let (response, patient) = Client::new().get("/fhir/Patient/patient-11111").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(header(&response, "content-type").starts_with(FHIR));
    assert_eq!(header(&response, "etag"), "W/\"1\"");
    assert_eq!(patient["name"][0]["family"], "Rahman");
}

#[tokio::test]
async fn created_resource_has_an_address_and_keeps_its_versions() {
    let client = Client::new();
    let patient = json!({ "resourceType": "Patient", "active": true });
    let (response, created) = client.send("POST", "/fhir/Patient", FHIR, &patient).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(
        header(&response, "location"),
        "http://edge/fhir/Patient/new-1/_history/1"
    );

    let (response, _) = client
        .send(
            "PATCH",
            "/fhir/Patient/new-1",
            "application/merge-patch+json",
            &json!({ "active": null }),
        )
        .await;
    assert_eq!(header(&response, "etag"), "W/\"2\"");
    let (_, first) = client.get("/fhir/Patient/new-1/_history/1").await;
    assert_eq!(first, created);
    let (response, _) = client
        .send("DELETE", "/fhir/Patient/new-1", FHIR, &Value::Null)
        .await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        client.get("/fhir/Patient/new-1").await.0.status(),
        StatusCode::GONE
    );
    let (_, history) = client.get("/fhir/Patient/new-1/_history").await;
    assert_eq!(history["total"], 3);
    assert_eq!(history["entry"][0]["request"]["method"], "DELETE");
}

#[tokio::test]
async fn update_with_an_old_version_is_refused() {
    let client = Client::new();
    let patient = json!({ "resourceType": "Patient", "id": "patient-11111" });
    let put = |etag: &'static str| {
        let request = Request::put("/fhir/Patient/patient-11111").header("content-type", FHIR);
        client.answer(
            request
                .header("if-match", etag)
                .body(Body::from(patient.to_string()))
                .unwrap(),
        )
    };
    assert_eq!(put("W/\"1\"").await.0.status(), StatusCode::OK);
    assert_eq!(put("W/\"1\"").await.0.status(), StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn search_by_form_finds_what_search_by_query_finds() {
    let client = Client::new();
    let (_, by_query) = client
        .get("/fhir/Observation?patient=patient-11111&code=8867-4")
        .await;
    let form = json!("patient=patient-11111&code=8867-4");
    let (_, by_form) = client
        .send(
            "POST",
            "/fhir/Observation/_search",
            "application/x-www-form-urlencoded",
            &form,
        )
        .await;
    assert_eq!(by_query["total"], 1);
    assert_eq!(by_query, by_form);
}

#[tokio::test]
async fn refusals_are_operation_outcomes() {
    let client = Client::new();
    let observation = json!({ "resourceType": "Observation" });
    for (method, path, content, body, status) in [
        ("GET", "/fhir/Patient/nobody", FHIR, Value::Null, 404),
        ("GET", "/fhir/Dragon", FHIR, Value::Null, 404),
        ("GET", "/elsewhere", FHIR, Value::Null, 404),
        ("PUT", "/fhir/Patient", FHIR, Value::Null, 405),
        ("POST", "/fhir/Patient", FHIR, json!("{"), 400),
        ("POST", "/fhir/Patient", FHIR, observation, 400),
        ("POST", "/fhir/Patient", "text/plain", json!({}), 415),
        ("PATCH", "/fhir/Patient/patient-11111", FHIR, json!({}), 415),
    ] {
        let (response, outcome) = client.send(method, path, content, &body).await;
        assert_eq!(response.status().as_u16(), status, "{method} {path}");
        assert_eq!(outcome["resourceType"], "OperationOutcome", "{method} {path}");
    }
}

#[tokio::test]
async fn capabilities_are_those_of_the_public_base() {
    let (_, statement) = Client::new().get("/fhir/metadata").await;
    assert_eq!(statement["resourceType"], "CapabilityStatement");
    assert_eq!(statement["implementation"]["url"], "http://edge/fhir");
}
