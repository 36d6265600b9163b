use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{BackupError, Trial, check_integrity};
use crate::config::DatabaseConfig;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::store::{OpenError, Store};
use crate::testing::{self, START};

fn database(folder: &TempDir) -> DatabaseConfig {
    DatabaseConfig {
        path: folder.path().join("wardgate.db"),
        readers: 2,
    }
}

fn open(path: &Path) -> Result<Store, OpenError> {
    let config = DatabaseConfig {
        path: path.into(),
        readers: 1,
    };
    Store::open(&config, &testing::sealer(), START)
}

fn line(second: i64) -> AuditEvent {
    AuditEvent::new(START.plus(second), AuditAction::SignIn, AuditOutcome::Success)
}

fn files(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

async fn with_backup(folder: &TempDir) -> (Store, PathBuf) {
    let store = Store::open(&database(folder), &testing::sealer(), START).unwrap();
    store.record(line(1)).await.unwrap();
    let backup = folder.path().join("backup.db");
    store.back_up(backup.clone()).await.unwrap();
    (store, backup)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_while_others_write_is_whole_and_as_it_was_at_one_instant() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder), &testing::sealer(), START).unwrap();
    let mut writers = JoinSet::new();
    for second in 0..200 {
        let writer = store.clone();
        writers.spawn(async move { writer.record(line(second)).await });
        if second == 100 {
            store.back_up(folder.path().join("backup.db")).await.unwrap();
        }
    }
    for outcome in writers.join_all().await {
        outcome.unwrap();
    }
    let copy = open(&folder.path().join("backup.db")).unwrap();
    let report = copy.verify_audit_events(None, |_| {}).await.unwrap();
    assert_eq!(report.faults, []);
    assert!(report.lines <= 200, "{report:?}");
    let whole = store.verify_audit_events(None, |_| {}).await.unwrap();
    assert_eq!((whole.lines, whole.faults.len()), (200, 0));
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_a_copy() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (_store, backup) = with_backup(&folder).await;
    assert_eq!(
        std::fs::metadata(backup).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn a_copy_overwrites_nothing_and_leaves_nothing_behind_when_it_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (store, backup) = with_backup(&folder).await;
    let before = files(&folder);
    let again = store.back_up(backup.clone()).await;
    assert!(matches!(again, Err(BackupError::Exists(path)) if path == backup));
    let absent = store.back_up(folder.path().join("absent/backup.db")).await;
    assert!(matches!(absent, Err(BackupError::File(..))), "{absent:?}");
    assert_eq!(files(&folder), before);
}

#[tokio::test]
async fn a_damaged_or_cut_copy_is_found_and_nothing_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (store, backup) = with_backup(&folder).await;
    store.close().await;
    let whole = std::fs::read(&backup).unwrap();
    let middle = whole.len() / 2;
    let mut damaged = whole.clone();
    damaged[middle..middle + 4096].fill(0xFF);
    for bytes in [&damaged[..], &whole[..middle], b"not a database at all", b""] {
        std::fs::write(&backup, bytes).unwrap();
        let outcome = check_integrity(&backup);
        let is_found = matches!(outcome, Err(BackupError::Damaged(..)));
        assert!(is_found || bytes.is_empty(), "{} bytes: {outcome:?}", bytes.len());
        if is_found {
            assert!(Trial::of(&backup, &database(&folder).path).is_err());
        }
    }
    assert!(
        files(&folder).iter().all(|name| !name.contains("restoring")),
        "{:?}",
        files(&folder)
    );
}

#[tokio::test]
async fn nothing_is_restored_over_a_database_that_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let (store, backup) = with_backup(&folder).await;
    store.record(line(2)).await.unwrap();
    let path = database(&folder).path;
    let refused = Trial::of(&backup, &path).unwrap().put_in_place("old");
    assert!(matches!(refused, Err(BackupError::InUse(_))), "{refused:?}");
    assert_eq!(
        store.audit_events(10).await.unwrap().len(),
        2,
        "and the server goes on"
    );
    store.close().await;
    drop(store);

    let kept = Trial::of(&backup, &path)
        .unwrap()
        .put_in_place("old")
        .unwrap()
        .unwrap();
    assert_eq!(open(&path).unwrap().audit_events(10).await.unwrap().len(), 1);
    assert_eq!(
        open(&kept).unwrap().audit_events(10).await.unwrap().len(),
        2,
        "nothing is lost"
    );
}
