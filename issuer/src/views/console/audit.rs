//! The search of the audit trail.

use std::collections::BTreeSet;
use std::net::IpAddr;

use askama::Template;
use serde_json::Value;

use crate::domain::audit_event::AuditOutcome;
use crate::domain::audit_search::RecordedEvent;
use crate::views::Moment;

use super::{Choice, ConsoleFrame, FormState, PageLinks};

/// A line as a page shows it.
#[derive(Clone, Debug)]
pub struct AuditLine<'a> {
    /// When.
    pub at: Moment,
    /// What.
    pub action: &'a str,
    /// Whether it was refused.
    pub failed: bool,
    /// Why.
    pub reason: Option<&'a str>,
    /// Whom it is about.
    pub user: Option<&'a str>,
    /// Who did it.
    pub actor: Option<&'a str>,
    /// The client.
    pub client: Option<&'a str>,
    /// What else it is about.
    pub object: Option<&'a str>,
    /// From where.
    pub address: Option<IpAddr>,
    /// How.
    pub method: Option<&'a str>,
    /// What was changed.
    pub changes: Vec<ChangedMember>,
}

impl<'a> AuditLine<'a> {
    /// What a page shows of a line.
    pub fn of(recorded: &'a RecordedEvent) -> Self {
        let event = &recorded.event;
        Self {
            at: Moment::at(event.at),
            action: event.action.as_str(),
            failed: event.outcome == AuditOutcome::Failure,
            reason: event.reason.as_deref(),
            user: event.user_id.as_deref(),
            actor: event.actor_id.as_deref(),
            client: event.client_id.as_deref(),
            object: event.object_id.as_deref(),
            address: event.ip_address,
            method: event.method.as_deref(),
            changes: recorded.changes.as_ref().map_or_else(Vec::new, changed_members),
        }
    }
}

/// A member of something that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedMember {
    /// Of what: its kind and id.
    pub of: String,
    /// The member.
    pub name: String,
    /// What it was; empty where it was not.
    pub before: String,
    /// What it is; empty where it is no more.
    pub after: String,
}

/// The members that `changes` tells of, one after another.
fn changed_members(changes: &Value) -> Vec<ChangedMember> {
    let text = |value: Option<&Value>| match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let mut members = Vec::new();
    for change in changes.as_array().into_iter().flatten() {
        let side = |name: &str| {
            change
                .get(name)
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        let (before, after) = (side("before"), side("after"));
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            members.push(ChangedMember {
                of: format!("{} {}", text(change.get("kind")), text(change.get("id"))),
                name: name.clone(),
                before: text(before.get(name)),
                after: text(after.get(name)),
            });
        }
    }
    members
}

/// The audit trail.
#[derive(Debug, Template)]
#[template(path = "console/audit.html")]
pub struct AuditPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// What is searched for.
    pub form: &'a FormState,
    /// The actions there are.
    pub actions: &'a [Choice],
    /// The outcomes there are.
    pub outcomes: &'a [Choice],
    /// What was found.
    pub events: &'a [AuditLine<'a>],
    /// Where there is more.
    pub pages: PageLinks,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ChangedMember, changed_members};

    #[test]
    fn a_change_is_told_member_by_member() {
        let changes = json!([{
            "kind": "role", "id": "role-1", "before": {"name": "Nurse"},
            "after": {"name": "Head nurse", "scope": "openid", "enabled": 1},
        }]);
        let member = |name: &str, before: &str, after: &str| ChangedMember {
            of: "role role-1".into(),
            name: name.into(),
            before: before.into(),
            after: after.into(),
        };
        assert_eq!(
            changed_members(&changes),
            [
                member("enabled", "", "1"),
                member("name", "Nurse", "Head nurse"),
                member("scope", "", "openid"),
            ]
        );
    }
}
