//! What a refusal must look like in every part: status, challenge, body, and an upstream that saw nothing.

use serde_json::Value;
use wardgate_tests::edge::{Edge, PUBLIC_URL};
use wardgate_tests::http::Answer;

/// A `Bearer` challenge (RFC 6750 section 3, RFC 9728 section 5.1).
pub struct Challenge {
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The challenge of the answer for a bearer token.
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        let text = answer.header("www-authenticate").expect("a challenge");
        // Behind it stands the one for clients that can prove to hold a key.
        let text = text.split(", DPoP ").next().unwrap_or(text);
        let parameters = text
            .strip_prefix("Bearer ")
            .unwrap_or_else(|| panic!("a Bearer challenge: {text}"));
        let parameters = parameters
            .split(", ")
            .map(|parameter| {
                let (name, value) = parameter.split_once('=').expect("name=value");
                let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
                let value = value.unwrap_or_else(|| panic!("a quoted value: {text}"));
                assert!(!value.contains(['"', '\\']), "nothing to escape inside: {text}");
                (name.to_owned(), value.to_owned())
            })
            .collect();
        Self { parameters }
    }

    /// This parameter's value.
    #[track_caller]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut values = self.parameters.iter().filter(|(own, _)| own == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is said once");
        value
    }
}

/// The answer refuses with `status`, an OperationOutcome of issue type `code`, and no more than that.
#[track_caller]
pub fn assert_fhir_refusal(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        Some("application/fhir+json"),
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["resourceType"], "OperationOutcome");
    let issues = body["issue"].as_array().expect("a list of issues");
    assert_eq!(issues.len(), 1, "{body}");
    assert_eq!(issues[0]["severity"], "error");
    assert_eq!(issues[0]["code"], code, "{body}");
    assert!(
        issues[0]["diagnostics"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{body}"
    );
}

/// The answer refuses with `status` and a problem document (RFC 9457).
#[track_caller]
pub fn assert_problem(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{}",
        answer.text()
    );
    let body = answer.json();
    assert_eq!(body["status"], status);
    assert!(
        body["title"].as_str().is_some_and(|text| !text.is_empty()),
        "{body}"
    );
    body
}

/// The answer challenges with this error code (`None`: no credentials were shown), and points to the metadata.
#[track_caller]
pub fn assert_challenge(answer: &Answer, error: Option<&str>) -> Challenge {
    let challenge = Challenge::of(answer);
    assert_eq!(challenge.parameter("error"), error);
    assert_eq!(
        challenge.parameter("error_description").is_some(),
        error.is_some()
    );
    let metadata = format!("{PUBLIC_URL}/.well-known/oauth-protected-resource/fhir");
    assert_eq!(challenge.parameter("resource_metadata"), Some(metadata.as_str()));
    challenge
}

/// The token was refused as RFC 6750 section 3.1 says for `invalid_token`, and nothing of it was forwarded or repeated.
#[track_caller]
pub fn assert_token_refused(edge: &Edge, answer: &Answer, token: &str) {
    assert_eq!(answer.status, 401, "{}", answer.text());
    let code = answer.json()["issue"][0]["code"].as_str().map(str::to_owned);
    let code = code
        .filter(|code| code == "expired")
        .unwrap_or_else(|| "login".to_owned());
    assert_fhir_refusal(answer, 401, &code);
    assert_challenge(answer, Some("invalid_token"));
    if let Some(signature) = token.rsplit('.').next().filter(|part| part.len() > 16) {
        assert!(
            !answer.text().contains(signature),
            "a refusal never repeats the token"
        );
    }
    assert_nothing_forwarded(edge);
}

/// No request has reached the upstream.
#[track_caller]
pub fn assert_nothing_forwarded(edge: &Edge) {
    let received = edge.upstream.received();
    assert!(received.is_empty(), "reached the upstream: {received:#?}");
}
