//! The HTTP examples of the documents that Wardgate was built from, sent by `curl` as they stand there.

use std::process::Command;

use serde_json::Value;
use wardgate_shared::pkce::CodeChallenge;
use wardgate_tests::browser::{Browser, Decision};
use wardgate_tests::pair::{CALLBACK, PASSWORD, PATIENT_EMAIL, Pair};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Runs `curl` and gives status and body.
#[track_caller]
fn curl(arguments: &[&str]) -> (u16, Value) {
    let output = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--max-time",
            "20",
            "--write-out",
            "\n%{http_code}",
        ])
        .args(arguments)
        .output()
        .expect("curl runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    let error = String::from_utf8_lossy(&output.stderr);
    let (body, status) = printed
        .rsplit_once('\n')
        .unwrap_or_else(|| panic!("curl: {error}"));
    (
        status.parse().unwrap(),
        serde_json::from_str(body).unwrap_or(Value::Null),
    )
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_grant_as_in_the_example() {
    let pair = Pair::start().await;
    let secret = pair.add_service("SERVICE_CLIENT_ID", "system/*.read system/*.write");
    let body = format!(
        "grant_type=client_credentials&client_id=SERVICE_CLIENT_ID&client_secret={secret}&scope=system/*.read system/*.write"
    );
    let (status, tokens) = curl(&[
        "-X",
        "POST",
        "-H",
        FORM,
        "-d",
        &body,
        &format!("{}/oauth2/token", pair.issuer),
    ]);
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["scope"], "system/*.read system/*.write");
    assert!(tokens["expires_in"].is_u64());
    assert!(tokens.get("refresh_token").is_none());
    let bearer = format!(
        "Authorization: Bearer {}",
        tokens["access_token"].as_str().unwrap()
    );
    let (status, bundle) = curl(&["-H", &bearer, &format!("{}/fhir/Patient", pair.worker.url())]);
    assert_eq!((status, bundle["resourceType"].as_str()), (200, Some("Bundle")));
}

#[tokio::test(flavor = "multi_thread")]
async fn code_exchange_refresh_and_revocation_as_in_the_examples() {
    let pair = Pair::start().await;
    pair.add_app(
        "YOUR_CLIENT_ID",
        "launch/patient patient/*.read observation/*.read offline_access",
    );
    let challenge = CodeChallenge::of(VERIFIER).unwrap().encoded();
    let url = format!(
        "/oauth2/authorize?response_type=code&client_id=YOUR_CLIENT_ID&scope=launch/patient%20patient/*.read%20observation/*.read%20offline_access\
         &redirect_uri={CALLBACK}&state=xyz123&aud=api:zs_his&code_challenge={challenge}&code_challenge_method=S256"
    );
    let callback = Browser::new(&pair.issuer, PATIENT_EMAIL, PASSWORD)
        .open(&url, Decision::Allow)
        .await;
    let callback = reqwest::Url::parse(&callback).unwrap();
    let query: std::collections::BTreeMap<_, _> = callback.query_pairs().into_owned().collect();
    assert_eq!(query["state"], "xyz123");

    let token_url = format!("{}/oauth2/token", pair.issuer);
    let body = format!(
        "grant_type=authorization_code&code={}&redirect_uri={CALLBACK}&client_id=YOUR_CLIENT_ID&code_verifier={VERIFIER}",
        query["code"]
    );
    let (status, tokens) = curl(&["-X", "POST", "-H", FORM, "-d", &body, &token_url]);
    assert_eq!(status, 200, "{tokens}");
    assert!(
        tokens["scope"]
            .as_str()
            .unwrap()
            .contains("patient/*.read observation/*.read"),
        "{tokens}"
    );
    let refresh = tokens["refresh_token"].as_str().unwrap();

    // The same code again: an error of the documented form, and what it had bought is over.
    let (status, error) = curl(&["-X", "POST", "-H", FORM, "-d", &body, &token_url]);
    assert_eq!((status, error["error"].as_str()), (400, Some("invalid_grant")));
    assert!(error["error_description"].is_string());
    assert!(error["error_uri"].as_str().unwrap().starts_with("http"));
    let body = format!("grant_type=refresh_token&refresh_token={refresh}&client_id=YOUR_CLIENT_ID");
    let (status, error) = curl(&["-X", "POST", "-H", FORM, "-d", &body, &token_url]);
    assert_eq!((status, error["error"].as_str()), (400, Some("invalid_grant")));

    // Revocation answers 200 for a token that is gone already (RFC 7009 section 2.2).
    let body = format!("token={refresh}&client_id=YOUR_CLIENT_ID");
    let (status, _) = curl(&[
        "-X",
        "POST",
        "-H",
        FORM,
        "-d",
        &body,
        &format!("{}/oauth2/revoke", pair.issuer),
    ]);
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_as_in_the_example_at_the_issuer_and_through_the_edge() {
    let pair = Pair::start().await;
    let (status, own) = curl(&[&format!("{}/.well-known/smart-configuration", pair.issuer)]);
    assert_eq!(status, 200, "{own}");
    assert_eq!(own["token_endpoint"], format!("{}/oauth2/token", pair.issuer));
    let (status, through) = curl(&[&format!(
        "{}/fhir/.well-known/smart-configuration",
        pair.worker.url()
    )]);
    assert_eq!(status, 200, "{through}");
    assert_eq!(through, own);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_client_secret_is_invalid_client() {
    let pair = Pair::start().await;
    pair.add_service("SERVICE_CLIENT_ID", "system/*.read");
    let body = "grant_type=client_credentials&client_id=SERVICE_CLIENT_ID&client_secret=wrong";
    let (status, error) = curl(&[
        "-X",
        "POST",
        "-H",
        FORM,
        "-d",
        body,
        &format!("{}/oauth2/token", pair.issuer),
    ]);
    assert_eq!((status, error["error"].as_str()), (401, Some("invalid_client")));
}
