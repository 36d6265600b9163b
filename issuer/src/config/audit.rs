//! Section `audit`: how long the audit trail is kept.

use super::reader::Reader;

/// The audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// How many days a line is kept; 0 for ever.
    pub retention_days: i64,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<AuditConfig> {
    let retention_days = reader.number("audit.retention_days", 0..=36_500, "days");
    Some(AuditConfig {
        retention_days: retention_days?,
    })
}
