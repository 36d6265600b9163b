//! Where the issuer's keys come from: fetched when needed, renewed, kept through a bounded outage, never on demand of a
//! flood; and that nothing is decided when there are none (RFC 7517, RFC 5861).

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use wardgate_tests::clock::{eventually, now};
use wardgate_tests::edge::{Edge, settings};
use wardgate_tests::fake_issuer::JwksAnswer;
use wardgate_tests::http::{Answer, send};
use wardgate_tests::keys::{Algorithm, SigningKey, jwk_set};

use crate::expect::{assert_fhir_refusal, assert_nothing_forwarded, assert_token_refused};

const PATH: &str = "/fhir/Patient/1";

/// Longer than any test runs.
const FOR_EVER: (&str, &str) = ("WARDGATE_JWKS_COOLDOWN_SECONDS", "3600");
/// As short as can be configured.
const COOLDOWN: (&str, &str) = ("WARDGATE_JWKS_COOLDOWN_SECONDS", "1");
const FRESH: (&str, &str) = ("WARDGATE_JWKS_FRESH_SECONDS", "1");

/// The edge cannot decide, and says when to come back. It is never the token's fault.
#[track_caller]
fn assert_undecided(edge: &Edge, answer: &Answer) {
    assert_fhir_refusal(answer, 503, "transient");
    assert_eq!(answer.header("www-authenticate"), None);
    let seconds: u32 = answer
        .header("retry-after")
        .expect("Retry-After")
        .parse()
        .expect("a number of seconds");
    assert!((1..=3600).contains(&seconds), "{seconds}");
    assert_nothing_forwarded(edge);
}

/// With the issuer answering like this from the start, the edge is undecided. The cool-down, after which it would ask
/// again, has no end here.
async fn undecided_when(answer: JwksAnswer) {
    let edge = Edge::start_with(&[FOR_EVER, ("WARDGATE_JWKS_TIMEOUT_MILLISECONDS", "300")]).await;
    edge.issuer.answer_keys_with(answer);
    let token = edge.token();
    for _ in 0..3 {
        assert_undecided(&edge, &edge.get_with(PATH, &token).await);
    }
    assert_eq!(edge.issuer.key_requests(), 1, "a failure is followed by a rest");
    assert_eq!(edge.issuer.requests_for("/elsewhere.json"), 0);
    assert!(!edge.worker.log().contains(&token), "no token reaches a log");
}

#[tokio::test]
async fn nothing_is_fetched_before_a_token_needs_it() {
    let edge = Edge::start().await;
    assert_eq!(edge.get(PATH).await.status, 401);
    assert_eq!(edge.get_with(PATH, "x.y.z").await.status, 401);
    assert_eq!(edge.issuer.key_requests(), 0);
}

#[tokio::test]
async fn keys_are_fetched_once_for_many_requests() {
    let edge = Edge::start().await;
    let token = edge.token();
    for _ in 0..20 {
        assert_eq!(edge.get_with(PATH, &token).await.status, 200);
    }
    assert_eq!(edge.issuer.key_requests(), 1);
}

#[tokio::test]
async fn a_cold_start_under_load_fetches_once_and_serves_everyone() {
    let edge = Edge::start().await;
    edge.issuer
        .answer_keys_with(JwksAnswer::Late(Duration::from_millis(200)));
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        requests.spawn(send(edge.request("GET", PATH).bearer_auth(edge.token())));
    }
    while let Some(answer) = requests.join_next().await {
        assert_eq!(answer.expect("an answer").status, 200);
    }
    assert_eq!(edge.issuer.key_requests(), 1);
}

#[tokio::test]
async fn undecided_when_the_issuer_is_down() {
    let mut edge = Edge::start().await;
    edge.issuer.go_down().await;
    assert_undecided(&edge, &edge.get_with(PATH, &edge.token()).await);
}

#[tokio::test]
async fn undecided_when_the_issuer_fails() {
    for status in [500, 404, 204, 304, 201] {
        undecided_when(JwksAnswer::Status(status)).await;
    }
}

#[tokio::test]
async fn undecided_when_the_issuer_talks_nonsense() {
    for bytes in [
        "",
        "{}",
        "[]",
        "null",
        "<html></html>",
        "{\"keys\":",
        "{\"keys\":{}}",
        "{\"keys\":[1]}",
        "{\"keys\":[],\"keys\":[]}",
        "\u{feff}{\"keys\":[]}",
    ] {
        undecided_when(JwksAnswer::Bytes(bytes.into())).await;
    }
    undecided_when(JwksAnswer::Bytes(vec![0xFF, 0xFE, 0x00])).await;
}

#[tokio::test]
async fn undecided_when_the_key_set_is_huge() {
    let key = SigningKey::new(Algorithm::Rs256, "key-1");
    let mut set = jwk_set(&[&key]);
    set["padding"] = "x".repeat(8 << 20).into();
    undecided_when(JwksAnswer::Document(set)).await;
}

#[tokio::test]
async fn undecided_when_the_issuer_redirects() {
    let edge = Edge::start().await;
    for target in [
        format!("{}/elsewhere.json", edge.issuer.url),
        "/elsewhere.json".to_owned(),
    ] {
        undecided_when(JwksAnswer::Redirect(target)).await;
    }
}

#[tokio::test]
async fn undecided_when_the_issuer_is_silent() {
    undecided_when(JwksAnswer::Silence).await;
}

#[tokio::test]
async fn undecided_when_a_set_holds_a_weak_secret_or_ambiguous_key() {
    let key = SigningKey::new(Algorithm::Rs256, "key-1");
    let with = |member: &str, value: serde_json::Value| {
        let mut set = jwk_set(&[&key]);
        set["keys"][0][member] = value;
        JwksAnswer::Document(set)
    };
    // 1024 bits; an even exponent; an exponent of 1; a private key; a secret key.
    undecided_when(with("n", format!("{}E", "v".repeat(170)).into())).await;
    undecided_when(with("e", "Ag".into())).await;
    undecided_when(with("e", "AQ".into())).await;
    undecided_when(with("d", "AQAB".into())).await;
    undecided_when(JwksAnswer::Document(
        json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0", "kid": "key-1" }] }),
    ))
    .await;
    undecided_when(JwksAnswer::Document(jwk_set(&[&key, &key]))).await;
}

#[tokio::test]
async fn keys_of_unknown_kinds_are_passed_over() {
    let edge = Edge::start().await;
    let mut set = jwk_set(&[&edge.key]);
    let keys = set["keys"].as_array_mut().expect("a list");
    keys.push(json!({ "kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "a" }));
    keys.push(json!({ "kty": "NEW", "kid": "b" }));
    let mut for_encryption = SigningKey::new(Algorithm::Es256, "c").jwk();
    for_encryption["use"] = "enc".into();
    keys.push(for_encryption);
    edge.issuer.answer_keys_with(JwksAnswer::Document(set));
    assert_eq!(edge.get_with(PATH, &edge.token()).await.status, 200);
}

#[tokio::test]
async fn a_key_for_encryption_verifies_nothing() {
    let edge = Edge::start().await;
    let mut set = jwk_set(&[&edge.key]);
    set["keys"][0]["use"] = "enc".into();
    edge.issuer.answer_keys_with(JwksAnswer::Document(set));
    let token = edge.token();
    assert_token_refused(&edge, &edge.get_with(PATH, &token).await, &token);
}

#[tokio::test]
async fn recovers_when_the_issuer_does() {
    let edge = Edge::start_with(&[COOLDOWN]).await;
    edge.issuer.answer_keys_with(JwksAnswer::Status(500));
    let token = edge.token();
    assert_undecided(&edge, &edge.get_with(PATH, &token).await);
    edge.issuer.publish(&[&edge.key]);
    eventually("the keys are fetched again", async || {
        edge.get_with(PATH, &token).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn a_new_key_is_found_after_the_cooldown() {
    let edge = Edge::start_with(&[COOLDOWN]).await;
    assert_eq!(edge.get_with(PATH, &edge.token()).await.status, 200);
    let new = SigningKey::new(Algorithm::Es256, "key-2");
    edge.issuer.publish(&[&edge.key, &new]);
    let token = edge.claims().sign(&new);
    eventually("the new key is found", async || {
        edge.get_with(PATH, &token).await.status == 200
    })
    .await;
    assert_eq!(
        edge.get_with(PATH, &edge.token()).await.status,
        200,
        "the old key is still published"
    );
    assert_eq!(edge.issuer.key_requests(), 2);
}

#[tokio::test]
async fn a_removed_key_is_refused_after_a_refresh() {
    let edge = Edge::start_with(&[COOLDOWN, FRESH]).await;
    let token = edge.token();
    assert_eq!(edge.get_with(PATH, &token).await.status, 200);
    let new = SigningKey::new(Algorithm::Es256, "key-2");
    edge.issuer.publish(&[&new]);
    eventually("the old key is forgotten", async || {
        edge.get_with(PATH, &token).await.status == 401
    })
    .await;
    edge.upstream.forget();
    assert_token_refused(&edge, &edge.get_with(PATH, &token).await, &token);
    assert_eq!(edge.get_with(PATH, &edge.claims().sign(&new)).await.status, 200);
}

#[tokio::test]
async fn a_replaced_key_of_the_same_name_takes_the_place_of_the_old_one() {
    let edge = Edge::start_with(&[COOLDOWN, FRESH]).await;
    let old = SigningKey::new(Algorithm::Es256, "key");
    let new = SigningKey::new(Algorithm::Es256, "key");
    edge.issuer.publish(&[&old]);
    assert_eq!(edge.get_with(PATH, &edge.claims().sign(&old)).await.status, 200);
    edge.issuer.publish(&[&new]);
    let (old, new) = (edge.claims().sign(&old), edge.claims().sign(&new));
    eventually("the old key is forgotten", async || {
        edge.get_with(PATH, &old).await.status == 401
    })
    .await;
    assert_eq!(edge.get_with(PATH, &new).await.status, 200);
}

#[tokio::test]
async fn known_keys_serve_on_while_the_issuer_is_down() {
    let mut edge = Edge::start_with(&[COOLDOWN, FRESH]).await;
    let token = edge.token();
    assert_eq!(edge.get_with(PATH, &token).await.status, 200);
    edge.issuer.answer_keys_with(JwksAnswer::Status(500));
    eventually("the edge has tried to refresh, twice", async || {
        assert_eq!(edge.get_with(PATH, &token).await.status, 200);
        edge.issuer.key_requests() >= 3
    })
    .await;
    edge.issuer.go_down().await;
    assert_eq!(edge.get_with(PATH, &token).await.status, 200);
}

#[tokio::test]
async fn an_unknown_key_is_undecided_while_the_issuer_is_down() {
    let edge = Edge::start_with(&[COOLDOWN, FRESH]).await;
    assert_eq!(edge.get_with(PATH, &edge.token()).await.status, 200);
    edge.issuer.answer_keys_with(JwksAnswer::Status(500));
    let new = edge.claims().sign(&SigningKey::new(Algorithm::Es256, "key-2"));
    edge.upstream.forget();
    eventually("the edge has noticed", async || {
        edge.get_with(PATH, &new).await.status == 503
    })
    .await;
    assert_undecided(&edge, &edge.get_with(PATH, &new).await);
}

#[tokio::test]
async fn stale_keys_serve_no_longer_than_their_bound() {
    let edge = Edge::start_with(&[COOLDOWN, FRESH, ("WARDGATE_JWKS_STALE_SECONDS", "0")]).await;
    let token = edge.token();
    assert_eq!(edge.get_with(PATH, &token).await.status, 200);
    edge.issuer.answer_keys_with(JwksAnswer::Status(500));
    eventually("the keys are too old", async || {
        edge.get_with(PATH, &token).await.status == 503
    })
    .await;
    edge.upstream.forget();
    assert_undecided(&edge, &edge.get_with(PATH, &token).await);
}

/// Sends `count` tokens with unknown keys, 32 at a time, and gives how often each status came.
async fn flood(edge: &Edge, count: usize) -> std::collections::BTreeMap<u16, usize> {
    let mut statuses = std::collections::BTreeMap::new();
    let mut running = JoinSet::new();
    let claims = edge.claims().0.to_string();
    let mut sent = 0;
    while sent < count || !running.is_empty() {
        while sent < count && running.len() < 32 {
            let key = edge.key.renamed(Algorithm::Rs256, &format!("unknown-{sent}"));
            // The signature does not matter: the key is looked for before it is checked.
            let header = wardgate_tests::forge::access_header(&key).to_string();
            let token = wardgate_tests::forge::compact(&header, &claims, |_| vec![1; 256]);
            running.spawn(send(edge.request("GET", PATH).bearer_auth(token)));
            sent += 1;
        }
        if let Some(answer) = running.join_next().await {
            *statuses.entry(answer.expect("an answer").status).or_default() += 1;
        }
    }
    statuses
}

#[tokio::test]
async fn a_flood_of_unknown_keys_fetches_once_a_cooldown() {
    let edge = Edge::start_with(&[FOR_EVER]).await;
    let statuses = flood(&edge, 2_000).await;
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [(401, 2_000)]);
    assert_eq!(edge.issuer.key_requests(), 1);
    assert_nothing_forwarded(&edge);
    assert_eq!(
        edge.get_with(PATH, &edge.token()).await.status,
        200,
        "known keys are served"
    );
}

#[tokio::test]
async fn ten_thousand_tokens_with_unknown_keys_fetch_at_most_once_a_cooldown() {
    let edge = Edge::start_with(&[COOLDOWN]).await;
    let before = now();
    let statuses = flood(&edge, 10_000).await;
    let after = now();
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [(401, 10_000)]);
    // What bounds it is time alone: a cool-down of a second ends when the clock's second does, so that in each second that
    // the flood lasts one fetch may begin. How many tokens there are does not come into it.
    let (fetched, seconds) = (edge.issuer.key_requests(), after - before + 1);
    assert!(
        fetched >= 1 && i64::try_from(fetched).expect("few") <= seconds,
        "{fetched} fetches in {seconds} seconds"
    );
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_a_failing_issuer_once_a_cooldown() {
    let edge = Edge::start_with(&[FOR_EVER]).await;
    edge.issuer.answer_keys_with(JwksAnswer::Status(500));
    let statuses = flood(&edge, 500).await;
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [(503, 500)]);
    assert_eq!(edge.issuer.key_requests(), 1);
}

#[tokio::test]
async fn the_keys_address_follows_from_the_issuer() {
    let edge = Edge::start().await;
    let settings = settings(&edge.issuer, &edge.upstream, &[("WARDGATE_JWKS_URL", "")]);
    let worker = wardgate_tests::worker::Worker::start(&settings).await;
    let request = wardgate_tests::http::client().get(format!("{}{PATH}", worker.url()));
    assert_eq!(send(request.bearer_auth(edge.token())).await.status, 200);
    assert_eq!(edge.issuer.key_requests(), 1);
}
