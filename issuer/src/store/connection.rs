//! Opening the database file with the settings that durability and safety ask for.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{OpenError, StoreError};

/// `application_id` of our databases: "WARD".
const APPLICATION_ID: i32 = 0x5741_5244;
/// How long a statement waits for another process, such as the command line beside a running server.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Statements kept prepared on each connection: more than this crate has.
const STATEMENTS: usize = 128;
/// Pages in the log before they are moved to the database file: 16 MiB. A page that changes often is moved once for
/// many commits.
const CHECKPOINT_PAGES: i32 = 4096;
/// Pages that the writer keeps in memory, in KiB. Tokens lie at random places in their indexes.
const WRITER_CACHE_KIB: i32 = 8192;

/// The one connection that writes. A file that does not exist is made, readable by its owner only.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, OpenError> {
    make_private(path)?;
    let connection = open(path)?;
    if recognise(&connection, path)? == Origin::Empty {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    // Readers never block the writer, and a commit is one write to the log.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What is committed is on the disk before anybody is told.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    // Each job of a batch can be undone alone; what that takes is kept in memory, not in a file beside the log.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Whose database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Wardgate's.
    Ours,
    /// Nobody's yet.
    Empty,
}

/// Finds out whose database this is.
///
/// # Errors
/// [`OpenError::NotADatabase`], [`OpenError::Foreign`] or [`OpenError::Store`].
pub(super) fn recognise(connection: &Connection, path: &Path) -> Result<Origin, OpenError> {
    // The first statement that reads the file finds out whether it is a database at all.
    let application: i32 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => OpenError::NotADatabase(path.into()),
            _ => error.into(),
        })?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, tables) {
        (APPLICATION_ID, _) => Ok(Origin::Ours),
        (0, 0) => Ok(Origin::Empty),
        _ => Err(OpenError::Foreign(path.into())),
    }
}

/// Whether this user may read and write the file, which exists: SQLite would only say that it cannot.
///
/// # Errors
/// [`OpenError::File`].
pub(super) fn see_that_it_may_be_used(path: &Path) -> Result<(), OpenError> {
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map(drop)
        .map_err(|error| OpenError::File(path.into(), error.kind()))
}

/// A connection that cannot write. The database must exist.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, OpenError> {
    let connection = open(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// A connection to a file that is not the database in use: it can only read, and changes nothing beside it.
pub(super) fn open_beside(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(path, flags)?)
}

/// A connection to a database that exists, with what all of ours have in common.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A plan holds for all values: otherwise SQLite plans many a statement anew for every value that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Makes the file if it is absent. SQLite gives its companions the same permissions.
fn make_private(path: &Path) -> Result<(), OpenError> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| OpenError::File(path.into(), error.kind()))
}
