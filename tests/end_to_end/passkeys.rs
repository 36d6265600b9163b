//! Passkeys, with a person at a real Chromium and its virtual authenticator.

use serde_json::{Value, json};
use wardgate_tests::pair::{CALLBACK, PASSWORD, PATIENT_EMAIL, Pair};
use wardgate_tests::program::Program;

use crate::journey::{VERIFIER, authorization_url, claims_of, parameter};

// Whoever signs out ends what lives with the session, an unredeemed code too.
const SCOPE: &str = "openid fhirUser offline_access patient/*.rs";

/// The claims of the ID token that this callback's code is worth.
async fn id_claims(pair: &Pair, callback: &Value) -> Value {
    let code = parameter(callback.as_str().unwrap(), "code").unwrap_or_else(|| panic!("no code: {callback}"));
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("code", code.as_str()),
    ];
    let answer = pair.token(&exchange).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    claims_of(answer.json()["id_token"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_added_and_signs_its_person_in() {
    let pair = Pair::start().await;
    pair.add_app("app", SCOPE);
    let given = json!({
        "issuer": pair.issuer,
        "callback": CALLBACK,
        "authorize": format!("{}{}", pair.issuer, authorization_url("app", SCOPE, "")),
        "email": PATIENT_EMAIL,
        "password": PASSWORD,
    });
    let mut program = Program::start("WARDGATE_NODE", "passkeys.mjs", &[&given.to_string()]);
    let seen = program.line();
    assert_eq!(
        seen["role"], "status",
        "a screen reader hears what failed: {seen}"
    );
    assert_eq!(seen["discoverable"], true, "{seen}");
    assert_eq!(seen["relyingParty"], "localhost");
    assert_eq!(seen["suggested"], "Linux");

    let claims = id_claims(&pair, &seen["passwordless"]).await;
    assert_eq!(claims["acr"], "phr", "{claims}");
    assert_eq!(claims["amr"], json!(["pop", "user", "mfa"]));
    assert!(
        seen["step"].as_str().unwrap().starts_with("Second step"),
        "{seen}"
    );
    let claims = id_claims(&pair, &seen["second"]).await;
    assert_eq!(claims["acr"], "phr", "{claims}");
    assert_eq!(claims["amr"], json!(["pwd", "pop", "user", "mfa"]));
}
