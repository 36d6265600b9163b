//! The two client classes that app developers were given, run to the letter: Python over authlib, TypeScript over fetch.
//! The runners under `tests/clients` say what had to be put around them.

use serde_json::Value;
use wardgate_shared::pkce::CodeChallenge;
use wardgate_tests::browser::{Browser, Decision};
use wardgate_tests::pair::{CALLBACK, PASSWORD, PATIENT_EMAIL, Pair};
use wardgate_tests::program::Program;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

async fn sign_in(pair: &Pair, url: &str) -> String {
    Browser::new(&pair.issuer, PATIENT_EMAIL, PASSWORD)
        .open(url, Decision::Allow)
        .await
}

#[track_caller]
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn python_client_with_a_secret_gets_a_token_that_opens_the_api() {
    let pair = Pair::start().await;
    // The class names a challenge method and sends no challenge, so its client is one that may do without PKCE.
    let arguments = [
        "--type",
        "confidential",
        "--grant",
        "authorization_code",
        "--grant",
        "refresh_token",
        "--redirect-uri",
        CALLBACK,
        "--scope",
        "patient/*.read",
        "--no-require-pkce",
    ];
    let secret = pair.add_client("python-app", &arguments).unwrap();
    let run = [pair.issuer.as_str(), "python-app", secret.as_str(), CALLBACK, ""];
    let mut program = Program::start("WARDGATE_PYTHON", "zs_auth_client_runner.py", &run);
    let first = program.line();
    let callback = sign_in(&pair, text(&first, "authorization_url")).await;
    assert!(callback.contains(text(&first, "state")), "{callback}");
    program.come_back(&callback);
    let tokens = program.line();
    assert_eq!(text(&tokens, "scope"), "patient/*.read");
    assert_eq!(
        pair.call("/fhir/Patient/patient-11111", text(&tokens, "access_token"))
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn python_client_without_a_secret_uses_pkce() {
    let pair = Pair::start().await;
    pair.add_app("python-app", "patient/*.read");
    let run = [pair.issuer.as_str(), "python-app", "", CALLBACK, VERIFIER];
    let mut program = Program::start("WARDGATE_PYTHON", "zs_auth_client_runner.py", &run);
    let first = program.line();
    let url = text(&first, "authorization_url").to_owned();
    let without = sign_in(&pair, &url).await;
    assert!(
        without.contains("error=invalid_request"),
        "a public client needs a challenge: {without}"
    );
    let challenge = CodeChallenge::of(VERIFIER).unwrap().encoded();
    let callback = sign_in(&pair, &format!("{url}&code_challenge={challenge}")).await;
    program.come_back(&callback);
    let tokens = program.line();
    assert_eq!(
        pair.call("/fhir/Patient/patient-11111", text(&tokens, "access_token"))
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_client_gets_a_token_that_opens_the_api() {
    let pair = Pair::start().await;
    pair.add_app("typescript-app", "patient/*.read");
    let folder = pair.path("typescript");
    std::fs::create_dir(&folder).unwrap();
    let run = [
        pair.issuer.as_str(),
        "typescript-app",
        CALLBACK,
        folder.to_str().unwrap(),
    ];
    let mut program = Program::start("WARDGATE_NODE", "zs_auth_runner.mjs", &run);
    let first = program.line();
    let callback = sign_in(&pair, text(&first, "authorization_url")).await;
    program.come_back(&callback);
    let tokens = program.line();
    assert_eq!(text(&tokens, "token_type"), "Bearer");
    assert_eq!(
        pair.call("/fhir/Patient/patient-11111", text(&tokens, "access_token"))
            .await
            .status,
        200
    );
}
