//! Forgetting what has expired and can tell nobody anything any more.

use wardgate_shared::time::Timestamp;

use super::{Store, StoreError, sql};

/// Rows that one statement deletes: the writer turns to others in between.
const PORTION: i64 = 500;

/// How many rows a purge removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// In all tables together.
    pub rows: u64,
}

/// What is deleted, in this order; `?1` is now, `?2` the portion.
///
/// Codes and exchanged refresh tokens outlive their use, because their replay must be known for one; they go with their
/// grant, or when they have expired. A grant goes when nothing under it is left and nothing can come of it: it ended, or
/// neither its code nor a refresh token can be used any more.
const STATEMENTS: [&str; 6] = [
    "DELETE FROM authorization_requests WHERE digest IN
         (SELECT digest FROM authorization_requests WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM access_tokens WHERE token_id IN
         (SELECT token_id FROM access_tokens WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM refresh_tokens WHERE digest IN (SELECT digest FROM refresh_tokens WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM grants WHERE id IN (
         SELECT g.id FROM grants g
         WHERE NOT EXISTS (SELECT 1 FROM access_tokens a WHERE a.grant_id = g.id)
           AND NOT EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = g.id)
           AND NOT EXISTS (SELECT 1 FROM authorization_codes c WHERE c.grant_id = g.id AND c.expires_at > ?1)
         LIMIT ?2)",
    "DELETE FROM signing_keys WHERE key_id IN
         (SELECT key_id FROM signing_keys WHERE published_until <= ?1 LIMIT ?2)",
];

impl Store {
    /// Deletes what has expired at `now`, in small portions.
    ///
    /// # Errors
    /// [`StoreError`]; what was deleted by then stays deleted.
    pub async fn purge_expired(&self, now: Timestamp) -> Result<Purged, StoreError> {
        let mut purged = Purged::default();
        for statement in STATEMENTS {
            loop {
                let rows = self
                    .write(move |connection| sql::change(connection, statement, [now.seconds(), PORTION]))
                    .await?;
                let rows = i64::try_from(rows).unwrap_or(PORTION);
                purged.rows = purged.rows.saturating_add(rows.unsigned_abs());
                if rows < PORTION {
                    break;
                }
            }
        }
        Ok(purged)
    }
}
