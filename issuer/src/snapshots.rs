//! Copies of the database that the server makes by itself: one every so often, and the oldest go.
//!
//! When the next one is due is read from the names of those that are there, so a restart neither skips one nor makes one too many. Only
//! files of exactly such a name are ever deleted.

use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;
use wardgate_shared::time::Timestamp;

use crate::config::BackupConfig;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::instant;
use crate::store::{BackupError, Store};

const PREFIX: &str = "wardgate-";
const SUFFIX: &str = ".db";
/// What the store adds to the name of a copy that is not complete.
const PARTIAL: &str = ".partial";

/// Makes a copy if one is due, and deletes those that are too many. Gives the copy that was made.
///
/// # Errors
/// [`BackupError`].
pub async fn take_if_due(
    store: &Store,
    config: &BackupConfig,
    now: Timestamp,
) -> Result<Option<PathBuf>, BackupError> {
    let Some(folder) = &config.folder else {
        return Ok(None);
    };
    let there = list(folder)?;
    let is_due = there
        .last()
        .is_none_or(|newest| now.since(newest.made_at) >= config.interval_seconds);
    if !is_due {
        return Ok(None);
    }
    let line = AuditEvent::new(now, AuditAction::Backup, AuditOutcome::Success).with_method("schedule");
    store.record(line).await?;
    let name = instant::rfc3339(now).replace(['-', ':'], "");
    let made = folder.join(format!("{PREFIX}{name}{SUFFIX}"));
    remove_partial(folder);
    if let Err(error) = store.back_up(made.clone()).await {
        let line = AuditEvent::new(now, AuditAction::Backup, AuditOutcome::Failure).with_method("schedule");
        store.record(line).await?;
        return Err(error);
    }
    let there = list(folder)?;
    let too_many = there.len().saturating_sub(config.keep);
    for old in there.iter().take(too_many) {
        std::fs::remove_file(&old.path).map_err(|error| BackupError::File(old.path.clone(), error.kind()))?;
    }
    Ok(Some(made))
}

/// When the newest copy in `folder` was made; `None` where there is none, or the folder cannot be read.
pub(crate) fn newest(folder: &Path) -> Option<Timestamp> {
    list(folder).ok()?.last().map(|snapshot| snapshot.made_at)
}

struct Snapshot {
    made_at: Timestamp,
    path: PathBuf,
}

/// The copies that are there, oldest first.
fn list(folder: &Path) -> Result<Vec<Snapshot>, BackupError> {
    let failed = |error: std::io::Error| BackupError::File(folder.into(), error.kind());
    let mut snapshots = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let made_at = path.file_name().and_then(|name| name.to_str()).and_then(time_of);
        if let Some(made_at) = made_at {
            snapshots.push(Snapshot { made_at, path });
        }
    }
    snapshots.sort_by_key(|snapshot| snapshot.made_at);
    Ok(snapshots)
}

/// Deletes what is left of copies that were interrupted.
fn remove_partial(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().and_then(|name| name.to_str());
        if name
            .and_then(|name| name.split_once(PARTIAL))
            .is_some_and(|(name, _)| time_of(name).is_some())
        {
            // What cannot be deleted stays and is in nobody's way.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn time_of(name: &str) -> Option<Timestamp> {
    let time = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let time = NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").ok()?;
    Some(Timestamp::from_seconds(time.and_utc().timestamp()))
}

#[cfg(test)]
mod tests {
    use super::{list, take_if_due};
    use crate::config::BackupConfig;
    use crate::store::{BackupError, check_integrity};
    use crate::testing::{START, TestIssuer};

    fn every_hour(folder: &std::path::Path) -> BackupConfig {
        BackupConfig {
            folder: Some(folder.into()),
            interval_seconds: 3600,
            keep: 2,
        }
    }

    #[tokio::test]
    async fn a_copy_is_made_when_it_is_due_and_the_oldest_go() {
        let issuer = TestIssuer::new().await;
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("wardgate-notes.db");
        std::fs::write(&other, "not ours").unwrap();
        let config = every_hour(folder.path());
        let take = async |seconds: i64| {
            take_if_due(issuer.store(), &config, START.plus(seconds))
                .await
                .unwrap()
        };
        let first = take(0).await.unwrap();
        assert!(first.ends_with("wardgate-20270115T080000Z.db"), "{first:?}");
        check_integrity(&first).unwrap();
        assert_eq!(take(3599).await, None);
        assert!(take(3600).await.is_some());
        assert!(take(9000).await.is_some());
        assert!(!first.exists());
        assert_eq!(list(folder.path()).unwrap().len(), 2);
        assert!(other.exists());

        let interrupted = folder.path().join("wardgate-20270115T090000Z.db.partial");
        let not_ours = folder.path().join("wardgate-notes.db.partial");
        for file in [&interrupted, &not_ours] {
            std::fs::write(file, "half").unwrap();
        }
        assert!(take(20_000).await.is_some());
        assert!(!interrupted.exists() && not_ours.exists());
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_named_and_without_one_nothing_is_made() {
        let issuer = TestIssuer::new().await;
        let folder = tempfile::tempdir().unwrap();
        let absent = every_hour(&folder.path().join("absent"));
        let failure = take_if_due(issuer.store(), &absent, START).await.unwrap_err();
        assert!(matches!(failure, BackupError::File(..)), "{failure}");
        assert!(failure.to_string().contains("absent cannot be used"), "{failure}");
        let none = BackupConfig {
            folder: None,
            ..absent
        };
        assert_eq!(take_if_due(issuer.store(), &none, START).await.unwrap(), None);
    }
}
