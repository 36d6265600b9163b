//! What the members of administrators' requests may be. Each function gives the value as it is stored, or what it must be.

use wardgate_shared::scope::{FhirUser, Level, Scope, ScopeSet};

use crate::domain::fhir_reference::is_fhir_id;
use crate::domain::role::SecondFactorPolicy;
use crate::domain::user::{UserType, normalize_email};

use super::FieldFault;

/// The longest address that mail can be sent to (RFC 5321 section 4.5.3.1.3), in bytes.
const LONGEST_EMAIL: usize = 254;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 200;

/// Checks members one after the other and keeps what is wrong with each.
#[derive(Debug, Default)]
pub(super) struct Checks(pub(super) Vec<FieldFault>);

impl Checks {
    /// The value of a member that is there, if it is lawful.
    pub(super) fn member<T>(
        &mut self,
        field: &'static str,
        given: Option<&str>,
        read: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        match read(given?) {
            Ok(value) => Some(value),
            Err(detail) => {
                self.0.push(FieldFault::new(field, detail));
                None
            }
        }
    }

    /// The value of a member that must be there, if it is lawful.
    pub(super) fn required<T>(
        &mut self,
        field: &'static str,
        given: Option<&str>,
        read: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        if given.is_none() {
            self.0.push(FieldFault::new(field, "is missing"));
        }
        self.member(field, given, read)
    }

    /// The change of a member that may also be taken away.
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things in a merge patch"
    )]
    pub(super) fn removable<T>(
        &mut self,
        field: &'static str,
        given: Option<&Option<String>>,
        read: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Option<Option<T>> {
        match given? {
            None => Some(None),
            Some(text) => self.member(field, Some(text), read).map(Some),
        }
    }
}

pub(super) fn email(text: &str) -> Result<String, &'static str> {
    let email = normalize_email(text);
    let is_address = email.len() <= LONGEST_EMAIL
        && !email.contains(|character: char| character.is_whitespace() || character.is_control())
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !domain.ends_with('.')
        });
    if is_address {
        Ok(email)
    } else {
        Err("must be an address such as ada@example.org")
    }
}

pub(super) fn name(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
        Err("must be 1 to 200 bytes of text")
    } else {
        Ok(name.into())
    }
}

pub(super) fn user_type(text: &str) -> Result<UserType, &'static str> {
    UserType::from_name(text).ok_or("must be builder or patient")
}

pub(super) fn fhir_user(text: &str) -> Result<String, &'static str> {
    FhirUser::from_claim(text, "")
        .map(|_| text.into())
        .ok_or("must be Patient, Person, Practitioner, PractitionerRole or RelatedPerson, a slash and an id")
}

pub(super) fn fhir_id(text: &str) -> Result<String, &'static str> {
    if is_fhir_id(text) {
        Ok(text.into())
    } else {
        Err("must be 1 to 64 characters from A-Z a-z 0-9 - .")
    }
}

/// A ceiling. The empty text allows nothing.
pub(super) fn ceiling(text: &str) -> Result<ScopeSet, &'static str> {
    if text.is_empty() {
        return Ok(ScopeSet::empty());
    }
    let scopes = ScopeSet::parse(text).map_err(|_| "must be scopes, separated by single spaces")?;
    let is_a_persons =
        |scope: &Scope| !matches!(scope, Scope::Smart(smart) if smart.level() == Level::System);
    let all_lawful = scopes
        .iter()
        .all(|token| Scope::parse(token).is_ok_and(|scope| is_a_persons(&scope)));
    if all_lawful {
        Ok(scopes)
    } else {
        Err(
            "must be scopes that a person can be granted: nothing of system/, and no SMART scope with a fault",
        )
    }
}

pub(super) fn second_factor(text: &str) -> Result<SecondFactorPolicy, &'static str> {
    SecondFactorPolicy::from_name(text).ok_or("must be offered or required")
}
