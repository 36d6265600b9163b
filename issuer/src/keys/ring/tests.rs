//! Which key signs, which are published, and when.

use serde_json::json;
use wardgate_shared::claims::{ACCESS_TOKEN_TYPE, AccessClaims, LaunchContext};
use wardgate_shared::denial::DenyKind;
use wardgate_shared::jwt::{Audiences, MAXIMUM_JWT_BYTES, Policy, SignatureAlgorithm, UnverifiedJwt, verify};
use wardgate_shared::secret::Secret;

use super::{ID_TOKEN_ALGORITHMS, KeyError, KeyRing};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::keys::MasterKey;
use crate::store::Store;
use crate::testing::{self, AUDIENCE, ISSUER, START, TestIssuer, config, master_key};

/// A ring over an empty database of its own.
async fn empty_ring() -> (tempfile::TempDir, Store, KeyRing) {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let store = Store::open(&config.database, &testing::sealer(), START).unwrap();
    let ring = KeyRing::load(&store, master_key(), &config).await.unwrap();
    (folder, store, ring)
}

fn key_id_of(jwt: &str) -> String {
    UnverifiedJwt::parse(jwt, MAXIMUM_JWT_BYTES)
        .unwrap()
        .key_id()
        .unwrap()
        .into()
}

fn sign(ring: &KeyRing, seconds: i64) -> String {
    let now = START.plus(seconds);
    ring.sign(ACCESS_TOKEN_TYPE, json!({"sub": "x"}), now, now.plus(3600), now)
        .unwrap()
}

fn published(ring: &KeyRing, seconds: i64) -> Vec<String> {
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

// OIDC-95
#[tokio::test]
async fn a_rotated_key_is_published_before_it_signs_and_the_old_one_until_its_tokens_have_expired() {
    let (_folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let old = key_id_of(&sign(&ring, 0));

    let new = ring
        .rotate(&store, SignatureAlgorithm::ES256, START.plus(100))
        .await
        .unwrap()
        .key_id;
    assert_ne!(new, old);
    // The lead is 3600 seconds, the longest token lives 3600 seconds, and clocks may lag 300.
    assert!(published(&ring, 100).contains(&new));
    assert_eq!(key_id_of(&sign(&ring, 3699)), old);
    assert_eq!(key_id_of(&sign(&ring, 3700)), new);
    let last = 3700 + 3600 + 300;
    assert!(published(&ring, last - 1).contains(&old));
    assert!(!published(&ring, last).contains(&old));
    assert!(
        ring.verifying_key(&old, SignatureAlgorithm::ES256, START.plus(last))
            .is_none()
    );
    assert!(published(&ring, last).contains(&new));
}

#[tokio::test]
async fn a_second_rotation_during_the_lead_hands_over_in_turn() {
    let (_folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let first = key_id_of(&sign(&ring, 0));
    let second = ring
        .rotate(&store, SignatureAlgorithm::ES256, START)
        .await
        .unwrap()
        .key_id;
    let third = ring
        .rotate(&store, SignatureAlgorithm::ES256, START.plus(10))
        .await
        .unwrap()
        .key_id;
    let signer = |seconds| key_id_of(&sign(&ring, seconds));
    assert_eq!(
        [signer(3599), signer(3600), signer(3609), signer(3610)],
        [first, second.clone(), second, third]
    );
}

#[tokio::test]
async fn rotating_one_algorithm_leaves_the_other_alone() {
    let (_folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    ring.rotate(&store, SignatureAlgorithm::RS256, START)
        .await
        .unwrap();
    let es256: Vec<_> = ring
        .lives()
        .into_iter()
        .filter(|life| life.algorithm == SignatureAlgorithm::ES256)
        .collect();
    assert_eq!(es256.len(), 1);
    assert_eq!(es256[0].signs_until, None);
}

#[tokio::test]
async fn a_ring_learns_of_another_process_rotation_by_reloading() {
    let (folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let config = config(folder.path());
    let other = KeyRing::load(&store, master_key(), &config).await.unwrap();
    let new = other
        .rotate(&store, SignatureAlgorithm::ES256, START)
        .await
        .unwrap()
        .key_id;
    assert!(!published(&ring, 0).contains(&new));
    ring.reload(&store).await.unwrap();
    assert!(published(&ring, 0).contains(&new));
    assert!(ring.lives().iter().all(|life| life.sealed_private_key.is_empty()));
}

#[tokio::test]
async fn a_newly_configured_algorithm_waits_for_the_lead_while_the_old_one_signs() {
    let (folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let mut config = config(folder.path());
    config.keys.algorithm = SignatureAlgorithm::ES384;
    let ring = KeyRing::load(&store, master_key(), &config).await.unwrap();
    let new = ring.ensure_keys(&store, START.plus(10)).await.unwrap();
    assert_eq!(new.len(), 1);
    assert!(published(&ring, 10).contains(&new[0]));
    assert_ne!(key_id_of(&sign(&ring, 3609)), new[0]);
    assert_eq!(key_id_of(&sign(&ring, 3610)), new[0]);
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

#[tokio::test]
async fn after_a_switch_of_the_algorithm_the_old_keys_leave_the_published_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.keys.algorithm = SignatureAlgorithm::RS384;
    let store = Store::open(&config.database, &testing::sealer(), START).unwrap();
    let before = KeyRing::load(&store, master_key(), &config).await.unwrap();
    before.ensure_keys(&store, START).await.unwrap();
    let old = key_id_of(&sign(&before, 0));
    config.keys.algorithm = SignatureAlgorithm::ES384;
    let ring = KeyRing::load(&store, master_key(), &config).await.unwrap();
    let made = ring.ensure_keys(&store, START.plus(100)).await.unwrap();
    assert_eq!(made.len(), 1);
    assert_ne!(
        key_id_of(&sign(&ring, 3699)),
        made[0],
        "not before its lead is over"
    );
    assert_eq!(key_id_of(&sign(&ring, 3700)), made[0]);
    let last = 3700 + 3600 + 300;
    assert!(published(&ring, last - 1).contains(&old));
    assert!(!published(&ring, last).contains(&old));
    assert_eq!(
        published(&ring, last).len(),
        5,
        "the new one and those of ID tokens stay"
    );

    // Switched back while the old key has an end already: it gets a successor.
    config.keys.algorithm = SignatureAlgorithm::RS384;
    let ring = KeyRing::load(&store, master_key(), &config).await.unwrap();
    let again = ring.ensure_keys(&store, START.plus(200)).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(key_id_of(&sign(&ring, 20_000)), again[0]);
    assert!(!published(&ring, 20_000).contains(&made[0]));
}

#[tokio::test]
async fn the_first_key_of_an_algorithm_that_only_id_tokens_use_signs_at_once() {
    let (_folder, store, ring) = empty_ring().await;
    ring.rotate(&store, SignatureAlgorithm::ES256, START)
        .await
        .unwrap();
    ring.rotate(&store, SignatureAlgorithm::RS256, START)
        .await
        .unwrap();
    let now = START.plus(86_400);
    assert_eq!(ring.ensure_keys(&store, now).await.unwrap().len(), 2);
    for algorithm in ID_TOKEN_ALGORITHMS {
        let signed = ring.sign_with(algorithm, "JWT", json!({}), now, now.plus(60), now);
        assert!(signed.is_ok(), "{algorithm}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_published_no_more_and_another_signs_at_once() {
    let (_folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let revoked = key_id_of(&sign(&ring, 0));
    let now = START.plus(5);
    let successor = ring.revoke(&store, &revoked, now).await.unwrap().unwrap();
    let successor = successor.expect("the signing key has a successor");
    assert_eq!(key_id_of(&sign(&ring, 5)), successor);
    assert!(!published(&ring, 5).contains(&revoked) && published(&ring, 5).contains(&successor));
    assert!(
        ring.verifying_key(&revoked, SignatureAlgorithm::ES256, now)
            .is_none()
    );

    let denials = store.denials(now).await.unwrap();
    assert_eq!(denials.len(), 1);
    assert_eq!(
        (denials[0].kind, denials[0].name.as_str()),
        (DenyKind::SigningKey, revoked.as_str())
    );
    let events = store.audit_events(1).await.unwrap();
    assert_eq!(events[0].action, AuditAction::KeyRevocation);

    for unknown in [revoked.as_str(), "nobody"] {
        assert_eq!(
            ring.revoke(&store, unknown, now).await.unwrap(),
            None,
            "{unknown}"
        );
    }
    assert_eq!(key_id_of(&sign(&ring, 5)), successor, "nothing has changed");
}

#[tokio::test]
async fn a_successor_that_waits_signs_at_once_when_its_predecessor_is_revoked() {
    let (_folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let first = key_id_of(&sign(&ring, 0));
    let second = ring
        .rotate(&store, SignatureAlgorithm::ES256, START.plus(5))
        .await
        .unwrap();
    assert_eq!(key_id_of(&sign(&ring, 6)), first, "it waits");
    let successor = ring.revoke(&store, &first, START.plus(6)).await.unwrap().unwrap();
    assert_eq!(successor, Some(second.key_id.clone()));
    assert_eq!(key_id_of(&sign(&ring, 6)), second.key_id);
}

#[tokio::test]
async fn there_is_always_a_key_that_signs_whichever_is_revoked() {
    let (_folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let first = key_id_of(&sign(&ring, 0));
    let second = ring
        .rotate(&store, SignatureAlgorithm::ES256, START.plus(5))
        .await
        .unwrap();
    // The one that waits: another takes its place, and the first signs until that begins.
    let third = ring
        .revoke(&store, &second.key_id, START.plus(6))
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let begins = second.signs_from.since(START);
    assert_eq!(key_id_of(&sign(&ring, begins - 1)), first);
    assert_eq!(key_id_of(&sign(&ring, begins)), third);
    // The retired one: nothing takes its place.
    let none = ring
        .revoke(&store, &first, second.signs_from.plus(1))
        .await
        .unwrap();
    assert_eq!(none, Some(None));
    assert_eq!(key_id_of(&sign(&ring, begins + 1)), third);
    for algorithm in ring.algorithms() {
        let now = second.signs_from.plus(2);
        assert!(
            ring.sign_with(algorithm, "JWT", json!({}), now, now.plus(60), now)
                .is_ok()
        );
    }
}
