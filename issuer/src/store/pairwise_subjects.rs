//! What each sector calls a person (OpenID Connect Core section 8.1).
//!
//! Stored rather than computed: a name stays the same whatever becomes of keys, and says nothing to whoever learns one.

use rusqlite::{Connection, params};

use super::{Store, StoreError, sql};

impl Store {
    /// The name of `user_id` in `sector`: the one it was given first, else `candidate`, which it keeps from now on. Of
    /// several attempts at once one names the person, and all are told that name.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when there is no such person.
    pub async fn pairwise_subject(
        &self,
        sector: &str,
        user_id: &str,
        candidate: String,
    ) -> Result<String, StoreError> {
        let key = (String::from(sector), String::from(user_id));
        let known = key.clone();
        if let Some(subject) = self.read(move |connection| find(connection, &known)).await? {
            return Ok(subject);
        }
        self.write(move |connection| {
            sql::change(
                connection,
                "INSERT INTO pairwise_subjects (sector, user_id, subject) VALUES (?1, ?2, ?3)
                 ON CONFLICT (sector, user_id) DO NOTHING",
                params![key.0, key.1, candidate],
            )?;
            find(connection, &key)?.ok_or(StoreError::Conflict)
        })
        .await
    }

    /// The person whom a sector calls `subject`, and the sector.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pairwise_owner(&self, subject: &str) -> Result<Option<(String, String)>, StoreError> {
        let subject = String::from(subject);
        self.read(move |connection| {
            let query = "SELECT user_id, sector FROM pairwise_subjects WHERE subject = ?1";
            sql::first(connection, query, [subject], |row| {
                Ok((row.get("user_id")?, row.get("sector")?))
            })
        })
        .await
    }
}

fn find(connection: &Connection, (sector, user_id): &(String, String)) -> Result<Option<String>, StoreError> {
    let query = "SELECT subject FROM pairwise_subjects WHERE sector = ?1 AND user_id = ?2";
    sql::first(
        connection,
        query,
        [sector, user_id],
        |row| Ok(row.get("subject")?),
    )
}
