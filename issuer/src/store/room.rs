//! Whether there is room on a disk for a copy, before it is begun.

use std::path::Path;

use super::BackupError;
use super::backup::followed_by;

/// Whether the folder has room for `times` as much as the database and its log take.
///
/// # Errors
/// [`BackupError::NoRoom`]. Where the system does not say how much is free, there is room.
pub(super) fn check(database: &Path, folder: &Path, times: u64) -> Result<(), BackupError> {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let bytes = size(database).saturating_add(size(&followed_by(database, "-wal")));
    let needed = bytes.saturating_mul(times);
    match free(folder) {
        Some(free) if free < needed => Err(BackupError::NoRoom {
            folder: folder.into(),
            needed,
            free,
        }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}
