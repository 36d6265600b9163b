//! npm fhirclient, HL7's own library for SMART apps, in a real Chromium: apps that launch by themselves, and apps that an EHR
//! launches.

use serde_json::{Value, json};
use wardgate_tests::pair::{PASSWORD, PATIENT_EMAIL, Pair};
use wardgate_tests::program::Program;

const PHYSICIAN_EMAIL: &str = "grace@clinic.example";

/// Whom the physician looks for where there is a choice.
const SOUGHT: &str = "Karim";

fn add_physician(pair: &Pair) {
    let arguments = [
        "user",
        "add",
        "--email",
        PHYSICIAN_EMAIL,
        "--name",
        "Grace Example",
        "--fhir-user",
        "Practitioner/practitioner-67890",
        "--practitioner-id",
        "practitioner-67890",
        "--password-stdin",
    ];
    pair.wardgate_ok(&arguments, PASSWORD);
}

/// An app that waits to be launched, and its redirect URI.
fn app(pair: &Pair, scope: &str, email: &str) -> (Program, Value) {
    let given = json!({
        "client_id": "smart-app",
        "scope": scope,
        "fhir": format!("{}/fhir", pair.worker.url()),
        "email": email,
        "password": PASSWORD,
        "patient": SOUGHT,
    });
    let mut program = Program::start("WARDGATE_NODE", "smart_app.mjs", &[&given.to_string()]);
    let uris = program.line();
    (program, uris)
}

fn register(pair: &Pair, scope: &str, uris: &Value) {
    let metadata = pair.path("app.json");
    let launch = json!({ "launch_uri": uris["launch_uri"] });
    std::fs::write(&metadata, launch.to_string()).unwrap();
    let arguments = [
        "--metadata",
        metadata.to_str().unwrap(),
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

// SMART-18, SMART-40, SMART-54
#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_an_ehr_launches_reads_the_record_that_is_open_there() {
    const SCOPE: &str = "launch openid fhirUser online_access patient/*.rs user/Practitioner.rs";
    let pair = Pair::start().await;
    add_physician(&pair);
    let (mut program, uris) = app(&pair, SCOPE, PHYSICIAN_EMAIL);
    register(&pair, SCOPE, &uris);
    let secret = pair.add_service("ehr", "__launches");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "ehr"),
        ("client_secret", secret.as_str()),
        ("scope", "__launches"),
    ];
    let token = pair.token(&form).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let fhir = format!("{}/fhir", pair.worker.url());
    let open = json!({
        "client_id": "smart-app", "aud": fhir, "patient": "patient-22222", "intent": "order-review",
        "need_patient_banner": true,
    });
    let answer = pair.post_json("/v1/launches", &token, &open).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    program.come_back(&json!({ "launch_url": answer.json()["launch_url"] }).to_string());
    let known = program.line();
    assert_eq!(known["patient"], "patient-22222", "{known}");
    assert_eq!(known["user"], "Practitioner");
    assert_eq!(known["response"]["intent"], "order-review");
    assert_eq!(known["response"]["need_patient_banner"], true);
}

// SMART-20, SMART-21
#[tokio::test(flavor = "multi_thread")]
async fn a_physician_chooses_the_patient_and_the_visit_for_an_app_that_launches_by_itself() {
    const SCOPE: &str = "openid fhirUser launch/patient launch/encounter online_access patient/*.rs";
    let pair = Pair::start().await;
    add_physician(&pair);
    let (mut program, uris) = app(&pair, SCOPE, PHYSICIAN_EMAIL);
    register(&pair, SCOPE, &uris);
    program.come_back("{}");
    let known = program.line();
    assert_eq!(known["patient"], "patient-22222", "{known}");
    assert!(known["encounter"].is_string(), "{known}");
    assert_eq!(known["response"]["encounter"], known["encounter"]);
    assert_eq!(
        known["pages"],
        json!([
            "Sign in · Wardgate",
            "Second factor · Wardgate",
            "Choose a patient · Wardgate",
            "Choose a visit · Wardgate",
            "Allow access · Wardgate",
        ])
    );
}
