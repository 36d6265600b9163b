//! Rules of APIs that are not FHIR: scopes that a token must have, and what its claims must say.

use serde_json::{Map, Value};
use wardgate_shared::scope::ScopeSet;

use super::Permit;
use crate::config::rules::{ClaimRule, Rule};
use crate::error::{Lack, Refusal};

/// Decides a request by the rule that applies to it, the token's `scope`, and all its claims.
///
/// # Errors
/// [`Refusal::Rule`].
pub(super) fn by_rule(rule: &Rule, scope: &str, claims: &Map<String, Value>) -> Result<Permit, Refusal> {
    let granted = ScopeSet::parse(scope).unwrap_or_default();
    let needed = rule.scopes.join(" ");
    let lack = if !rule.scopes.iter().all(|scope| granted.contains(scope)) {
        Some(Lack::Scope)
    } else if !rule.claims.iter().all(|rule| holds(rule, claims)) {
        Some(Lack::Claim)
    } else {
        None
    };
    match lack {
        Some(lack) => Err(Refusal::Rule { lack, needed }),
        None => Ok(Permit {
            access_level: "rule",
            authorized_by: needed,
            strict_search: false,
        }),
    }
}

/// Whether the claim is the value, or a list with the value in it.
fn holds(rule: &ClaimRule, claims: &Map<String, Value>) -> bool {
    let said = match rule.claim.strip_prefix('/') {
        None => claims.get(&rule.claim),
        Some(names) => {
            let mut names = names.split('/');
            let claim = names.next().and_then(|name| claims.get(name));
            names.fold(claim, |value, name| value.and_then(|value| value.get(name)))
        }
    };
    match said {
        Some(Value::Array(items)) => items.contains(&rule.value),
        Some(value) => *value == rule.value,
        None => false,
    }
}

#[cfg(test)]
mod tests;
