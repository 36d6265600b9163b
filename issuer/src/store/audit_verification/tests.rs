//! The chain of the audit trail against everything that can be done to its rows.

use std::sync::Arc;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinSet;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;

use crate::config::DatabaseConfig;
use crate::domain::audit_chain::{AuditHead, ChainFault, ChainReport};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::audit_search::AuditFilter;
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::keys::Sealer;
use crate::store::{Insertion, OpenError, RoleChange, Store, StoreError, sql};
use crate::testing::{self, START};

/// A database with a trail of `lines` refusals.
struct Trail {
    folder: TempDir,
    store: Store,
}

impl Trail {
    async fn of(lines: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&database(&folder), &testing::sealer(), START).unwrap();
        let trail = Self { folder, store };
        for line in 0..lines {
            trail.store.record(line_of(line)).await.unwrap();
        }
        trail
    }

    /// The report after this was done to the file while nobody had it open.
    async fn after(&self, script: &str) -> ChainReport {
        self.expecting(script, None).await
    }

    async fn expecting(&self, script: &str, expected: Option<AuditHead>) -> ChainReport {
        self.store.close().await;
        self.tamper(script);
        let store = Store::open(&database(&self.folder), &testing::sealer(), START).unwrap();
        store.verify_audit_events(expected, |_| {}).await.unwrap()
    }

    /// What somebody does who gets at the file: triggers stop nobody there.
    fn tamper(&self, script: &str) {
        let connection = Connection::open(database(&self.folder).path).unwrap();
        connection
            .execute_batch(
                "DROP TRIGGER audit_events_are_never_changed; DROP TRIGGER audit_events_go_when_they_are_retired;",
            )
            .unwrap();
        connection.execute_batch(script).unwrap();
    }

    async fn report(&self) -> ChainReport {
        self.store.verify_audit_events(None, |_| {}).await.unwrap()
    }
}

/// Alters the line of this number in the file, as somebody would who gets at it.
pub(crate) fn alter_audit_event(database: &DatabaseConfig, id: i64) {
    let connection = Connection::open(&database.path).unwrap();
    connection
        .execute_batch("DROP TRIGGER audit_events_are_never_changed")
        .unwrap();
    let update = "UPDATE audit_events SET outcome = 'failure' WHERE id = ?1";
    assert_eq!(connection.execute(update, [id]).unwrap(), 1);
}

fn database(folder: &TempDir) -> DatabaseConfig {
    DatabaseConfig {
        path: folder.path().join("wardgate.db"),
        readers: 2,
    }
}

fn line_of(second: i64) -> AuditEvent {
    AuditEvent::new(START.plus(second), AuditAction::SignIn, AuditOutcome::Failure)
        .with_reason("wrong_password")
}

#[tokio::test]
async fn an_untouched_trail_is_found_to_be_as_it_was_recorded() {
    let trail = Trail::of(20).await;
    let report = trail.report().await;
    assert_eq!((report.lines, report.retired_through), (20, 0));
    assert_eq!(report.faults, []);
    assert_eq!(Some(report.head), trail.store.audit_head().await.unwrap());
    let empty = Trail::of(0).await.report().await;
    assert_eq!((empty.lines, empty.head), (0, AuditHead::START));
}

#[tokio::test]
async fn an_altered_line_is_found_whatever_was_altered() {
    for change in [
        "reason = 'other'",
        "reason = NULL",
        "at = at + 1",
        "outcome = 'success'",
        "user_id = 'user-1'",
        "ip_address = '192.0.2.1'",
        "method = 'cli'",
        "actor_id = 'a'",
        "object_id = 'o'",
        "client_id = 'c'",
        "changes = '[]'",
        "action = 'sign_out'",
    ] {
        let trail = Trail::of(5).await;
        let script = format!("UPDATE audit_events SET {change} WHERE id = 3");
        assert_eq!(
            trail.after(&script).await.faults,
            [ChainFault::Altered(3)],
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_value_that_moved_to_the_next_column_is_found() {
    let trail = Trail::of(2).await;
    let script = "UPDATE audit_events SET method = reason, reason = NULL WHERE id = 2";
    assert_eq!(trail.after(script).await.faults, [ChainFault::Altered(2)]);
}

#[tokio::test]
async fn a_removed_line_is_found_at_the_beginning_in_the_middle_and_at_the_end() {
    for (removed, first, last) in [("1", 1, 1), ("2, 3", 2, 3), ("5", 5, 5)] {
        let script = format!("DELETE FROM audit_events WHERE id IN ({removed})");
        let report = Trail::of(5).await.after(&script).await;
        assert_eq!(report.faults, [ChainFault::Missing { first, last }]);
    }
}

#[tokio::test]
async fn lines_that_changed_places_are_found() {
    let script = "UPDATE audit_events SET id = -2 WHERE id = 2; UPDATE audit_events SET id = 2 WHERE id = 4;
                  UPDATE audit_events SET id = 4 WHERE id = -2;";
    let faults = Trail::of(5).await.after(script).await.faults;
    for line in [2, 4] {
        assert!(faults.contains(&ChainFault::Altered(line)), "{faults:?}");
    }
}

#[tokio::test]
async fn lines_that_were_cut_off_with_all_traces_are_missed_by_whoever_kept_the_head() {
    let trail = Trail::of(5).await;
    let kept = trail.report().await.head;
    let script = "DELETE FROM audit_events WHERE id > 3; UPDATE sqlite_sequence SET seq = 3";
    assert_eq!(
        trail.after(script).await.faults,
        [],
        "nothing in the file can show it"
    );
    let store = Store::open(&database(&trail.folder), &testing::sealer(), START).unwrap();
    let report = store.verify_audit_events(Some(kept), |_| {}).await.unwrap();
    assert_eq!(report.faults, [ChainFault::NotExpected(5)]);
    // Later lines take the numbers, and not the digest.
    for second in 0..2 {
        store.record(line_of(100 + second)).await.unwrap();
    }
    let report = store.verify_audit_events(Some(kept), |_| {}).await.unwrap();
    assert_eq!(report.faults, [ChainFault::NotExpected(5)]);
}

#[tokio::test]
async fn an_added_line_is_found_with_a_digest_and_without_and_is_not_taken_into_the_chain() {
    let forged =
        "INSERT INTO audit_events (at, action, outcome, digest) VALUES (1800000000, 'sign_in', 'success', ";
    let report = Trail::of(3).await.after(&format!("{forged} zeroblob(32))")).await;
    assert_eq!(report.faults, [ChainFault::Altered(4)]);

    let trail = Trail::of(3).await;
    assert_eq!(
        trail.after(&format!("{forged} NULL)")).await.faults,
        [ChainFault::Foreign(4)]
    );
    let store = Store::open(&database(&trail.folder), &testing::sealer(), START).unwrap();
    store.record(line_of(9)).await.unwrap();
    let report = store.verify_audit_events(None, |_| {}).await.unwrap();
    assert_eq!(
        report.faults,
        [ChainFault::Foreign(4)],
        "and what came after it is chained"
    );
}

#[tokio::test]
async fn the_oldest_lines_are_retired_and_the_rest_can_still_be_checked() {
    let trail = Trail::of(10).await;
    assert_eq!(
        trail.store.retire_audit_events(START, START.plus(20)).await,
        Ok(0)
    );
    let retired = trail
        .store
        .retire_audit_events(START.plus(4), START.plus(20))
        .await;
    assert_eq!(retired, Ok(4));
    let report = trail.report().await;
    assert_eq!(
        (report.lines, report.retired_through, report.faults.len()),
        (7, 4, 0)
    );
    let newest = trail.store.audit_events(1).await.unwrap();
    assert_eq!(newest[0].action, AuditAction::AuditRetention);
    assert_eq!(newest[0].object_id.as_deref(), Some("4"));
    // Once more, and after a restart.
    assert_eq!(
        trail
            .store
            .retire_audit_events(START.plus(5), START.plus(21))
            .await,
        Ok(1)
    );
    assert_eq!(trail.after("").await.faults, []);
}

#[tokio::test]
async fn lines_that_are_only_said_to_be_retired_are_missed() {
    let script = "INSERT INTO audit_retention SELECT 1, id, digest FROM audit_events WHERE id = 3;
                  DELETE FROM audit_events WHERE id <= 3;";
    let report = Trail::of(6).await.after(script).await;
    assert_eq!(report.faults, [ChainFault::NotRetired(3)]);

    let trail = Trail::of(6).await;
    trail
        .store
        .retire_audit_events(START.plus(2), START.plus(20))
        .await
        .unwrap();
    let script = "UPDATE audit_retention SET (through_id, digest) = (SELECT id, digest FROM audit_events WHERE id = 4);
                  DELETE FROM audit_events WHERE id <= 4;";
    assert_eq!(trail.after(script).await.faults, [ChainFault::NotRetired(4)]);
}

#[tokio::test]
async fn no_line_is_changed_or_removed_by_a_statement_of_the_program() {
    let trail = Trail::of(3).await;
    for statement in [
        "UPDATE audit_events SET reason = 'x'",
        "DELETE FROM audit_events WHERE id = 1",
    ] {
        let outcome = trail
            .store
            .write(move |connection| sql::change(connection, statement, []))
            .await;
        assert_eq!(outcome, Err(StoreError::Conflict), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_many_writers_and_of_two_processes_make_one_chain() {
    let trail = Trail::of(1).await;
    let beside = Store::open(&database(&trail.folder), &testing::sealer(), START).unwrap();
    let stores = [Arc::new(trail.store.clone()), Arc::new(beside)];
    let mut tasks = JoinSet::new();
    for second in 0..60 {
        let store = Arc::clone(&stores[second % 2]);
        tasks.spawn(async move { store.record(line_of(i64::try_from(second).unwrap())).await });
    }
    for outcome in tasks.join_all().await {
        assert_eq!(outcome, Ok(()));
    }
    let report = trail.report().await;
    assert_eq!((report.lines, report.faults.len()), (61, 0));
}

#[tokio::test]
async fn lines_from_before_there_was_a_chain_become_its_beginning() {
    let trail = Trail::of(5).await;
    let report = trail
        .after("UPDATE audit_events SET digest = NULL; DELETE FROM audit_keys;")
        .await;
    assert_eq!((report.lines, report.faults.len()), (5, 0));
}

#[tokio::test]
async fn a_database_does_not_open_with_another_master_key() {
    let trail = Trail::of(1).await;
    trail.store.close().await;
    let other = Sealer::new(Secret::new([7; 32]));
    let refused = Store::open(&database(&trail.folder), &other, START);
    assert!(matches!(refused, Err(OpenError::MasterKey)), "{refused:?}");
}

#[tokio::test]
async fn a_change_is_recorded_as_it_was_before_and_after() {
    let trail = Trail::of(0).await;
    let store = &trail.store;
    let event = |action| AuditEvent::new(START, action, AuditOutcome::Success);
    let role = crate::domain::role::Role {
        id: "role-nurse".into(),
        name: "Nurse".into(),
        built_in: false,
        ceiling: Some(ScopeSet::parse("openid patient/*.rs").unwrap()),
        second_factor: crate::domain::role::SecondFactorPolicy::Offered,
        created_at: START,
    };
    let made = store.insert_role(role, event(AuditAction::RoleCreation)).await;
    assert_eq!(made, Ok(Insertion::Inserted));
    let change = RoleChange {
        name: Some("Head nurse".into()),
        ..RoleChange::default()
    };
    let renamed = store
        .change_role("role-nurse", change, None, event(AuditAction::RoleChange))
        .await
        .unwrap();
    assert!(renamed.is_ok());
    let removed = store
        .remove_role("role-nurse", None, event(AuditAction::RoleDeletion))
        .await;
    assert_eq!(removed, Ok(Ok(())));

    let found = store
        .search_audit_events(AuditFilter::default(), None, 10)
        .await
        .unwrap();
    let changes: Vec<_> = found
        .events
        .iter()
        .map(|line| line.changes.clone().unwrap()[0].clone())
        .collect();
    assert_eq!(changes[2]["after"]["name"], "Nurse");
    assert_eq!(changes[2]["before"], serde_json::json!({}));
    assert_eq!(
        changes[1],
        serde_json::json!({
            "kind": "role", "id": "role-nurse", "before": {"name": "Nurse"}, "after": {"name": "Head nurse"},
        })
    );
    assert_eq!(changes[0]["before"]["scope"], "openid patient/*.rs");
    assert_eq!(changes[0]["after"], serde_json::json!({}));
    assert_eq!(trail.report().await.faults, []);
}

#[tokio::test]
async fn no_secret_gets_into_the_trail() {
    let trail = Trail::of(0).await;
    let event = |action| AuditEvent::new(START, action, AuditOutcome::Success);
    let client = testing::client(
        "app",
        ClientAuthentication::Secret(SecretDigest::of("s3cr3t")),
        &[GrantType::ClientCredentials],
        &[],
        "system/*.rs",
    );
    let made = trail
        .store
        .insert_client(client, event(AuditAction::ClientRegistration))
        .await;
    assert_eq!(made, Ok(Insertion::Inserted));
    let mut user = testing::user("ada@example.org");
    user.password_hash = Some(Secret::new("$argon2id$hash".into()));
    let made = trail
        .store
        .insert_user(user, event(AuditAction::UserCreation))
        .await;
    assert_eq!(made, Ok(Insertion::Inserted));
    let lines = trail.store.audit_events_after(0, 10).await.unwrap();
    let text = lines
        .iter()
        .map(|line| line.document().to_string())
        .collect::<String>();
    assert!(
        text.contains("ada@example.org") && text.contains("system/*.rs"),
        "{text}"
    );
    for word in ["s3cr3t", "argon2", "secret_digest", "password"] {
        assert!(!text.contains(word), "{text}");
    }
}

#[tokio::test]
async fn a_change_in_the_database_itself_is_recorded_with_the_next_transaction() {
    let trail = Trail::of(1).await;
    let connection = Connection::open(database(&trail.folder).path).unwrap();
    connection
        .execute_batch("UPDATE roles SET scope = 'system/*.*' WHERE id = 'role-patient'")
        .unwrap();
    trail.store.record(line_of(1)).await.unwrap();
    let lines = trail.store.audit_events_after(1, 10).await.unwrap();
    assert_eq!(lines[0].event.action, AuditAction::OutsideChange);
    assert_eq!(
        lines[0].changes.as_ref().unwrap()[0]["after"]["scope"],
        "system/*.*"
    );
    assert_eq!(lines[1].changes, None);
    assert_eq!(trail.report().await.faults, []);
}

#[tokio::test]
async fn a_change_that_no_line_tells_of_is_undone() {
    let trail = Trail::of(0).await;
    let outcome = trail
        .store
        .write(|connection| {
            sql::change(
                connection,
                "UPDATE roles SET name = 'X' WHERE id = 'role-patient'",
                [],
            )
        })
        .await;
    assert_eq!(outcome, Err(StoreError::Unrecorded));
    let names: Vec<String> = trail
        .store
        .roles()
        .await
        .unwrap()
        .into_iter()
        .map(|role| role.name)
        .collect();
    assert!(names.contains(&"Patient".to_owned()), "{names:?}");
    let line = trail.store.record(line_of(1)).await;
    assert_eq!(line, Ok(()), "and nothing of it is left behind");
    assert!(
        trail.store.audit_events_after(0, 10).await.unwrap()[0]
            .changes
            .is_none()
    );
}
