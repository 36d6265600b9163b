//! Stories of people: how they come in for the first time, prove that it is them, and get back in when something is lost.
//! Told with a real Chromium without scripts (`tests/clients/people.mjs`), the issuer's program on a clock that is moved, and
//! its outbox of development.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};
use wardgate_tests::pair::{CALLBACK, PASSWORD, PATIENT_EMAIL, Pair};
use wardgate_tests::program::Program;

const OUTBOX: &str = "[development]\noutbox = true\n";
const INVITED: &str = "noor@clinic.example";
/// The verifier and challenge of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// An issuer with an app and somebody who was invited.
async fn clinic(more: &str) -> Pair {
    let program = env!("CARGO_BIN_EXE_wardgate-moved-clock");
    let pair = Pair::start_with_clock(program, &format!("{OUTBOX}{more}")).await;
    pair.add_app("heart-diary", "openid profile offline_access");
    pair.wardgate_ok(
        &[
            "user",
            "add",
            "--email",
            INVITED,
            "--name",
            "Noor Example",
            "--invite",
        ],
        "",
    );
    pair
}

/// Tells the story of this name and gives what came of it.
fn tell(pair: &Pair, story: &str, more: &Value) -> Value {
    let mut given = json!({
        "issuer": pair.issuer,
        "clock": pair.path("clock"),
        "app": "heart-diary",
        "callback": CALLBACK,
        "challenge": CHALLENGE,
        "email": INVITED,
        "password": PASSWORD,
    });
    for (name, value) in more.as_object().unwrap() {
        given[name] = value.clone();
    }
    Program::start("WARDGATE_NODE", "people.mjs", &[story, &given.to_string()]).line()
}

/// The claims of the ID token that the app gets for the code in `callback`.
async fn id_token(pair: &Pair, callback: &str) -> Value {
    let (_, query) = callback.split_once('?').unwrap();
    let code = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("code="))
        .expect(callback);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "heart-diary"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let answer = pair.token(&form).await.json();
    let token = answer["id_token"].as_str().unwrap();
    let claims = Base64UrlUnpadded::decode_vec(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_person_chooses_a_password_sets_up_an_app_and_authorises_another() {
    let pair = clinic("").await;
    let told = tell(&pair, "invitation", &json!({}));
    let claims = id_token(&pair, told["callback"].as_str().unwrap()).await;
    assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(
        claims["acr"],
        "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_sent_to_a_telephone_is_a_second_factor() {
    let pair = clinic("").await;
    let told = tell(&pair, "telephone", &json!({ "phone": "+15550100123" }));
    let listed = told["listed"].as_str().unwrap();
    assert!(listed.contains("Telephone •••• 23"), "{told}");
    assert!(told["wrong"].as_str().unwrap().contains("is not right"), "{told}");
    let claims = id_token(&pair, told["callback"].as_str().unwrap()).await;
    assert_eq!(claims["amr"], json!(["pwd", "sms", "mfa"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_opens_an_account_once() {
    let pair = clinic("").await;
    let told = tell(&pair, "recovery", &json!({}));
    assert_eq!(told["signedIn"], true, "{told}");
    assert_eq!(told["inside"], false, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_again_seventy_two_hours_after_the_last() {
    let pair = clinic("").await;
    let visits = json!([
        ["at once", 0],
        ["71 hours later", 71 * HOUR],
        ["after 73 hours", 2 * HOUR],
        ["then", HOUR]
    ]);
    let asked = tell(&pair, "remembered", &json!({ "visits": visits }));
    let expected =
        json!({ "at once": false, "71 hours later": false, "after 73 hours": true, "then": false });
    assert_eq!(asked, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_again_after_seven_days_without_activity() {
    let pair = clinic("[second_factor]\ninterval_seconds = 2592000\n").await;
    let visits = json!([
        ["six days later", 6 * DAY],
        ["six more", 6 * DAY],
        ["seven more", 7 * DAY + HOUR]
    ]);
    let asked = tell(&pair, "remembered", &json!({ "visits": visits }));
    let expected = json!({ "six days later": false, "six more": false, "seven more": true });
    assert_eq!(asked, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_by_a_link_that_works_once_and_tells_strangers_nothing() {
    let pair = clinic("").await;
    let new = "Another-Horse-8-Battery";
    let told = tell(
        &pair,
        "forgotten",
        &json!({ "email": PATIENT_EMAIL, "new_password": new }),
    );
    assert_eq!(told["inside"], true, "{told}");
    assert_eq!(told["alike"], true, "{told}");
    assert!(told["old"].as_str().unwrap().contains("is not right"), "{told}");
    assert!(told["again"].as_str().unwrap().contains("new link"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_makes_accounts_and_keys_and_finds_both_in_the_audit_trail() {
    let pair = clinic("").await;
    let administrator = "alex@clinic.example";
    let who = [
        "--email",
        administrator,
        "--name",
        "Alex Example",
        "--role",
        "Builder Admin",
        "--password-stdin",
    ];
    pair.wardgate_ok(&[&["user", "add"][..], &who].concat(), PASSWORD);
    let told = tell(
        &pair,
        "console",
        &json!({ "email": administrator, "newcomer": "rui@clinic.example" }),
    );
    assert!(told["key"].is_array(), "{told}");
    assert!(
        told["person"].as_str().unwrap().contains("rui@clinic.example"),
        "{told}"
    );
    assert_eq!(told["stranger"], "Sign in", "{told}");
    for (action, lines) in [("user_creation", 4), ("api_key_creation", 1)] {
        assert_eq!(told["events"][action].as_array().unwrap().len(), lines, "{told}");
    }
}
