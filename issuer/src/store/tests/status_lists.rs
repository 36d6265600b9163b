//! Which bits of a status list are set.

use wardgate_shared::time::Timestamp;

use super::{TestStore, access, audit, later, place};
use crate::domain::audit_event::AuditAction;
use crate::domain::grant::AccessTokenRecord;

impl TestStore {
    /// Stores a token of the patient's grant.
    async fn token(
        &self,
        token_id: &str,
        grant_id: Option<&str>,
        user_id: Option<&str>,
    ) -> AccessTokenRecord {
        let record = AccessTokenRecord {
            user_id: user_id.map(String::from),
            ..access(token_id, grant_id)
        };
        let recorded = self
            .store
            .record_access_token(record.clone(), audit(AuditAction::TokenRequest));
        recorded.await.unwrap();
        record
    }

    /// Whether the bit of a token is set.
    async fn bit(&self, token: &AccessTokenRecord, now: Timestamp) -> bool {
        let found = self.store.status_list(&token.status.list.id, now).await.unwrap();
        found.unwrap().1.contains(&token.status.index)
    }

    async fn is_live_at(&self, token: &AccessTokenRecord, now: Timestamp) -> bool {
        self.store
            .is_access_token_live(&token.token_id, now)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn whatever_statement_ends_what_a_token_stands_on_sets_its_bit() {
    for statement in [
        "UPDATE grants SET ended_at = 5",
        "DELETE FROM grants",
        "UPDATE users SET deactivated_at = 5",
        "DELETE FROM users",
        "DELETE FROM clients",
        "UPDATE access_tokens SET revoked_at = 5",
    ] {
        let test = TestStore::new().await;
        test.redeemed("r", test.grant("grant-1")).await;
        let token = test.token("at-1", Some("grant-1"), Some(&test.user.id)).await;
        assert!(test.is_live_at(&token, later(1)).await && !test.bit(&token, later(1)).await);
        let connection = test.connection();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        connection.execute(statement, []).unwrap();
        assert!(!test.is_live_at(&token, later(1)).await, "{statement}");
        assert!(test.bit(&token, later(1)).await, "{statement}");
    }
}

#[tokio::test]
async fn a_token_without_a_grant_dies_with_its_person_and_its_client() {
    for statement in ["UPDATE users SET deactivated_at = 5", "DELETE FROM clients"] {
        let test = TestStore::new().await;
        let token = test.token("at-1", None, Some(&test.user.id)).await;
        assert!(!test.bit(&token, later(1)).await);
        let connection = test.connection();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        connection.execute(statement, []).unwrap();
        assert!(
            test.bit(&token, later(1)).await && !test.is_live_at(&token, later(1)).await,
            "{statement}"
        );
    }
}

#[tokio::test]
async fn a_token_that_comes_after_the_end_of_its_grant_or_person_is_born_dead() {
    let test = TestStore::new().await;
    test.redeemed("r", test.grant("grant-1")).await;
    let end = audit(AuditAction::TokenRevocation);
    assert_eq!(test.store.end_grant("grant-1", later(1), end).await, Ok(true));
    let token = test.token("at-1", Some("grant-1"), None).await;
    assert!(test.bit(&token, later(2)).await && !test.is_live_at(&token, later(2)).await);
    test.connection()
        .execute("UPDATE users SET deactivated_at = 5", [])
        .unwrap();
    let token = test.token("at-2", None, Some(&test.user.id)).await;
    assert!(test.bit(&token, later(2)).await && !test.is_live_at(&token, later(2)).await);
}

#[tokio::test]
async fn an_expired_token_needs_no_bit_and_an_expired_list_is_none() {
    let test = TestStore::new().await;
    let token = test.token("at-1", None, None).await;
    let event = audit(AuditAction::TokenRevocation);
    assert_eq!(
        test.store
            .revoke_access_token("at-1", "app", later(1), event)
            .await,
        Ok(true)
    );
    assert!(test.bit(&token, later(3599)).await);
    assert!(!test.bit(&token, later(3600)).await);
    let (id, end) = (&token.status.list.id, token.status.list.expires_at);
    assert!(test.store.status_list(id, end.minus(1)).await.unwrap().is_some());
    assert!(test.store.status_list(id, end).await.unwrap().is_none());
    assert!(test.store.status_list("x", later(0)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_purge_removes_a_list_after_its_tokens() {
    let test = TestStore::new().await;
    let token = test.token("at-1", None, None).await;
    let end = token.status.list.expires_at;
    let purge = async |now: Timestamp| test.store.purge_expired(now).await.unwrap().rows;
    assert_eq!(purge(end.minus(1)).await, 1, "the token");
    assert_eq!(test.store.status_lists(end.minus(1)).await.unwrap().len(), 1);
    assert_eq!(purge(end).await, 1, "the list");
    let next = place();
    assert_eq!(next.list.id, token.status.list.id, "the test's own places");
    assert!(test.store.status_lists(later(0)).await.unwrap().is_empty());
}

#[tokio::test]
async fn tokens_from_before_there_were_lists_keep_their_records() {
    let test = TestStore::new().await;
    test.connection()
        .execute(
            "INSERT INTO access_tokens (token_id, client_id, expires_at) VALUES ('old', 'app', ?1)",
            [later(3600).seconds()],
        )
        .unwrap();
    assert!(test.is_live("old").await);
}
