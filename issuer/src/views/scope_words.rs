//! Scopes in words for the person who is asked.

use std::collections::BTreeSet;

use wardgate_shared::scope::{Level, Permissions, ResourceSelector, Scope, ScopeSet, SmartScope};

use crate::domain::person_claim::PersonClaim;
use crate::domain::role::{ADMINISTRATION_READ, ADMINISTRATION_WRITE};
use crate::endpoints::{introspect, launches};

/// One line of the consent page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// What the app can do, as the end of "it can: …".
    pub words: String,
    /// The scope itself, or the claim, for those who want to know exactly.
    pub scope: String,
}

/// Whose record a scope of the level `patient` opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordInContext {
    /// Nobody's.
    None,
    /// That of the person who is asked.
    Own,
    /// That of the patient whom the page names.
    OfPatient,
    /// That of whichever patient it was opened for.
    OfAnyPatient,
}

/// What `scope` permits, line by line, when this record is in context.
pub fn permissions(scope: &ScopeSet, record: RecordInContext) -> Vec<Permission> {
    scope
        .iter()
        .map(|token| {
            let words = match Scope::parse(token) {
                Ok(scope) => describe(&scope, record),
                Err(_) => String::from("do nothing: this scope is not a lawful one"),
            };
            Permission {
                words,
                scope: token.to_string(),
            }
        })
        .collect()
}

/// Claims that were asked for one by one, line by line; in place of the scope stands the claim's name.
pub fn claim_permissions(claims: &BTreeSet<PersonClaim>) -> Vec<Permission> {
    claims
        .iter()
        .map(|claim| Permission {
            words: claim.words().into(),
            scope: claim.as_str().into(),
        })
        .collect()
}

fn describe(scope: &Scope, record: RecordInContext) -> String {
    match scope {
        Scope::Smart(smart) => describe_smart(smart, record),
        Scope::OpenId => "know that it is you, by your account's identifier".into(),
        Scope::FhirUser => "know which health record entry stands for you".into(),
        Scope::OfflineAccess => "keep this access while you are away, until it is withdrawn".into(),
        Scope::OnlineAccess => "keep this access while you stay signed in".into(),
        Scope::LaunchContext { .. } | Scope::Launch => "know whose health record is open".into(),
        Scope::Profile => {
            "see your profile: your names, and date of birth, gender, picture and the like if they are known"
                .into()
        }
        Scope::Email => "see your e-mail address".into(),
        Scope::Address => "see your postal address".into(),
        Scope::Phone => "see your telephone number".into(),
        Scope::Other(other) if other.as_str() == introspect::SCOPE => {
            "ask this service about access tokens, also those of other apps".into()
        }
        Scope::Other(other) if other.as_str() == launches::SCOPE => {
            "start apps for people, as the system in which their records are kept".into()
        }
        Scope::Other(other) if other.as_str() == ADMINISTRATION_READ => {
            "see all accounts, roles, organizations and sessions of this service, as an administrator".into()
        }
        Scope::Other(other) if other.as_str() == ADMINISTRATION_WRITE => {
            "change accounts, roles, organizations and sessions of this service, as an administrator".into()
        }
        Scope::Other(_) => "use a function of the service it works with".into(),
    }
}

fn describe_smart(scope: &SmartScope, record: RecordInContext) -> String {
    let what = match scope.resource() {
        ResourceSelector::Any => String::from("all data"),
        ResourceSelector::Type(resource_type) => format!("{} data", resource_type.as_str()),
    };
    let place = match (scope.level(), record) {
        (Level::Patient | Level::Holder, RecordInContext::OfPatient) => "in this patient's record",
        (Level::Patient, RecordInContext::None | RecordInContext::Own)
        | (Level::Holder, RecordInContext::Own) => "in your health record",
        (Level::Holder, RecordInContext::None) | (Level::User | Level::System, _) => {
            "that you may see yourself"
        }
        (Level::Patient | Level::Holder, RecordInContext::OfAnyPatient) => {
            "in the record of the patient it is opened for"
        }
    };
    let limit = scope
        .restriction()
        .map_or_else(String::new, |limit| format!(", limited to {}", limit.as_str()));
    format!("{} {what} {place}{limit}", verbs(scope.permissions()))
}

fn verbs(permissions: Permissions) -> String {
    let mut verbs = Vec::new();
    let reads = permissions.contains(Permissions::READ);
    match (reads, permissions.contains(Permissions::SEARCH)) {
        (true, true) => verbs.push("read and search"),
        (true, false) => verbs.push("read"),
        (false, true) => verbs.push("search"),
        (false, false) => {}
    }
    for (permission, verb) in [
        (Permissions::CREATE, "add"),
        (Permissions::UPDATE, "change"),
        (Permissions::DELETE, "delete"),
    ] {
        if permissions.contains(permission) {
            verbs.push(verb);
        }
    }
    match verbs.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((only, _)) => (*only).into(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use wardgate_shared::scope::ScopeSet;

    use super::{RecordInContext, permissions};

    #[track_caller]
    fn says(scope: &str, patient_in_context: bool, words: &str) {
        let record = if patient_in_context {
            RecordInContext::Own
        } else {
            RecordInContext::None
        };
        let lines = permissions(&ScopeSet::parse(scope).unwrap(), record);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].words, words);
        assert_eq!(lines[0].scope, scope);
    }

    #[test]
    fn says_what_a_scope_permits() {
        says(
            "patient/*.read",
            true,
            "read and search all data in your health record",
        );
        says(
            "patient/Observation.write",
            true,
            "add, change and delete Observation data in your health record",
        );
        says(
            "user/Patient.r",
            false,
            "read Patient data that you may see yourself",
        );
        says(
            "user/*.cruds",
            false,
            "read and search, add, change and delete all data that you may see yourself",
        );
    }

    #[test]
    fn the_short_form_means_what_its_holder_can_reach() {
        says(
            "observation.read",
            true,
            "read and search Observation data in your health record",
        );
        says(
            "observation.read",
            false,
            "read and search Observation data that you may see yourself",
        );
    }

    #[test]
    fn a_professional_is_asked_about_the_patient_whom_the_page_names() {
        for scope in ["patient/Observation.rs", "observation.read"] {
            let scope = ScopeSet::parse(scope).unwrap();
            let lines = permissions(&scope, RecordInContext::OfPatient);
            assert_eq!(
                lines[0].words,
                "read and search Observation data in this patient's record"
            );
        }
    }

    #[test]
    fn names_the_right_to_ask_about_tokens() {
        says(
            "introspect",
            false,
            "ask this service about access tokens, also those of other apps",
        );
    }

    #[test]
    fn names_the_limit_of_a_limited_scope() {
        says(
            "patient/Observation.rs?category=laboratory",
            true,
            "read and search Observation data in your health record, limited to category=laboratory",
        );
    }
}
