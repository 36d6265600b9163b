//! What `cargo xtask bench issuer` needs besides a load generator: the rate at which this machine signs, and refresh tokens
//! of a running issuer.
//!
//! ```text
//! bench-support signing-rate RS256 2        signatures a second, on one core, measured for two seconds
//! bench-support refresh-tokens ISSUER AUDIENCE EMAIL PASSWORD CLIENT COUNT
//! ```

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use wardgate_shared::pkce::CodeChallenge;
use wardgate_tests::browser::{Browser, Decision};
use wardgate_tests::clock::Deadline;
use wardgate_tests::http::{client, send};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CALLBACK: &str = "https://app.example/callback";
/// As long as an access token's header and claims.
const MESSAGE: [u8; 700] = [b'x'; 700];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["signing-rate", algorithm, seconds] => {
            let seconds = seconds.parse().expect("seconds");
            println!("{:.0}", signing_rate(algorithm, seconds));
        }
        ["refresh-tokens", issuer, audience, email, password, app, count] => {
            let count = count.parse().expect("a number");
            let mut browser = Browser::new(issuer, email, password);
            for _ in 0..count {
                println!("{}", refresh_token(&mut browser, issuer, audience, app).await);
            }
        }
        _ => panic!("arguments as the head of this file says"),
    }
}

/// Signatures a second by the issuer's own library on one core.
fn signing_rate(algorithm: &str, seconds: f64) -> f64 {
    let random = SystemRandom::new();
    match algorithm {
        "RS256" => {
            let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
            let mut signature = vec![0; key.public_modulus_len()];
            rate(seconds, || {
                key.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature)
                    .expect("a signature");
            })
        }
        "ES256" => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
            rate(seconds, || {
                key.sign(&random, &MESSAGE).expect("a signature");
            })
        }
        other => panic!("{other} is not measured"),
    }
}

fn rate(seconds: f64, mut work: impl FnMut()) -> f64 {
    let deadline = Deadline::after(Duration::from_secs_f64(seconds));
    let mut count = 0_u32;
    while !deadline.passed() {
        work();
        count += 1;
    }
    f64::from(count) / seconds
}

/// A refresh token of a new grant, by way of the pages that a person sees.
async fn refresh_token(browser: &mut Browser, issuer: &str, audience: &str, app: &str) -> String {
    let challenge = CodeChallenge::of(VERIFIER).expect("a verifier").encoded();
    let url = reqwest::Url::parse_with_params(
        &format!("{issuer}/oauth2/authorize"),
        [
            ("response_type", "code"),
            ("client_id", app),
            ("redirect_uri", CALLBACK),
            ("scope", "patient/*.read offline_access"),
            ("aud", audience),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ],
    )
    .expect("a URL");
    let callback = browser.open(url.as_str(), Decision::Allow).await;
    let callback = reqwest::Url::parse(&callback).expect("a callback");
    let (_, code) = callback
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap_or_else(|| panic!("no code: {callback}"));
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("client_id", app),
        ("code_verifier", VERIFIER),
    ];
    let answer = send(client().post(format!("{issuer}/oauth2/token")).form(&form)).await;
    let tokens: serde_json::Value = serde_json::from_str(&answer.text()).expect("JSON");
    tokens["refresh_token"]
        .as_str()
        .unwrap_or_else(|| panic!("no refresh token: {tokens}"))
        .to_owned()
}
