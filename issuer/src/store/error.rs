//! Why the store could not do something. No message holds SQL or data.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why an operation failed. Nothing of it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Too much waits for the database, or another process holds it: try again later.
    #[error(
        "the database is busy: another process holds it, or too much waits for it; try again in a moment"
    )]
    Busy,
    /// The disk is full, unreadable or gone; the number is SQLite's extended result code.
    #[error("{}", unavailable(*.0))]
    Unavailable(i32),
    /// The store was closed.
    #[error("the database is closed")]
    Closed,
    /// A row of this table cannot be read as what it should be.
    #[error(
        "the database is damaged, {0} cannot be read: stop the server and put a backup in its place (`wardgate restore`)"
    )]
    Corrupt(&'static str),
    /// The change contradicts what is stored: it names something that does not exist, or repeats what must be unique.
    #[error("the change contradicts what the database holds")]
    Conflict,
    /// Something that administrators settle was changed, and no line of the audit trail tells of it: our own mistake.
    #[error("a change was not recorded in the audit trail")]
    Unrecorded,
    /// A DPoP proof that came with the change was used before (RFC 9449 section 11.1).
    #[error("the DPoP proof was used before")]
    ProofReplayed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::ConstraintViolation => Self::Conflict,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt("the file"),
                _ => Self::Unavailable(failure.extended_code),
            },
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::InvalidColumnType(..) => Self::Corrupt("a column"),
            // What is left are statements that do not fit the schema: our own mistake, which tests find.
            _ => Self::Unavailable(0),
        }
    }
}

/// What a result of SQLite's means for whoever looks after the machine.
fn unavailable(result: i32) -> String {
    // The low byte is the kind, the rest says more.
    match result & 0xff {
        rusqlite::ffi::SQLITE_FULL => {
            String::from("the disk is full: make room for the database; nothing was stored")
        }
        rusqlite::ffi::SQLITE_READONLY => String::from(
            "the database cannot be written: its disk or folder is read-only, or the user that runs wardgate may not write there",
        ),
        rusqlite::ffi::SQLITE_CANTOPEN => String::from(
            "the database cannot be opened: is its folder there, and may the user that runs wardgate write in it?",
        ),
        rusqlite::ffi::SQLITE_IOERR => format!(
            "the disk of the database fails: is it full, gone or broken? The system's log says more (SQLite result {result})"
        ),
        rusqlite::ffi::SQLITE_NOMEM => String::from("the database has no memory left: give the process more"),
        _ => format!("the database is not available (SQLite result {result})"),
    }
}

/// What is wrong with a file, and what to do, as the second half of a sentence that names it.
pub(super) fn advice(error: io::ErrorKind) -> String {
    let told = match error {
        io::ErrorKind::NotFound => "there is no such file, or no such folder",
        io::ErrorKind::PermissionDenied => {
            "permission denied; give it and its folder to the user that runs wardgate"
        }
        io::ErrorKind::ReadOnlyFilesystem => "its disk is read-only; mount it for writing",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full; make room",
        io::ErrorKind::IsADirectory => "it is a directory, and must be a file",
        io::ErrorKind::NotADirectory => "a part of its path is a file, and must be a directory",
        other => return other.to_string(),
    };
    told.into()
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or its folder cannot be used.
    #[error("the database {} cannot be opened: {}", .0.display(), advice(*.1))]
    File(PathBuf, io::ErrorKind),
    /// The file is no SQLite database.
    #[error("{} is not a database: is `database.path` right? If it is, put a backup in its place (`wardgate restore`)", .0.display())]
    NotADatabase(PathBuf),
    /// The database belongs to another program.
    #[error("{} is a database of another program: is `database.path` right?", .0.display())]
    Foreign(PathBuf),
    /// A newer Wardgate has been at work here.
    #[error(
        "the database has schema version {found}, but this program knows only versions up to {known}: use the newer \
         program, or restore a backup made before it ran"
    )]
    NewerSchema {
        /// The database's version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// An older program made the database, and somebody has it open.
    #[error(
        "the database {} has to be brought from schema version {found} to {known}, and is in use: stop the server first",
        .database.display()
    )]
    InUse {
        /// The database.
        database: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Somebody has the database open.
    #[error("the database {} is in use: stop the server first", .0.display())]
    NotAlone(PathBuf),
    /// A step to a newer schema failed. None was taken.
    #[error("the migration {name} failed, and the database is as it was: {error}")]
    Migration {
        /// The step.
        name: &'static str,
        /// Why.
        error: StoreError,
    },
    /// The database is being brought up to date, or a backup is being put in its place.
    #[error("the database {} is being replaced or brought up to date: try again in a moment", .0.display())]
    Replaced(PathBuf),
    /// The key of the audit trail was sealed under another master key.
    #[error(
        "the master key is not the one of this database: configure the master key that this database was made with"
    )]
    MasterKey,
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// SQLite failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
