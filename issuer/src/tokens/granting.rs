//! Which of the requested scopes are granted.
//!
//! Three steps, each only ever taking away: what the client may have at all ([`for_request`]), what this person can give
//! ([`for_person`]), or what a client can have for itself ([`for_client_itself`]). The spelling stays the client's own
//! (SMART-38). A person can give what their role allows, as it is when a token is made ([`still_allowed`]): a role that lost
//! something takes it from whatever was granted before.
//!
//! Decided here, where the specifications leave a choice:
//! - `system/` scopes are for clients that act for themselves; a person cannot give them.
//! - `patient/` scopes and `launch/patient` need a patient in context (SMART-21); [`super::launch_context`] says which.
//!   Without one they are dropped.
//! - `launch` needs an EHR launch, `launch/encounter` an encounter, and another launch scope a resource of that type and role
//!   in `fhirContext`. Without it they are dropped.
//! - `fhirUser` is dropped for people without a FHIR resource (SMART-55).
//! - `profile`, `email`, `address` and `phone` open at userinfo what the account holds, even if that is nothing.
//! - `offline_access` and `online_access` are dropped for clients that are not registered for `refresh_token`.
//! - The short form (`observation.read`) means the patient in context, else the user, else the client itself.
//! - A client registered for `refresh_token` gets one with every grant. With `offline_access` it lives by itself; without,
//!   it ends with the person's session, as if `online_access` had been asked for.

use wardgate_shared::claims::LaunchContext;
use wardgate_shared::scope::{Level, Scope, ScopeSet, ScopeToken, narrow};

use crate::domain::client::{Client, GrantType};
use crate::domain::grant::Grant;
use crate::domain::launch::LaunchParameters;
use crate::domain::user::User;

use super::launch_context::KnownContext;

/// What a person's answer would give a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grantable {
    /// The scopes; perhaps none.
    pub scope: ScopeSet,
    /// The context that belongs to them.
    pub launch_context: LaunchContext,
    /// What else a launch says.
    pub launch_parameters: LaunchParameters,
}

/// Whose decision a scope can be, and what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// A person's, whoever they are.
    Person,
    /// A person's, and what it asks for must be in context.
    Context,
    /// A person's who has a FHIR resource.
    FhirResource,
    /// A person's, for a client that is registered for `refresh_token`.
    RefreshToken,
    /// A client's that acts for itself.
    ClientItself,
    /// Anybody's: a person's or a client's.
    Anybody,
}

impl Need {
    fn of(scope: &Scope) -> Self {
        match scope {
            Scope::Smart(smart) => match smart.level() {
                Level::Patient => Self::Context,
                Level::User => Self::Person,
                Level::System => Self::ClientItself,
                Level::Holder => Self::Anybody,
            },
            Scope::Launch | Scope::LaunchContext { .. } => Self::Context,
            Scope::FhirUser => Self::FhirResource,
            Scope::OpenId | Scope::Profile | Scope::Email | Scope::Address | Scope::Phone => Self::Person,
            Scope::OfflineAccess | Scope::OnlineAccess => Self::RefreshToken,
            Scope::Other(_) => Self::Anybody,
        }
    }
}

/// The scopes of `set` whose need satisfies `keep`; what is no lawful scope goes.
fn keep(set: &ScopeSet, keep: impl Fn(Need) -> bool) -> ScopeSet {
    set.iter()
        .filter(|token| Scope::parse(token).is_ok_and(|scope| keep(Need::of(&scope))))
        .cloned()
        .collect()
}

/// What of `requested` a person could give `client`, before it is known who the person is.
pub fn for_request(requested: &ScopeSet, client: &Client) -> ScopeSet {
    let refreshes = comes_with_refresh_token(client);
    keep(&narrow(requested, &client.scope), |need| match need {
        Need::Person | Need::Context | Need::FhirResource | Need::Anybody => true,
        Need::RefreshToken => refreshes,
        Need::ClientItself => false,
    })
}

/// What of `requested`, which [`for_request`] has cut, `user` can give when `context` is what they work in.
pub fn for_person(requested: &ScopeSet, user: &User, context: &KnownContext) -> Grantable {
    let allowed = user.allowed(requested, context.launch_context.patient_id.is_some());
    let givable = keep(&allowed, |need| match need {
        Need::Person | Need::RefreshToken | Need::Anybody | Need::Context => true,
        Need::FhirResource => user.fhir_user.is_some(),
        Need::ClientItself => false,
    });
    let is_satisfied = |token: &&ScopeToken| Scope::parse(token).is_ok_and(|scope| context.satisfies(&scope));
    let scope: ScopeSet = givable.iter().filter(is_satisfied).cloned().collect();
    // The short form takes the patient in context where there is one, so the context is fixed for it as well.
    let wants_context = scope.iter().any(|token| match Scope::parse(token) {
        Ok(Scope::Smart(smart)) => matches!(smart.level(), Level::Patient | Level::Holder),
        Ok(Scope::Launch | Scope::LaunchContext { .. }) => true,
        Ok(_) | Err(_) => false,
    });
    let context = if wants_context {
        context.clone()
    } else {
        KnownContext::default()
    };
    Grantable {
        scope,
        launch_context: context.launch_context,
        launch_parameters: context.parameters,
    }
}

/// What of `scope`, of which `grant` consists or a part, its person's present role allows. `None` when that is nothing.
pub fn within_role(scope: &ScopeSet, grant: &Grant, user: &User) -> Option<ScopeSet> {
    let allowed = user.allowed(scope, grant.launch_context.patient_id.is_some());
    (!allowed.is_empty()).then_some(allowed)
}

/// What of a grant its person's present role allows. `None` when that is nothing.
pub fn still_allowed(grant: &Grant, user: &User) -> Option<ScopeSet> {
    within_role(&grant.scope, grant, user)
}

/// What of `requested` the client may have for itself; all it is registered for, when it names nothing.
pub fn for_client_itself(requested: Option<&ScopeSet>, client: &Client) -> ScopeSet {
    for_itself(&narrow(requested.unwrap_or(&client.scope), &client.scope))
}

/// What of `scope` anything can have that acts for itself: a service, an API key.
pub fn for_itself(scope: &ScopeSet) -> ScopeSet {
    keep(scope, |need| match need {
        Need::ClientItself | Need::Anybody => true,
        Need::Person | Need::RefreshToken | Need::Context | Need::FhirResource => false,
    })
}

/// What of a grant's scopes a refresh asks for: all of them, or an equal or smaller set (RFC 6749 section 6).
/// `None` when it asks for more.
pub fn for_refresh(requested: Option<&ScopeSet>, granted: &ScopeSet) -> Option<ScopeSet> {
    let Some(requested) = requested else {
        return Some(granted.clone());
    };
    let within = narrow(requested, granted);
    (within == *requested).then_some(within)
}

/// What of a token's scopes `client` gets when it exchanges the token: all of them, or those it asks for, within what it is
/// registered for itself. `None` when it asks for more than the token has. Nothing that a refresh token belongs to.
pub fn for_exchange(requested: Option<&ScopeSet>, held: &ScopeSet, client: &Client) -> Option<ScopeSet> {
    let asked = for_refresh(requested, held)?;
    Some(keep(&narrow(&asked, &client.scope), |need| match need {
        Need::Person | Need::Context | Need::FhirResource | Need::Anybody => true,
        Need::RefreshToken | Need::ClientItself => false,
    }))
}

/// The longest scope that is granted, in bytes. It travels in the access token, which nobody reads beyond
/// [`wardgate_shared::jwt::MAXIMUM_JWT_BYTES`], base64url of everything in it included.
pub const MAXIMUM_GRANTED_BYTES: usize = 4096;

/// Whether an access token has room for `scope`.
pub fn fits_into_a_token(scope: &ScopeSet) -> bool {
    scope.to_string().len() <= MAXIMUM_GRANTED_BYTES
}

/// Whether a grant to `client` comes with a refresh token.
pub fn comes_with_refresh_token(client: &Client) -> bool {
    client.allows(GrantType::RefreshToken)
}

#[cfg(test)]
mod tests;
