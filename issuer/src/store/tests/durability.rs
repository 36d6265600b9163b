//! What was answered is there: for another process at once, and after the file is opened anew.

use super::{TestStore, access, audit, database, digest};
use crate::domain::audit_event::AuditAction;
use crate::domain::authorization_code::CodeRedemption;
use crate::store::{Store, StoreError};
use crate::testing::{self, START};

#[tokio::test]
async fn every_connection_is_opened_for_durability() {
    let test = TestStore::new().await;
    let pragma = |name: &'static str| {
        test.store.write(move |connection| {
            let value =
                connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))?;
            Ok(format!("{value:?}"))
        })
    };
    assert_eq!(pragma("journal_mode").await.unwrap(), "Text(\"wal\")");
    assert_eq!(pragma("synchronous").await.unwrap(), "Integer(2)", "FULL");
    assert_eq!(pragma("foreign_keys").await.unwrap(), "Integer(1)");
    assert_eq!(pragma("trusted_schema").await.unwrap(), "Integer(0)");
}

#[tokio::test]
async fn a_statement_is_planned_once_whatever_is_bound_to_it() {
    let test = TestStore::new().await;
    test.redeemed("r", test.grant("grant-1")).await;
    let plans = |connection: &rusqlite::Connection| {
        let query = "SELECT 1 FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id
                     WHERE t.digest = ?1 AND g.user_id = ?2 AND g.client_id = ?3";
        for value in ["a", "b", "c"] {
            let digest = digest(value);
            let parameters = rusqlite::params![digest.as_bytes(), value, value];
            let _ = connection.prepare_cached(query)?.exists(parameters)?;
        }
        let statement = connection.prepare_cached(query)?;
        Ok(statement.get_status(rusqlite::StatementStatus::RePrepare))
    };
    assert_eq!(test.store.read(plans).await, Ok(0));
    assert_eq!(test.store.write(plans).await, Ok(0));
    // A connection without our settings is the proof that the statement can tell.
    assert!(plans(&test.connection()).unwrap() > 0);
}

#[tokio::test]
async fn readers_cannot_write() {
    let test = TestStore::new().await;
    let refused = test
        .store
        .read(|connection| Ok(connection.execute("DELETE FROM clients", [])?))
        .await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(test.store.clients().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_answered_write_is_seen_by_another_process_while_the_store_is_open() {
    let test = TestStore::new().await;
    test.store
        .record_access_token(access("at-1", None), audit(AuditAction::TokenRequest))
        .await
        .unwrap();
    // The store is neither closed nor checkpointed: this is what a process that dies here leaves behind.
    let found: i64 = test
        .connection()
        .query_row(
            "SELECT count(*) FROM access_tokens WHERE token_id = 'at-1'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(found, 1);
}

#[tokio::test]
async fn a_copy_of_the_files_as_a_crash_leaves_them_holds_every_answered_write() {
    let test = TestStore::new().await;
    test.redeemed("r", test.grant("grant-1")).await;
    // Nothing was closed: the last commits are in the write-ahead log only.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["wardgate.db", "wardgate.db-wal"] {
        std::fs::copy(test.folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    let store = Store::open(&database(&crashed), &testing::sealer(), START).unwrap();
    assert_eq!(store.is_access_token_live("at-r", START).await, Ok(true));
    let event = audit(AuditAction::TokenRequest);
    let again = store
        .redeem_code(
            &digest("code for r"),
            None,
            access("at-2", Some("grant-1")),
            START,
            event,
        )
        .await;
    assert_eq!(again, Ok(CodeRedemption::Replayed), "the code stays consumed");
}

#[tokio::test]
async fn a_write_whose_caller_has_gone_is_made_all_the_same() {
    let test = TestStore::new().await;
    let mut write = Box::pin(test.store.record(audit(AuditAction::SignOut)));
    // One poll queues the job; then the caller loses interest.
    let queued = std::future::poll_fn(|context| std::task::Poll::Ready(write.as_mut().poll(context))).await;
    assert!(queued.is_pending());
    drop(write);
    test.store.close().await;
    let reopened = Store::open(&database(&test.folder), &testing::sealer(), START).unwrap();
    assert_eq!(
        reopened.audit_events(1).await.unwrap()[0].action,
        AuditAction::SignOut
    );
}

#[tokio::test]
async fn check_answers_for_an_open_store_and_fails_for_a_closed_one() {
    let test = TestStore::new().await;
    assert_eq!(test.store.check().await, Ok(true));
    test.store.close().await;
    assert_eq!(test.store.check().await, Err(StoreError::Closed));
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let test = TestStore::new().await;
    for name in ["wardgate.db", "wardgate.db-wal"] {
        let mode = std::fs::metadata(test.folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
