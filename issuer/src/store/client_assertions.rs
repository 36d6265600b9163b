//! Client assertions that were used, so that none is used twice (RFC 7523 section 3, `jti`).

use rusqlite::params;
use wardgate_shared::time::Timestamp;

use crate::domain::digest::SecretDigest;

use super::{Insertion, Store, StoreError, sql};

impl Store {
    /// Uses up the assertion that `client_id` named `assertion_id` (`jti`). Of many attempts at one, exactly one is told
    /// [`Insertion::Inserted`]. It is remembered until `expires_at`, from when on it must be refused for its age.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consume_client_assertion(
        &self,
        client_id: &str,
        assertion_id: &str,
        expires_at: Timestamp,
    ) -> Result<Insertion, StoreError> {
        let (client_id, digest) = (String::from(client_id), SecretDigest::of(assertion_id));
        self.write(move |connection| {
            let insert = "INSERT INTO client_assertions (client_id, digest, expires_at) VALUES (?1, ?2, ?3)
                          ON CONFLICT (client_id, digest) DO NOTHING";
            let rows = sql::change(
                connection,
                insert,
                params![client_id, digest.as_bytes(), expires_at.seconds()],
            )?;
            Ok(Insertion::of(rows))
        })
        .await
    }
}
