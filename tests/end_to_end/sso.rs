//! npm oidc-provider, a certified OpenID Provider, as the identity providers of two organizations: each person signs in where
//! the domain of their address says, in a real browser; those of no connected domain, and those who may, with a password.

use serde_json::{Value, json};
use wardgate_tests::pair::{PASSWORD, PATIENT_EMAIL, Pair, free_port};
use wardgate_tests::program::Program;

const SECRET: &str = "a secret / of+both";

fn connect(pair: &Pair, name: &str, issuer: &Value, domain: &str) {
    let issuer = issuer.as_str().expect("an issuer");
    let whom = ["--name", name, "--issuer", issuer, "--client-id", "wardgate"];
    let arguments = [&["sso", "add", "--client-secret-stdin"][..], &whom].concat();
    pair.wardgate_ok(&arguments, SECRET);
    let enabling = pair.wardgate(&["sso", "enable", name], "");
    assert_eq!(enabling.status.code(), Some(2), "not before it is attested");
    let claimed = pair.wardgate_ok(&["sso", "add-domain", name, domain], "");
    assert!(claimed.contains(&format!("_wardgate.{domain}")), "{claimed}");
    pair.wardgate_ok(&["sso", "verify-domain", name, domain, "--override"], "");
    pair.wardgate_ok(&["sso", "attest-mfa", name], "");
    pair.wardgate_ok(&["sso", "enable", name], "");
}

fn add_person(pair: &Pair, email: &str, name: &str) {
    let arguments = [
        "user",
        "add",
        "--email",
        email,
        "--name",
        name,
        "--password-stdin",
    ];
    pair.wardgate_ok(&arguments, PASSWORD);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_where_the_domain_of_their_address_says() {
    let pair = Pair::start().await;
    add_person(&pair, "sam@other.example", "Sam Other");
    add_person(&pair, "lou@local.example", "Lou Local");
    add_person(&pair, "eve@clinic.example", "Eve Emergency");
    pair.wardgate_ok(
        &["user", "allow-local-sign-in", "--email", "eve@clinic.example"],
        "",
    );
    let given = json!({
        "ports": [free_port(), free_port()],
        "secret": SECRET,
        "wardgate": pair.issuer,
        "password": PASSWORD,
        "first": PATIENT_EMAIL,
        "second": "sam@other.example",
        "local": "lou@local.example",
        "emergency": "eve@clinic.example",
    });
    let mut program = Program::start("WARDGATE_NODE", "sso.mjs", &[&given.to_string()]);
    let issuers = program.line()["issuers"].clone();
    connect(&pair, "Example Clinic", &issuers[0], "clinic.example");
    connect(&pair, "Another Clinic", &issuers[1], "other.example");
    let explained = pair.wardgate_ok(&["sso", "explain", PATIENT_EMAIL], "");
    assert!(explained.contains("Example Clinic"), "{explained}");
    program.come_back("connected");
    let result = program.line();

    let here = json!(pair.issuer);
    for (who, name, provider) in [
        ("first", "Ada Example", &issuers[0]),
        ("second", "Sam Other", &issuers[1]),
    ] {
        let seen = &result[who];
        assert_eq!(seen["outcome"], "home", "{who}: {seen}");
        assert_eq!(seen["places"], json!([here, provider, here]), "{who}");
        assert!(seen["text"].as_str().expect("text").contains(name), "{seen}");
    }
    for (who, name) in [("local", "Lou Local"), ("emergency", "Eve Emergency")] {
        let seen = &result[who];
        assert_eq!(seen["outcome"], "home", "{who}: {seen}");
        assert_eq!(seen["places"], json!([here]), "{who}");
        assert!(seen["text"].as_str().expect("text").contains(name), "{seen}");
    }
    let signed_out = &result["signedOut"];
    assert_eq!(
        signed_out["places"],
        json!([here, issuers[0], here]),
        "{signed_out}"
    );
    for who in ["noEmergency", "unknown", "unverified"] {
        let seen = &result[who];
        assert_eq!(seen["outcome"], "refused", "{who}: {seen}");
        assert!(
            seen["title"].as_str().expect("a title").starts_with("Error: "),
            "{seen}"
        );
    }
    assert_eq!(result["unknown"]["text"], result["unverified"]["text"]);
}
