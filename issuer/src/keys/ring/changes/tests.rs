//! What a change does to the keys, by command and by schedule, also when two processes make it at once.

use serde_json::json;
use wardgate_shared::denial::DenyKind;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

use super::super::tests::{empty_ring, key_id_of, process, published, rotation, sign};
use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::signing_key::StoredSigningKey;
use crate::keys::ring::{ID_TOKEN_ALGORITHMS, KeyRing};
use crate::store::{Store, StoreError};
use crate::testing::{self, START, config, master_key};

const DAY: i64 = 86_400;

fn revocation(now: Timestamp) -> AuditEvent {
    AuditEvent::new(now, AuditAction::KeyRevocation, AuditOutcome::Success)
}

// OIDC-95
#[tokio::test]
async fn a_rotated_key_is_published_before_it_signs_and_the_old_one_until_its_tokens_have_expired() {
    let (_folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let old = key_id_of(&sign(&ring, 0));

    let new = ring
        .rotate(&store, SignatureAlgorithm::ES256, rotation(START.plus(100)))
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
        .rotate(&store, SignatureAlgorithm::ES256, rotation(START))
        .await
        .unwrap()
        .key_id;
    let third = ring
        .rotate(&store, SignatureAlgorithm::ES256, rotation(START.plus(10)))
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
    ring.rotate(&store, SignatureAlgorithm::RS256, rotation(START))
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
    ring.rotate(&store, SignatureAlgorithm::ES256, rotation(START))
        .await
        .unwrap();
    ring.rotate(&store, SignatureAlgorithm::RS256, rotation(START))
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
    let successor = ring
        .revoke(&store, &revoked, revocation(now))
        .await
        .unwrap()
        .unwrap();
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
            ring.revoke(&store, unknown, revocation(now)).await.unwrap(),
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
        .rotate(&store, SignatureAlgorithm::ES256, rotation(START.plus(5)))
        .await
        .unwrap();
    assert_eq!(key_id_of(&sign(&ring, 6)), first, "it waits");
    let successor = ring
        .revoke(&store, &first, revocation(START.plus(6)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(successor, Some(second.key_id.clone()));
    assert_eq!(key_id_of(&sign(&ring, 6)), second.key_id);
}

#[tokio::test]
async fn there_is_always_a_key_that_signs_whichever_is_revoked() {
    let (_folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let first = key_id_of(&sign(&ring, 0));
    let second = ring
        .rotate(&store, SignatureAlgorithm::ES256, rotation(START.plus(5)))
        .await
        .unwrap();
    // The one that waits: another takes its place, and the first signs until that begins.
    let third = ring
        .revoke(&store, &second.key_id, revocation(START.plus(6)))
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let begins = second.signs_from.since(START);
    assert_eq!(key_id_of(&sign(&ring, begins - 1)), first);
    assert_eq!(key_id_of(&sign(&ring, begins)), third);
    // The retired one: nothing takes its place.
    let none = ring
        .revoke(&store, &first, revocation(second.signs_from.plus(1)))
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

/// Keys are succeeded every 90 days.
fn ninety_days(folder: &std::path::Path) -> Config {
    let mut config = config(folder);
    config.keys.rotation_days = 90;
    config
}

#[tokio::test]
async fn the_schedule_publishes_a_successor_the_lead_before_its_day_and_none_after_that() {
    let folder = tempfile::tempdir().unwrap();
    let (store, ring) = process(&ninety_days(folder.path())).await;
    ring.ensure_keys(&store, START).await.unwrap();
    let old = key_id_of(&sign(&ring, 0));
    let due = 90 * DAY - 3600;
    for algorithm in ring.algorithms() {
        assert_eq!(
            ring.successor_due(algorithm),
            Some(START.plus(due)),
            "{algorithm}"
        );
    }

    let early = ring.rotate_due(&store, START.plus(due - 1)).await.unwrap();
    assert!(early.is_empty());
    let made = ring.rotate_due(&store, START.plus(due)).await.unwrap();
    assert_eq!(made.len(), ring.algorithms().len(), "one for each algorithm");
    let new = made.iter().find(|key| key.algorithm == SignatureAlgorithm::ES256);
    let new = &new.unwrap().key_id;
    assert!(published(&ring, due).contains(new));
    assert_eq!(key_id_of(&sign(&ring, 90 * DAY - 1)), old);
    assert_eq!(&key_id_of(&sign(&ring, 90 * DAY)), new);

    let again = ring.rotate_due(&store, START.plus(90 * DAY)).await.unwrap();
    assert!(again.is_empty(), "a successor is no reason for another");
    let next = Some(START.plus(90 * DAY + due));
    assert_eq!(ring.successor_due(SignatureAlgorithm::ES256), next);
}

#[tokio::test]
async fn a_server_that_was_away_on_the_day_makes_up_for_it_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let (store, ring) = process(&ninety_days(folder.path())).await;
    ring.ensure_keys(&store, START).await.unwrap();
    let old = key_id_of(&sign(&ring, 0));
    let late = 200 * DAY;
    assert!(
        !ring
            .rotate_due(&store, START.plus(late))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        key_id_of(&sign(&ring, late + 3599)),
        old,
        "caches are given the lead"
    );
    assert_ne!(key_id_of(&sign(&ring, late + 3600)), old);
}

#[tokio::test]
async fn without_a_schedule_nothing_is_due_however_old_keys_are() {
    let (folder, store, ring) = empty_ring().await;
    let mut never = config(folder.path());
    never.keys.rotation_days = 0;
    let ring_without = KeyRing::load(&store, master_key(), &never).await.unwrap();
    ring.ensure_keys(&store, START).await.unwrap();
    ring_without.reload(&store).await.unwrap();
    assert_eq!(ring_without.successor_due(SignatureAlgorithm::ES256), None);
    let made = ring_without
        .rotate_due(&store, START.plus(4000 * DAY))
        .await
        .unwrap();
    assert!(made.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_processes_that_find_a_key_due_one_makes_its_successor() {
    let folder = tempfile::tempdir().unwrap();
    let config = ninety_days(folder.path());
    let (store, ring) = process(&config).await;
    ring.ensure_keys(&store, START).await.unwrap();
    let now = START.plus(91 * DAY);
    let mut processes = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (store, ring) = process(&config).await;
        processes.spawn(async move { ring.rotate_due(&store, now).await.unwrap().len() });
    }
    let made: usize = processes.join_all().await.into_iter().sum();
    assert_eq!(made, ring.algorithms().len());
    ring.reload(&store).await.unwrap();
    assert_one_is_newest(&ring);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotations_and_revocations_at_once_leave_one_key_that_signs_and_none_that_was_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let config = ninety_days(folder.path());
    let (store, ring) = process(&config).await;
    ring.ensure_keys(&store, START).await.unwrap();
    let revoked = key_id_of(&sign(&ring, 0));
    let now = START.plus(DAY);
    let mut processes = tokio::task::JoinSet::new();
    for number in 0..4 {
        let (store, ring) = process(&config).await;
        let revoked = revoked.clone();
        processes.spawn(async move {
            // Whoever is late again and again is told so; then nothing has changed.
            if number % 2 == 0 {
                let _ = ring
                    .rotate(&store, SignatureAlgorithm::ES256, rotation(now))
                    .await;
            } else {
                let _ = ring.revoke(&store, &revoked, revocation(now)).await;
            }
        });
    }
    processes.join_all().await;
    let _ = ring.revoke(&store, &revoked, revocation(now)).await.unwrap();
    assert_one_is_newest(&ring);
    assert!(
        !published(&ring, DAY).contains(&revoked),
        "no rotation brings it back"
    );
    assert_ne!(key_id_of(&sign(&ring, DAY)), revoked);
}

fn assert_one_is_newest(ring: &KeyRing) {
    for algorithm in ring.algorithms() {
        let lives = ring.lives();
        let own = lives.iter().filter(|life| life.algorithm == algorithm);
        let newest = own.filter(|life| life.signs_until.is_none()).count();
        assert_eq!(newest, 1, "{algorithm}");
    }
}

#[tokio::test]
async fn a_successor_of_keys_that_are_others_by_now_is_not_stored() {
    let (_folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let before = (ring.lives().len(), store.audit_events(100).await.unwrap().len());
    let late = StoredSigningKey {
        key_id: "late".into(),
        algorithm: SignatureAlgorithm::ES256,
        sealed_private_key: vec![1],
        created_at: START,
        signs_from: START,
        signs_until: None,
        published_until: None,
    };
    // It knows of no predecessor.
    let outcome = store.insert_signing_key(late, Vec::new(), rotation(START)).await;
    assert!(matches!(outcome, Err(StoreError::Conflict)), "{outcome:?}");
    ring.reload(&store).await.unwrap();
    let after = (ring.lives().len(), store.audit_events(100).await.unwrap().len());
    assert_eq!(after, before);
}

#[tokio::test]
async fn each_change_says_in_the_trail_which_key_it_is_about() {
    let (_folder, store, ring) = empty_ring().await;
    ring.ensure_keys(&store, START).await.unwrap();
    let started = store.audit_events(1).await.unwrap();
    assert_eq!(started[0].method.as_deref(), Some("start"));
    let made = ring
        .rotate(&store, SignatureAlgorithm::ES256, rotation(START))
        .await
        .unwrap();
    let newest = |events: Vec<AuditEvent>| (events[0].action, events[0].object_id.clone());
    let newest_rotation = newest(store.audit_events(1).await.unwrap());
    assert_eq!(
        newest_rotation,
        (AuditAction::KeyRotation, Some(made.key_id.clone()))
    );
    let _ = ring
        .revoke(&store, &made.key_id, revocation(START))
        .await
        .unwrap();
    let revocation = newest(store.audit_events(1).await.unwrap());
    assert_eq!(revocation, (AuditAction::KeyRevocation, Some(made.key_id)));
}
