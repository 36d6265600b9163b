//! Messages that are still to be sent: queued in the transaction of what they tell of, gone when sent or given up.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::message::{Channel, NewMessage, OutgoingMessage};

use super::{Store, StoreError, audit_events, sql};

const TABLE: &str = "outgoing_messages";

impl Store {
    /// Queues a message by itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn queue_message(&self, message: NewMessage) -> Result<(), StoreError> {
        self.write(move |connection| queue(connection, &message)).await?;
        self.ring_message_bell();
        Ok(())
    }

    /// Waits until a message was queued in this process since the last call. What another process queued shows in
    /// [`Store::claim_messages`] only.
    pub async fn message_was_queued(&self) {
        self.0.message_bell.notified().await;
    }

    /// Takes messages that are due at `now`, at most `limit`, the oldest first. Each counts as tried, and is due again after a
    /// pause unless [`Store::finish_message`] takes it away: whoever takes one and then ends has lost nothing. Of many that ask
    /// at once, one gets it. What has expired is dropped, which the audit trail says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_messages(
        &self,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<OutgoingMessage>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let due = self
            .read(move |connection| {
                sql::all(
                    connection,
                    "SELECT id FROM outgoing_messages WHERE due_at <= ?1 ORDER BY due_at, id LIMIT ?2",
                    params![now.seconds(), limit],
                    |row| Ok(row.get::<_, String>("id")?),
                )
            })
            .await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |connection| {
            let mut claimed = Vec::new();
            for id in due {
                claimed.extend(claim(connection, &id, now)?);
            }
            Ok(claimed)
        })
        .await
    }

    /// Takes a message off the queue, whatever became of it, which `audit` says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish_message(&self, id: &str, audit: AuditEvent) -> Result<(), StoreError> {
        let id = String::from(id);
        self.write(move |connection| {
            if remove(connection, &id)? {
                audit_events::insert(connection, &audit)?;
            }
            Ok(())
        })
        .await
    }

    /// Tells [`Store::message_was_queued`]; called after the commit that queued something.
    pub(super) fn ring_message_bell(&self) {
        self.0.message_bell.notify_one();
    }
}

/// Queues a message, if there is one.
pub(super) fn queue_if_any(connection: &Connection, message: Option<&NewMessage>) -> Result<(), StoreError> {
    message.map_or(Ok(()), |message| queue(connection, message))
}

/// Queues a message.
pub(super) fn queue(connection: &Connection, message: &NewMessage) -> Result<(), StoreError> {
    sql::change(
        connection,
        "INSERT INTO outgoing_messages (id, channel, user_id, sealed, due_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            message.id,
            message.channel.as_str(),
            message.user_id,
            message.sealed,
            message.created_at.seconds(),
            message.expires_at.seconds(),
        ],
    )
    .map(drop)
}

/// The guarded step that decides who tries this one; `None` for whoever comes second, and when it has expired.
fn claim(connection: &Connection, id: &str, now: Timestamp) -> Result<Option<OutgoingMessage>, StoreError> {
    let query = "SELECT * FROM outgoing_messages WHERE id = ?1 AND due_at <= ?2";
    let read = |row: &Row<'_>| Ok((from_row(row)?, sql::instant(row, "expires_at")?));
    let Some((mut message, expires_at)) = sql::first(connection, query, params![id, now.seconds()], read)?
    else {
        return Ok(None);
    };
    if expires_at <= now {
        remove(connection, id)?;
        let mut audit = AuditEvent::new(now, AuditAction::Message, AuditOutcome::Failure)
            .with_method(message.channel.as_str())
            .with_reason("expired");
        audit.user_id = message.user_id;
        audit_events::insert(connection, &audit)?;
        return Ok(None);
    }
    message.attempts = message.attempts.saturating_add(1);
    let due_at = now.plus(message.channel.pause_seconds(message.attempts));
    sql::change(
        connection,
        "UPDATE outgoing_messages SET attempts = ?2, due_at = ?3 WHERE id = ?1",
        params![id, message.attempts, due_at.seconds()],
    )?;
    Ok(Some(message))
}

fn remove(connection: &Connection, id: &str) -> Result<bool, StoreError> {
    Ok(sql::change(connection, "DELETE FROM outgoing_messages WHERE id = ?1", [id])? > 0)
}

fn from_row(row: &Row<'_>) -> Result<OutgoingMessage, StoreError> {
    let channel: String = row.get("channel")?;
    Ok(OutgoingMessage {
        id: row.get("id")?,
        channel: Channel::from_name(&channel).ok_or(StoreError::Corrupt(TABLE))?,
        user_id: row.get("user_id")?,
        sealed: row.get("sealed")?,
        attempts: row.get("attempts")?,
    })
}
