//! The programs of the token exchange's documentation, run to the letter. The runners under `tests/clients` say what had to be put
//! around them.

use serde_json::json;
use wardgate_tests::clock::now;
use wardgate_tests::fake_issuer::FakeIssuer;
use wardgate_tests::forge::Claims;
use wardgate_tests::keys::{Algorithm, SigningKey};
use wardgate_tests::pair::{AUDIENCE, PASSWORD, PATIENT_EMAIL, Pair};
use wardgate_tests::program::Program;

const ADMINISTRATOR: &str = "root@clinic.example";

/// An issuer that trusts another one, and that one with its key.
async fn trusting() -> (Pair, FakeIssuer, SigningKey) {
    let key = SigningKey::new(Algorithm::Rs256, "their-key");
    let provider = FakeIssuer::start(&[&key]).await;
    let metadata = json!({ "issuer": provider.url, "jwks_uri": provider.jwks_url() });
    provider.publish_at("/.well-known/openid-configuration", metadata.to_string());
    let pair = Pair::start_with(&format!(
        "[[trusted_issuers]]\nissuer = \"{}\"\naudiences = [\"partner-app\"]\nclient_id = \"partner\"\n",
        provider.url
    ))
    .await;
    let arguments = [
        "--type",
        "public",
        "--grant",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "--scope",
        "launch/patient patient/*.rs __administration.read",
    ];
    pair.add_client("partner", &arguments);
    let administrator = [
        "user",
        "add",
        "--email",
        ADMINISTRATOR,
        "--name",
        "Root",
        "--role",
        "Builder Admin",
        "--password-stdin",
    ];
    pair.wardgate_ok(&administrator, PASSWORD);
    (pair, provider, key)
}

/// What the other issuer says of whoever signed in there.
fn id_token(provider: &FakeIssuer, key: &SigningKey, email: &str) -> String {
    let claims = json!({
        "iss": provider.url,
        "sub": email,
        "aud": "partner-app",
        "email": email,
        "email_verified": true,
        "iat": now(),
        "exp": now() + 300,
    });
    Claims(claims).sign_with_header(key, &json!({ "alg": "RS256", "kid": "their-key" }))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_of_the_documentation_exchanges_an_id_token_and_reads_the_record() {
    let (pair, provider, key) = trusting().await;
    let token = id_token(&provider, &key, PATIENT_EMAIL);
    let edge = pair.worker.url();
    let arguments = [pair.issuer.as_str(), &edge, AUDIENCE, &token];
    let told = Program::start("WARDGATE_PYTHON", "zus_runner.py", &arguments).line();
    assert_eq!(told["status"], 200, "{told}");
    assert_eq!(told["document"]["resourceType"], "Bundle", "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_of_the_documentation_exchanges_an_id_token_and_finds_a_role() {
    let (pair, provider, key) = trusting().await;
    let given = json!({
        "issuer": pair.issuer,
        "audience": AUDIENCE,
        "idToken": id_token(&provider, &key, ADMINISTRATOR),
    });
    let told = Program::start("WARDGATE_NODE", "zus_runner.mjs", &[&given.to_string()]).line();
    let token_type = "urn:ietf:params:oauth:token-type:access_token";
    assert_eq!(told["exchange"]["issued_token_type"], token_type, "{told}");
    assert_eq!(told["document"]["data"][0]["name"], "Builder Admin", "{told}");
    assert_eq!(told["document"]["data"].as_array().unwrap().len(), 1, "{told}");
}
