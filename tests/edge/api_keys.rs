//! API keys: two headers in the place of a token, exchanged at the issuer.

use serde_json::json;
use tokio::task::JoinSet;
use wardgate_shared::api_key::ApiKeyPrefix;
use wardgate_tests::edge::Edge;
use wardgate_tests::fake_issuer::JwksAnswer;
use wardgate_tests::http::{Answer, raw_request, send};
use wardgate_tests::keys::SigningKey;

use crate::expect::{assert_challenge, assert_fhir_refusal, assert_nothing_forwarded};

/// Where the issuer exchanges keys.
pub const EXCHANGE: &str = "/oauth2/token";
const PATH: &str = "/fhir/Patient/1";

/// An edge whose issuer exchanges every pair.
pub async fn start(changes: &[(&str, &str)]) -> Edge {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let edge = Edge::start_knowing(|issuer| {
        let mut settings: Vec<(String, String)> = changes.iter().map(owned).collect();
        settings.push((
            "WARDGATE_API_KEYS_URL".into(),
            format!("{}{EXCHANGE}", issuer.url),
        ));
        settings
    })
    .await;
    give(&edge, &edge.key);
    edge
}

/// The issuer exchanges every pair for a token signed by `key` from now on.
pub fn give(edge: &Edge, key: &SigningKey) {
    let token = edge.claims().with("api_key_id", "apikey-1").sign(key);
    let answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 300 });
    edge.issuer.publish_at(EXCHANGE, answer.to_string());
}

/// A key and its secret, another secret for each number.
pub fn pair(number: u8) -> (String, String) {
    let prefix = ApiKeyPrefix::parse("zs").expect("a prefix");
    (
        prefix.key(&[7; 17]),
        prefix.secret(&[number; 32]).expose().clone(),
    )
}

async fn call(edge: &Edge, (key, secret): &(String, String)) -> Answer {
    let request = edge.request("GET", PATH);
    send(request.header("X-API-Key", key).header("X-API-Secret", secret)).await
}

#[tokio::test]
async fn a_key_opens_what_its_token_permits_and_goes_no_further() {
    let edge = start(&[]).await;
    let pair = pair(1);
    for _ in 0..3 {
        let answer = call(&edge, &pair).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(edge.issuer.requests_for(EXCHANGE), 1);
    for received in edge.upstream.received() {
        assert_eq!(received.header("x-api-key"), None);
        assert_eq!(received.header("x-api-secret"), None);
        assert_eq!(received.header("authorization"), None);
    }
    let log = edge.worker.log();
    assert!(log.contains("\"allow\"") && !log.contains(&pair.0) && !log.contains(&pair.1));
}

#[tokio::test]
async fn many_requests_at_once_with_a_new_key_cause_one_exchange() {
    let edge = std::sync::Arc::new(start(&[]).await);
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let edge = std::sync::Arc::clone(&edge);
        calls.spawn(async move { call(&edge, &pair(1)).await.status });
    }
    assert_eq!(calls.join_all().await, vec![200; 50]);
    assert_eq!(edge.issuer.requests_for(EXCHANGE), 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_takes_no_exchange_with_it() {
    let edge = start(&[]).await;
    let (key, secret) = pair(1);
    let late = JwksAnswer::Late(std::time::Duration::from_millis(500));
    edge.issuer.answer_with(EXCHANGE, late);
    let request = edge.request("GET", PATH);
    let request = request.header("x-api-key", &key).header("x-api-secret", &secret);
    let patience = std::time::Duration::from_millis(100);
    assert!(request.timeout(patience).send().await.is_err(), "it has hung up");
    assert_eq!(call(&edge, &(key, secret)).await.status, 200);
    assert_eq!(edge.issuer.requests_for(EXCHANGE), 1);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_with_one_exchange_however_often_it_comes() {
    let edge = start(&[]).await;
    let refusal = json!({ "error": "invalid_client", "error_description": "no" });
    edge.issuer.publish_at(EXCHANGE, refusal.to_string());
    edge.issuer.answer_with(EXCHANGE, JwksAnswer::Status(401));
    for _ in 0..20 {
        let answer = call(&edge, &pair(2)).await;
        assert_fhir_refusal(&answer, 401, "login");
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(
            challenge.contains("error=\"invalid_token\"") && challenge.ends_with(", ApiKey realm=\"fhir\"")
        );
        assert!(!answer.text().contains("zs_"));
    }
    assert_eq!(edge.issuer.requests_for(EXCHANGE), 1);
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn what_cannot_be_a_key_costs_no_exchange() {
    let edge = start(&[]).await;
    let (key, secret) = pair(1);
    let typo = secret.replace("zs_secret_A", "zs_secret_B");
    for (key, secret) in [(&key, &typo), (&secret, &key), (&key, &key)] {
        assert_fhir_refusal(&call(&edge, &(key.clone(), secret.clone())).await, 401, "login");
    }
    let key = format!("X-API-Key: {key}");
    let secret = format!("x-api-secret: {secret}");
    for lines in [
        vec![&key],
        vec![&secret],
        vec![&key, &key, &secret],
        vec![&key, &secret, &secret],
    ] {
        let lines: Vec<&[u8]> = lines.into_iter().map(String::as_bytes).collect();
        let answer = edge
            .raw(&raw_request("GET", PATH, &lines))
            .await
            .expect("an answer");
        assert_fhir_refusal(&answer, 400, "invalid");
    }
    assert_eq!(edge.issuer.requests_for(EXCHANGE), 0);
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn where_keys_are_not_taken_one_counts_as_no_credential() {
    let edge = Edge::start().await;
    let answer = call(&edge, &pair(1)).await;
    assert_fhir_refusal(&answer, 401, "login");
    assert_challenge(&answer, None);
    assert_eq!(edge.issuer.requests_for(EXCHANGE), 0);
}
