//! Whether the requests of a batch or a transaction are permitted, each by the rules for a single one, at one level.

use alloc::vec::Vec;

use super::refusal::Restrictions;
use super::{Decision, DenialReason, Denied, Ground, addressed, grant_at, permits};
use crate::scope::granted::GrantedScopes;
use crate::scope::holder::Holder;
use crate::scope::operations::Operations;
use crate::scope::request::FhirRequest;
use crate::scope::smart::Level;

/// Why all requests are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedTogether<'g> {
    /// On whose behalf; `None` when all are open.
    pub level: Option<Level>,
    /// The scopes that were needed, as spelled in the token, each once.
    pub by: Vec<&'g str>,
}

/// Decides requests that are forwarded as one: all of them, or none. They must be permitted at one level, since the server
/// behind is told one, and without scopes that are limited to a search, since no header can say of one entry that it must
/// be handled strictly. Neither does `fhirUser` count, which is not a level.
///
/// # Errors
/// The place of the first request that is denied, counted from 0, and why.
pub fn permits_together<'g>(
    requests: &[FhirRequest<'_>],
    granted: &'g GrantedScopes,
    holder: &Holder<'_>,
    operations: &Operations,
) -> Result<AllowedTogether<'g>, (usize, Denied)> {
    let at_level = |level: Level| {
        let mut allowed = AllowedTogether {
            level: None,
            by: Vec::new(),
        };
        for request in requests {
            let Some(requirement) = addressed(request.interaction(), operations).ok()? else {
                continue;
            };
            let whole = requirement.whole(request);
            let plain = Restrictions::DoNotCount;
            let grant = grant_at(level, whole, request, granted, holder, plain)?;
            allowed.level = Some(level);
            for scope in grant.scopes() {
                if !allowed.by.contains(&scope) {
                    allowed.by.push(scope);
                }
            }
        }
        Some(allowed)
    };
    if let Some(allowed) = holder.levels().iter().find_map(|level| at_level(*level)) {
        return Ok(allowed);
    }
    // Of requests that are permitted each by itself, the first that is not permitted like those before it.
    let mut apart = None;
    let mut first = None;
    for (place, request) in requests.iter().enumerate() {
        let allowed = match permits(request, granted, holder, operations) {
            Decision::Deny(denied) => return Err((place, denied)),
            Decision::Allow(allowed) => allowed,
        };
        if allowed.ground == Ground::Open {
            continue;
        }
        let level = allowed.plain_level();
        if apart.is_none() && (level.is_none() || *first.get_or_insert(level) != level) {
            apart = Some(place);
        }
    }
    let denied = Denied {
        reason: DenialReason::NotTogether,
        needed: None,
    };
    Err((apart.unwrap_or_default(), denied))
}

#[cfg(test)]
mod tests;
