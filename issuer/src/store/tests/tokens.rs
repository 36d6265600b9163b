//! Refresh tokens, access tokens, and the grants they hang on.

use wardgate_shared::scope::ScopeSet;

use super::{TestStore, access, audit, digest, later, presented, refresh};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::grant::Grant;
use crate::domain::session::Session;
use crate::store::{RefreshRotation, StoreError};
use crate::testing::{self, START};

impl TestStore {
    /// Exchanges `from` for `to` of grant-1, with the access token `at-{to}`.
    async fn rotate(&self, from: &str, to: &str, seconds: i64) -> Result<RefreshRotation, StoreError> {
        self.rotate_with_grace(from, to, seconds, 0).await
    }

    /// The same for a client with this grace.
    async fn rotate_with_grace(
        &self,
        from: &str,
        to: &str,
        seconds: i64,
        grace_seconds: i64,
    ) -> Result<RefreshRotation, StoreError> {
        let successor = refresh(to, "grant-1");
        let access = access(&format!("at-{to}"), Some("grant-1"));
        self.store
            .rotate_refresh_token(
                presented(from, grace_seconds),
                successor,
                access,
                later(seconds),
                audit(AuditAction::TokenRequest),
            )
            .await
    }

    fn online_grant(&self) -> Grant {
        Grant {
            scope: ScopeSet::parse("openid online_access").unwrap(),
            ..self.grant("grant-1")
        }
    }
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_its_successor() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    assert_eq!(test.rotate("r1", "r2", 10).await, Ok(RefreshRotation::Rotated));
    assert_eq!(test.rotate("r2", "r3", 20).await, Ok(RefreshRotation::Rotated));
    let (old, _) = test.store.refresh_token(&digest("r1")).await.unwrap().unwrap();
    assert_eq!(old.rotated_at, Some(later(10)));
    assert!(test.is_live("at-r1").await && test.is_live("at-r3").await);
}

#[tokio::test]
async fn until_its_successor_is_used_a_refresh_token_may_come_again() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    assert_eq!(test.rotate("r1", "lost", 10).await, Ok(RefreshRotation::Rotated));
    assert_eq!(
        test.rotate("r1", "lost too", 20).await,
        Ok(RefreshRotation::Retried)
    );
    assert_eq!(
        test.rotate("r1", "r2", 86_400).await,
        Ok(RefreshRotation::Retried)
    );
    for (token, live) in [
        ("at-lost", false),
        ("at-lost too", false),
        ("at-r1", true),
        ("at-r2", true),
    ] {
        assert_eq!(test.is_live(token).await, live, "{token}");
    }
    for (token, live) in [("r1", false), ("lost", false), ("lost too", false), ("r2", true)] {
        assert_eq!(test.is_refreshable(token, 86_401).await, live, "{token}");
    }
    let newest = test.store.audit_events(1).await.unwrap().remove(0);
    assert_eq!(
        (newest.action, newest.outcome, newest.reason.as_deref()),
        (
            AuditAction::TokenRequest,
            AuditOutcome::Success,
            Some("refresh_token_retried")
        )
    );
    assert_eq!(
        test.rotate("r2", "r3", 86_402).await,
        Ok(RefreshRotation::Rotated)
    );
}

#[tokio::test]
async fn a_refresh_token_whose_successor_was_used_ends_the_family() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    assert_eq!(test.rotate("r1", "r2", 10).await, Ok(RefreshRotation::Rotated));
    assert_eq!(test.rotate("r2", "r3", 11).await, Ok(RefreshRotation::Rotated));
    assert_eq!(
        test.rotate("r1", "stolen", 12).await,
        Ok(RefreshRotation::Replayed)
    );
    assert_eq!(
        test.rotate("r3", "r4", 13).await,
        Ok(RefreshRotation::Dead),
        "the rightful holder must start anew"
    );
    for token in ["at-r1", "at-r2", "at-r3", "at-stolen", "at-r4"] {
        assert!(!test.is_live(token).await, "{token}");
    }
    assert!(
        test.store
            .refresh_token(&digest("stolen"))
            .await
            .unwrap()
            .is_none()
    );
    let newest = test.store.audit_events(1).await.unwrap().remove(0);
    assert_eq!(
        (newest.action, newest.outcome),
        (AuditAction::Replay, AuditOutcome::Failure)
    );
    assert_eq!(newest.reason.as_deref(), Some("refresh_token_replayed"));
    assert_eq!(test.rotate("r1", "again", 14).await, Ok(RefreshRotation::Dead));
    assert_eq!(test.count(AuditAction::Replay).await, 1, "a family ends once");
}

#[tokio::test]
async fn a_replaced_refresh_token_ends_the_family() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    assert_eq!(test.rotate("r1", "r2", 10).await, Ok(RefreshRotation::Rotated));
    // A thief with the old token takes the successor away from the client, whose next refresh shows it.
    assert_eq!(
        test.rotate("r1", "stolen", 11).await,
        Ok(RefreshRotation::Retried)
    );
    assert_eq!(test.rotate("r2", "r3", 12).await, Ok(RefreshRotation::Replayed));
    assert_eq!(test.rotate("stolen", "r4", 13).await, Ok(RefreshRotation::Dead));
    assert!(!test.is_live("at-stolen").await);
}

// FAPI-41
#[tokio::test]
async fn within_its_clients_grace_a_superseded_refresh_token_works_and_what_counted_is_replaced() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    let rotate = |from, to, seconds| test.rotate_with_grace(from, to, seconds, 60);
    assert_eq!(rotate("r1", "r2", 10).await, Ok(RefreshRotation::Rotated));
    assert_eq!(rotate("r2", "r3", 20).await, Ok(RefreshRotation::Rotated));
    assert_eq!(rotate("r1", "r4", 69).await, Ok(RefreshRotation::Tolerated));
    for token in ["at-r1", "at-r2", "at-r3", "at-r4"] {
        assert!(test.is_live(token).await, "{token} is another process's");
    }
    for (token, live) in [("r1", false), ("r2", false), ("r3", false), ("r4", true)] {
        assert_eq!(test.is_refreshable(token, 69).await, live, "{token}");
    }
    let newest = test.store.audit_events(1).await.unwrap().remove(0);
    assert_eq!(newest.reason.as_deref(), Some("refresh_token_in_grace"));
    assert_eq!(rotate("r3", "r5", 70).await, Ok(RefreshRotation::Tolerated));
    assert_eq!(
        rotate("r1", "r6", 70).await,
        Ok(RefreshRotation::Replayed),
        "each use would give it another minute otherwise"
    );
    assert_eq!(rotate("r5", "r7", 71).await, Ok(RefreshRotation::Dead));
}

#[tokio::test]
async fn a_retry_after_the_grace_is_still_a_retry() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    let rotate = |from, to, seconds| test.rotate_with_grace(from, to, seconds, 60);
    assert_eq!(rotate("r1", "r2", 10).await, Ok(RefreshRotation::Rotated));
    assert_eq!(rotate("r1", "r3", 70).await, Ok(RefreshRotation::Retried));
    assert_eq!(rotate("r3", "r4", 71).await, Ok(RefreshRotation::Rotated));
}

#[tokio::test]
async fn no_retry_and_no_grace_outlives_token_person_or_grant() {
    for (breaks, rotation) in [
        ("UPDATE users SET deactivated_at = 1", RefreshRotation::Replayed),
        (
            "UPDATE refresh_tokens SET expires_at = 1",
            RefreshRotation::Replayed,
        ),
        ("UPDATE grants SET ended_at = 1", RefreshRotation::Dead),
    ] {
        let test = TestStore::new().await;
        test.redeemed("r1", test.grant("grant-1")).await;
        let rotate = |to, seconds| test.rotate_with_grace("r1", to, seconds, 60);
        assert_eq!(rotate("r2", 10).await, Ok(RefreshRotation::Rotated));
        test.connection().execute(breaks, []).unwrap();
        assert_eq!(rotate("r3", 11).await, Ok(rotation), "{breaks}");
    }
}

#[tokio::test]
async fn a_family_never_has_two_tokens_that_count() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    let second = test.connection().execute(
        "INSERT INTO refresh_tokens (digest, grant_id, issued_at, expires_at) VALUES (zeroblob(32), 'grant-1', 1, 2)",
        [],
    );
    assert!(second.unwrap_err().to_string().contains("UNIQUE"));
}

#[tokio::test]
async fn ending_a_replayed_family_spares_what_may_be_exchanged() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    let end = |token, grace| {
        let audit = audit(AuditAction::TokenRequest);
        test.store
            .end_replayed_family(presented(token, grace), later(30), audit)
    };
    assert_eq!(end("unknown", 0).await, Ok(false));
    assert_eq!(end("r1", 0).await, Ok(false), "it counts");
    assert_eq!(test.rotate("r1", "r2", 10).await, Ok(RefreshRotation::Rotated));
    assert_eq!(end("r1", 0).await, Ok(false), "its successor is unused");
    assert_eq!(test.rotate("r2", "r3", 20).await, Ok(RefreshRotation::Rotated));
    assert_eq!(end("r1", 60).await, Ok(false), "it is in its client's grace");
    assert_eq!(end("r1", 0).await, Ok(true));
    assert_eq!(end("r1", 0).await, Ok(false), "a family ends once");
    assert_eq!(test.count(AuditAction::Replay).await, 1);
}

#[tokio::test]
async fn an_expired_or_unknown_refresh_token_is_dead() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    assert_eq!(test.rotate("unknown", "x", 0).await, Ok(RefreshRotation::Dead));
    assert_eq!(test.rotate("r1", "x", 2_592_000).await, Ok(RefreshRotation::Dead));
    assert_eq!(
        test.rotate("r1", "r2", 2_591_999).await,
        Ok(RefreshRotation::Rotated)
    );
}

#[tokio::test]
async fn a_successor_of_another_grant_is_refused_and_the_token_stays_good() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    test.redeemed("other", test.grant("grant-2")).await;
    let refused = test
        .store
        .rotate_refresh_token(
            presented("r1", 0),
            refresh("r2", "grant-2"),
            access("at-2", Some("grant-1")),
            START,
            audit(AuditAction::TokenRequest),
        )
        .await;
    assert_eq!(refused, Err(StoreError::Conflict));
    assert_eq!(test.rotate("r1", "r2", 0).await, Ok(RefreshRotation::Rotated));
}

#[tokio::test]
async fn ending_a_grant_ends_its_tokens_and_no_others() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    test.redeemed("other", test.grant("grant-2")).await;
    let end = || {
        test.store
            .end_grant("grant-1", later(1), audit(AuditAction::TokenRevocation))
    };
    assert_eq!(end().await, Ok(true));
    assert_eq!(end().await, Ok(false));
    assert!(!test.is_live("at-r1").await);
    assert!(test.is_live("at-other").await);
    assert_eq!(test.rotate("r1", "r2", 2).await, Ok(RefreshRotation::Dead));
    assert_eq!(test.count(AuditAction::TokenRevocation).await, 1);
}

#[tokio::test]
async fn a_refresh_token_is_called_live_exactly_while_it_can_be_exchanged() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    assert!(test.is_refreshable("r1", 1).await);
    assert!(!test.is_refreshable("r2", 1).await);
    assert_eq!(test.rotate("r1", "r2", 1).await, Ok(RefreshRotation::Rotated));
    assert!(!test.is_refreshable("r1", 2).await);
    assert!(test.is_refreshable("r2", 2).await);
    assert!(!test.is_refreshable("r2", i64::from(i32::MAX)).await);
    let audit = audit(AuditAction::TokenRevocation);
    assert_eq!(test.store.end_grant("grant-1", later(3), audit).await, Ok(true));
    assert!(!test.is_refreshable("r2", 3).await);
}

#[tokio::test]
async fn a_deactivated_person_refreshes_nothing() {
    let test = TestStore::new().await;
    test.redeemed("r1", test.grant("grant-1")).await;
    assert!(test.is_refreshable("r1", 1).await);
    test.connection()
        .execute("UPDATE users SET deactivated_at = 1", [])
        .unwrap();
    assert!(!test.is_refreshable("r1", 1).await);
    assert_eq!(test.rotate("r1", "r2", 1).await, Ok(RefreshRotation::Dead));
}

#[tokio::test]
async fn online_access_ends_with_the_session() {
    let test = TestStore::new().await;
    test.store
        .begin_session(test.session("session"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    test.redeemed("r1", test.online_grant()).await;
    assert_eq!(test.rotate("r1", "r2", 1).await, Ok(RefreshRotation::Rotated));
    assert!(
        test.store
            .end_session(&digest("session"), audit(AuditAction::SignOut))
            .await
            .unwrap()
    );
    assert_eq!(test.rotate("r2", "r3", 2).await, Ok(RefreshRotation::Dead));
    assert!(!test.is_live("at-r2").await);
}

#[tokio::test]
async fn online_access_ends_when_the_session_runs_out() {
    let test = TestStore::new().await;
    test.store
        .begin_session(test.session("session"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    test.redeemed("r1", test.online_grant()).await;
    assert_eq!(
        test.rotate("r1", "r2", 43_199).await,
        Ok(RefreshRotation::Rotated)
    );
    assert_eq!(test.rotate("r2", "r3", 43_200).await, Ok(RefreshRotation::Dead));
}

#[tokio::test]
async fn offline_access_outlasts_the_session() {
    let test = TestStore::new().await;
    test.store
        .begin_session(test.session("session"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    let scope = ScopeSet::parse("openid online_access offline_access").unwrap();
    test.redeemed(
        "r1",
        Grant {
            scope,
            ..test.grant("grant-1")
        },
    )
    .await;
    assert!(
        test.store
            .end_session(&digest("session"), audit(AuditAction::SignOut))
            .await
            .unwrap()
    );
    assert_eq!(test.rotate("r1", "r2", 1).await, Ok(RefreshRotation::Rotated));
}

#[tokio::test]
async fn online_access_moves_to_the_persons_next_session_and_ends_at_somebody_elses() {
    let test = TestStore::new().await;
    test.store
        .begin_session(test.session("session"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    test.redeemed("r1", test.online_grant()).await;
    let next = test.session("next");
    test.store
        .begin_session(next, Some(digest("session")), audit(AuditAction::SignIn))
        .await
        .unwrap();
    assert_eq!(test.rotate("r1", "r2", 1).await, Ok(RefreshRotation::Rotated));

    let other = testing::user("bo@example.org");
    let _ = test
        .store
        .insert_user(other.clone(), audit(AuditAction::UserCreation))
        .await
        .unwrap();
    let others = Session {
        user_id: other.id,
        ..test.session("others")
    };
    test.store
        .begin_session(others, Some(digest("next")), audit(AuditAction::SignIn))
        .await
        .unwrap();
    assert_eq!(test.rotate("r2", "r3", 2).await, Ok(RefreshRotation::Dead));
}

#[tokio::test]
async fn a_clients_own_access_token_lives_until_it_expires_or_is_revoked() {
    let test = TestStore::new().await;
    test.store
        .record_access_token(access("at-1", None), audit(AuditAction::TokenRequest))
        .await
        .unwrap();
    assert_eq!(
        test.store.is_access_token_live("at-1", later(3599)).await,
        Ok(true)
    );
    assert_eq!(
        test.store.is_access_token_live("at-1", later(3600)).await,
        Ok(false)
    );
    assert_eq!(test.store.is_access_token_live("at-2", START).await, Ok(false));

    let revoke = |client: &'static str| {
        test.store
            .revoke_access_token("at-1", client, later(1), audit(AuditAction::TokenRevocation))
    };
    assert_eq!(revoke("another").await, Ok(false), "not its own");
    assert!(test.is_live("at-1").await);
    assert_eq!(revoke("app").await, Ok(true));
    assert_eq!(revoke("app").await, Ok(false));
    assert!(!test.is_live("at-1").await);
    assert_eq!(test.count(AuditAction::TokenRevocation).await, 1);
}

#[tokio::test]
async fn a_token_id_is_given_once() {
    let test = TestStore::new().await;
    let record = || {
        test.store
            .record_access_token(access("at-1", None), audit(AuditAction::TokenRequest))
    };
    assert_eq!(record().await, Ok(()));
    assert_eq!(record().await, Err(StoreError::Conflict));
    assert_eq!(
        test.count(AuditAction::TokenRequest).await,
        1,
        "the refused one recorded nothing"
    );
}
