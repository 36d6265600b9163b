//! API keys.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::api_key::{ApiKey, PreviousSecret};
use crate::domain::audit_event::AuditEvent;
use crate::domain::digest::SecretDigest;
use crate::domain::grant::AccessTokenRecord;

use super::{Insertion, Store, StoreError, access_tokens, audit_events, sql};

const TABLE: &str = "api_keys";

impl Store {
    /// Stores a new key. `audit` is recorded only if it was new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_api_key(&self, key: ApiKey, audit: AuditEvent) -> Result<Insertion, StoreError> {
        self.write(move |connection| {
            let rows = insert(connection, &key)?;
            if rows > 0 {
                audit_events::insert(connection, &audit)?;
            }
            Ok(Insertion::of(rows))
        })
        .await
    }

    /// The key of this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_key(&self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        let id = String::from(id);
        self.look_up(move |connection| {
            sql::first(
                connection,
                "SELECT * FROM api_keys WHERE id = ?1",
                [&id],
                from_row,
            )
        })
        .await
    }

    /// The key that goes by this text: `X-API-Key`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_key_by_text(&self, key: &str) -> Result<Option<ApiKey>, StoreError> {
        let key = String::from(key);
        self.look_up(move |connection| {
            let query = "SELECT * FROM api_keys WHERE api_key = ?1";
            sql::first(connection, query, [&key], from_row)
        })
        .await
    }

    /// Records an access token that the key was exchanged for by the secret of this digest, and that the key was used, at the
    /// time of `audit`. Says whether it could: not when the key or the secret ended meanwhile; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::ProofReplayed`] when the token's DPoP proof was used before.
    pub async fn exchange_api_key(
        &self,
        id: &str,
        secret: SecretDigest,
        access: AccessTokenRecord,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let id = String::from(id);
        self.write(move |connection| {
            let used = "UPDATE api_keys SET last_used_at = ?3
                        WHERE id = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?3)
                          AND (secret_digest = ?2 OR (previous_digest = ?2 AND previous_until > ?3))";
            let parameters = params![id, secret.as_bytes(), audit.at.seconds()];
            if sql::change(connection, used, parameters)? == 0 {
                return Ok(false);
            }
            access_tokens::insert_of_api_key(connection, &access)?;
            audit_events::insert(connection, &audit)?;
            Ok(true)
        })
        .await
    }

    /// The keys after the one of the id `after`, revoked ones too, at most `size`, in the order of their making.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_keys(&self, after: Option<&str>, size: usize) -> Result<Vec<ApiKey>, StoreError> {
        let after = String::from(after.unwrap_or_default());
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        self.read(move |connection| {
            let query = "SELECT * FROM api_keys WHERE id > ?1 ORDER BY id LIMIT ?2";
            sql::all(connection, query, params![after, size], from_row)
        })
        .await
    }

    /// Replaces the secret of a key that works at the time of `audit`; the one of before is taken until `previous_until`. Says
    /// whether it was replaced; only then is `audit` recorded. Tokens that would outlive the secret of before are revoked, and
    /// all of them when a secret older than that is ended by it: which token came from which is not known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rotate_api_key(
        &self,
        id: &str,
        secret: SecretDigest,
        previous_until: Timestamp,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let id = String::from(id);
        self.write(move |connection| {
            let ended = "SELECT 1 FROM api_keys WHERE id = ?1 AND previous_until > ?2";
            let parameters = params![id, audit.at.seconds()];
            let ends_an_older_one = sql::first(connection, ended, parameters, |_| Ok(()))?.is_some();
            let rotated = sql::change(
                connection,
                "UPDATE api_keys SET previous_digest = secret_digest, previous_until = ?3, secret_digest = ?2
                 WHERE id = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?4)",
                params![
                    id,
                    secret.as_bytes(),
                    previous_until.seconds(),
                    audit.at.seconds()
                ],
            )? > 0;
            if rotated {
                let revoke = "UPDATE access_tokens SET revoked_at = ?4
                              WHERE api_key_id = ?1 AND revoked_at IS NULL AND (?2 OR expires_at > ?3)";
                let until = previous_until.seconds();
                let parameters = params![id, ends_an_older_one, until, audit.at.seconds()];
                sql::change(connection, revoke, parameters)?;
                audit_events::insert(connection, &audit)?;
            }
            Ok(rotated)
        })
        .await
    }

    /// Ends a key at the time of `audit`. Says whether it was not revoked before; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_api_key(&self, id: &str, audit: AuditEvent) -> Result<bool, StoreError> {
        let id = String::from(id);
        self.write(move |connection| {
            let revoke = "UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
            let revoked = sql::change(connection, revoke, params![id, audit.at.seconds()])? > 0;
            if revoked {
                audit_events::insert(connection, &audit)?;
            }
            Ok(revoked)
        })
        .await
    }
}

fn insert(connection: &Connection, key: &ApiKey) -> Result<usize, StoreError> {
    sql::change(
        connection,
        "INSERT INTO api_keys (id, api_key, name, scope, secret_digest, created_by, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        params![
            key.id,
            key.key,
            key.name,
            key.scope.to_string(),
            key.secret.as_bytes(),
            key.created_by,
            key.created_at.seconds(),
            sql::optional_seconds(key.expires_at),
        ],
    )
}

fn from_row(row: &Row<'_>) -> Result<ApiKey, StoreError> {
    let previous = sql::optional_digest(row, "previous_digest")?;
    let until = sql::optional_instant(row, "previous_until")?;
    Ok(ApiKey {
        id: row.get("id")?,
        key: row.get("api_key")?,
        name: row.get("name")?,
        scope: sql::scope(row, TABLE)?,
        secret: sql::digest(row, "secret_digest")?,
        previous: previous
            .zip(until)
            .map(|(digest, until)| PreviousSecret { digest, until }),
        created_by: row.get("created_by")?,
        created_at: sql::instant(row, "created_at")?,
        expires_at: sql::optional_instant(row, "expires_at")?,
        last_used_at: sql::optional_instant(row, "last_used_at")?,
        revoked_at: sql::optional_instant(row, "revoked_at")?,
    })
}
