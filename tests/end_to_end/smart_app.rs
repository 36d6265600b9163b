//! npm fhirclient, HL7's own library for SMART apps, in a real Chromium: apps that launch by themselves.

use serde_json::{Value, json};
use wardgate_tests::pair::{PASSWORD, PATIENT_EMAIL, Pair};
use wardgate_tests::program::Program;

/// An app that waits to be launched, and its redirect URI.
fn app(pair: &Pair, scope: &str, email: &str) -> (Program, Value) {
    let given = json!({
        "client_id": "smart-app",
        "scope": scope,
        "fhir": format!("{}/fhir", pair.worker.url()),
        "email": email,
        "password": PASSWORD,
    });
    let mut program = Program::start("WARDGATE_NODE", "smart_app.mjs", &[&given.to_string()]);
    let uris = program.line();
    (program, uris)
}

fn register(pair: &Pair, scope: &str, uris: &Value) {
    let arguments = [
        "--type",
        "public",
        "--grant",
        "authorization_code",
        "--grant",
        "refresh_token",
        "--redirect-uri",
        uris["redirect_uri"].as_str().unwrap(),
        "--scope",
        scope,
    ];
    pair.add_client("smart-app", &arguments);
}

// SMART-54, SMART-82
#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_launches_by_itself_reads_the_persons_own_record() {
    const SCOPE: &str = "openid fhirUser launch/patient offline_access patient/*.rs";
    let pair = Pair::start().await;
    let (mut program, uris) = app(&pair, SCOPE, PATIENT_EMAIL);
    register(&pair, SCOPE, &uris);
    program.come_back("{}");
    let known = program.line();
    assert_eq!(known["patient"], "patient-11111", "{known}");
    assert_eq!(known["user"], "Patient");
    assert_eq!(known["observations"], "Bundle");
    assert_eq!(known["refreshed"], "patient-11111", "after a refresh");
    assert_eq!(known["response"]["scope"], SCOPE);
}
