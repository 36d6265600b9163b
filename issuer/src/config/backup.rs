//! Section `backup`: copies that the server makes of its database by itself.

use std::path::PathBuf;

use super::reader::Reader;

/// Scheduled backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupConfig {
    /// Where they are written; nowhere for none.
    pub folder: Option<PathBuf>,
    /// How far apart they are, in seconds.
    pub interval_seconds: i64,
    /// How many are kept.
    pub keep: usize,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<BackupConfig> {
    let interval_seconds = reader.number("backup.interval_seconds", 60..=31_536_000, "seconds");
    let keep = reader.number("backup.keep", 1..=10_000, "files");
    let folder = match reader.optional("backup.folder") {
        None => Some(None),
        Some(_) => reader.path("backup.folder").map(Some),
    };
    Some(BackupConfig {
        folder: folder?,
        interval_seconds: interval_seconds?,
        keep: keep?.try_into().ok()?,
    })
}
