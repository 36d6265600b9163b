//! People, roles, organizations and sessions in the console.

use std::net::IpAddr;

use askama::Template;

use crate::domain::factor::{Factor, FactorKind};
use crate::domain::organization::Organization;
use crate::domain::role::Role;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::domain::user_agent::UserAgent;
use crate::views::Moment;

use super::{Choice, ConsoleFrame, FormState, PageLinks};

/// A person in a list, or on their page.
#[derive(Clone, Debug)]
pub struct UserEntry<'a> {
    /// Their id.
    pub id: &'a str,
    /// Their address.
    pub email: &'a str,
    /// What they are called.
    pub name: &'a str,
    /// `builder` or `patient`.
    pub user_type: &'static str,
    /// The name of their role.
    pub role: Option<&'a str>,
    /// The organization they act for.
    pub organization: Option<&'a str>,
    /// Their own FHIR resource.
    pub fhir_user: Option<&'a str>,
    /// Their Practitioner resource.
    pub practitioner: Option<&'a str>,
    /// Whether they have a password.
    pub has_password: bool,
    /// When the account was made.
    pub created: Moment,
    /// Since when they may not sign in.
    pub deactivated: Option<Moment>,
}

impl<'a> UserEntry<'a> {
    /// What a page shows of `user`.
    pub fn of(user: &'a User) -> Self {
        Self {
            id: &user.id,
            email: &user.email,
            name: &user.name,
            user_type: user.user_type.as_str(),
            role: user.role.as_ref().map(|role| &*role.name),
            organization: user.organization_id.as_deref(),
            fhir_user: user.fhir_user.as_deref(),
            practitioner: user.practitioner_id.as_deref(),
            has_password: user.password_hash.is_some(),
            created: Moment::at(user.created_at),
            deactivated: user.deactivated_at.map(Moment::at),
        }
    }
}

/// The list of people.
#[derive(Debug, Template)]
#[template(path = "console/users.html")]
pub struct UsersPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// Who is looked for.
    pub form: &'a FormState,
    /// The roles to choose from.
    pub roles: &'a [Choice],
    /// The states to choose from.
    pub states: &'a [Choice],
    /// The people.
    pub users: &'a [UserEntry<'a>],
    /// Where there are more.
    pub pages: PageLinks,
}

/// One person.
#[derive(Debug, Template)]
#[template(path = "console/user.html")]
pub struct UserPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The person.
    pub user: &'a UserEntry<'a>,
    /// Whether it is the administrator's own page: nobody resets their own second factors.
    pub is_own: bool,
    /// Their second factors, the oldest first.
    pub factors: &'a [UserFactor<'a>],
}

/// A second factor of a person. Never what is secret of it.
#[derive(Clone, Copy, Debug)]
pub struct UserFactor<'a> {
    /// What it is.
    pub kind: FactorKind,
    /// What its person calls it.
    pub name: &'a str,
    /// When it was added.
    pub added: Moment,
    /// When it was last used; none if never since.
    pub last_used: Option<Moment>,
}

impl<'a> UserFactor<'a> {
    /// What a page shows of `factor`.
    pub fn of(factor: &'a Factor) -> Self {
        Self {
            kind: factor.kind,
            name: &factor.name,
            added: Moment::at(factor.created_at),
            last_used: factor.last_used_at.map(Moment::at),
        }
    }
}

/// The form for an account.
#[derive(Debug, Template)]
#[template(path = "console/user_form.html")]
pub struct UserFormPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The form.
    pub form: &'a FormState,
    /// Where it leads.
    pub action: &'a str,
    /// The name of somebody whose account it is; none for a new one.
    pub name: Option<&'a str>,
    /// Whether mail can be sent to invite somebody.
    pub can_invite: bool,
    /// The types to choose from.
    pub types: &'a [Choice],
    /// The roles to choose from.
    pub roles: &'a [Choice],
}

/// A role.
#[derive(Clone, Debug)]
pub struct RoleEntry<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Whether it came with the program.
    pub built_in: bool,
    /// Its ceiling, if it has one.
    pub ceiling: Option<String>,
    /// What it asks for.
    pub second_factor: &'static str,
}

impl<'a> RoleEntry<'a> {
    /// What a page shows of `role`.
    pub fn of(role: &'a Role) -> Self {
        Self {
            id: &role.id,
            name: &role.name,
            built_in: role.built_in,
            ceiling: role.ceiling.as_ref().map(ToString::to_string),
            second_factor: role.second_factor.as_str(),
        }
    }
}

/// The list of roles.
#[derive(Debug, Template)]
#[template(path = "console/roles.html")]
pub struct RolesPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The roles.
    pub roles: &'a [RoleEntry<'a>],
    /// Where there are more.
    pub pages: PageLinks,
}

/// The form for a role.
#[derive(Debug, Template)]
#[template(path = "console/role_form.html")]
pub struct RoleFormPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The form.
    pub form: &'a FormState,
    /// Where it leads.
    pub action: &'a str,
    /// The role; none for a new one.
    pub role: Option<&'a RoleEntry<'a>>,
    /// What may be asked of people.
    pub policies: &'a [Choice],
}

/// An organization.
#[derive(Clone, Debug)]
pub struct OrganizationEntry<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What it asks for.
    pub second_factor: &'static str,
}

impl<'a> OrganizationEntry<'a> {
    /// What a page shows of `organization`.
    pub fn of(organization: &'a Organization) -> Self {
        Self {
            id: &organization.id,
            name: &organization.name,
            second_factor: organization.second_factor.as_str(),
        }
    }
}

/// The list of organizations.
#[derive(Debug, Template)]
#[template(path = "console/organizations.html")]
pub struct OrganizationsPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The organizations.
    pub organizations: &'a [OrganizationEntry<'a>],
    /// Where there are more.
    pub pages: PageLinks,
}

/// The form for an organization.
#[derive(Debug, Template)]
#[template(path = "console/organization_form.html")]
pub struct OrganizationFormPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The form.
    pub form: &'a FormState,
    /// Where it leads.
    pub action: &'a str,
    /// The organization; none for a new one.
    pub organization: Option<&'a OrganizationEntry<'a>>,
    /// What may be asked of people.
    pub policies: &'a [Choice],
}

/// A session.
#[derive(Clone, Copy, Debug)]
pub struct LivingSession<'a> {
    /// Its id.
    pub id: &'a str,
    /// Who signed in: their id.
    pub user: &'a str,
    /// Their address.
    pub email: &'a str,
    /// When.
    pub signed_in: Moment,
    /// When it was last used, roughly.
    pub last_seen: Moment,
    /// What kind of browser it says it is.
    pub browser: Option<&'static str>,
    /// On what it says it runs.
    pub system: Option<&'static str>,
    /// From where it was begun.
    pub address: Option<IpAddr>,
}

impl<'a> LivingSession<'a> {
    /// What a page shows of `session`, which is that of the person with this address.
    pub fn of(session: &'a Session, email: &'a str) -> Self {
        Self {
            id: &session.id,
            user: &session.user_id,
            email,
            signed_in: Moment::at(session.authenticated_at),
            last_seen: Moment::at(session.last_seen_at),
            browser: session.user_agent.as_ref().and_then(UserAgent::browser),
            system: session.user_agent.as_ref().and_then(UserAgent::system),
            address: session.ip_address,
        }
    }
}

/// The list of sessions.
#[derive(Debug, Template)]
#[template(path = "console/sessions.html")]
pub struct LivingSessionsPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// Whose are looked for.
    pub form: &'a FormState,
    /// The sessions.
    pub sessions: &'a [LivingSession<'a>],
    /// Where there are more.
    pub pages: PageLinks,
}
