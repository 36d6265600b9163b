//! The audit trail: lines are added, never changed.

use std::borrow::Cow;

use rusqlite::{Connection, Row, params};

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};

use super::{Store, StoreError, sql};

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
}

/// Adds a line in the transaction of the change it tells of.
pub(super) fn insert(connection: &Connection, event: &AuditEvent) -> Result<(), StoreError> {
    sql::change(
        connection,
        "INSERT INTO audit_events (at, action, outcome, user_id, client_id, ip_address, method, reason,
             actor_id, object_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
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
