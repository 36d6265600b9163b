//! Whether a token's scopes permit one FHIR request. Everything not permitted here is denied.
//!
//! The rules, in the order they are applied:
//! 1. `GET metadata` is open.
//! 2. A batch or a transaction needs what its entries need, each by these rules ([`permits_together`]); without its
//!    body it is denied.
//! 3. Operations are denied unless the operator lists them ([`Operations`]).
//! 4. Every other interaction needs its permissions on its type ([`Interaction::needs`]). A request that may reach
//!    other types (`_include`, `_has`, chaining, an unread search form, an unknown control parameter) needs them, and
//!    `r` and `s`, on `*`.
//! 5. All permissions come from scopes of **one** level, added up; so whoever enforces the level behind knows it. A
//!    client's token counts `system/` scopes only; a user's `user/` and, with a patient in context, `patient/`. The
//!    wider level wins. The short form (`observation.read`) counts at [`Level::Holder`].
//! 6. At the patient level a request that names a Patient must name the one in context, a Patient is not created, nor
//!    written by search, and operations work on single resources only.
//! 7. A scope with a restriction (`?category=…`) counts only for a type search that carries the restriction itself.
//!    The answer then says that the search must be handled strictly ([`Allowed::strict_search`]).
//! 8. The scope `fhirUser` opens reading of exactly the user's own resource.
//!
//! **The boundary.** This module sees requests, never resources. At the patient level searches, histories and other
//! resources must be confined to the compartment of the patient, by [`super::compartment`] or by the FHIR server that is
//! told the patient, and at the user level by the FHIR server to what that user may see. Nor does it see what a write puts into a resource, what `Prefer:
//! return=representation` returns, and what headers such as `X-Provenance` or `X-HTTP-Method-Override` do; a gateway
//! must not forward the latter two. Pages that are links to the base (`?_getpages=…`) count as what they look like: a
//! search of the whole system. An opaque cursor on a type (`?ct=…`) counts as a search of that type, and it is the
//! server's to bind it to the search that began it.
//!
//! Granting a further scope never turns an allowed request into a denied one.

use core::fmt;

use super::granted::{GrantedScopes, Rule};
use super::holder::Holder;
use super::interaction::{Interaction, Needs};
use super::operations::Operations;
use super::permissions::Permissions;
use super::request::FhirRequest;
use super::set::ScopeSet;
use super::smart::{Level, ResourceSelector, SmartScope};
use super::token::ScopeToken;

mod refusal;
mod together;

use refusal::{Restrictions, refusal};
pub use together::{AllowedTogether, permits_together};

/// The answer for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'g> {
    /// The request may be forwarded.
    Allow(Allowed<'g>),
    /// It may not.
    Deny(Denied),
}

/// Why a request is allowed and what follows for whoever forwards it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed<'g> {
    /// What allowed it.
    pub ground: Ground<'g>,
    /// The search restricts itself as a scope demands, so it must be sent with `Prefer: handling=strict`: a server
    /// that ignored a parameter would ignore the restriction.
    pub strict_search: bool,
}

impl<'g> Allowed<'g> {
    /// The scopes that allowed it.
    fn scopes(&self) -> impl Iterator<Item = &'g str> {
        let by = match self.ground {
            Ground::Scopes { by, .. } => by,
            Ground::Open | Ground::OwnResource { .. } => GrantedBy::default(),
        };
        by.0.into_iter().flatten()
    }

    /// The level, when scopes of one allowed it whatever the server does.
    fn plain_level(&self) -> Option<Level> {
        match self.ground {
            Ground::Scopes { level, .. } if !self.strict_search => Some(level),
            Ground::Scopes { .. } | Ground::Open | Ground::OwnResource { .. } => None,
        }
    }
}

/// What allowed a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground<'g> {
    /// The interaction needs no permission.
    Open,
    /// Scopes of one level that together give what is needed.
    Scopes {
        /// On whose behalf: [`Level::Patient`], [`Level::User`] or [`Level::System`].
        level: Level,
        /// The scopes.
        by: GrantedBy<'g>,
    },
    /// The scope `fhirUser`: reading the user's own resource.
    OwnResource {
        /// The scope as spelled.
        scope: &'g str,
    },
}

/// The scope that gave each needed permission, as spelled in the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GrantedBy<'g>([Option<&'g str>; 5]);

impl<'g> GrantedBy<'g> {
    /// The scopes that were needed, each once.
    pub fn iter(&self) -> impl Iterator<Item = &'g str> + '_ {
        self.0.iter().enumerate().filter_map(|(position, scope)| {
            let new = !self.0.iter().take(position).any(|earlier| earlier == scope);
            scope.filter(|_| new)
        })
    }
}

/// Why a request is denied and what would have been enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied {
    /// The reason.
    pub reason: DenialReason,
    /// The scope that would have permitted the request to this holder, for the `scope` attribute of `insufficient_scope`
    /// (RFC 6750 section 3.1). `None` where no scope helps.
    pub needed: Option<NeededScope>,
}

/// Why a request is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DenialReason {
    /// No granted scope covers this interaction on this type.
    #[error("no granted scope covers this interaction")]
    InsufficientScope,
    /// Scopes cover the addressed type, but a parameter may reach other types.
    #[error("a search parameter may reach other resource types than the granted scopes cover")]
    ReachesOtherTypes,
    /// Scopes cover the addressed type, but the search form was not read and may hold anything.
    #[error("the search form cannot be checked against the granted scopes")]
    UnseenSearchForm,
    /// Scopes with a restriction would cover it, but the request is no type search that carries the restriction.
    #[error("the granted scopes are limited to a search that this request does not make")]
    OutsideRestriction,
    /// The `patient/` scopes would cover it for the patient in context, but the request is about another one.
    #[error("the granted scopes cover the patient in context only")]
    OtherPatient,
    /// The `patient/` scopes would cover it, but the token has no patient in context.
    #[error("the granted scopes need a patient in context")]
    NoPatientInContext,
    /// Scopes of a level that does not count for this holder would cover it: `system/` of a user, for instance.
    #[error("the granted scopes do not apply to this kind of token")]
    LevelNotHeld,
    /// A batch or a transaction within another.
    #[error("a batch or a transaction is not accepted within another")]
    Batch,
    /// Each entry of a batch or a transaction would be permitted by itself, but not all of them at one level.
    #[error("the granted scopes permit each entry by itself, but not all of them together")]
    NotTogether,
    /// An operation the operator has not listed.
    #[error("this operation is not accepted")]
    OperationNotListed,
}

/// A v2 scope that would be enough; `Display` writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeededScope {
    level: Level,
    resource: ResourceSelector,
    permissions: Permissions,
}

impl NeededScope {
    /// The same as a set.
    pub fn to_scope_set(self) -> ScopeSet {
        use alloc::string::ToString;
        ScopeToken::parse(&self.to_string()).into_iter().collect()
    }
}

impl fmt::Display for NeededScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        SmartScope::from_parts(self.level, self.resource, self.permissions)
            .map_or(Ok(()), |scope| scope.fmt(formatter))
    }
}

/// What a request needs, operations and widening taken into account.
#[derive(Clone, Copy)]
struct Requirement {
    resource: ResourceSelector,
    permissions: Permissions,
}

/// Decides one request of the holder of a verified token. Takes the token's compiled scopes and the operations the
/// operator has listed; gives the decision with its reason. Allocates nothing on the way to `Allow`, unless a
/// restricted scope has to compare percent-encoded values.
pub fn permits<'g>(
    request: &FhirRequest<'_>,
    granted: &'g GrantedScopes,
    holder: &Holder<'_>,
    operations: &Operations,
) -> Decision<'g> {
    let requirement = match addressed(request.interaction(), operations) {
        Ok(Some(requirement)) => requirement,
        Ok(None) => {
            return Decision::Allow(Allowed {
                ground: Ground::Open,
                strict_search: false,
            });
        }
        Err(reason) => return Decision::Deny(Denied { reason, needed: None }),
    };
    let whole = requirement.whole(request);
    for level in holder.levels() {
        if let Some(allowed) = grant_at(*level, whole, request, granted, holder, Restrictions::Count) {
            return Decision::Allow(allowed);
        }
    }
    if let Some(allowed) = own_resource(request, granted, holder) {
        return Decision::Allow(allowed);
    }
    Decision::Deny(refusal(requirement, whole, request, granted, holder))
}

/// What the interaction needs on the type it addresses; `None` for an open one.
fn addressed(
    interaction: &Interaction<'_>,
    operations: &Operations,
) -> Result<Option<Requirement>, DenialReason> {
    match interaction.needs() {
        Needs::Nothing => Ok(None),
        Needs::Permissions(resource, permissions) => Ok(Some(Requirement {
            resource,
            permissions,
        })),
        Needs::ThoseOfItsEntries => Err(DenialReason::Batch),
        Needs::ThoseOfTheOperation => match *interaction {
            Interaction::Operation { on, name } => operations
                .needs(name, on)
                .map(|(resource, permissions)| {
                    Some(Requirement {
                        resource,
                        permissions,
                    })
                })
                .ok_or(DenialReason::OperationNotListed),
            _ => Err(DenialReason::OperationNotListed),
        },
    }
}

impl Requirement {
    /// The same with what the parameters of the request may reach.
    fn whole(self, request: &FhirRequest<'_>) -> Self {
        if request.may_reach_other_types() {
            self.widened()
        } else {
            self
        }
    }

    /// The same where other types may be reached.
    fn widened(self) -> Self {
        let permissions = self.permissions.union(Permissions::READ_AND_SEARCH);
        Self {
            resource: ResourceSelector::Any,
            permissions,
        }
    }
}

/// Tries the scopes of one level.
fn grant_at<'g>(
    level: Level,
    requirement: Requirement,
    request: &FhirRequest<'_>,
    granted: &'g GrantedScopes,
    holder: &Holder<'_>,
    restrictions: Restrictions,
) -> Option<Allowed<'g>> {
    if level == Level::Patient && !request.interaction().stays_with(holder.patient()?) {
        return None;
    }
    let own_level = holder.own_level();
    let at_level = |rule: &&'g Rule| effective(rule.scope.level(), own_level) == level;
    let mut tally = Tally::new(requirement);
    for rule in granted
        .rules()
        .iter()
        .filter(at_level)
        .filter(|rule| rule.scope.restriction().is_none())
    {
        tally.add(rule);
    }
    let mut strict_search = false;
    if !tally.is_complete() && restrictions == Restrictions::Count {
        for rule in granted
            .rules()
            .iter()
            .filter(at_level)
            .filter(|rule| restriction_is_met(rule, request))
        {
            tally.add(rule);
            strict_search = true;
        }
    }
    tally.is_complete().then_some(Allowed {
        ground: Ground::Scopes { level, by: tally.by },
        strict_search,
    })
}

/// The level a scope has in the hands of this holder.
fn effective(level: Level, own_level: Level) -> Level {
    match level {
        Level::Holder => own_level,
        Level::Patient | Level::User | Level::System => level,
    }
}

/// Whether a restricted scope counts for a request. Only a type search can show that it stays inside, and only when
/// nothing in it reaches out.
fn restriction_is_met(rule: &Rule, request: &FhirRequest<'_>) -> bool {
    let is_type_search = matches!(request.interaction(), Interaction::SearchType { .. });
    match rule.scope.restriction() {
        Some(restriction) if is_type_search && !request.may_reach_other_types() => {
            restriction.is_met_by(request.query(), request.second_query())
        }
        Some(_) | None => false,
    }
}

/// Permissions found so far, and which scope gave each.
struct Tally<'g> {
    requirement: Requirement,
    found: Permissions,
    by: GrantedBy<'g>,
}

impl<'g> Tally<'g> {
    fn new(requirement: Requirement) -> Self {
        Self {
            requirement,
            found: Permissions::NONE,
            by: GrantedBy::default(),
        }
    }

    fn add(&mut self, rule: &'g Rule) {
        if !rule.scope.resource().covers(self.requirement.resource) {
            return;
        }
        let gain = rule
            .scope
            .permissions()
            .intersection(self.requirement.permissions)
            .difference(self.found);
        for (slot, permission) in self.by.0.iter_mut().zip(Permissions::ALL.iter()) {
            if gain.contains(permission) {
                *slot = Some(rule.spelling.as_str());
            }
        }
        self.found = self.found.union(gain);
    }

    fn is_complete(&self) -> bool {
        self.found.contains(self.requirement.permissions)
    }
}

/// Tries the scope `fhirUser`.
fn own_resource<'g>(
    request: &FhirRequest<'_>,
    granted: &'g GrantedScopes,
    holder: &Holder<'_>,
) -> Option<Allowed<'g>> {
    let scope = granted.fhir_user()?;
    let Holder::User {
        fhir_user: Some(user),
        ..
    } = holder
    else {
        return None;
    };
    match *request.interaction() {
        Interaction::Read { resource_type, id }
            if resource_type == user.resource_type()
                && id == user.id()
                && !request.may_reach_other_types() =>
        {
            Some(Allowed {
                ground: Ground::OwnResource {
                    scope: scope.as_str(),
                },
                strict_search: false,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
