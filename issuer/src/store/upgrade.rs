//! From the schema of an older program to that of this one: what would be done, and doing it.
//!
//! All steps are one transaction, so the database is either at the newest version or as it was. Nobody else has it open meanwhile: an
//! older server would not know what it reads.

use std::fs::File;
use std::path::{Path, PathBuf};

use wardgate_shared::time::Timestamp;

use super::error::OpenError;
use super::{BackupError, Trial, backup, connection, migrations};

/// A database that an older program made.
#[derive(Debug)]
pub struct Upgrade {
    database: PathBuf,
    found: i64,
}

impl Upgrade {
    /// What `database`, which exists, needs; `None` when it is up to date or still empty. Nothing is changed.
    ///
    /// # Errors
    /// [`OpenError`]: it cannot be read, is not ours, or is of a newer program.
    pub fn needed(database: &Path) -> Result<Option<Self>, OpenError> {
        connection::see_that_it_may_be_used(database)?;
        let connection = connection::open(database)?;
        connection::recognise(&connection, database)?;
        let found = migrations::version(&connection)?;
        let known = migrations::newest();
        if found > known {
            return Err(OpenError::NewerSchema { found, known });
        }
        Ok((0 < found && found < known).then(|| Self {
            database: database.into(),
            found,
        }))
    }

    /// The version that the database has.
    pub const fn from(&self) -> i64 {
        self.found
    }

    /// The version that it is brought to.
    pub fn to(&self) -> i64 {
        migrations::newest()
    }

    /// The names of the steps, in their order.
    pub fn steps(&self) -> Vec<&'static str> {
        migrations::after(self.found)
    }

    /// Keeps everybody else out until what is returned is dropped.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while somebody has the database open, or [`OpenError::File`].
    pub fn keep_others_out(&self) -> Result<File, OpenError> {
        backup::hold_alone(&self.database).map_err(|error| match error {
            OpenError::NotAlone(database) => OpenError::InUse {
                database,
                found: self.from(),
                known: self.to(),
            },
            other => other,
        })
    }

    /// A checked copy of the database as it is, beside it; `moment` is part of its name.
    ///
    /// # Errors
    /// [`BackupError`]: there is none then.
    pub fn snapshot(&self, moment: &str) -> Result<PathBuf, BackupError> {
        let to = backup::beside(&self.database, &format!("schema-{}-{moment}", self.found));
        backup::copy(&self.database, &to)?;
        Ok(to)
    }

    /// A copy to try it on, while others work with the database. It is gone when it is dropped.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn trial(&self) -> Result<Trial, BackupError> {
        Trial::of_database(&self.database)
    }

    /// Takes all steps, or none.
    ///
    /// # Errors
    /// [`OpenError::Migration`] and others; the database is as it was.
    pub fn run(&self, now: Timestamp) -> Result<(), OpenError> {
        let mut connection = connection::open_for_writing(&self.database)?;
        migrations::apply(&mut connection, now)
    }
}
