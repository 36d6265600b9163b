//! Who administrates, and whether they may.

use std::net::IpAddr;

use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::role::{ADMINISTRATION_READ, ADMINISTRATION_WRITE};
use crate::domain::user::User;

/// By what way an administrator came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Means {
    /// The JSON API.
    Api,
    /// The pages under `/admin`.
    Console,
    /// `wardgate` on the machine itself.
    CommandLine,
}

impl Means {
    /// The name in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Console => "console",
            Self::CommandLine => "cli",
        }
    }
}

/// What an administrator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Look.
    Read,
    /// Change.
    Write,
}

impl Permission {
    /// The scope that gives it.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Read => ADMINISTRATION_READ,
            Self::Write => ADMINISTRATION_WRITE,
        }
    }

    /// Whether this person has it now: they may sign in, and their present role names the scope.
    pub fn is_given_by(self, user: &User) -> bool {
        user.is_active() && user.role.as_ref().is_some_and(|role| role.names(self.scope()))
    }
}

/// Who administrates: a person, a client that acts for itself or for a person, or the operator at the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person; none for a client that acts for itself, and for the operator.
    pub user_id: Option<String>,
    /// The client that called; none in the console and at the machine.
    pub client_id: Option<String>,
    /// From where.
    pub ip_address: Option<IpAddr>,
    /// By what way.
    pub means: Means,
}

impl Actor {
    /// The operator at the machine.
    pub const fn operator() -> Self {
        Self {
            user_id: None,
            client_id: None,
            ip_address: None,
            means: Means::CommandLine,
        }
    }

    /// A line of the audit trail about what this actor did, or was refused.
    pub fn audit(&self, action: AuditAction, outcome: AuditOutcome, now: Timestamp) -> AuditEvent {
        let event = AuditEvent::new(now, action, outcome)
            .with_ip_address(self.ip_address)
            .with_method(self.means.as_str())
            .with_actor(self.user_id.clone());
        match &self.client_id {
            Some(client_id) => event.with_client(&**client_id),
            None => event,
        }
    }
}
