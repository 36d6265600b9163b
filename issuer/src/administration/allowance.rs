//! What an administrator may hand out to clients and API keys, so that nobody gets by one of them what they do not have.
//!
//! Decided here:
//! - A person gives what their present role's ceiling covers, a client that acts for itself what it is registered for, and
//!   the operator at the machine everything.
//! - A `system/` scope counts as covered where the same `user/` scope is, for a person: a ceiling of people's own scopes
//!   would otherwise leave nobody who could set up a service. The short form counts as both of its meanings.
//! - The scopes of administration, in the hands of a service, have no limit: no person's role stands behind what it does. So a
//!   person gives them to a service only if their role allows all that the built-in role for administrators does. An app
//!   in which people administrate stays within the role of each.
//! - Whoever may not give what a client or key has may not take it over either: no new secret, no new keys or addresses.

use wardgate_shared::scope::{Level, Scope, ScopeSet, ScopeToken, narrow};

use crate::domain::client::{Client, GrantType};
use crate::domain::role::{self, Role};
use crate::domain::user::User;
use crate::error::internal::InternalError;
use crate::state::AppState;

use super::{Actor, Means};

/// Who acts with what is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// People, in an app.
    People,
    /// A service for itself: an API key, or a client with the grant of client credentials.
    Service,
}

impl Recipient {
    /// Who acts with what `client` gets. A client that serves both counts as a service.
    pub fn of(client: &Client) -> Self {
        if client.allows(GrantType::ClientCredentials) {
            Self::Service
        } else {
            Self::People
        }
    }
}

/// What somebody may hand out.
#[derive(Clone, Debug)]
pub enum Allowance {
    /// Everything.
    Everything,
    /// What a person's role covers.
    OfRole {
        /// The role.
        role: Role,
        /// Whether it allows all that the built-in role for administrators does.
        is_unlimited: bool,
    },
    /// What a client is registered for.
    OfClient(ScopeSet),
    /// Nothing: the person has no role, or either is gone.
    Nothing,
}

impl Allowance {
    /// What `actor` may hand out now.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn of(state: &AppState, actor: &Actor) -> Result<Self, InternalError> {
        if actor.means == Means::CommandLine {
            return Ok(Self::Everything);
        }
        if let Some(user_id) = &actor.user_id {
            let user = state.store().user(user_id).await?;
            let Some(role) = user.filter(User::is_active).and_then(|user| user.role) else {
                return Ok(Self::Nothing);
            };
            let is_unlimited = state.store().is_unlimited_administrator(Some(user_id)).await?;
            return Ok(Self::OfRole { role, is_unlimited });
        }
        let Some(client_id) = &actor.client_id else {
            return Ok(Self::Nothing);
        };
        let client = state.store().client(client_id).await?;
        Ok(client.map_or(Self::Nothing, |client| Self::OfClient(client.scope)))
    }

    /// What of `scope` may be handed out to `recipient`.
    pub fn cut(&self, scope: &ScopeSet, recipient: Recipient) -> ScopeSet {
        let covered = scope.iter().filter(|token| self.covers(token, recipient));
        covered.cloned().collect()
    }

    /// The first of `scope` that may not be handed out to `recipient`.
    pub fn first_beyond<'a>(&self, scope: &'a ScopeSet, recipient: Recipient) -> Option<&'a ScopeToken> {
        scope.iter().find(|token| !self.covers(token, recipient))
    }

    fn covers(&self, token: &ScopeToken, recipient: Recipient) -> bool {
        let set: ScopeSet = std::iter::once(token.clone()).collect();
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::OfClient(own) => narrow(&set, own) == set,
            Self::OfRole {
                is_unlimited: false, ..
            } if recipient == Recipient::Service && role::is_of_administration(token) => false,
            Self::OfRole { role, .. } => {
                role::is_within(Some(&set), role)
                    || as_of_a_person(token)
                        .is_some_and(|token| role::is_within(Some(&std::iter::once(token).collect()), role))
            }
        }
    }
}

/// The `user/` scope that stands for a `system/` scope.
fn as_of_a_person(token: &ScopeToken) -> Option<ScopeToken> {
    match Scope::parse(token) {
        Ok(Scope::Smart(smart)) if smart.level() == Level::System => {
            let rest = token.as_str().strip_prefix("system/")?;
            ScopeToken::parse(&format!("user/{rest}")).ok()
        }
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::role::SecondFactorPolicy;
    use crate::testing::START;

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text).unwrap()
    }

    fn of_role(ceiling: &str) -> Allowance {
        let role = Role {
            id: "role-1".into(),
            name: "Role".into(),
            built_in: false,
            ceiling: Some(set(ceiling)),
            second_factor: SecondFactorPolicy::Offered,
            created_at: START,
        };
        Allowance::OfRole {
            role,
            is_unlimited: false,
        }
    }

    #[track_caller]
    fn hands_out_to(recipient: Recipient, allowance: &Allowance, wanted: &str, given: &str) {
        assert_eq!(allowance.cut(&set(wanted), recipient).to_string(), given);
        let beyond = set(wanted);
        assert_eq!(
            allowance.first_beyond(&beyond, recipient).is_none(),
            wanted == given
        );
    }

    #[track_caller]
    fn hands_out(allowance: &Allowance, wanted: &str, given: &str) {
        hands_out_to(Recipient::Service, allowance, wanted, given);
    }

    #[test]
    fn only_whoever_has_no_limit_hands_administration_out_to_a_service() {
        const SCOPE: &str = "patient/*.rs __administration.read __administration.write";
        let limited = of_role(SCOPE);
        hands_out_to(Recipient::People, &limited, SCOPE, SCOPE);
        hands_out_to(Recipient::Service, &limited, SCOPE, "patient/*.rs");
        let Allowance::OfRole { role, .. } = limited else {
            panic!("no role");
        };
        let unlimited = Allowance::OfRole {
            role,
            is_unlimited: true,
        };
        hands_out_to(Recipient::Service, &unlimited, SCOPE, SCOPE);
    }

    #[test]
    fn a_person_hands_out_what_their_role_covers_and_services_what_they_could_do_themselves() {
        let allowance = of_role("openid patient/*.cruds user/*.rs");
        hands_out(&allowance, "openid user/Patient.r", "openid user/Patient.r");
        hands_out(
            &allowance,
            "system/Patient.read system/*.rs",
            "system/Patient.read system/*.rs",
        );
        hands_out(
            &allowance,
            "system/*.cruds __administration.read api:x system/Patient.c",
            "",
        );
        // The short form has two meanings, and both must be covered.
        hands_out(
            &allowance,
            "observation.read observation.write",
            "observation.read",
        );
    }

    #[test]
    fn a_ceiling_that_names_system_scopes_counts_as_it_is() {
        hands_out(
            &of_role("system/*.rs __launches"),
            "system/Patient.rs __launches user/*.rs",
            "system/Patient.rs __launches",
        );
    }

    #[test]
    fn a_client_hands_out_what_it_is_registered_for() {
        let allowance = Allowance::OfClient(set("system/*.rs __administration.write"));
        hands_out(
            &allowance,
            "system/Patient.r user/*.rs __administration.read",
            "system/Patient.r",
        );
    }

    #[test]
    fn the_operator_hands_out_everything_and_nobody_nothing() {
        hands_out(
            &Allowance::Everything,
            "system/*.cruds api:x",
            "system/*.cruds api:x",
        );
        hands_out(&Allowance::Nothing, "openid", "");
    }
}
