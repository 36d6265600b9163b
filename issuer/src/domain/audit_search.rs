//! What is asked of the audit trail, and in which pieces it answers.

use std::net::IpAddr;

use serde_json::{Value, json};
use wardgate_shared::time::Timestamp;

use super::audit_chain::AuditDigest;
use super::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use super::instant;

/// Which lines are wanted: those that have every member that is given here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// About this person, or done by them, by `sub`.
    pub user_id: Option<String>,
    /// By or about this client.
    pub client_id: Option<String>,
    /// Of this action.
    pub action: Option<AuditAction>,
    /// With this outcome.
    pub outcome: Option<AuditOutcome>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// From this address.
    pub ip_address: Option<IpAddr>,
    /// About this, where it is no person: a role, an API key.
    pub object_id: Option<String>,
    /// With this in their reason.
    pub reason: Option<String>,
}

/// A place in the audit trail: after the line of this time and number, on the way back in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPlace {
    /// When the line was recorded.
    pub at: Timestamp,
    /// Its number.
    pub id: i64,
}

impl AuditPlace {
    /// The place that `text` names, as it is written by `to_string`.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('-')?;
        let number = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| text.parse().ok())?
        };
        Some(Self {
            at: Timestamp::from_seconds(number(at)?),
            id: number(id)?,
        })
    }
}

impl std::fmt::Display for AuditPlace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}", self.at, self.id)
    }
}

/// A line with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its number: later lines have higher ones.
    pub id: i64,
    /// What it says.
    pub event: AuditEvent,
    /// What was changed: a JSON list of objects with `kind`, `id`, `before` and `after`, the last two with the members that differ.
    pub changes: Option<Value>,
    /// Its digest in the chain. One without was not recorded by Wardgate.
    pub digest: Option<AuditDigest>,
}

impl RecordedEvent {
    /// The line as a JSON document: of the API, and of an export. Members without a value are null.
    pub fn document(&self) -> Value {
        let event = &self.event;
        json!({
            "id": self.id,
            "at": instant::rfc3339(event.at),
            "action": event.action.as_str(),
            "outcome": event.outcome.as_str(),
            "userId": event.user_id,
            "actorId": event.actor_id,
            "clientId": event.client_id,
            "objectId": event.object_id,
            "ipAddress": event.ip_address.map(|address| address.to_string()),
            "method": event.method,
            "reason": event.reason,
            "changes": self.changes,
            "digest": self.digest.map(|digest| digest.to_string()),
        })
    }
}

impl From<RecordedEvent> for Value {
    fn from(recorded: RecordedEvent) -> Self {
        recorded.document()
    }
}

/// Lines that were found, newest first, and where to search on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFindings {
    /// The lines; perhaps none, though there may be some further back.
    pub events: Vec<RecordedEvent>,
    /// Where the search goes on; none at the end of the trail.
    pub next: Option<AuditPlace>,
}

#[cfg(test)]
mod tests {
    use wardgate_shared::time::Timestamp;

    use super::AuditPlace;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = AuditPlace {
            at: Timestamp::from_seconds(1_800_000_000),
            id: 42,
        };
        assert_eq!(place.to_string(), "1800000000-42");
        assert_eq!(AuditPlace::parse("1800000000-42"), Some(place));
        for text in [
            "",
            "-",
            "1-",
            "-1",
            "1--1",
            "+1-1",
            "1-1-1",
            "x-1",
            "99999999999999999999-1",
        ] {
            assert_eq!(AuditPlace::parse(text), None, "{text}");
        }
    }
}
