//! Retiring the oldest lines of the audit trail, so that what is left can still be checked: where the chain begins now is kept, and a
//! line says so.

use wardgate_shared::time::Timestamp;

use crate::domain::audit_chain::{AuditDigest, AuditHead};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};

use super::{Store, StoreError, audit_events, sql};

/// Lines that one transaction retires.
const PORTION: i64 = 2_000;

impl Store {
    /// Removes the lines from before `before`, the oldest first, at most so many as one transaction takes; says how many. As soon as a
    /// younger line is met, nothing after it is removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn retire_audit_events(&self, before: Timestamp, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |connection| {
            let oldest = sql::all(
                connection,
                "SELECT id, at, digest FROM audit_events WHERE digest IS NOT NULL ORDER BY id LIMIT ?1",
                [PORTION],
                |row| {
                    let digest = AuditDigest::from_bytes(row.get("digest")?);
                    let head = AuditHead {
                        id: row.get("id")?,
                        digest,
                    };
                    Ok((sql::instant(row, "at")?, head))
                },
            )?;
            let retired: Vec<AuditHead> = oldest
                .into_iter()
                .map_while(|(at, head)| (at < before).then_some(head))
                .collect();
            let Some(last) = retired.last() else {
                return Ok(0);
            };
            sql::change(
                connection,
                "INSERT INTO audit_retention (id, through_id, digest) VALUES (1, ?1, ?2)
                 ON CONFLICT (id) DO UPDATE SET through_id = ?1, digest = ?2",
                (last.id, last.digest.as_bytes()),
            )?;
            sql::change(connection, "DELETE FROM audit_events WHERE id <= ?1", [last.id])?;
            let line = AuditEvent::new(now, AuditAction::AuditRetention, AuditOutcome::Success);
            audit_events::insert(connection, &line.with_object(last.id.to_string()))?;
            Ok(retired.len())
        })
        .await
    }
}
