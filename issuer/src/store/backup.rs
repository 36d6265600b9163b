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

use super::error::OpenError;
use super::{Store, StoreError, connection, sql};

/// Why there is no copy, or nothing was restored. The database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file of this name.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{} cannot be used: {error}", .0.display(), error = .1)]
    File(PathBuf, io::ErrorKind),
    /// The copy is not sound. What SQLite says of it first.
    #[error("{} is damaged: {problem}", .0.display(), problem = .1)]
    Damaged(PathBuf, String),
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

fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.into()));
    }
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
        Ok(problem) => return Err(damaged(problem.as_deref().unwrap_or("nothing in it can be read"))),
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
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(BackupError::file(folder))
}

/// The same path with another ending behind its own.
fn beside(path: &Path, ending: &str) -> PathBuf {
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
        check_integrity(from)?;
        let trial = Self {
            database: database.into(),
            copy: beside(database, "restoring"),
        };
        trial.remove();
        std::fs::copy(from, &trial.copy).map_err(BackupError::file(&trial.copy))?;
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
            // The log belongs to the database: what is in it may not be in the file yet.
            for ending in ["", "-wal", "-shm"] {
                let of = |path: &Path| -> PathBuf {
                    let mut name = path.as_os_str().to_owned();
                    name.push(ending);
                    name.into()
                };
                let from = of(&self.database);
                if from.exists() {
                    std::fs::rename(&from, of(&kept)).map_err(BackupError::file(&from))?;
                }
            }
        }
        put(&self.copy, &self.database)?;
        Ok(existed.then_some(kept))
    }

    fn remove(&self) {
        for ending in ["", "-wal", "-shm"] {
            let mut name = self.copy.as_os_str().to_owned();
            name.push(ending);
            // Mostly there is none.
            let _ = std::fs::remove_file(PathBuf::from(name));
        }
    }
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

fn lock_file(database: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(beside(database, "lock"))
}

#[cfg(test)]
mod tests;
