//! Clients that are still to hear of a session's end: queued in the transaction that ends it, gone when told or given up.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::digest::SecretDigest;
use crate::domain::logout_notification::LogoutNotification;

use super::{Store, StoreError, audit_events, sql};

impl Store {
    /// Waits until somebody's logout was queued in this process since the last call. What another process queued shows in
    /// [`Store::claim_logout_notifications`] only.
    pub async fn logout_was_queued(&self) {
        self.0.logout_bell.notified().await;
    }

    /// Takes notifications that are due at `now`: at most `limit`, the oldest of each client that is not `busy`. Each counts as
    /// tried, and is due again after a pause unless [`Store::finish_logout_notification`] takes it away: whoever takes one and
    /// then ends has lost nothing. Of many that ask at once, one gets it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_logout_notifications(
        &self,
        busy: &[String],
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<LogoutNotification>, StoreError> {
        let busy = sql::to_list(busy)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let due = self
            .read(move |connection| {
                sql::all(
                    connection,
                    "SELECT min(id) AS id FROM logout_notifications
                     WHERE due_at <= ?1 AND client_id NOT IN (SELECT value FROM json_each(?2))
                     GROUP BY client_id ORDER BY min(due_at) LIMIT ?3",
                    params![now.seconds(), busy, limit],
                    |row| Ok(row.get::<_, i64>("id")?),
                )
            })
            .await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |connection| {
            let mut claimed = Vec::new();
            for id in due {
                claimed.extend(claim(connection, id, now)?);
            }
            Ok(claimed)
        })
        .await
    }

    /// Takes a notification off the queue, whatever became of it, which `audit` says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish_logout_notification(&self, id: i64, audit: AuditEvent) -> Result<(), StoreError> {
        self.write(move |connection| {
            sql::change(connection, "DELETE FROM logout_notifications WHERE id = ?1", [id])?;
            audit_events::insert(connection, &audit)
        })
        .await
    }

    /// Tells [`Store::logout_was_queued`].
    pub(super) fn ring_logout_bell(&self) {
        self.0.logout_bell.notify_one();
    }
}

/// Queues a notification for each client that has an ID token of the session behind `digest` and wants to hear of its end.
pub(super) fn queue(
    connection: &Connection,
    digest: &SecretDigest,
    now: Timestamp,
) -> Result<(), StoreError> {
    sql::change(
        connection,
        "INSERT INTO logout_notifications (client_id, user_id, session_id, due_at)
         SELECT DISTINCT g.client_id, g.user_id, g.session_id, ?2
         FROM grants g JOIN clients c ON c.client_id = g.client_id
         WHERE g.session_digest = ?1 AND g.session_id IS NOT NULL AND g.activated_at IS NOT NULL
           AND instr(' ' || g.scope || ' ', ' openid ') > 0 AND c.metadata ->> '$.backchannel_logout_uri' IS NOT NULL",
        params![digest.as_bytes(), now.seconds()],
    )
    .map(drop)
}

/// The guarded step that decides who tries this one; `None` for whoever comes second.
fn claim(connection: &Connection, id: i64, now: Timestamp) -> Result<Option<LogoutNotification>, StoreError> {
    let query = "SELECT * FROM logout_notifications WHERE id = ?1 AND due_at <= ?2";
    let Some(mut notification) = sql::first(connection, query, params![id, now.seconds()], from_row)? else {
        return Ok(None);
    };
    notification.attempts = notification.attempts.saturating_add(1);
    let due_at = now.plus(LogoutNotification::pause_seconds(notification.attempts));
    sql::change(
        connection,
        "UPDATE logout_notifications SET attempts = ?2, due_at = ?3 WHERE id = ?1",
        params![id, notification.attempts, due_at.seconds()],
    )?;
    Ok(Some(notification))
}

fn from_row(row: &Row<'_>) -> Result<LogoutNotification, StoreError> {
    Ok(LogoutNotification {
        id: row.get("id")?,
        client_id: row.get("client_id")?,
        user_id: row.get("user_id")?,
        session_id: row.get("session_id")?,
        attempts: row.get("attempts")?,
    })
}
