//! Proofs at the endpoints that take them: real router, real keys.

mod nonces;
mod pushed;
mod resource;
mod single_use;
mod token;

use http::{Method, StatusCode};
use serde_json::Value;

use crate::testing::Prover;
use crate::web::testing::{
    APP, APP_REDIRECT, Answer, Browser, Clinic, PATIENT, SERVICE, VERIFIER, WEB, WEB_REDIRECT, web_request,
};

const TOKEN: &str = "/oauth2/token";
const PAR: &str = "/oauth2/par";
const USERINFO: &str = "/oauth2/userinfo";
const OFFLINE: &str = "openid offline_access patient/*.read";

/// Calls the token endpoint with these proofs.
async fn token_with(clinic: &Clinic, fields: &[(&str, &str)], proofs: &[&str]) -> Answer {
    let headers: Vec<(&str, &str)> = proofs.iter().map(|proof| ("dpop", *proof)).collect();
    clinic.browser().post_with(TOKEN, fields, &headers).await
}

/// Calls the token endpoint with a fresh proof of this key.
async fn prove(clinic: &Clinic, fields: &[(&str, &str)], key: &Prover) -> Answer {
    let proof = key.post(TOKEN, clinic.issuer.now());
    token_with(clinic, fields, &[&proof]).await
}

/// The redemption of a code by the public app.
fn redemption(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", APP_REDIRECT),
        ("client_id", APP),
        ("code_verifier", VERIFIER),
    ]
}

/// A token request of the service in its own name.
fn own_token(clinic: &Clinic) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "client_credentials"),
        ("client_id", SERVICE),
        ("client_secret", &clinic.service_secret),
    ]
}

/// Tokens of the public app that are bound to this key.
async fn bound_tokens(clinic: &Clinic, key: &Prover, scope: &str) -> Value {
    let code = clinic.code(scope, PATIENT).await;
    let answer = prove(clinic, &redemption(&code), key).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

/// Tokens of the confidential client that are bound to this key.
async fn bound_tokens_of_web(clinic: &Clinic, key: &Prover) -> Value {
    let answer = clinic.browser().authorize(&web_request(OFFLINE), PATIENT).await;
    let code = answer.sent("code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &clinic.web_secret),
    ];
    let answer = prove(clinic, &fields, key).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

/// Calls userinfo with these headers.
async fn userinfo(clinic: &Clinic, method: Method, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(Browser::request(method, USERINFO), |request, (name, value)| {
            request.header(*name, *value)
        });
    let body = axum::body::Body::empty();
    clinic.browser().send(request.body(body).unwrap()).await
}

/// Calls userinfo with a bound token and this proof.
async fn userinfo_with(clinic: &Clinic, token: &str, proof: &str) -> Answer {
    let authorization = format!("DPoP {token}");
    let headers = [("authorization", &*authorization), ("dpop", proof)];
    userinfo(clinic, Method::GET, &headers).await
}

fn text<'a>(body: &'a Value, member: &str) -> &'a str {
    body[member].as_str().unwrap()
}

/// Asserts that a request is refused for its proof.
#[track_caller]
fn is_invalid_proof(answer: &Answer) -> String {
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_dpop_proof")
}
