//! Which key signs, which are published, and when.

use serde_json::json;
use wardgate_shared::claims::{ACCESS_TOKEN_TYPE, AccessClaims, LaunchContext};
use wardgate_shared::jwt::{Audiences, MAXIMUM_JWT_BYTES, Policy, SignatureAlgorithm, UnverifiedJwt, verify};
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use super::{ID_TOKEN_ALGORITHMS, KeyError, KeyRing};
use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::keys::MasterKey;
use crate::store::Store;
use crate::testing::{self, AUDIENCE, ISSUER, START, TestIssuer, config, master_key};

/// What a process has of the issuer of this configuration.
pub(super) async fn process(config: &Config) -> (Store, KeyRing) {
    let store = Store::open(&config.database, &testing::sealer(), START).unwrap();
    let ring = KeyRing::load(&store, master_key(), config).await.unwrap();
    (store, ring)
}

/// A ring over an empty database of its own.
pub(super) async fn empty_ring() -> (tempfile::TempDir, Store, KeyRing) {
    let folder = tempfile::tempdir().unwrap();
    let (store, ring) = process(&config(folder.path())).await;
    (folder, store, ring)
}

pub(super) fn rotation(now: Timestamp) -> AuditEvent {
    AuditEvent::new(now, AuditAction::KeyRotation, AuditOutcome::Success)
}

pub(super) fn key_id_of(jwt: &str) -> String {
    UnverifiedJwt::parse(jwt, MAXIMUM_JWT_BYTES)
        .unwrap()
        .key_id()
        .unwrap()
        .into()
}

pub(super) fn sign(ring: &KeyRing, seconds: i64) -> String {
    let now = START.plus(seconds);
    ring.sign(ACCESS_TOKEN_TYPE, json!({"sub": "x"}), now, now.plus(3600), now)
        .unwrap()
}

pub(super) fn published(ring: &KeyRing, seconds: i64) -> Vec<String> {
    ring.published(START.plus(seconds))
        .iter()
        .map(|key| key.key_id().unwrap().into())
        .collect()
}

#[tokio::test]
async fn a_fresh_database_gets_a_key_for_each_algorithm_and_they_sign_at_once() {
    let (_folder, store, ring) = empty_ring().await;
    assert!(matches!(
        ring.sign("JWT", json!({}), START, START, START),
        Err(KeyError::NoSigningKey)
    ));

    let made = ring.ensure_keys(&store, START).await.unwrap();
    assert_eq!(made.len(), 4);
    assert_eq!(
        ring.algorithms(),
        [
            SignatureAlgorithm::ES256,
            SignatureAlgorithm::RS256,
            SignatureAlgorithm::PS256,
            SignatureAlgorithm::EdDSA
        ]
    );
    assert_eq!(
        ring.ensure_keys(&store, START).await.unwrap(),
        [] as [String; 0],
        "nothing is made twice"
    );

    let default = sign(&ring, 0);
    assert_eq!(
        UnverifiedJwt::parse(&default, MAXIMUM_JWT_BYTES)
            .unwrap()
            .algorithm(),
        SignatureAlgorithm::ES256
    );
    for algorithm in ID_TOKEN_ALGORITHMS {
        let id_token = ring
            .sign_with(algorithm, "JWT", json!({}), START, START.plus(60), START)
            .unwrap();
        let unverified = UnverifiedJwt::parse(&id_token, MAXIMUM_JWT_BYTES).unwrap();
        assert_eq!(unverified.algorithm(), algorithm);
    }

    let events = store.audit_events(10).await.unwrap();
    assert_eq!(events.len(), 4);
    assert!(
        events.iter().all(|event| {
            event.action == AuditAction::KeyRotation && event.outcome == AuditOutcome::Success
        })
    );
}

#[tokio::test]
async fn tokens_verify_with_the_published_key() {
    let issuer = TestIssuer::new().await;
    let claims = AccessClaims {
        issuer: ISSUER.into(),
        subject: "user-1".into(),
        audiences: Audiences::new(vec![AUDIENCE.into()]),
        token_id: "at-1".into(),
        client_id: "app".into(),
        scope: "openid".into(),
        practitioner_id: None,
        organization_id: None,
        launch_context: LaunchContext::default(),
        fhir_user: None,
        confirmation: None,
        actor: None,
        authentication_context: None,
        authentication_methods: Vec::new(),
        authenticated_at: None,
        status: None,
        api_key_id: None,
    };
    let ring = issuer.state.keys();
    let token = ring
        .sign(ACCESS_TOKEN_TYPE, &claims, START, START.plus(60), START)
        .unwrap();
    let jwt = UnverifiedJwt::parse(&token, MAXIMUM_JWT_BYTES).unwrap();
    let key = ring
        .verifying_key(jwt.key_id().unwrap(), jwt.algorithm(), START)
        .unwrap();
    let audiences = [String::from(AUDIENCE)];
    let policy = Policy {
        token_type: Some(ACCESS_TOKEN_TYPE.into()),
        issuer: ISSUER.into(),
        audiences: audiences.as_slice().into(),
        skew_seconds: 0,
        maximum_lifetime_seconds: Some(60),
    };
    let verified = verify::<AccessClaims, _>(&jwt, &key, &policy, START)
        .await
        .unwrap();
    assert_eq!(verified.claims(), &claims);

    assert!(
        ring.verifying_key(jwt.key_id().unwrap(), SignatureAlgorithm::RS256, START)
            .is_none()
    );
    assert!(ring.verifying_key("unknown", jwt.algorithm(), START).is_none());
    assert!(
        ring.published(START)
            .find(jwt.key_id(), jwt.algorithm())
            .is_some()
    );
}

#[tokio::test]
async fn a_ring_learns_of_another_process_rotation_by_reloading() {
    let (folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let config = config(folder.path());
    let other = KeyRing::load(&store, master_key(), &config).await.unwrap();
    let new = other
        .rotate(&store, SignatureAlgorithm::ES256, rotation(START))
        .await
        .unwrap()
        .key_id;
    assert!(!published(&ring, 0).contains(&new));
    ring.reload(&store).await.unwrap();
    assert!(published(&ring, 0).contains(&new));
    assert!(ring.lives().iter().all(|life| life.sealed_private_key.is_empty()));
}

#[tokio::test]
async fn another_master_key_is_refused_with_what_to_do() {
    let (folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let wrong = MasterKey::new(Secret::new([9; 32]));
    let error = KeyRing::load(&store, wrong, &config(folder.path()))
        .await
        .unwrap_err();
    assert!(matches!(error, KeyError::WrongMasterKey(_)));
    let said = error.to_string();
    assert!(
        said.contains("configure the master key that this database was made with"),
        "{said}"
    );
}

#[tokio::test]
async fn stored_private_keys_are_sealed() {
    let (_folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    for stored in store.signing_keys().await.unwrap() {
        assert!(
            master_key()
                .open(&stored.sealed_private_key, &stored.key_id)
                .is_ok()
        );
        assert!(
            crate::keys::NativeSigningKey::from_pkcs8(stored.algorithm, &stored.sealed_private_key).is_err()
        );
    }
}
