//! What of a request's scopes is granted, given what is allowed.

use alloc::vec::Vec;

use super::permissions::Permissions;
use super::set::ScopeSet;
use super::smart::{Scope, SmartScope};

/// The scopes of `requested` that `allowed` covers wholly, in the spelling and order of `requested`.
///
/// - A SMART scope is covered when the allowed scopes of its level together give all its permissions for all its
///   types: `patient/*.rs` covers `patient/Observation.read`; `patient/*.rs` with `patient/*.cud` covers
///   `patient/*.cruds`. A scope limited by a query is covered by the unlimited one and by one with fewer of the same
///   parameters.
/// - Every other scope is covered by itself.
/// - **A scope covered in part is dropped**, not cut down: SMART lets the server do either, and a scope that nobody
///   asked for in that spelling would break clients that compare strings. A client that can live with less asks for
///   the parts.
/// - A token that begins like a SMART scope and is none (unknown type, letters out of order) is dropped, even where
///   `allowed` holds the same text, because it could grant nothing.
///
/// The answer may be empty; RFC 6749 then wants `invalid_scope`.
#[must_use]
pub fn narrow(requested: &ScopeSet, allowed: &ScopeSet) -> ScopeSet {
    let allowed_smart: Vec<SmartScope> = allowed
        .iter()
        .filter_map(|token| match Scope::parse(token) {
            Ok(Scope::Smart(scope)) => Some(scope),
            Ok(_) | Err(_) => None,
        })
        .collect();
    requested.filtered(|token| match Scope::parse(token) {
        Ok(Scope::Smart(wanted)) => covers(&allowed_smart, &wanted),
        Ok(_) => allowed.contains(token.as_str()),
        Err(_) => false,
    })
}

/// Whether scopes together give everything that one scope asks for.
fn covers(allowed: &[SmartScope], wanted: &SmartScope) -> bool {
    let given = allowed
        .iter()
        .fold(Permissions::NONE, |sum, scope| sum.union(scope.share_of(wanted)));
    given.contains(wanted.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[track_caller]
    fn narrows(requested: &str, allowed: &str, granted: &str) {
        let set = |text: &str| {
            if text.is_empty() {
                ScopeSet::empty()
            } else {
                ScopeSet::parse(text).unwrap()
            }
        };
        assert_eq!(narrow(&set(requested), &set(allowed)).to_string(), granted);
    }

    #[test]
    fn grants_what_is_allowed_as_spelled() {
        narrows(
            "openid patient/*.read launch/patient",
            "launch/patient patient/*.read openid email",
            "openid patient/*.read launch/patient",
        );
    }

    #[test]
    fn grants_one_type_where_all_are_allowed() {
        narrows(
            "patient/Observation.read",
            "patient/*.rs",
            "patient/Observation.read",
        );
        narrows(
            "patient/Observation.r patient/Patient.s",
            "patient/*.read",
            "patient/Observation.r patient/Patient.s",
        );
    }

    #[test]
    fn adds_allowed_scopes_up() {
        narrows(
            "patient/*.cruds",
            "patient/*.rs patient/*.write",
            "patient/*.cruds",
        );
        narrows("user/Task.*", "user/*.read user/Task.cud", "user/Task.*");
    }

    #[test]
    fn drops_a_scope_covered_in_part() {
        narrows("patient/*.cruds", "patient/*.rs", "");
        narrows("patient/*.rs openid", "patient/Observation.rs openid", "openid");
        narrows("system/*.read system/*.write", "system/*.read", "system/*.read");
    }

    #[test]
    fn never_crosses_levels() {
        narrows("patient/*.read", "user/*.read system/*.read", "");
        narrows("observation.read", "patient/Observation.read user/*.read", "");
        narrows("patient/Observation.read", "observation.read", "");
    }

    #[test]
    fn takes_both_short_forms_for_the_same() {
        narrows("observation.read", "observation/*.read", "observation.read");
        narrows("observation/*.read", "observation.*", "observation/*.read");
    }

    #[test]
    fn treats_a_query_as_a_limit() {
        narrows(
            "patient/Observation.rs?category=a",
            "patient/Observation.rs",
            "patient/Observation.rs?category=a",
        );
        narrows("patient/Observation.rs", "patient/Observation.rs?category=a", "");
        narrows(
            "patient/Observation.rs?category=b",
            "patient/Observation.rs?category=a",
            "",
        );
        narrows(
            "patient/Observation.rs?category=a&code=c",
            "patient/*.rs?category=a",
            "patient/Observation.rs?category=a&code=c",
        );
        narrows(
            "patient/Observation.rs?category=a%2Cb",
            "patient/Observation.rs?category=a,b",
            "patient/Observation.rs?category=a%2Cb",
        );
    }

    #[test]
    fn drops_malformed_smart_scopes_even_if_allowed() {
        narrows(
            "patient/Nonsense.read patient/*.sr openid",
            "patient/Nonsense.read patient/*.sr patient/*.* openid",
            "openid",
        );
    }

    #[test]
    fn grants_other_scopes_by_their_spelling_only() {
        narrows(
            "api:read Launch/patient offline_access",
            "api:read:all offline_access",
            "offline_access",
        );
    }

    #[test]
    fn grants_nothing_where_nothing_is_allowed() {
        narrows("openid patient/*.read", "", "");
    }
}
