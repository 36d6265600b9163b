//! Why a request was denied: found after the fact, so that the way to `Allow` stays short.

use super::{DenialReason, Denied, NeededScope, Requirement, effective};
use crate::scope::granted::GrantedScopes;
use crate::scope::holder::Holder;
use crate::scope::permissions::Permissions;
use crate::scope::request::FhirRequest;
use crate::scope::smart::Level;

/// Names the most telling reason for a denial, and the scope that would have been enough. `addressed` is what the
/// interaction needs, `whole` the same with what its parameters may reach.
pub(super) fn refusal(
    addressed: Requirement,
    whole: Requirement,
    request: &FhirRequest<'_>,
    granted: &GrantedScopes,
    holder: &Holder<'_>,
) -> Denied {
    let stays = holder
        .patient()
        .is_none_or(|patient| request.interaction().stays_with(patient));
    let covers = |level: Level, requirement: Requirement, restrictions: Restrictions| {
        gives(granted, holder, level, requirement, restrictions)
    };
    let held = |requirement, restrictions| {
        holder
            .levels()
            .iter()
            .any(|level| (stays || *level != Level::Patient) && covers(*level, requirement, restrictions))
    };
    let with_needed = |reason| Denied {
        reason,
        needed: Some(needed(whole, stays, holder)),
    };

    if !stays && covers(Level::Patient, whole, Restrictions::Count) {
        return Denied {
            reason: DenialReason::OtherPatient,
            needed: None,
        };
    }
    if request.may_reach_other_types() && held(addressed, Restrictions::DoNotCount) {
        let seen = request.widening_parameter().is_some();
        return with_needed(if seen {
            DenialReason::ReachesOtherTypes
        } else {
            DenialReason::UnseenSearchForm
        });
    }
    if held(addressed, Restrictions::Count) {
        return with_needed(DenialReason::OutsideRestriction);
    }
    let counts = |level: &Level| holder.levels().contains(level);
    let elsewhere = [Level::System, Level::User, Level::Patient]
        .into_iter()
        .find(|level| !counts(level) && covers(*level, whole, Restrictions::Count));
    with_needed(match (elsewhere, holder) {
        (None, _) => DenialReason::InsufficientScope,
        (Some(Level::Patient), Holder::User { .. }) => DenialReason::NoPatientInContext,
        (Some(_), _) => DenialReason::LevelNotHeld,
    })
}

/// Whether scopes with a restriction are added up too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Restrictions {
    Count,
    DoNotCount,
}

/// Whether the scopes of one level together give a requirement.
fn gives(
    granted: &GrantedScopes,
    holder: &Holder<'_>,
    level: Level,
    requirement: Requirement,
    restrictions: Restrictions,
) -> bool {
    let own_level = holder.own_level();
    granted
        .rules()
        .iter()
        .map(|rule| &rule.scope)
        .filter(|scope| effective(scope.level(), own_level) == level)
        .filter(|scope| scope.resource().covers(requirement.resource))
        .filter(|scope| restrictions == Restrictions::Count || scope.restriction().is_none())
        .fold(Permissions::NONE, |sum, scope| sum.union(scope.permissions()))
        .contains(requirement.permissions)
}

/// The scope that would have permitted the request, at the narrowest level that can.
fn needed(whole: Requirement, stays: bool, holder: &Holder<'_>) -> NeededScope {
    let level = match holder.own_level() {
        Level::Patient if !stays => Level::User,
        level => level,
    };
    NeededScope {
        level,
        resource: whole.resource,
        permissions: whole.permissions,
    }
}
