//! Variables that are no text, as TOML's arrays, tables, numbers and booleans arrive: refused, never passed over.

use wardgate_tests::http::{exchange, raw_request};
use wardgate_tests::worker::{Coordinators, Worker};
use xtask::bundle::Variable;

use crate::expect::assert_problem;

/// Everything that has to be set, and nothing else.
const NEEDED: [(&str, &str); 4] = [
    ("WARDGATE_ISSUER", "https://issuer.example"),
    ("WARDGATE_AUDIENCES", "https://edge.example/fhir"),
    ("WARDGATE_UPSTREAM", "https://fhir.example"),
    ("WARDGATE_PUBLIC_URL", "https://edge.example"),
];

/// What a Worker with these values, as JSON, says of its configuration.
async fn faults(values: &[(&str, &str)]) -> String {
    let text = NEEDED.map(|(name, value)| (name.to_owned(), Variable::Text(value.to_owned())));
    let json = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Variable::Json((*value).to_owned())));
    let worker = Worker::start_from(text.into_iter().chain(json).collect(), Coordinators::Own).await;
    let request = raw_request("GET", "/", &[b"Accept: application/json"]);
    let answer = exchange(&worker.address, &request).await.expect("an answer");
    assert_problem(&answer, 503)["detail"]
        .as_str()
        .expect("a detail")
        .to_owned()
}

#[tokio::test]
async fn refuses_every_value_that_is_no_text() {
    let detail = faults(&[
        ("WARDGATE_CORS_ORIGINS", r#"["https://app.example"]"#),
        ("WARDGATE_JWKS_FRESH_SECONDS", "300"),
        ("WARDGATE_JWKS_URL", "null"),
        ("WARDGATE_PREFIX", r#"{"path":"/fhir"}"#),
        ("WARDGATE_ERROR_URI", "true"),
    ])
    .await;
    for name in [
        "WARDGATE_CORS_ORIGINS",
        "WARDGATE_JWKS_FRESH_SECONDS",
        "WARDGATE_JWKS_URL",
        "WARDGATE_PREFIX",
        "WARDGATE_ERROR_URI",
    ] {
        assert!(detail.contains(&format!("{name} must be text")), "{detail}");
    }
    assert!(!detail.contains("app.example"), "{detail}");
}

#[tokio::test]
async fn reads_lists_of_objects_as_values_too() {
    let detail = faults(&[
        ("WARDGATE_APIS", r#"[{"name":"reports","prefix":"/reports"}]"#),
        ("WARDGATE_ISSUERS", r#"{"issuer":"https://issuer.example"}"#),
    ])
    .await;
    for fault in [
        "WARDGATE_APIS[0].upstream is not set",
        "WARDGATE_ISSUERS must be a list of objects, in JSON",
    ] {
        assert!(detail.contains(fault), "{detail}");
    }
    assert!(!detail.contains("WARDGATE_APIS[0].prefix"), "{detail}");
}
