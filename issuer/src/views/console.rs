//! The console's pages: what they have in common. A file each for the rest.

mod api_keys;
mod audit;
mod clients;
mod confirmation;
mod connections;
mod form;
mod people;

use askama::Template;

pub use api_keys::{ApiKeyEntry, ApiKeyFormPage, ApiKeyPage, ApiKeysPage};
pub use audit::{AuditLine, AuditPage};
pub use clients::{ClientEntry, ClientFormPage, ClientPage, ClientsPage, Fact};
pub use confirmation::{ConfirmPage, Question, SecretOf, SecretPage, ShownSecret};
pub use connections::{
    ConnectionEntry, ConnectionFormPage, ConnectionPage, ConnectionsPage, DomainEntry, DomainPage,
    ExplainPage, UnlinkPage,
};
pub use form::{Choice, FieldFault, FormState};
pub use people::{
    LivingSession, LivingSessionsPage, OrganizationEntry, OrganizationFormPage, OrganizationsPage, RoleEntry,
    RoleFormPage, RolesPage, UserEntry, UserFactor, UserFormPage, UserPage, UsersPage,
};

/// What every page of the console has around it.
#[derive(Clone, Copy, Debug)]
pub struct ConsoleFrame<'a> {
    /// Who is signed in.
    pub user_name: &'a str,
    /// Their address.
    pub user_email: &'a str,
    /// The page itself, for the navigation.
    pub path: &'a str,
    /// Whether they may change something.
    pub may_write: bool,
    /// What has just been done.
    pub done: Option<&'a str>,
}

impl ConsoleFrame<'_> {
    /// Whether the navigation's entry for `path` is the page itself.
    pub fn is_at(&self, path: &str) -> bool {
        self.path == path
    }

    /// Whether the page belongs to the navigation's entry for `path`.
    pub fn is_below(&self, path: &str) -> bool {
        path != "/admin"
            && self
                .path
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('/'))
    }
}

/// The links from one page of a list to others.
#[derive(Clone, Debug, Default)]
pub struct PageLinks {
    /// The beginning, unless the page is that.
    pub first: Option<String>,
    /// What comes next.
    pub next: Option<String>,
}

impl PageLinks {
    /// Whether there is another page.
    pub const fn is_needed(&self) -> bool {
        self.first.is_some() || self.next.is_some()
    }
}

/// What a number on the overview counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// People who may sign in.
    ActiveUsers,
    /// People whose accounts are closed.
    DeactivatedUsers,
    /// Browsers in which somebody is signed in.
    Sessions,
    /// Registered clients.
    Clients,
    /// API keys that work.
    ApiKeys,
}

/// A number on the overview.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// What it counts.
    pub what: Counted,
    /// How many there are.
    pub number: i64,
    /// Where they are listed.
    pub path: &'static str,
}

/// The overview.
#[derive(Debug, Template)]
#[template(path = "console/overview.html")]
pub struct OverviewPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// How many there are of everything.
    pub counts: &'a [Count],
    /// The last refusals.
    pub failures: &'a [AuditLine<'a>],
}
