use std::path::Path;

use clap::Parser;
use wardgate_shared::secret::Secret;

use super::{Backup, Restore};
use crate::cli::Failure;
use crate::config::{Config, MasterKeySource};
use crate::domain::audit_event::AuditAction;
use crate::keys::{KeyRing, MasterKey};
use crate::store::{Insertion, Store, alter_audit_event};
use crate::testing::{self, START, config, user};

#[derive(Parser)]
enum Line {
    Backup(Backup),
    Restore(Restore),
}

async fn run(config: &Config, arguments: &[&str]) -> Result<(), Failure> {
    match Line::try_parse_from([&[""], arguments].concat()).unwrap() {
        Line::Backup(command) => command.run(config, START.plus(10)).await,
        Line::Restore(command) => command.run(config, START.plus(20)).await,
    }
}

/// A database with keys and one person.
async fn clinic(folder: &Path) -> Config {
    let config = config(folder);
    let store = Store::open(&config.database, &testing::sealer(), START).unwrap();
    let keys = KeyRing::load(&store, testing::master_key(), &config)
        .await
        .unwrap();
    keys.ensure_keys(&store, START).await.unwrap();
    add(&store, "ada@example.org").await;
    store.close().await;
    config
}

async fn add(store: &Store, email: &str) {
    let audit = crate::domain::audit_event::AuditEvent::new(
        START,
        AuditAction::UserCreation,
        crate::domain::audit_event::AuditOutcome::Success,
    );
    assert_eq!(
        store.insert_user(user(email), audit).await,
        Ok(Insertion::Inserted)
    );
}

async fn has(config: &Config, email: &str) -> bool {
    let store = Store::open(&config.database, &testing::sealer(), START).unwrap();
    let found = store.user_by_email(email).await.unwrap().is_some();
    store.close().await;
    found
}

#[tokio::test]
async fn what_was_backed_up_is_restored_and_the_trail_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let config = clinic(folder.path()).await;
    let backup = folder.path().join("backup.db");
    let backup = backup.to_str().unwrap();
    run(&config, &["backup", "--to", backup]).await.unwrap();
    let again = run(&config, &["backup", "--to", backup]).await.unwrap_err();
    assert_eq!(again.exit_code(), 4, "{again}");
    let store = Store::open(&config.database, &testing::sealer(), START).unwrap();
    add(&store, "later@example.org").await;
    store.close().await;
    drop(store);

    run(&config, &["restore", "--from", backup, "--check"])
        .await
        .unwrap();
    assert!(has(&config, "later@example.org").await, "a check changes nothing");
    run(&config, &["restore", "--from", backup]).await.unwrap();
    assert!(has(&config, "ada@example.org").await);
    assert!(!has(&config, "later@example.org").await);
    let store = Store::open(&config.database, &testing::sealer(), START).unwrap();
    let newest = store.audit_events(2).await.unwrap();
    assert_eq!(
        [newest[0].action, newest[1].action],
        [AuditAction::Restoration, AuditAction::Backup]
    );
    assert_eq!(store.verify_audit_events(None, |_| {}).await.unwrap().faults, []);
}

#[tokio::test]
async fn a_backup_that_is_absent_damaged_altered_or_of_another_key_is_refused_by_kind() {
    let folder = tempfile::tempdir().unwrap();
    let config = clinic(folder.path()).await;
    let path = folder.path().join("backup.db");
    let backup = path.to_str().unwrap();
    run(&config, &["backup", "--to", backup]).await.unwrap();
    let code = async |config: &Config, from: &str| {
        let failure = run(config, &["restore", "--from", from, "--check"])
            .await
            .unwrap_err();
        (failure.exit_code(), failure.to_string())
    };
    assert_eq!(code(&config, "absent.db").await.0, 4);

    let mut other = config.clone();
    other.keys.master_key = MasterKeySource::Value(Secret::new([9; 32]));
    let (exit, text) = code(&other, backup).await;
    assert_eq!(exit, 5, "{text}");
    drop(MasterKey::load(&other.keys.master_key).unwrap());

    let mut altered = config.database.clone();
    altered.path.clone_from(&path);
    alter_audit_event(&altered, 1);
    let (exit, text) = code(&config, backup).await;
    assert_eq!(
        (exit, text.contains("line 1 is not what was recorded")),
        (7, true),
        "{text}"
    );

    std::fs::write(&path, vec![0xFF; 8192]).unwrap();
    let (exit, text) = code(&config, backup).await;
    assert_eq!((exit, text.contains("is damaged")), (7, true), "{text}");
    assert!(has(&config, "ada@example.org").await, "the database is as it was");
}
