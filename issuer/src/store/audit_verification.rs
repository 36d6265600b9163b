//! The check of the audit trail: every line is read, and its digest made anew.

use rusqlite::Connection;

use crate::domain::audit_chain::{AuditDigest, AuditHead, ChainFault, ChainReport, MOST_FAULTS};
use crate::domain::audit_event::AuditAction;

use super::audit_chain::ChainKey;
use super::{Store, StoreError, sql};

/// Lines that are read at once; readers wait for nobody, but a long read keeps the log from being moved.
const PORTION: i64 = 5_000;

impl Store {
    /// Checks the whole trail, and that the line of `expected`, if it is given, still has that digest. `progress` is told how many lines
    /// were read so far.
    ///
    /// # Errors
    /// [`StoreError`]: the trail could not be read. What is wrong with it stands in the report.
    pub async fn verify_audit_events(
        &self,
        expected: Option<AuditHead>,
        mut progress: impl FnMut(u64),
    ) -> Result<ChainReport, StoreError> {
        let mut check = self
            .read(move |connection| Check::begin(connection, expected))
            .await?;
        loop {
            let key = self.chain_key();
            let (back, is_over) = self
                .read(move |connection| {
                    let is_over = check.portion(connection, &key)?;
                    Ok((check, is_over))
                })
                .await?;
            check = back;
            progress(check.report.lines);
            if is_over {
                return self.read(move |connection| check.finish(connection)).await;
            }
        }
    }
}

struct Check {
    report: ChainReport,
    expected: Option<AuditHead>,
    /// Whether the digest of the line before is known: not after lines that are gone.
    is_anchored: bool,
    /// Up to where lines of the trail say that older ones were retired.
    recorded_retirement: i64,
}

impl Check {
    fn begin(connection: &Connection, expected: Option<AuditHead>) -> Result<Self, StoreError> {
        let query = "SELECT through_id, digest FROM audit_retention WHERE id = 1";
        let retired = sql::first(connection, query, [], |row| {
            Ok(AuditHead {
                id: row.get("through_id")?,
                digest: AuditDigest::from_bytes(row.get("digest")?),
            })
        })?;
        let head = retired.unwrap_or(AuditHead::START);
        Ok(Self {
            report: ChainReport {
                lines: 0,
                retired_through: head.id,
                head,
                faults: Vec::new(),
            },
            expected,
            is_anchored: true,
            recorded_retirement: 0,
        })
    }

    /// Reads on; says whether that was the end.
    fn portion(&mut self, connection: &Connection, key: &ChainKey) -> Result<bool, StoreError> {
        let mut statement =
            connection.prepare_cached("SELECT * FROM audit_events WHERE id > ?1 ORDER BY id LIMIT ?2")?;
        let mut rows = statement.query((self.report.head.id, PORTION))?;
        let mut read = 0;
        while let Some(row) = rows.next()? {
            read += 1;
            self.report.lines += 1;
            let id: i64 = row.get("id")?;
            let before = self.report.head;
            if id != before.id.saturating_add(1) {
                let (first, last) = (before.id.saturating_add(1), id.saturating_sub(1));
                self.fault(ChainFault::Missing { first, last });
                self.is_anchored = false;
            }
            self.report.head.id = id;
            let stored: Option<[u8; 32]> = row.get("digest").ok().flatten();
            let Some(stored) = stored.map(AuditDigest::from_bytes) else {
                self.fault(ChainFault::Foreign(id));
                continue;
            };
            if self.is_anchored && key.digest(before.digest, row)? != stored {
                self.fault(ChainFault::Altered(id));
            }
            // One fault is told once: what follows is checked against what stands there.
            self.is_anchored = true;
            self.report.head.digest = stored;
            if self
                .expected
                .is_some_and(|expected| expected.id == id && expected.digest != stored)
            {
                self.fault(ChainFault::NotExpected(id));
            }
            let action: String = row.get("action").unwrap_or_default();
            if action == AuditAction::AuditRetention.as_str() {
                let through: Option<String> = row.get("object_id").ok().flatten();
                self.recorded_retirement = through.and_then(|id| id.parse().ok()).unwrap_or(0);
            }
        }
        Ok(read < PORTION)
    }

    fn finish(mut self, connection: &Connection) -> Result<ChainReport, StoreError> {
        if self.report.retired_through != self.recorded_retirement {
            self.fault(ChainFault::NotRetired(self.report.retired_through));
        }
        // The number that SQLite gave last: later ones than the newest line are those of lines that were cut off.
        let query = "SELECT seq FROM sqlite_sequence WHERE name = 'audit_events'";
        let given: i64 = sql::first(connection, query, [], |row| Ok(row.get("seq")?))?.unwrap_or(0);
        let newest = self.report.head.id;
        if given > newest {
            let first = newest.saturating_add(1);
            self.fault(ChainFault::Missing { first, last: given });
        }
        if let Some(expected) = self.expected
            && (expected.id > newest || expected.id < self.report.retired_through)
        {
            self.fault(ChainFault::NotExpected(expected.id));
        }
        Ok(self.report)
    }

    fn fault(&mut self, fault: ChainFault) {
        if self.report.faults.len() < MOST_FAULTS {
            self.report.faults.push(fault);
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::alter_audit_event;
