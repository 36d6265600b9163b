//! npm openid-client, a certified relying party that knows nothing of Wardgate, with a person at a real Chromium.

use serde_json::{Value, json};
use wardgate_tests::pair::{CALLBACK, PASSWORD, PATIENT_EMAIL, Pair};
use wardgate_tests::program::Program;

const SCOPE: &str = "openid profile email fhirUser launch/patient offline_access patient/*.rs";

/// Runs one flow of the program and gives what came of it.
#[track_caller]
fn run(pair: &Pair, flow: &str, given: Value) -> Value {
    start(pair, flow, given).line()
}

fn start(pair: &Pair, flow: &str, mut given: Value) -> Program {
    let members = given.as_object_mut().unwrap();
    for (name, value) in [
        ("issuer", pair.issuer.as_str()),
        ("redirect_uri", CALLBACK),
        ("email", PATIENT_EMAIL),
        ("password", PASSWORD),
        (
            "api",
            &format!("{}/fhir/Patient/patient-11111", pair.worker.url()),
        ),
        ("api_public", "https://edge.example/fhir/Patient/patient-11111"),
    ] {
        members.entry(name).or_insert_with(|| value.into());
    }
    Program::start("WARDGATE_NODE", "openid_client.mjs", &[flow, &given.to_string()])
}

#[track_caller]
fn assert_has(result: &Value, list: &str, names: &[&str]) {
    let members = result[list].as_array().unwrap();
    for name in names {
        assert!(members.contains(&json!(name)), "{name} in {result}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_becomes_tokens_userinfo_data_and_is_revoked() {
    let pair = Pair::start().await;
    pair.add_app("app", SCOPE);
    let result = run(&pair, "code", json!({ "client_id": "app", "scope": SCOPE }));
    assert_has(
        &result,
        "members",
        &[
            "access_token",
            "id_token",
            "refresh_token",
            "expires_in",
            "scope",
            "patient",
        ],
    );
    assert_eq!(result["claims"]["aud"], json!(["app"]));
    assert_eq!(result["userinfo"]["email"], PATIENT_EMAIL);
    assert_eq!(result["userinfo"]["sub"], result["claims"]["sub"]);
    assert_eq!(result["api"], 200, "{result}");
    assert_eq!(result["after"], "invalid_grant", "a revoked token: {result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_with_an_authenticator_app_gives_its_code() {
    // The seed of RFC 6238 appendix B.
    const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let pair = Pair::start().await;
    pair.add_app("app", SCOPE);
    let add = ["user", "add-totp", "--email", PATIENT_EMAIL, "--secret-stdin"];
    pair.wardgate_ok(&add, SEED);
    let given = json!({ "client_id": "app", "scope": SCOPE, "totp_secret": SEED });
    let result = run(&pair, "code", given);
    assert_eq!(result["claims"]["amr"], json!(["pwd", "otp", "mfa"]), "{result}");
    assert_eq!(
        result["claims"]["acr"],
        "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
    );
    assert_eq!(result["api"], 200, "{result}");
}

// OIDC-75, OIDC-77
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_travels_in_a_form_that_a_browser_posts() {
    let pair = Pair::start().await;
    pair.add_app("app", SCOPE);
    let result = run(&pair, "form_post", json!({ "client_id": "app", "scope": SCOPE }));
    assert_eq!(result["method"], "POST");
    assert_has(&result, "members", &["id_token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_pushed_and_its_token_introspected() {
    let pair = Pair::start().await;
    let arguments = [
        "--type",
        "confidential",
        "--grant",
        "authorization_code",
        "--redirect-uri",
        CALLBACK,
        "--scope",
        "openid fhirUser launch/patient patient/*.rs",
        "--require-par",
    ];
    let secret = pair.add_client("server-app", &arguments[..]).unwrap();
    let given = json!({
        "client_id": "server-app", "client_secret": secret,
        "scope": "openid fhirUser launch/patient patient/*.rs",
    });
    let result = run(&pair, "pushed", given);
    assert_eq!(result["sent"], json!(["client_id", "request_uri"]));
    assert_eq!(result["introspected"]["active"], true, "{result}");
    assert_eq!(result["introspected"]["sub"], result["claims"]["sub"]);
    assert_eq!(result["introspected"]["patient"], "patient-11111");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_gets_its_tokens_once_a_person_agreed() {
    let pair = Pair::start().await;
    let arguments = [
        "--type",
        "public",
        "--grant",
        "urn:ietf:params:oauth:grant-type:device_code",
        "--scope",
        "openid launch/patient patient/*.rs",
    ];
    pair.add_client("monitor", &arguments);
    let given = json!({ "client_id": "monitor", "scope": "openid launch/patient patient/*.rs" });
    let result = run(&pair, "device", given);
    assert_has(&result, "members", &["access_token", "id_token"]);
}

// OUT-02
#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_out_by_the_app_and_is_signed_out() {
    const SIGNED_OUT: &str = "https://app.example/signed-out";
    let pair = Pair::start().await;
    let arguments = [
        "--type",
        "public",
        "--grant",
        "authorization_code",
        "--redirect-uri",
        CALLBACK,
        "--scope",
        "openid",
        "--post-logout-redirect-uri",
        SIGNED_OUT,
    ];
    pair.add_client("app", &arguments);
    let given = json!({ "client_id": "app", "scope": "openid", "post_logout_redirect_uri": SIGNED_OUT });
    let result = run(&pair, "logout", given);
    assert_eq!(result["left"], format!("{SIGNED_OUT}?state=out"));
    assert_eq!(result["error"], "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_signs_assertions_with_its_own_key() {
    let pair = Pair::start().await;
    let given = json!({ "client_id": "service", "scope": "system/Patient.rs", "email": null });
    let mut program = start(&pair, "private_key_jwt", given);
    let path = pair.path("service.jwks.json");
    std::fs::write(&path, program.line()["jwks"].to_string()).unwrap();
    let arguments = [
        "--type",
        "confidential",
        "--auth",
        "private_key_jwt",
        "--jwks",
        path.to_str().unwrap(),
        "--grant",
        "client_credentials",
        "--scope",
        "system/Patient.rs",
    ];
    pair.add_client("service", &arguments);
    program.come_back("registered");
    let result = program.line();
    assert_eq!(result["api"], 200, "{result}");
}

// FAPI-39, FAPI-40, FAPI-43, FAPI-46
#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_bound_to_the_clients_key() {
    let pair = Pair::start().await;
    let metadata = pair.path("metadata.json");
    std::fs::write(&metadata, json!({ "dpop_bound_access_tokens": true }).to_string()).unwrap();
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
        SCOPE,
        "--metadata",
        metadata.to_str().unwrap(),
    ];
    let secret = pair.add_client("bound-app", &arguments).unwrap();
    let given = json!({ "client_id": "bound-app", "client_secret": secret, "scope": SCOPE });
    let result = run(&pair, "dpop", given);
    for answer in [&result["token_type"], &result["refreshed"]] {
        assert!(answer.as_str().unwrap().eq_ignore_ascii_case("dpop"), "{result}");
    }
    assert_eq!(result["userinfo"]["sub"], result["claims"]["sub"]);
    assert!(result["introspected"]["cnf"]["jkt"].is_string(), "{result}");
    assert_eq!(result["as_bearer"], 401);
    assert_eq!(result["without"], "invalid_dpop_proof");

    // Through the Worker, which holds the token to the same key.
    let at_api = &result["at_api"];
    assert_eq!(at_api["resource"], "Patient", "{at_api}");
    assert_eq!(at_api["sent"][0], 200, "{at_api}");
    assert_eq!(at_api["replayed"]["status"], 401, "{at_api}");
    let challenge = at_api["replayed"]["challenge"].as_str().unwrap();
    assert!(
        challenge.contains(r#"DPoP realm="fhir", error="invalid_dpop_proof""#),
        "{challenge}"
    );
    assert_eq!(at_api["bearer"]["status"], 401, "{at_api}");
    assert_eq!(at_api["foreign"], 401, "{at_api}");
}

// OIDC-80, OIDC-81, OIDC-82
#[tokio::test(flavor = "multi_thread")]
async fn a_client_registers_itself_and_takes_itself_away() {
    let pair = Pair::start_with("[registration]\nmode = \"token\"\n").await;
    let scope = "openid launch/patient offline_access patient/*.rs";
    let arguments = [
        "client",
        "registration-token",
        "add",
        "--description",
        "test",
        "--scope",
        scope,
        "--json",
    ];
    let printed: Value = serde_json::from_str(&pair.wardgate_ok(&arguments, "")).unwrap();
    let given = json!({
        "scope": scope, "client_id": "", "initial_access_token": printed["token"],
    });
    let result = run(&pair, "registered", given);
    assert_has(&result, "members", &["access_token", "refresh_token", "id_token"]);
    assert_has(
        &result,
        "registered",
        &["client_id", "client_secret", "client_secret_expires_at"],
    );
    assert_eq!((&result["read"], &result["deleted"]), (&json!(200), &json!(204)));
    assert_eq!(result["after"], "invalid_client", "{result}");
}
