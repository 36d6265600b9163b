//! When key sets are fetched, and when not.

use std::sync::Arc;

use tokio::task::JoinSet;
use wardgate_shared::jwk::JwkError;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

use super::{COOL_DOWN_SECONDS, KeySetError, KeySets, MOST_ENTRIES, WantedKey};
use crate::config::OutboundConfig;
use crate::outbound::{FetchError, Outbound};
use crate::testing::{DocumentServer, START, Signer, key_set};

/// Key sets, and a client's server that publishes one key.
struct Fixture {
    sets: KeySets,
    server: DocumentServer,
}

impl Fixture {
    async fn new(cache_control: &str) -> Self {
        let sets = KeySets::new(Outbound::new(OutboundConfig {
            allow_loopback_http: true,
            private_networks: Vec::new(),
        }));
        let server = DocumentServer::start().await;
        let fixture = Self { sets, server };
        fixture.publish("first", cache_control);
        fixture
    }

    fn publish(&self, key_id: &str, cache_control: &str) {
        let signer = Signer::new(SignatureAlgorithm::ES256, Some(key_id));
        let body = key_set(&[&signer]).to_json().to_string();
        self.server.answer(200, &[("cache-control", cache_control)], body);
    }

    /// Whether the key is found `seconds` after the start.
    async fn finds(&self, key_id: &str, seconds: i64) -> Result<bool, KeySetError> {
        let keys = self
            .sets
            .key_set(&self.server.url, wanted(key_id), at(seconds))
            .await?;
        Ok(wanted(key_id).is_in(&keys))
    }
}

fn wanted(key_id: &str) -> WantedKey<'_> {
    WantedKey {
        key_id: Some(key_id),
        algorithm: SignatureAlgorithm::ES256,
    }
}

fn at(seconds: i64) -> Timestamp {
    START.plus(seconds)
}

// SMART-34
#[tokio::test]
async fn a_set_is_kept_as_long_as_its_answer_allows_and_no_longer() {
    let fixture = Fixture::new("max-age=60").await;
    assert!(fixture.finds("first", 0).await.unwrap());
    assert!(fixture.finds("first", 59).await.unwrap());
    assert_eq!(fixture.server.asked(), 1);
    fixture.publish("second", "max-age=60");
    assert!(
        !fixture.finds("first", 60).await.unwrap(),
        "the key was withdrawn"
    );
    assert_eq!(fixture.server.asked(), 2);
}

// OIDC-87
#[tokio::test]
async fn a_key_that_is_not_in_the_set_is_looked_for() {
    let fixture = Fixture::new("max-age=3600").await;
    assert!(fixture.finds("first", 0).await.unwrap());
    fixture.publish("second", "max-age=3600");
    assert!(fixture.finds("second", COOL_DOWN_SECONDS).await.unwrap());
    assert_eq!(fixture.server.asked(), 2);
}

#[tokio::test]
async fn invented_keys_make_one_fetch_in_a_cool_down() {
    let fixture = Fixture::new("no-store").await;
    for number in 0..20 {
        assert!(
            !fixture
                .finds(&format!("invented-{number}"), number / 10)
                .await
                .unwrap()
        );
    }
    assert_eq!(fixture.server.asked(), 1);
    assert!(fixture.finds("first", COOL_DOWN_SECONDS - 1).await.unwrap());
    assert_eq!(fixture.server.asked(), 1);
    assert!(fixture.finds("first", COOL_DOWN_SECONDS).await.unwrap());
    assert_eq!(fixture.server.asked(), 2, "it may not be kept");
}

#[tokio::test]
async fn many_callers_at_once_share_one_fetch() {
    let fixture = Arc::new(Fixture::new("max-age=60").await);
    let mut callers = JoinSet::new();
    for _ in 0..32 {
        let fixture = fixture.clone();
        callers.spawn(async move { fixture.finds("first", 0).await.unwrap() });
    }
    assert!(callers.join_all().await.into_iter().all(|found| found));
    assert_eq!(fixture.server.asked(), 1);
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_for_a_while() {
    let fixture = Fixture::new("max-age=60").await;
    fixture.server.answer(500, &[], "");
    assert!(matches!(
        fixture.finds("first", 0).await,
        Err(KeySetError::Fetch(FetchError::Status(_)))
    ));
    assert!(matches!(
        fixture.finds("first", COOL_DOWN_SECONDS - 1).await,
        Err(KeySetError::Pausing)
    ));
    assert_eq!(fixture.server.asked(), 1);
    fixture.publish("first", "max-age=60");
    assert!(fixture.finds("first", COOL_DOWN_SECONDS).await.unwrap());
}

#[tokio::test]
async fn a_set_in_hand_serves_on_while_its_server_fails_but_never_beyond_its_time() {
    let fixture = Fixture::new("max-age=60").await;
    assert!(fixture.finds("first", 0).await.unwrap());
    fixture.server.answer(503, &[], "");
    assert!(!fixture.finds("invented", 30).await.unwrap());
    assert!(fixture.finds("first", 59).await.unwrap());
    assert!(fixture.finds("first", 60).await.is_err());
}

#[tokio::test]
async fn a_document_that_is_no_trustworthy_set_is_none() {
    let fixture = Fixture::new("max-age=60").await;
    for (step, (body, error)) in (0..).zip([
        ("<html>", JwkError::Malformed),
        ("{\"keys\":{}}", JwkError::Malformed),
        ("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}", JwkError::NotPublic),
    ]) {
        fixture.server.answer(200, &[], body);
        match fixture.finds("first", step * COOL_DOWN_SECONDS).await {
            Err(KeySetError::NoKeySet(found)) => assert_eq!(found, error),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn no_more_than_so_many_sets_are_kept() {
    let fixture = Fixture::new("max-age=60").await;
    assert!(fixture.finds("first", 0).await.unwrap());
    for number in 0..MOST_ENTRIES.saturating_mul(2) {
        // Never fetched: not https.
        let url = format!("http://app{number}.example/jwks.json");
        assert!(fixture.sets.key_set(&url, wanted("first"), at(0)).await.is_err());
        assert!(fixture.sets.entries.lock().unwrap().len() <= MOST_ENTRIES);
    }
    assert!(fixture.finds("first", 1).await.unwrap());
}
