//! The search of the audit trail.

use std::net::IpAddr;

use askama::Template;

use crate::domain::audit_event::{AuditEvent, AuditOutcome};
use crate::views::Moment;

use super::{Choice, ConsoleFrame, FormState, PageLinks};

/// A line as a page shows it.
#[derive(Clone, Copy, Debug)]
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
}

impl<'a> AuditLine<'a> {
    /// What a page shows of `event`.
    pub fn of(event: &'a AuditEvent) -> Self {
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
        }
    }
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
