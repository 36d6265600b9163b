//! Faults of the database, for tests of those who watch it.

use crate::store::{Store, StoreError};

impl Store {
    /// The writer's connection writes nothing any more: SQLite refuses it as on a read-only disk.
    pub(crate) async fn refuse_writes(&self) {
        self.write(|connection| Ok(connection.pragma_update(None, "query_only", true)?))
            .await
            .unwrap();
        let refused = self.write(|_| Ok(())).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }

    /// As if a program of another version had been at work.
    pub(crate) async fn set_schema_version(&self, version: i64) {
        self.write(move |connection| Ok(connection.pragma_update(None, "user_version", version)?))
            .await
            .unwrap();
    }

    /// Holds the database for writing, as another program would, as long as the connection lives.
    pub(crate) fn held_by_another(&self) -> rusqlite::Connection {
        let other = rusqlite::Connection::open(&self.0.path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    }
}
