//! Every page, one after another: nothing that axe-core calls a violation, nothing cut off on a phone, nothing that needs a
//! script.
//!
//! `cargo xtask screenshots` runs this with a folder for pictures of them, and writes `docs/pages.md`, which shows them all.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use wardgate_tests::pair::{CALLBACK, PASSWORD, PATIENT_EMAIL, Pair, free_port};
use wardgate_tests::program::Program;

const PHYSICIAN_EMAIL: &str = "grace@clinic.example";
const ADMINISTRATOR_EMAIL: &str = "admin@clinic.example";
/// Where people go who signed out of the app; nothing listens there.
const SIGNED_OUT: &str = "https://app.example/signed-out";
const INVITED_EMAIL: &str = "noor@clinic.example";

fn add_people(pair: &Pair) {
    let add = |who: &[&str], input: &str| {
        pair.wardgate_ok(&[&["user", "add"][..], who].concat(), input);
    };
    let resource = "Practitioner/practitioner-67890";
    let physician = [
        "--email",
        PHYSICIAN_EMAIL,
        "--name",
        "Grace Example",
        "--fhir-user",
        resource,
    ];
    add(
        &[&physician[..], &["--role", "Care Team User", "--password-stdin"]].concat(),
        PASSWORD,
    );
    let administrator = [
        "--email",
        ADMINISTRATOR_EMAIL,
        "--name",
        "Alex Example",
        "--role",
        "Builder Admin",
    ];
    add(&[&administrator[..], &["--password-stdin"]].concat(), PASSWORD);
    add(
        &["--email", INVITED_EMAIL, "--name", "Noor Example", "--invite"],
        "",
    );
    pair.wardgate_ok(
        &[
            "organization",
            "add",
            "--id",
            "org-abc123",
            "--name",
            "Example Clinic",
        ],
        "",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_reads_well_on_every_screen_and_needs_no_script() {
    let pair = Pair::start_with("[development]\noutbox = true\n[documentation]\ntry_it = true\n").await;
    add_people(&pair);
    let scope = "openid profile fhirUser launch/patient launch/encounter patient/*.rs offline_access";
    let app = [
        "--type",
        "public",
        "--redirect-uri",
        CALLBACK,
        "--post-logout-redirect-uri",
        SIGNED_OUT,
    ];
    let grants = [
        "--grant",
        "authorization_code",
        "--grant",
        "refresh_token",
        "--scope",
        scope,
    ];
    pair.add_client("heart-diary", &[app, grants].concat());
    let device = [
        "--type",
        "public",
        "--grant",
        "urn:ietf:params:oauth:grant-type:device_code",
        "--scope",
        "openid patient/*.rs",
    ];
    pair.add_client("bedside-monitor", &device);
    let asked = [("client_id", "bedside-monitor"), ("scope", "openid patient/*.rs")];
    let device = pair.post("/oauth2/device_authorization", &asked).await.json();
    let given = json!({
        "issuer": pair.issuer,
        "callback": CALLBACK,
        "signed_out": SIGNED_OUT,
        "app": "heart-diary",
        "user_code": device["user_code"],
        "patient": { "email": PATIENT_EMAIL, "password": PASSWORD },
        "administrator": { "email": ADMINISTRATOR_EMAIL, "password": PASSWORD },
        "invited": { "email": INVITED_EMAIL, "password": PASSWORD },
        "physician": { "email": PHYSICIAN_EMAIL, "password": PASSWORD },
        "provider": { "port": free_port(), "secret": "a secret / of+both", "email": "sam@hospital.example" },
    });
    let mut walk = Program::start("WARDGATE_NODE", "pages.mjs", &[&given.to_string()]);
    let seen = walk.line();
    let faults = seen["faults"].as_array().unwrap();
    assert!(
        faults.is_empty(),
        "{}",
        serde_json::to_string_pretty(faults).unwrap()
    );

    let gallery = gallery(seen["titles"].as_object().unwrap());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pages.md");
    if std::env::var_os("WARDGATE_SCREENSHOTS").is_some() {
        std::fs::write(&file, &gallery).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap() == gallery,
        "docs/pages.md shows other pages than there are: run `cargo xtask screenshots`, and look at them"
    );
}

/// `docs/pages.md` as it must be for the pages that were seen.
fn gallery(titles: &serde_json::Map<String, Value>) -> String {
    let mut text = String::from(
        "# The pages that people see\n\nMade by `cargo xtask screenshots`: each page as it is on a phone and on a desktop. \
         `tests/browser` visits all of them with scripts off and has axe-core look at each, in light and in dark.\n",
    );
    for (name, title) in titles {
        let title = title.as_str().unwrap();
        write!(
            text,
            "\n## {name}: {title}\n\n<img alt=\"On a phone\" width=\"240\" src=\"screenshots/phone/{name}.webp\"> \
             <img alt=\"On a desktop\" width=\"560\" src=\"screenshots/desktop/{name}.webp\">\n"
        )
        .unwrap();
    }
    text
}
