//! The audit trail: lines are added, never changed.

use std::borrow::Cow;

use rusqlite::{Connection, Row, params};

use crate::domain::audit_chain::{AuditDigest, AuditHead};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::audit_search::RecordedEvent;

use super::{Store, StoreError, audit_changes, sql};

const TABLE: &str = "audit_events";

impl Store {
    /// Adds a line of its own, for what changes nothing else: a refusal.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record(&self, audit: AuditEvent) -> Result<(), StoreError> {
        self.write(move |connection| insert(connection, &audit)).await
    }

    /// The newest lines, at most `limit`, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_events(&self, limit: usize) -> Result<Vec<AuditEvent>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |connection| {
            sql::all(
                connection,
                "SELECT * FROM audit_events ORDER BY id DESC LIMIT ?1",
                [limit],
                from_row,
            )
        })
        .await
    }

    /// Lines with a higher number than `after`, at most `limit`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_events_after(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |connection| {
            let query = "SELECT * FROM audit_events WHERE id > ?1 ORDER BY id LIMIT ?2";
            sql::all(connection, query, [after, limit], recorded)
        })
        .await
    }

    /// The newest line.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_head(&self) -> Result<Option<AuditHead>, StoreError> {
        self.read(|connection| {
            let query =
                "SELECT id, digest FROM audit_events WHERE digest IS NOT NULL ORDER BY id DESC LIMIT 1";
            sql::first(connection, query, [], |row| {
                Ok(AuditHead {
                    id: row.get("id")?,
                    digest: AuditDigest::from_bytes(row.get("digest")?),
                })
            })
        })
        .await
    }
}

/// Adds a line in the transaction of the change it tells of, and after it: the line says what was changed.
pub(super) fn insert(connection: &Connection, event: &AuditEvent) -> Result<(), StoreError> {
    let changes = audit_changes::take(connection)?;
    sql::change(
        connection,
        "INSERT INTO audit_events (at, action, outcome, user_id, client_id, ip_address, method, reason,
             actor_id, object_id, changes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            event.at.seconds(),
            event.action.as_str(),
            event.outcome.as_str(),
            event.user_id,
            event.client_id,
            event.ip_address.map(|address| address.to_string()),
            event.method.as_deref(),
            event.reason.as_deref(),
            event.actor_id,
            event.object_id,
            changes,
        ],
    )?;
    Ok(())
}

/// The line that says that a one-time secret came again, when `audit` is the line of the request it came with.
pub(super) fn replay(audit: &AuditEvent, reason: &'static str) -> AuditEvent {
    AuditEvent {
        action: AuditAction::Replay,
        outcome: AuditOutcome::Failure,
        reason: Some(Cow::Borrowed(reason)),
        ..audit.clone()
    }
}

/// A line with its number, what it changed, and its digest.
pub(super) fn recorded(row: &Row<'_>) -> Result<RecordedEvent, StoreError> {
    let changes: Option<String> = row.get("changes")?;
    let digest: Option<[u8; 32]> = row.get("digest")?;
    Ok(RecordedEvent {
        id: row.get("id")?,
        event: from_row(row)?,
        changes: changes
            .map(|text| serde_json::from_str(&text).map_err(|_| StoreError::Corrupt(TABLE)))
            .transpose()?,
        digest: digest.map(AuditDigest::from_bytes),
    })
}

pub(super) fn from_row(row: &Row<'_>) -> Result<AuditEvent, StoreError> {
    let action: String = row.get("action")?;
    let outcome: String = row.get("outcome")?;
    let address: Option<String> = row.get("ip_address")?;
    Ok(AuditEvent {
        at: sql::instant(row, "at")?,
        action: AuditAction::from_name(&action).ok_or(StoreError::Corrupt(TABLE))?,
        outcome: AuditOutcome::from_name(&outcome).ok_or(StoreError::Corrupt(TABLE))?,
        user_id: row.get("user_id")?,
        client_id: row.get("client_id")?,
        ip_address: address
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| StoreError::Corrupt(TABLE))?,
        method: row.get::<_, Option<String>>("method")?.map(Cow::Owned),
        reason: row.get::<_, Option<String>>("reason")?.map(Cow::Owned),
        actor_id: row.get("actor_id")?,
        object_id: row.get("object_id")?,
    })
}
