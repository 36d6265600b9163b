//! The forms in which this API answers: resources with their version, bundles, and OperationOutcomes.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// FHIR's media type for JSON.
pub(crate) const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

/// A refusal or failure, told as an OperationOutcome.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    text: String,
}

impl Refusal {
    /// `code` is of FHIR's value set "issue-type".
    pub(crate) fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            code,
            text: text.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let outcome = json!({
            "resourceType": "OperationOutcome",
            "issue": [{ "severity": "error", "code": self.code, "diagnostics": self.text }],
        });
        json_body(self.status, &outcome)
    }
}

/// Any JSON with FHIR's media type.
pub(crate) fn json_body(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, FHIR_JSON)], body.to_string()).into_response()
}

/// A resource, its version as ETag, and its address where it has just been made.
pub(crate) fn resource(status: StatusCode, body: &Value, location: Option<&str>) -> Response {
    let mut response = json_body(status, body);
    let version = body
        .pointer("/meta/versionId")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let headers = [
        (header::ETAG, Some(etag(version))),
        (header::LOCATION, location.map(str::to_owned)),
    ];
    for (name, value) in headers {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// FHIR's weak ETag of a version.
pub(crate) fn etag(version: &str) -> String {
    format!("W/\"{version}\"")
}
