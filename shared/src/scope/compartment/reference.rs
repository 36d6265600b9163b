//! Whom a reference names.
//!
//! Governing text: FHIR R4 "References". A reference is compared as text, never followed.

use super::Patient;

/// Whom a reference names, as far as its text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// The patient.
    This,
    /// Another patient, or one of another server, or one that a search would find.
    Another,
    /// No patient: a resource of another type, or something inside the same resource or Bundle.
    None,
}

impl Patient<'_> {
    /// Whom the text of a reference names.
    pub(super) fn named_by(&self, reference: &str) -> Names {
        let mut segments = self.relative(reference).split('/');
        let is_patient = |segment: &str| segment == "Patient" || segment.starts_with("Patient?");
        if segments.next() != Some("Patient") {
            // One that a search would find, of another server, or below a base that is not known for the own one.
            return if self.relative(reference).split('/').any(is_patient) {
                Names::Another
            } else {
                Names::None
            };
        }
        let is_this = segments.next() == Some(self.id);
        match (segments.next(), segments.next(), segments.next()) {
            (None, None, None) | (Some("_history"), Some(_), None) if is_this => Names::This,
            _ => Names::Another,
        }
    }

    /// Whether a value of a search parameter names exactly the patient.
    pub(super) fn is_named_by_value(&self, value: &str) -> bool {
        let relative = self.relative(value);
        relative.strip_prefix("Patient/").unwrap_or(value) == self.id
    }

    fn relative<'t>(&self, text: &'t str) -> &'t str {
        self.bases
            .iter()
            .find_map(|base| text.strip_prefix(base)?.strip_prefix('/'))
            .unwrap_or(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Names;
    use crate::scope::compartment::Patient;

    const PATIENT: Patient<'_> =
        Patient::new("p-1", ["https://edge.example/fhir", "https://fhir.example/r4"]);

    #[test]
    fn a_reference_names_the_patient_in_every_spelling_that_fhir_has() {
        for reference in [
            "Patient/p-1",
            "Patient/p-1/_history/2",
            "https://edge.example/fhir/Patient/p-1",
            "https://fhir.example/r4/Patient/p-1",
        ] {
            assert_eq!(PATIENT.named_by(reference), Names::This, "{reference}");
        }
    }

    #[test]
    fn another_patient_is_one_of_another_id_server_or_search() {
        for reference in [
            "Patient/p-2",
            "Patient/p-1/",
            "Patient/p-1/_history",
            "Patient/p-1/_history/2/3",
            "Patient/p-1/p-1/p-1",
            "Patient/p-1x",
            "Patient/P-1",
            "Patient/",
            "Patient",
            "Patient?identifier=1",
            "https://other.example/fhir/Patient/p-1",
            "https://edge.example/fhir2/Patient/p-1",
            "https://edge.example/fhir/Patient/p-2",
            "/Patient/p-1",
            "./Patient/p-1",
            "https://other.example/Patient?identifier=1",
        ] {
            assert_eq!(PATIENT.named_by(reference), Names::Another, "{reference}");
        }
    }

    #[test]
    fn other_types_and_what_is_inside_name_no_patient() {
        for reference in [
            "Practitioner/p-1",
            "RelatedPerson/p-1",
            "#p-1",
            "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
            "",
            "https://other.example/fhir/Group/1",
        ] {
            assert_eq!(PATIENT.named_by(reference), Names::None, "{reference}");
        }
    }

    #[test]
    fn a_value_names_exactly_the_patient_or_not() {
        for value in [
            "p-1",
            "Patient/p-1",
            "https://edge.example/fhir/Patient/p-1",
            "https://fhir.example/r4/Patient/p-1",
        ] {
            assert!(PATIENT.is_named_by_value(value), "{value}");
        }
        for value in [
            "",
            "p-2",
            "p-1,p-2",
            "p-1,p-1",
            "p-1 ",
            "Patient/p-1/_history/1",
            "Group/p-1",
            "Patient/",
            "patient/p-1",
            "https://other.example/Patient/p-1",
            "p-1|",
            "https://edge.example/fhir/p-2",
        ] {
            assert!(!PATIENT.is_named_by_value(value), "{value}");
        }
    }
}
