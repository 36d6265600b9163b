//! The API reference, as a developer uses it: with the keyboard alone (`tests/clients/reference.mjs`), on a page that lets no
//! script but its own run.

use serde_json::{Value, json};
use wardgate_tests::pair::{PASSWORD, Pair};
use wardgate_tests::program::Program;

const ADMINISTRATOR: &str = "root@clinic.example";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_on_the_reference_tries_a_call_and_sees_the_answer_by_keyboard_alone() {
    let pair = Pair::start_with("[documentation]\ntry_it = true\n").await;
    let person = ["user", "add", "--email", ADMINISTRATOR, "--name", "Root Example"];
    let role = ["--role", "Builder Admin", "--password-stdin"];
    pair.wardgate_ok(&[&person[..], &role].concat(), PASSWORD);
    let given = json!({ "issuer": pair.issuer, "email": ADMINISTRATOR, "password": PASSWORD });
    let told = Program::start("WARDGATE_NODE", "reference.mjs", &[&given.to_string()]).line();

    let text = |member: &str| told[member].as_str().unwrap().to_owned();
    assert!(text("signedIn").contains("__administration.write"), "{told}");
    assert!(text("forgotten").contains("forgotten"), "{told}");
    assert_eq!(told["found"]["data"][0]["email"], ADMINISTRATOR);
    assert_eq!(told["made"]["id"], "org-abc123");
    assert!(text("again").starts_with("201"), "{told}");
    for member in ["complaints", "faults"] {
        let empty = told[member].as_array().unwrap().is_empty();
        assert!(
            empty,
            "{member}: {}",
            serde_json::to_string_pretty(&told[member]).unwrap()
        );
    }
    // What the person did is theirs in the audit trail, by the page's own client.
    let events = pair.wardgate_ok(&["audit", "export"], "");
    let made = events
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|event| event["action"] == "organization_creation")
        .expect("the organization's line");
    assert_eq!(made["clientId"], "wardgate-reference");
}
