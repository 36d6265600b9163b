//! Forgetting what has expired and can tell nobody anything any more.
//!
//! Codes and exchanged refresh tokens outlive their use, because their replay must be known for one; they go with their
//! grant, or when they have expired. A grant goes when nothing under it is left and nothing can come of it: it ended, or
//! neither its code, nor the device it was given to, nor a refresh token can be used any more. One that gave tokens stays as
//! long as its session: at the session's end its client is to hear of it.

use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};

use super::{Store, StoreError, audit_changes, sql};

/// Rows that one statement deletes: the writer turns to others in between.
const PORTION: usize = 500;
/// Grants that are looked for at once.
const CANDIDATES: usize = 10_000;

/// How many rows a purge removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// In all tables together, without what went along with its grant.
    pub rows: usize,
}

/// What an index on the expiry finds; `?1` is now, `?2` the portion.
const EXPIRED: [&str; 23] = [
    "DELETE FROM authorization_requests WHERE digest IN
         (SELECT digest FROM authorization_requests WHERE expires_at <= ?1 LIMIT ?2)",
    // An hour later than it could: a device that asks late is to hear that its code has expired.
    "DELETE FROM device_authorizations WHERE digest IN
         (SELECT digest FROM device_authorizations WHERE expires_at <= ?1 - 3600 LIMIT ?2)",
    // An hour later than it could: a request that came with one is still to spend it.
    "DELETE FROM launches WHERE digest IN (SELECT digest FROM launches WHERE expires_at <= ?1 - 3600 LIMIT ?2)",
    "DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM sign_ins WHERE digest IN (SELECT digest FROM sign_ins WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM sent_codes WHERE binding IN (SELECT binding FROM sent_codes WHERE expires_at <= ?1 LIMIT ?2)",
    // For an hour they are counted.
    "DELETE FROM sent_messages WHERE id IN
         (SELECT id FROM sent_messages WHERE sent_at <= ?1 - 3600 LIMIT ?2)",
    "DELETE FROM remembered_devices WHERE id IN
         (SELECT id FROM remembered_devices WHERE expires_at <= ?1 LIMIT ?2)",
    // An hour later than it could: how many somebody got lately is counted.
    "DELETE FROM account_links WHERE digest IN
         (SELECT digest FROM account_links WHERE expires_at <= ?1 - 3600 LIMIT ?2)",
    // An hour to confirm a factor.
    "DELETE FROM factors WHERE id IN
         (SELECT id FROM factors WHERE confirmed_at IS NULL AND created_at <= ?1 - 3600 LIMIT ?2)",
    "DELETE FROM access_tokens WHERE token_id IN
         (SELECT token_id FROM access_tokens WHERE expires_at <= ?1 LIMIT ?2)",
    // A list expires with the last token in it, or later.
    "DELETE FROM status_lists WHERE id IN (SELECT id FROM status_lists WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM refresh_tokens WHERE digest IN (SELECT digest FROM refresh_tokens WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM client_assertions WHERE (client_id, digest) IN
         (SELECT client_id, digest FROM client_assertions WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM issuer_assertions WHERE (issuer, digest) IN
         (SELECT issuer, digest FROM issuer_assertions WHERE expires_at <= ?1 LIMIT ?2)",
    // Clients that registered themselves and had no token since; what hangs on them goes along.
    "DELETE FROM clients WHERE client_id IN (SELECT client_id FROM clients WHERE unused_until <= ?1 LIMIT ?2)",
    "DELETE FROM registration_tokens WHERE id IN
         (SELECT id FROM registration_tokens WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM used_ceremonies WHERE digest IN
         (SELECT digest FROM used_ceremonies WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM dpop_proofs WHERE digest IN (SELECT digest FROM dpop_proofs WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM sso_attempts WHERE digest IN (SELECT digest FROM sso_attempts WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM sso_sign_ins WHERE browser_digest IN
         (SELECT browser_digest FROM sso_sign_ins WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM signing_keys WHERE key_id IN
         (SELECT key_id FROM signing_keys WHERE published_until <= ?1 LIMIT ?2)",
    "DELETE FROM denials WHERE (kind, name) IN (SELECT kind, name FROM denials WHERE expires_at <= ?1 LIMIT ?2)",
];

/// A macro because SQL is put together at compile time only: what makes a grant `g` finished at `?1`.
macro_rules! finished {
    () => {
        "NOT EXISTS (SELECT 1 FROM access_tokens a WHERE a.grant_id = g.id)
           AND NOT EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = g.id)
           AND NOT EXISTS (SELECT 1 FROM authorization_codes c WHERE c.grant_id = g.id AND c.expires_at > ?1)
           AND (g.activated_at IS NULL OR NOT EXISTS (SELECT 1 FROM sessions s WHERE s.digest = g.session_digest))
           AND NOT EXISTS (SELECT 1 FROM device_authorizations d WHERE d.grant_id = g.id AND d.expires_at > ?1)"
    };
}

impl Store {
    /// Deletes what has expired at `now`, in small portions.
    ///
    /// # Errors
    /// [`StoreError`]; what was deleted by then stays deleted.
    pub async fn purge_expired(&self, now: Timestamp) -> Result<Purged, StoreError> {
        let mut purged = Purged::default();
        for statement in EXPIRED {
            loop {
                let parameters = (now.seconds(), i64::try_from(PORTION).unwrap_or(i64::MAX));
                let rows = self
                    .write(move |connection| {
                        let rows = sql::change(connection, statement, parameters)?;
                        let line = AuditEvent::new(now, AuditAction::Upkeep, AuditOutcome::Success);
                        audit_changes::record(connection, &line)?;
                        Ok(rows)
                    })
                    .await?;
                purged.rows = purged.rows.saturating_add(rows);
                if rows < PORTION {
                    break;
                }
            }
        }
        loop {
            let finished = self.finished_grants(now).await?;
            for portion in finished.chunks(PORTION) {
                let ids = sql::to_list(portion)?;
                let delete = concat!(
                    "DELETE FROM grants AS g WHERE g.id IN (SELECT value FROM json_each(?2)) AND ",
                    finished!()
                );
                let rows = self
                    .write(move |connection| sql::change(connection, delete, (now.seconds(), ids)))
                    .await?;
                purged.rows = purged.rows.saturating_add(rows);
            }
            if finished.len() < CANDIDATES {
                return Ok(purged);
            }
        }
    }

    /// Grants that may go. They are looked for by a reader, since no index finds them and the writer has better to do.
    async fn finished_grants(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        self.read(move |connection| {
            let query = concat!("SELECT g.id FROM grants g WHERE ", finished!(), " LIMIT ?2");
            let limit = i64::try_from(CANDIDATES).unwrap_or(i64::MAX);
            sql::all(
                connection,
                query,
                (now.seconds(), limit),
                |row| Ok(row.get("id")?),
            )
        })
        .await
    }
}
