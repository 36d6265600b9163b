//! Copies of the database: made while it is in use, checked, and put in its place again.
//!
//! A copy is the database at one instant (`VACUUM INTO`), checked before it gets its name: a file that has the name of a
//! backup is one. It is readable by its owner only. Secrets in it are sealed as in the database, so it is of use only together
//! with the master key, which is kept elsewhere.
//!
//! Whoever opens the database holds a shared lock on a file beside it; what replaces the database takes it alone. So no running server is
//! left with a file that is no longer there.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::error::{OpenError, advice};
use super::{Store, StoreError, connection, migrations, room, sql};

/// Why there is no copy, or nothing was restored. The database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file of this name.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{} cannot be used: {}", .0.display(), advice(*.1))]
    File(PathBuf, io::ErrorKind),
    /// The copy is not sound. What SQLite says of it first.
    #[error("{} is damaged: {problem}", .0.display(), problem = .1)]
    Damaged(PathBuf, String),
    /// There is no room for a copy.
    #[error(
        "there is no room in {} for a copy: {} MiB are needed, {} MiB are free",
        .folder.display(), .needed.div_ceil(1 << 20), .free >> 20
    )]
    NoRoom {
        /// Where it would be.
        folder: PathBuf,
        /// How many bytes it takes.
        needed: u64,
        /// How many are free.
        free: u64,
    },
    /// A server or command has the database open.
    #[error("the database {} is in use: stop the server first", .0.display())]
    InUse(PathBuf),
    /// SQLite failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File(path.clone(), error.kind())
    }
}

impl Store {
    /// Writes a copy of the database as it is now to `to`, which must not exist. Nobody waits for it.
    ///
    /// # Errors
    /// [`BackupError`]; nothing of the name `to` is left then.
    pub async fn back_up(&self, to: PathBuf) -> Result<(), BackupError> {
        let from = self.0.path.clone();
        let copying = tokio::task::spawn_blocking(move || copy(&from, &to));
        copying.await.map_err(|_| StoreError::Closed)?
    }
}

/// Writes a copy of the database `from` as it is now to `to`, which must not exist.
///
/// # Errors
/// [`BackupError`]; nothing of the name `to` is left then.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.into()));
    }
    room::check(from, folder_of(to), 1)?;
    let partial = beside(to, "partial");
    let outcome = write_partial(from, &partial).and_then(|()| put(&partial, to));
    if outcome.is_err() {
        // What is left of it is of no use; that it cannot be removed changes nothing.
        let _ = std::fs::remove_file(&partial);
    }
    outcome
}

fn write_partial(from: &Path, partial: &Path) -> Result<(), BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(partial).map_err(BackupError::file(partial))?;
    let name = partial
        .to_str()
        .ok_or_else(|| BackupError::File(partial.into(), io::ErrorKind::InvalidFilename))?;
    // A connection of its own: those of the pool must not write, not even to another file.
    let connection = connection::open(from)?;
    sql::change(&connection, "VACUUM INTO ?1", [name])?;
    drop(connection);
    check_integrity(partial)
}

/// Whether the file is a sound database, page by page and reference by reference.
///
/// # Errors
/// [`BackupError::Damaged`], or it cannot be read.
pub fn check_integrity(path: &Path) -> Result<(), BackupError> {
    let connection = connection::open_beside(path)?;
    let problem = sql::first(&connection, "PRAGMA integrity_check(1)", [], |row| {
        Ok(row.get::<_, String>(0)?)
    });
    let damaged = |problem: &str| BackupError::Damaged(path.into(), problem.into());
    match problem {
        Ok(Some(word)) if word == "ok" => {}
        Ok(problem) => {
            // The first line may only name the database.
            let said = problem
                .as_deref()
                .and_then(|text| text.lines().rfind(|line| !line.is_empty()));
            return Err(damaged(said.unwrap_or("nothing in it can be read")));
        }
        Err(StoreError::Corrupt(_)) => return Err(damaged("it is no database")),
        Err(error) => return Err(error.into()),
    }
    let table = sql::first(&connection, "PRAGMA foreign_key_check", [], |row| {
        Ok(row.get::<_, String>(0)?)
    })?;
    match table {
        None => Ok(()),
        Some(table) => Err(damaged(&format!(
            "a row of {table} refers to one that is not there"
        ))),
    }
}

/// Gives a file that is complete its name, durably.
fn put(partial: &Path, to: &Path) -> Result<(), BackupError> {
    File::open(partial)
        .and_then(|file| file.sync_all())
        .map_err(BackupError::file(partial))?;
    std::fs::rename(partial, to).map_err(BackupError::file(to))?;
    let folder = folder_of(to);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(BackupError::file(folder))
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new("."))
}

/// The same path with another ending behind its own.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// A copy of a backup beside the database, where it is tried before it takes the database's place.
#[derive(Debug)]
pub struct Trial {
    database: PathBuf,
    copy: PathBuf,
}

impl Trial {
    /// Copies the backup `from`, if it is sound.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn of(from: &Path, database: &Path) -> Result<Self, BackupError> {
        // SQLite says of a directory, and of a file that must not be read, only that it cannot be opened.
        let backup = File::open(from).map_err(BackupError::file(from))?;
        if backup.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(BackupError::File(from.into(), io::ErrorKind::IsADirectory));
        }
        check_integrity(from)?;
        // An empty file is a sound database, and no backup.
        if connection::open_beside(from).and_then(|connection| migrations::version(&connection))? == 0 {
            return Err(BackupError::Damaged(
                from.into(),
                "nothing of Wardgate is in it".into(),
            ));
        }
        room::check(from, folder_of(database), 2)?;
        let trial = Self {
            database: database.into(),
            copy: beside(database, "restoring"),
        };
        trial.remove();
        std::fs::copy(from, &trial.copy).map_err(BackupError::file(&trial.copy))?;
        Ok(trial)
    }

    /// Copies a database that others may have open.
    ///
    /// # Errors
    /// [`BackupError`].
    pub(super) fn of_database(database: &Path) -> Result<Self, BackupError> {
        // The copy, and as much again for the steps that are tried on it.
        room::check(database, folder_of(database), 2)?;
        let trial = Self {
            database: database.into(),
            copy: beside(database, "trying"),
        };
        trial.remove();
        write_partial(database, &trial.copy)?;
        Ok(trial)
    }

    /// Where the copy is. It may be opened and brought up to date.
    pub fn path(&self) -> &Path {
        &self.copy
    }

    /// Puts the copy, which nobody has open any more, in the database's place. What was there is kept; where, is given.
    ///
    /// # Errors
    /// [`BackupError::InUse`] while somebody has the database open, or [`BackupError::File`].
    pub fn put_in_place(self, kept_as: &str) -> Result<Option<PathBuf>, BackupError> {
        let lock = lock_file(&self.database).map_err(BackupError::file(&self.database))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::InUse(self.database.clone())),
            Err(TryLockError::Error(error)) => return Err(BackupError::file(&self.database)(error)),
        }
        let kept = beside(&self.database, kept_as);
        let existed = self.database.exists();
        if existed {
            keep_as(&self.database, &kept)?;
        }
        put(&self.copy, &self.database)?;
        Ok(existed.then_some(kept))
    }

    fn remove(&self) {
        for ending in ["", "-wal", "-shm", ".lock"] {
            // Mostly there is none.
            let _ = std::fs::remove_file(followed_by(&self.copy, ending));
        }
    }
}

/// Gives the database a second name under which it stays. The first one stays until another file takes it in one step: whenever
/// the process dies, there is a database.
fn keep_as(database: &Path, kept: &Path) -> Result<(), BackupError> {
    // The log belongs to the database: what is in it may not be in the file yet. Closing moves it there. A database that is
    // damaged may refuse; then the log is kept too.
    if let Ok(connection) = connection::open(database) {
        let _ = sql::first(&connection, "PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    for ending in ["", "-wal"] {
        let (from, to) = (followed_by(database, ending), followed_by(kept, ending));
        // Not every file system knows second names.
        if from.exists() && std::fs::hard_link(&from, &to).is_err() {
            std::fs::copy(&from, &to)
                .and_then(|_| File::open(&to)?.sync_all())
                .map_err(BackupError::file(&to))?;
        }
    }
    // The next database must not find a log that is not its own.
    for ending in ["-wal", "-shm"] {
        let log = followed_by(database, ending);
        if log.exists() {
            std::fs::remove_file(&log).map_err(BackupError::file(&log))?;
        }
    }
    Ok(())
}

/// The same path with this text right behind it.
pub(super) fn followed_by(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Holds the database of this path open against whoever would replace it.
///
/// # Errors
/// [`OpenError::File`]; [`OpenError::Replaced`] while it is being replaced.
pub(super) fn hold(database: &Path) -> Result<File, OpenError> {
    let failed = |error: io::Error| OpenError::File(database.into(), error.kind());
    let lock = lock_file(database).map_err(failed)?;
    match lock.try_lock_shared() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Replaced(database.into())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Keeps everybody else out of the database of this path.
///
/// # Errors
/// [`OpenError::File`]; [`OpenError::NotAlone`] while somebody has it open.
pub(super) fn hold_alone(database: &Path) -> Result<File, OpenError> {
    let failed = |error: io::Error| OpenError::File(database.into(), error.kind());
    let lock = lock_file(database).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::NotAlone(database.into())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn lock_file(database: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(beside(database, "lock"))
}

#[cfg(test)]
mod tests;
