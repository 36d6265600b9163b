//! Roles: the most that people can be granted, and what is asked of them when they sign in.
//!
//! What a person's token says is what was asked for, cut by what the client is registered for and by the role's ceiling.
//! Decided here, where nothing else says so:
//! - A ceiling with `launch` covers every launch scope. They open nothing; what is in context, the launch says.
//! - The short form (`observation.read`) counts as what it means: the scope of the patient in context, else of the user.
//! - A role without a ceiling, and no role at all, stand for everything but administration. Only roles from before there
//!   were ceilings have none.

use wardgate_shared::scope::{Level, Permissions, Scope, ScopeSet, ScopeToken, SmartScope, narrow};
use wardgate_shared::time::Timestamp;

/// The scope that opens what administrators read.
pub const ADMINISTRATION_READ: &str = "__administration.read";
/// The scope that opens what administrators change.
pub const ADMINISTRATION_WRITE: &str = "__administration.write";
/// How scopes begin that no person is granted whose role does not name them.
const ADMINISTRATION_PREFIX: &str = "__administration.";

/// The ids of the roles that come with the program.
pub const BUILDER_ADMIN: &str = "role-builder-admin";
/// For people who treat.
pub const CARE_TEAM_USER: &str = "role-care-team-user";
/// For people who are treated.
pub const PATIENT: &str = "role-patient";

/// What stands for everything but administration, where a role without ceiling is compared with one that has one.
const ORDINARY: &str = "openid profile email address phone fhirUser launch offline_access online_access patient/*.cruds \
                        user/*.cruds";

/// What is asked of people beyond their first factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecondFactorPolicy {
    /// They may set up a second factor.
    Offered,
    /// They must.
    Required,
}

impl SecondFactorPolicy {
    /// Every policy.
    pub const ALL: [Self; 2] = [Self::Offered, Self::Required];

    /// The name in the store and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Required => "required",
        }
    }

    /// The policy of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == name)
    }
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// `role-` and a name or 22 random characters.
    pub id: String,
    /// What it is called; unique.
    pub name: String,
    /// Whether it came with the program: it can be neither renamed nor removed then.
    pub built_in: bool,
    /// The most that its people can be granted; none where nothing was said.
    pub ceiling: Option<ScopeSet>,
    /// What it asks of its people when they sign in.
    pub second_factor: SecondFactorPolicy,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Role {
    /// Whether it names `scope` in as many letters.
    pub fn names(&self, scope: &str) -> bool {
        self.ceiling
            .as_ref()
            .is_some_and(|ceiling| ceiling.contains(scope))
    }

    /// Whether its people are administrators: they may read and change everything that can be administered.
    pub fn administers(&self) -> bool {
        self.names(ADMINISTRATION_READ) && self.names(ADMINISTRATION_WRITE)
    }

    /// Whether its people are administrators without a limit: they may do all that `highest`, the built-in role for
    /// administrators, allows.
    pub fn administers_all(&self, highest: &Self) -> bool {
        self.administers() && highest.is_within(self)
    }

    /// Whether it opens anything that administrators read or change.
    pub fn is_administrative(&self) -> bool {
        self.ceiling
            .as_ref()
            .is_some_and(|ceiling| ceiling.iter().any(is_of_administration))
    }

    /// Whether whoever has the role `giver` may give this one to somebody: it allows nothing that `giver` does not.
    pub fn is_within(&self, giver: &Self) -> bool {
        is_within(self.ceiling.as_ref(), giver)
    }
}

/// Whether everything under `ceiling` is under that of `giver`. Without a ceiling it is everything but administration.
pub fn is_within(ceiling: Option<&ScopeSet>, giver: &Role) -> bool {
    let covered = |set: &ScopeSet| {
        [true, false]
            .into_iter()
            .all(|patient_in_context| allowed(set, Some(giver), patient_in_context) == *set)
    };
    match ceiling {
        Some(ceiling) => covered(ceiling),
        None => ScopeSet::parse(ORDINARY).is_ok_and(|ordinary| covered(&ordinary)),
    }
}

/// Whether this scope opens anything that administrators read or change.
pub fn is_of_administration(token: &ScopeToken) -> bool {
    token.as_str().starts_with(ADMINISTRATION_PREFIX)
}

/// What of `requested` somebody with this role, or without any, can be granted. `patient_in_context` decides what the
/// short form means.
pub fn allowed(requested: &ScopeSet, role: Option<&Role>, patient_in_context: bool) -> ScopeSet {
    let Some(ceiling) = role.and_then(|role| role.ceiling.as_ref()) else {
        let is_ordinary = |token: &&ScopeToken| !is_of_administration(token);
        return requested.iter().filter(is_ordinary).cloned().collect();
    };
    let covered = narrow(requested, ceiling);
    requested
        .iter()
        .filter(|token| covered.contains(token.as_str()) || is_implied(token, ceiling, patient_in_context))
        .cloned()
        .collect()
}

/// Whether a scope is under `ceiling` by its meaning, though nothing there is spelled like it.
fn is_implied(token: &ScopeToken, ceiling: &ScopeSet, patient_in_context: bool) -> bool {
    match Scope::parse(token) {
        Ok(Scope::LaunchContext { .. }) => ceiling.contains("launch"),
        Ok(Scope::Smart(smart)) if smart.level() == Level::Holder => {
            let level = if patient_in_context {
                Level::Patient
            } else {
                Level::User
            };
            SmartScope::from_parts(level, smart.resource(), smart.permissions())
                .is_some_and(|wanted| covers(ceiling, &wanted))
        }
        Ok(_) | Err(_) => false,
    }
}

/// Whether the SMART scopes of `ceiling` together give everything that `wanted` asks for.
fn covers(ceiling: &ScopeSet, wanted: &SmartScope) -> bool {
    let given = ceiling.iter().fold(Permissions::NONE, |sum, token| {
        let share = match Scope::parse(token) {
            Ok(Scope::Smart(own)) => own.share_of(wanted),
            Ok(_) | Err(_) => Permissions::NONE,
        };
        sum.union(share)
    });
    given.contains(wanted.permissions())
}

#[cfg(test)]
mod tests;
