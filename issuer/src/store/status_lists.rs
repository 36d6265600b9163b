//! Status lists: which there are, and which of their bits are set.
//!
//! A bit is set for as long as its token is revoked and not expired. That is read from the records of the tokens, from the
//! same column that decides whether introspection calls a token active, so the two cannot disagree.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::status_list::StatusListShard;

use super::{Store, StoreError, sql};

const TABLE: &str = "status_lists";

impl Store {
    /// The list of this id and the places of its revoked tokens, in order. `None` when there is no such list, or it has
    /// expired with its last token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn status_list(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<(StatusListShard, Vec<u32>)>, StoreError> {
        let id = String::from(id);
        self.read(move |connection| {
            let query = "SELECT id, entries, expires_at FROM status_lists WHERE id = ?1 AND expires_at > ?2";
            let parameters = params![id, now.seconds()];
            let Some(list) = sql::first(connection, query, parameters, from_row)? else {
                return Ok(None);
            };
            let revoked = sql::all(
                connection,
                "SELECT status_index FROM access_tokens
                 WHERE status_list = ?1 AND revoked_at IS NOT NULL AND expires_at > ?2 ORDER BY status_index",
                params![id, now.seconds()],
                |row| Ok(row.get("status_index")?),
            )?;
            Ok(Some((list, revoked)))
        })
        .await
    }

    /// The ids of all lists that have not expired.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn status_lists(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        self.read(move |connection| {
            let query = "SELECT id FROM status_lists WHERE expires_at > ?1 ORDER BY expires_at, id";
            sql::all(connection, query, [now.seconds()], |row| Ok(row.get("id")?))
        })
        .await
    }
}

/// Stores a list with the first token that has a place in it.
pub(super) fn insert_if_new(connection: &Connection, list: &StatusListShard) -> Result<(), StoreError> {
    sql::change(
        connection,
        "INSERT INTO status_lists (id, entries, expires_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![list.id, list.entries, list.expires_at.seconds()],
    )?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> Result<StatusListShard, StoreError> {
    let entries: i64 = row.get("entries")?;
    Ok(StatusListShard {
        id: row.get("id")?,
        entries: u32::try_from(entries).map_err(|_| StoreError::Corrupt(TABLE))?,
        expires_at: sql::instant(row, "expires_at")?,
    })
}
