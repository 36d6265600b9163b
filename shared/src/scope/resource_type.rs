//! FHIR resource types by name: R4, R4B and R5.
//!
//! Only a name of the table becomes a [`ResourceType`]; whoever holds one therefore holds a spelling that is safe to
//! show and to forward. Names are case-sensitive in FHIR; [`ResourceType::from_lower_case`] serves the scopes that
//! spell them in lower case (`launch/{type}` and `observation.read`).

mod names;

use core::fmt;

use names::NAMES;

/// One of the resource types of FHIR R4, R4B or R5.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceType(&'static str);

impl ResourceType {
    /// The type `Patient`.
    pub const PATIENT: Self = Self("Patient");

    /// Looks up a name in FHIR's own spelling, such as `Observation`.
    pub fn from_name(name: &str) -> Option<Self> {
        let position = NAMES.binary_search(&name).ok()?;
        NAMES.get(position).map(|name| Self(name))
    }

    /// Looks up a name spelled wholly in lower case, such as `medicationrequest`.
    pub fn from_lower_case(name: &str) -> Option<Self> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        // Sorting by lower case would give another order (`EpisodeOfCare`), so this one walks the table; it runs once
        // a scope, not once a request.
        NAMES
            .iter()
            .find(|candidate| candidate.eq_ignore_ascii_case(name))
            .map(|name| Self(name))
    }

    /// The name in FHIR's own spelling.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// All types, sorted by name.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        NAMES.iter().map(|name| Self(name))
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl fmt::Debug for ResourceType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_without_repetition() {
        assert!(NAMES.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn finds_every_name_and_its_lower_case() {
        for resource_type in ResourceType::all() {
            assert_eq!(
                ResourceType::from_name(resource_type.as_str()),
                Some(resource_type)
            );
            let lower = resource_type.as_str().to_ascii_lowercase();
            assert_eq!(ResourceType::from_lower_case(&lower), Some(resource_type));
        }
    }

    #[test]
    fn knows_types_of_each_release() {
        // The last three exist in R4 alone, from R4B, and from R5.
        for name in [
            "Patient",
            "Observation",
            "Binary",
            "MedicinalProduct",
            "SubscriptionTopic",
            "Transport",
        ] {
            assert!(ResourceType::from_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn refuses_other_cases_abstract_types_and_near_misses() {
        for name in [
            "patient",
            "PATIENT",
            "Patient.",
            "Patient ",
            "",
            "Resource",
            "DomainResource",
            "Foo",
            "*",
        ] {
            assert_eq!(ResourceType::from_name(name), None, "{name:?}");
        }
        for name in ["Patient", "pATIENT", "resource", "", "patients"] {
            assert_eq!(ResourceType::from_lower_case(name), None, "{name:?}");
        }
    }
}
