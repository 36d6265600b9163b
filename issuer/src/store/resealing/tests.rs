//! From one master key to another: all of it or nothing, and nothing that was forgotten.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, params};
use wardgate_shared::secret::Secret;

use super::{SEALED, SealedColumn};
use crate::config::DatabaseConfig;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::keys::{MasterKey, SealedKind, Sealers};
use crate::store::{OpenError, Store, StoreError};
use crate::testing::{self, START};

/// Columns of bytes, beside those of digests, that the master key does not seal.
const NOT_SEALED: [(&str, &str); 4] = [
    ("passkeys", "credential_id"),
    ("sent_codes", "binding"),
    ("sent_messages", "recipient"),
    ("user_handles", "handle"),
];

fn configuration(folder: &Path) -> DatabaseConfig {
    DatabaseConfig {
        path: folder.join("wardgate.db"),
        readers: 1,
    }
}

fn old() -> MasterKey {
    testing::master_key()
}

fn new() -> MasterKey {
    MasterKey::new(Secret::new([9; 32]))
}

fn audit() -> AuditEvent {
    AuditEvent::new(START, AuditAction::MasterKeyRotation, AuditOutcome::Success)
}

fn seal(kind: SealedKind, plain: &str, context: &str) -> Vec<u8> {
    let sealer = Sealers::of(&old());
    sealer.for_kind(kind).seal(plain.as_bytes(), context).unwrap()
}

/// A database with a secret of every kind, two where there may be several. Nobody has it open.
async fn furnish(folder: &Path) {
    let configuration = configuration(folder);
    Store::open(&configuration, &old().sealer(), START)
        .unwrap()
        .close()
        .await;
    let connection = Connection::open(&configuration.path).unwrap();
    // Whose they are does not matter here.
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    for id in ["one", "two"] {
        let key = seal(SealedKind::SigningKey, &format!("private {id}"), id);
        let insert = "INSERT INTO signing_keys (key_id, algorithm, sealed_private_key, created_at, signs_from) VALUES (?1, 'ES256', ?2, 1, 1)";
        connection.execute(insert, params![id, key]).unwrap();
        let seed = seal(SealedKind::Secret, &format!("seed {id}"), &format!("factor {id}"));
        let insert = "INSERT INTO factors (id, user_id, kind, name, sealed, created_at) VALUES (?1, 'ada', 'totp', 'App', ?2, 1)";
        connection.execute(insert, params![id, seed]).unwrap();
        let message = seal(SealedKind::Secret, &format!("mail {id}"), id);
        let insert = "INSERT INTO outgoing_messages (id, channel, sealed, due_at, expires_at) VALUES (?1, 'mail', ?2, 1, 9)";
        connection.execute(insert, params![id, message]).unwrap();
        // Two browsers of one person.
        let token = seal(SealedKind::Secret, &format!("token {id}"), "sso id token ada");
        let digest = [id.as_bytes(); 11].concat()[..32].to_vec();
        let insert = "INSERT INTO sso_sign_ins (browser_digest, connection_id, user_id, id_token, expires_at) VALUES (?1, 'sso', 'ada', ?2, 9)";
        connection.execute(insert, params![digest, token]).unwrap();
    }
    let secret = seal(SealedKind::Secret, "client secret", "sso client secret sso");
    let insert = "INSERT INTO sso_connections (id, name, preset, issuer, client_id, client_authentication, client_secret, scopes,
             required_amr, required_acr, unknown_people, role_rules, grants_administration, provider, checked_at, refresh_at,
             enabled, created_at)
         VALUES ('sso', 'Clinic', 'generic', 'https://idp.example.org', 'wardgate', 'client_secret_basic', ?1, '[]', '[]', '[]',
             'refuse', '[]', 0, '{}', 1, 1, 0, 1)";
    connection.execute(insert, [secret]).unwrap();
    // A passkey has nothing to seal.
    let insert = "INSERT INTO factors (id, user_id, kind, name, created_at) VALUES ('key', 'ada', 'passkey', 'Key', 1)";
    connection.execute(insert, []).unwrap();
}

/// What is in the column, opened with the key, by the names of the rows; an error for each that does not open.
fn opened(column: &SealedColumn, path: &Path, key: &MasterKey) -> Vec<Result<String, String>> {
    let connection = Connection::open(path).unwrap();
    let sealers = Sealers::of(key);
    let rows = column.rows(&connection).unwrap().into_iter();
    let opened = rows.map(|(_, name, sealed)| {
        let plain = sealers
            .for_kind(column.kind)
            .open(&sealed, &(column.context)(&name));
        let plain = plain.map_err(|error| format!("{name}: {error}"))?;
        // The key of the trail is no text.
        Ok(String::from_utf8_lossy(&plain).into_owned())
    });
    opened.collect()
}

fn everything(path: &Path, key: &MasterKey) -> Vec<Result<String, String>> {
    SEALED
        .iter()
        .flat_map(|column| opened(column, path, key))
        .collect()
}

#[tokio::test]
async fn every_secret_opens_under_the_new_key_and_none_under_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path()).await;
    let configuration = configuration(folder.path());
    let before = everything(&configuration.path, &old());
    assert_eq!(before.len(), 10, "two of four kinds, one of two");
    assert!(before.iter().all(Result::is_ok), "{before:?}");

    let store = Store::open_alone(&configuration, &old().sealer(), START).unwrap();
    assert!(store.broken_seals(Sealers::of(&old())).await.unwrap().is_empty());
    let counts = store
        .reseal(Sealers::of(&old()), Sealers::of(&new()), audit())
        .await
        .unwrap();
    assert_eq!(counts.iter().map(|count| count.rows).sum::<usize>(), 10);
    store.close().await;
    drop(store);

    assert_eq!(
        everything(&configuration.path, &new()),
        before,
        "the same secrets"
    );
    assert!(everything(&configuration.path, &old()).iter().all(Result::is_err));
    let refused = Store::open(&configuration, &old().sealer(), START);
    assert!(matches!(refused, Err(OpenError::MasterKey)), "{refused:?}");
}

#[tokio::test]
async fn the_trail_is_whole_afterwards_and_tells_of_it() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path()).await;
    let configuration = configuration(folder.path());
    let store = Store::open_alone(&configuration, &old().sealer(), START).unwrap();
    store.record(audit()).await.unwrap();
    store
        .reseal(Sealers::of(&old()), Sealers::of(&new()), audit())
        .await
        .unwrap();
    store.close().await;
    drop(store);
    let store = Store::open(&configuration, &new().sealer(), START).unwrap();
    let report = store.verify_audit_events(None, |_| {}).await.unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    let newest = store.audit_events(1).await.unwrap();
    assert_eq!(newest[0].action, AuditAction::MasterKeyRotation);
}

#[tokio::test]
async fn what_was_sealed_before_is_nowhere_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path()).await;
    let configuration = configuration(folder.path());
    let sealed: Vec<Vec<u8>> = {
        let connection = Connection::open(&configuration.path).unwrap();
        let rows = SEALED.iter().flat_map(|column| column.rows(&connection).unwrap());
        rows.map(|(_, _, sealed)| sealed).collect()
    };
    let found = || {
        let bytes = std::fs::read(&configuration.path).unwrap();
        let holds = |sealed: &&Vec<u8>| {
            bytes
                .windows(sealed.len())
                .any(|window| window == sealed.as_slice())
        };
        sealed.iter().filter(holds).count()
    };
    assert_eq!(found(), 10, "as long as they count");
    let store = Store::open_alone(&configuration, &old().sealer(), START).unwrap();
    store
        .reseal(Sealers::of(&old()), Sealers::of(&new()), audit())
        .await
        .unwrap();
    store.close().await;
    drop(store);
    assert!(
        !folder.path().join("wardgate.db-wal").exists(),
        "the log is gone with it"
    );
    assert_eq!(found(), 0);
}

#[tokio::test]
async fn a_secret_that_does_not_open_is_named_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path()).await;
    let configuration = configuration(folder.path());
    let connection = Connection::open(&configuration.path).unwrap();
    let swap = "UPDATE factors SET sealed = (SELECT sealed FROM factors WHERE id = 'one') WHERE id = 'two'";
    connection.execute(swap, []).unwrap();
    drop(connection);
    let before = everything(&configuration.path, &old());

    let store = Store::open_alone(&configuration, &old().sealer(), START).unwrap();
    let broken = store.broken_seals(Sealers::of(&old())).await.unwrap();
    assert_eq!(broken, ["the second factor two"]);
    let outcome = store
        .reseal(Sealers::of(&old()), Sealers::of(&new()), audit())
        .await;
    assert!(
        matches!(outcome, Err(StoreError::Corrupt("factors"))),
        "{outcome:?}"
    );
    let lines = store.audit_events(10).await.unwrap();
    assert!(
        lines
            .iter()
            .all(|line| line.action != AuditAction::MasterKeyRotation)
    );
    store.close().await;
    drop(store);
    assert_eq!(everything(&configuration.path, &old()), before);
}

#[tokio::test]
async fn whoever_wants_the_database_alone_waits_for_nobody_and_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = configuration(folder.path());
    let server = Store::open(&configuration, &old().sealer(), START).unwrap();
    let alone = || Store::open_alone(&configuration, &old().sealer(), START);
    assert!(matches!(alone(), Err(OpenError::NotAlone(_))));
    server.close().await;
    drop(server);
    let held = alone().unwrap();
    let server = Store::open(&configuration, &old().sealer(), START);
    assert!(matches!(server, Err(OpenError::Replaced(_))), "{server:?}");
    drop(held);
}

#[tokio::test]
async fn of_every_column_of_bytes_it_is_known_whether_the_master_key_seals_it() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = configuration(folder.path());
    drop(Store::open(&configuration, &old().sealer(), START).unwrap());
    let connection = Connection::open(&configuration.path).unwrap();
    let query = "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND c.type = 'BLOB'";
    let mut statement = connection.prepare(query).unwrap();
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let columns: BTreeSet<(String, String)> = rows.map(Result::unwrap).collect();
    let named = SEALED.iter().map(|column| (column.table, column.column));
    let known: BTreeSet<(String, String)> = named
        .chain(NOT_SEALED)
        .map(|(table, column)| (table.into(), column.into()))
        .collect();
    let others = columns
        .into_iter()
        .filter(|(_, column)| !column.ends_with("digest"));
    assert_eq!(others.collect::<BTreeSet<_>>(), known);
}
