//! npm oidc-provider, a certified OpenID Provider, as another organization's: its people's ID tokens become access tokens
//! here, by the request of the documentation.

use serde_json::json;
use wardgate_tests::pair::{AUDIENCE, CALLBACK, PATIENT_EMAIL, Pair, free_port};
use wardgate_tests::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_of_a_trusted_provider_opens_the_persons_record() {
    let port = free_port();
    let trust = format!(
        "[[trusted_issuers]]\nissuer = \"http://localhost:{port}\"\naudiences = [\"partner-app\"]\n\
         client_id = \"partner\"\n"
    );
    let pair = Pair::start_with(&trust).await;
    let arguments = [
        "--type",
        "public",
        "--grant",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "--grant",
        "authorization_code",
        "--redirect-uri",
        CALLBACK,
        "--scope",
        "launch/patient patient/*.rs",
    ];
    pair.add_client("partner", &arguments);
    let given = json!({
        "port": port,
        "wardgate": pair.issuer,
        "client_id": "partner",
        "audience": AUDIENCE,
        "api": format!("{}/fhir/Patient/patient-11111", pair.worker.url()),
        "email": PATIENT_EMAIL,
    });
    let mut program = Program::start("WARDGATE_NODE", "identity_provider.mjs", &[&given.to_string()]);
    program.line();
    program.come_back("trusted");
    let result = program.line();
    assert_eq!(
        result["issued_token_type"],
        "urn:ietf:params:oauth:token-type:access_token"
    );
    assert_eq!(result["api"], 200, "{result}");
    assert_eq!(
        result["form"],
        json!({ "token_type": "bearer", "scope": "patient/Patient.rs" })
    );
    for refused in ["unverified", "unknown", "changed"] {
        let answer = &result[refused];
        assert_eq!(
            (&answer["status"], &answer["body"]["error"]),
            (&json!(400), &json!("invalid_grant")),
            "{refused}: {answer}"
        );
        assert!(answer["body"]["error_uri"].is_string());
    }
}
