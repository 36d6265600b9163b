//! Signing keys as they are stored: sealed.

use rusqlite::{Connection, Row, params};
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::denial::Denial;
use crate::domain::signing_key::{StoredSigningKey, Successor};

use super::{Store, StoreError, audit_events, denials, sql};

const TABLE: &str = "signing_keys";

impl Store {
    /// Every stored key, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError> {
        self.read(|connection| {
            let query = "SELECT * FROM signing_keys ORDER BY created_at DESC, signs_from DESC, key_id";
            sql::all(connection, query, [], from_row)
        })
        .await
    }

    /// Stores a key and the ends of its predecessors: `kid`, `signs_until`, `published_until` of each.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when the key is stored already, or another of its algorithm would stay without an
    /// end: the keys are not those that the ends were told for. Nothing has changed then.
    pub async fn insert_signing_key(
        &self,
        key: StoredSigningKey,
        retire: Vec<(String, Timestamp, Timestamp)>,
        audit: AuditEvent,
    ) -> Result<(), StoreError> {
        self.write(move |connection| {
            insert(connection, &key)?;
            for ends in &retire {
                set_ends(connection, ends)?;
            }
            see_that_one_is_newest(connection, key.algorithm)?;
            audit_events::insert(connection, &audit)
        })
        .await
    }

    /// Ends a key at `now`, denies what it signed, and stores the key that signs in its place: one that was made for that, or one that
    /// was waiting, by its `kid`. `algorithm` is that of the key.
    ///
    /// # Errors
    /// [`StoreError`], `Conflict` as in [`Store::insert_signing_key`]; nothing has changed then.
    pub async fn revoke_signing_key(
        &self,
        denial: Denial,
        algorithm: SignatureAlgorithm,
        successor: Option<Successor>,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<(), StoreError> {
        self.write(move |connection| {
            match &successor {
                Some(Successor::Made(key)) => insert(connection, key)?,
                Some(Successor::Waiting(key_id)) => sql::change(
                    connection,
                    "UPDATE signing_keys SET signs_from = ?2 WHERE key_id = ?1",
                    params![key_id, now.seconds()],
                )
                .map(drop)?,
                None => {}
            }
            set_ends(connection, &(denial.name.clone(), now, now))?;
            see_that_one_is_newest(connection, algorithm)?;
            denials::insert(connection, &denial)?;
            audit_events::insert(connection, &audit)
        })
        .await
    }

    /// Stores the ends of a key without successor: `kid`, `signs_until`, `published_until`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn retire_signing_key(
        &self,
        ends: (String, Timestamp, Timestamp),
        audit: AuditEvent,
    ) -> Result<(), StoreError> {
        self.write(move |connection| {
            set_ends(connection, &ends)?;
            audit_events::insert(connection, &audit)
        })
        .await
    }
}

fn insert(connection: &Connection, key: &StoredSigningKey) -> Result<(), StoreError> {
    sql::change(
        connection,
        "INSERT INTO signing_keys (key_id, algorithm, sealed_private_key, created_at, signs_from, signs_until,
             published_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            key.key_id,
            key.algorithm.name(),
            key.sealed_private_key,
            key.created_at.seconds(),
            key.signs_from.seconds(),
            sql::optional_seconds(key.signs_until),
            sql::optional_seconds(key.published_until),
        ],
    )
    .map(drop)
}

/// At most one key of an algorithm has no end. Two of them come of two processes that each made a successor for the same key.
fn see_that_one_is_newest(connection: &Connection, algorithm: SignatureAlgorithm) -> Result<(), StoreError> {
    let query = "SELECT count(*) FROM signing_keys WHERE algorithm = ?1 AND signs_until IS NULL";
    let newest = sql::first(connection, query, [algorithm.name()], |row| {
        Ok(row.get::<_, i64>(0)?)
    })?;
    if newest.is_some_and(|newest| newest > 1) {
        return Err(StoreError::Conflict);
    }
    Ok(())
}

fn set_ends(
    connection: &Connection,
    (key_id, signs_until, published_until): &(String, Timestamp, Timestamp),
) -> Result<(), StoreError> {
    sql::change(
        connection,
        "UPDATE signing_keys SET signs_until = ?2, published_until = ?3 WHERE key_id = ?1",
        params![key_id, signs_until.seconds(), published_until.seconds()],
    )
    .map(drop)
}

fn from_row(row: &Row<'_>) -> Result<StoredSigningKey, StoreError> {
    let algorithm: String = row.get("algorithm")?;
    Ok(StoredSigningKey {
        key_id: row.get("key_id")?,
        algorithm: SignatureAlgorithm::from_name(&algorithm).ok_or(StoreError::Corrupt(TABLE))?,
        sealed_private_key: row.get("sealed_private_key")?,
        created_at: sql::instant(row, "created_at")?,
        signs_from: sql::instant(row, "signs_from")?,
        signs_until: sql::optional_instant(row, "signs_until")?,
        published_until: sql::optional_instant(row, "published_until")?,
    })
}
