//! One entry of `fhirContext` (SMART App Launch 2.2 "fhirContext"; SMART-41, SMART-42).

use serde::{Deserialize, Serialize};
use wardgate_shared::scope::ResourceType;

use crate::domain::fhir_reference::{canonical_type, relative_reference_type};

/// The role of an entry that names none.
const DEFAULT_ROLE: &str = "launch";

/// A resource that is open besides patient and encounter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FhirContextItem {
    /// A relative reference: `ImagingStudy/123`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A canonical URL: `https://example.org/Questionnaire/phq-9|1.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
    /// A FHIR Identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<serde_json::Map<String, serde_json::Value>>,
    /// The resource's type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// What it is there for: `launch`, which is the default, or an absolute URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// Why an entry is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FhirContextFault {
    /// It names no resource.
    #[error("each entry of fhirContext needs reference, canonical or identifier")]
    NamesNothing,
    /// `reference` is no relative reference.
    #[error("reference must be relative and name a FHIR type and an id, such as ImagingStudy/123")]
    Reference,
    /// `canonical` is no http URL that names a type.
    #[error("canonical must be an http or https URL with a FHIR type before its last segment")]
    Canonical,
    /// `identifier` is empty.
    #[error("identifier must be a FHIR Identifier with at least one member")]
    Identifier,
    /// `type` is no FHIR type, or not that of `reference` or `canonical`.
    #[error("type must be a FHIR type, and the one that reference or canonical names")]
    Type,
    /// `role` is empty or relative.
    #[error("role must be launch or an absolute URI")]
    Role,
    /// A patient or encounter has members of its own.
    #[error(
        "fhirContext holds no Patient or Encounter in the role launch: use the members patient and encounter"
    )]
    PatientOrEncounter,
}

impl FhirContextItem {
    /// Checks what the specification asks of an entry.
    ///
    /// # Errors
    /// The first [`FhirContextFault`].
    pub fn check(&self) -> Result<(), FhirContextFault> {
        if self.reference.is_none() && self.canonical.is_none() && self.identifier.is_none() {
            return Err(FhirContextFault::NamesNothing);
        }
        let referenced = match &self.reference {
            Some(text) => Some(relative_reference_type(text).ok_or(FhirContextFault::Reference)?),
            None => None,
        };
        let canonical = match &self.canonical {
            Some(text) => Some(canonical_type(text).ok_or(FhirContextFault::Canonical)?),
            None => None,
        };
        if self.identifier.as_ref().is_some_and(serde_json::Map::is_empty) {
            return Err(FhirContextFault::Identifier);
        }
        let named = match &self.resource_type {
            Some(name) => Some(ResourceType::from_name(name).ok_or(FhirContextFault::Type)?),
            None => None,
        };
        let all = [named, referenced, canonical];
        let mut types = all.iter().flatten();
        if let Some(first) = types.next()
            && types.any(|other| other != first)
        {
            return Err(FhirContextFault::Type);
        }
        if self.role.as_deref().is_some_and(|role| !is_role(role)) {
            return Err(FhirContextFault::Role);
        }
        let is_own_member = |kind: &ResourceType| matches!(kind.as_str(), "Patient" | "Encounter");
        if self.role() == DEFAULT_ROLE && all.iter().flatten().any(is_own_member) {
            return Err(FhirContextFault::PatientOrEncounter);
        }
        Ok(())
    }

    /// Its role.
    pub fn role(&self) -> &str {
        self.role.as_deref().unwrap_or(DEFAULT_ROLE)
    }

    /// Whether it is of this type and role, as a scope `launch/{type}?role=` asks for; no role means `launch`.
    pub fn is_asked_for_by(&self, resource_type: ResourceType, role: Option<&str>) -> bool {
        let named = self.resource_type.as_deref().and_then(ResourceType::from_name);
        let referenced = self.reference.as_deref().and_then(relative_reference_type);
        let canonical = self.canonical.as_deref().and_then(canonical_type);
        named.or(referenced).or(canonical) == Some(resource_type)
            && role.unwrap_or(DEFAULT_ROLE) == self.role()
    }
}

/// `launch`, or an absolute URI: a scheme and something after it (RFC 3986 section 4.3).
fn is_role(role: &str) -> bool {
    let is_absolute = role.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    });
    role == DEFAULT_ROLE || (is_absolute && role.bytes().all(|byte| byte.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wardgate_shared::scope::ResourceType;

    use super::{FhirContextFault, FhirContextItem};

    fn item(value: Value) -> FhirContextItem {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    // SMART-41
    fn accepts_what_the_specification_shows() {
        for value in [
            json!({"reference": "ImagingStudy/123"}),
            json!({"canonical": "https://fhir.example/Questionnaire/phq-9|1.0", "type": "Questionnaire"}),
            json!({"identifier": {"system": "urn:oid:1.2.3", "value": "7"}, "type": "ServiceRequest"}),
            json!({"reference": "PractitionerRole/1", "role": "https://ehr.example/role/referrer"}),
            json!({"reference": "ImagingStudy/1", "role": "launch"}),
        ] {
            assert_eq!(item(value.clone()).check(), Ok(()), "{value}");
            assert_eq!(serde_json::to_value(item(value.clone())).unwrap(), value);
        }
    }

    #[test]
    // SMART-41
    fn refuses_entries_that_name_nothing_or_wrongly() {
        for (value, fault) in [
            (json!({}), FhirContextFault::NamesNothing),
            (json!({"type": "ImagingStudy"}), FhirContextFault::NamesNothing),
            (
                json!({"reference": "https://fhir.example/ImagingStudy/1"}),
                FhirContextFault::Reference,
            ),
            (json!({"reference": "Nothing/1"}), FhirContextFault::Reference),
            (
                json!({"canonical": "Questionnaire/1"}),
                FhirContextFault::Canonical,
            ),
            (json!({"identifier": {}}), FhirContextFault::Identifier),
            (
                json!({"identifier": {"value": "1"}, "type": "Nothing"}),
                FhirContextFault::Type,
            ),
            (
                json!({"reference": "ImagingStudy/1", "type": "Observation"}),
                FhirContextFault::Type,
            ),
        ] {
            assert_eq!(item(value.clone()).check(), Err(fault), "{value}");
        }
    }

    #[test]
    // SMART-42
    fn patient_and_encounter_stand_elsewhere_unless_in_another_role() {
        for name in ["Patient", "Encounter"] {
            let reference = format!("{name}/1");
            assert_eq!(
                item(json!({"reference": reference})).check(),
                Err(FhirContextFault::PatientOrEncounter)
            );
            assert_eq!(
                item(json!({"identifier": {"value": "1"}, "type": name, "role": "launch"})).check(),
                Err(FhirContextFault::PatientOrEncounter)
            );
            assert_eq!(
                item(json!({"reference": reference, "role": "https://ehr.example/mother"})).check(),
                Ok(())
            );
        }
    }

    #[test]
    // SMART-42
    fn a_role_is_launch_or_an_absolute_uri() {
        for role in ["", "referrer", "/role", ":x", "a b:c", "1x:y", "https:"] {
            let value = json!({"reference": "ImagingStudy/1", "role": role});
            assert_eq!(item(value).check(), Err(FhirContextFault::Role), "{role}");
        }
    }

    #[test]
    fn unknown_members_are_refused() {
        assert!(serde_json::from_value::<FhirContextItem>(json!({"refrence": "ImagingStudy/1"})).is_err());
        assert!(serde_json::from_value::<FhirContextItem>(json!("ImagingStudy/1")).is_err());
    }

    #[test]
    fn a_scope_asks_by_type_and_role() {
        let study = ResourceType::from_name("ImagingStudy").unwrap();
        let plain = item(json!({"reference": "ImagingStudy/1"}));
        assert!(plain.is_asked_for_by(study, None));
        assert!(!plain.is_asked_for_by(study, Some("https://ehr.example/r")));
        assert!(!plain.is_asked_for_by(ResourceType::PATIENT, None));
        let other = item(json!({"reference": "ImagingStudy/1", "role": "https://ehr.example/r"}));
        assert!(other.is_asked_for_by(study, Some("https://ehr.example/r")));
        assert!(!other.is_asked_for_by(study, None));
    }
}
