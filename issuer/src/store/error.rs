//! Why the store could not do something. No message holds SQL or data.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why an operation failed. Nothing of it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Too much waits for the database, or another process holds it: try again later.
    #[error("the database is busy")]
    Busy,
    /// The disk is full, unreadable or gone; the number is SQLite's extended result code.
    #[error("the database is not available (SQLite result {0})")]
    Unavailable(i32),
    /// The store was closed.
    #[error("the database is closed")]
    Closed,
    /// A row of this table cannot be read as what it should be.
    #[error("the database holds a damaged row in {0}")]
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

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or its folder cannot be used.
    #[error("the database {} cannot be opened: {error}", .0.display(), error = .1)]
    File(PathBuf, io::ErrorKind),
    /// The file is no SQLite database.
    #[error("{} is not a database", .0.display())]
    NotADatabase(PathBuf),
    /// The database belongs to another program.
    #[error("{} is a database of another program", .0.display())]
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
    /// A backup is being put in the place of the database.
    #[error("the database {} is being replaced by a backup: try again in a moment", .0.display())]
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
