//! Which types the patient compartment has, by which search parameters and by which elements a record belongs to it; and
//! which other types hold nobody's records.
//!
//! Governing text: FHIR R4 CompartmentDefinition "patient", with the elements that its search parameters look at. Where a
//! type has the parameter `patient` too, it is here, since clients use it.

use alloc::vec::Vec;

use crate::scope::resource_type::ResourceType;

/// How a type is related to the compartment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// The patient itself.
    Patient,
    /// Records in the compartment.
    Member(&'static Member),
    /// Definitions and directories, which hold nobody's records.
    Shared,
    /// Anything else.
    Other,
}

/// How records of one type belong to a patient. Lists are separated by spaces.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    /// Search parameters that name whom a record is about. The first is used where a client names nobody.
    pub(super) about: &'static str,
    /// Search parameters that name whoever else takes part.
    pub(super) taking_part: &'static str,
    /// The elements that say whom a record is about.
    pub(super) subject: &'static str,
    /// The elements that say who else takes part.
    pub(super) others: &'static str,
}

impl Kind {
    /// The kind of a type.
    pub(super) fn of(resource_type: ResourceType) -> Self {
        Self::of_name(resource_type.as_str())
    }

    /// The kind of a type by its name, which may be none.
    pub(super) fn of_name(name: &str) -> Self {
        if name == ResourceType::PATIENT.as_str() {
            return Self::Patient;
        }
        let position = MEMBERS.binary_search_by(|member| member.name.cmp(name));
        if let Some(member) = position.ok().and_then(|position| MEMBERS.get(position)) {
            return Self::Member(member);
        }
        if SHARED.binary_search(&name).is_ok() {
            Self::Shared
        } else {
            Self::Other
        }
    }
}

/// The words of a list. Not an iterator, so that the walk is in the Worker once.
pub(super) fn words(list: &'static str) -> Vec<&'static str> {
    list.split(' ').filter(|word| !word.is_empty()).collect()
}

/// The word of a list that is this one, in whatever capitals.
pub(super) fn find_word(list: &'static str, wanted: &str) -> Option<&'static str> {
    let words = words(list);
    words.into_iter().find(|word| word.eq_ignore_ascii_case(wanted))
}

/// The first step of a path.
pub(super) fn first_step(path: &str) -> &str {
    path.split_once('.').map_or(path, |(first, _)| first)
}

const fn member(
    name: &'static str,
    about: &'static str,
    taking_part: &'static str,
    subject: &'static str,
    others: &'static str,
) -> Member {
    Member {
        name,
        about,
        taking_part,
        subject,
        others,
    }
}

/// A type that says whom it is about in `patient` alone.
const fn of_patient(name: &'static str) -> Member {
    member(name, "patient", "", "patient", "")
}

/// A type that says whom it is about in `subject` alone.
const fn of_subject(name: &'static str) -> Member {
    member(name, "patient subject", "", "subject", "")
}

/// The types of the compartment but for Patient, sorted by name.
#[rustfmt::skip]
pub(super) static MEMBERS: [Member; 65] = [
    of_subject("Account"),
    member("AdverseEvent", "subject", "", "subject", ""),
    member("AllergyIntolerance", "patient", "recorder asserter", "patient", "recorder asserter"),
    member("Appointment", "patient", "actor", "participant.actor", ""),
    member("AppointmentResponse", "patient", "actor", "actor", ""),
    member("AuditEvent", "patient", "", "agent.who entity.what", ""),
    member("Basic", "patient subject", "author", "subject", "author"),
    of_patient("BodyStructure"),
    member("CarePlan", "patient subject", "performer", "subject", "activity.detail.performer"),
    member("CareTeam", "patient subject", "participant", "subject", "participant.member"),
    of_subject("ChargeItem"),
    member("Claim", "patient", "payee", "patient", "payee.party"),
    of_patient("ClaimResponse"),
    of_subject("ClinicalImpression"),
    member("Communication", "patient subject", "sender recipient", "subject", "sender recipient"),
    member("CommunicationRequest", "patient subject", "sender recipient requester", "subject", "sender recipient requester"),
    member("Composition", "patient subject", "author attester", "subject", "author attester.party"),
    member("Condition", "patient subject", "asserter", "subject", "asserter"),
    of_patient("Consent"),
    member("Coverage", "patient beneficiary", "policy-holder subscriber payor", "beneficiary", "policyHolder subscriber payor"),
    of_patient("CoverageEligibilityRequest"),
    of_patient("CoverageEligibilityResponse"),
    of_patient("DetectedIssue"),
    member("DeviceRequest", "patient subject", "performer", "subject", "performer"),
    of_subject("DeviceUseStatement"),
    of_subject("DiagnosticReport"),
    member("DocumentManifest", "patient subject", "author recipient", "subject", "author recipient"),
    member("DocumentReference", "patient subject", "author", "subject", "author"),
    of_subject("Encounter"),
    member("EnrollmentRequest", "patient subject", "", "candidate", ""),
    of_patient("EpisodeOfCare"),
    member("ExplanationOfBenefit", "patient", "payee", "patient", "payee.party"),
    of_patient("FamilyMemberHistory"),
    of_subject("Flag"),
    of_subject("Goal"),
    member("Group", "member", "", "member.entity", ""),
    of_subject("ImagingStudy"),
    of_patient("Immunization"),
    of_patient("ImmunizationEvaluation"),
    of_patient("ImmunizationRecommendation"),
    member("Invoice", "patient subject", "recipient", "subject", "recipient"),
    member("List", "patient subject", "source", "subject", "source"),
    of_subject("MeasureReport"),
    of_subject("Media"),
    member("MedicationAdministration", "patient subject", "performer", "subject", "performer.actor"),
    member("MedicationDispense", "patient subject", "receiver", "subject", "receiver"),
    of_subject("MedicationRequest"),
    of_subject("MedicationStatement"),
    of_patient("MolecularSequence"),
    of_patient("NutritionOrder"),
    member("Observation", "patient subject", "performer", "subject", "performer"),
    member("Person", "patient", "", "link.target", ""),
    member("Procedure", "patient subject", "performer", "subject", "performer.actor"),
    member("Provenance", "patient", "", "target", ""),
    member("QuestionnaireResponse", "patient subject", "author", "subject", "author"),
    of_patient("RelatedPerson"),
    member("RequestGroup", "patient subject", "participant", "subject", "action.participant"),
    member("ResearchSubject", "patient individual", "", "individual", ""),
    of_subject("RiskAssessment"),
    member("Schedule", "actor", "", "actor", ""),
    member("ServiceRequest", "patient subject", "performer", "subject", "performer"),
    of_subject("Specimen"),
    of_patient("SupplyDelivery"),
    member("SupplyRequest", "subject", "", "deliverTo", ""),
    of_patient("VisionPrescription"),
];

/// Types that hold nobody's records: definitions, directories, products. Sorted by name.
pub(super) static SHARED: [&str; 38] = [
    "ActivityDefinition",
    "CapabilityStatement",
    "ChargeItemDefinition",
    "CodeSystem",
    "CompartmentDefinition",
    "ConceptMap",
    "DeviceDefinition",
    "Endpoint",
    "EventDefinition",
    "GraphDefinition",
    "HealthcareService",
    "ImplementationGuide",
    "InsurancePlan",
    "Library",
    "Location",
    "Measure",
    "Medication",
    "MedicationKnowledge",
    "MessageDefinition",
    "NamingSystem",
    "ObservationDefinition",
    "OperationDefinition",
    "Organization",
    "OrganizationAffiliation",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "SearchParameter",
    "Slot",
    "SpecimenDefinition",
    "StructureDefinition",
    "StructureMap",
    "Substance",
    "SubstanceSpecification",
    "ValueSet",
];

#[cfg(test)]
mod tests {
    use super::{Kind, MEMBERS, SHARED};
    use crate::scope::resource_type::ResourceType;

    #[test]
    fn both_lists_are_sorted_hold_known_types_and_nothing_in_common() {
        assert!(MEMBERS.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(SHARED.windows(2).all(|pair| pair[0] < pair[1]));
        for name in MEMBERS.iter().map(|member| member.name).chain(SHARED) {
            assert!(ResourceType::from_name(name).is_some(), "{name}");
        }
        for member in &MEMBERS {
            assert!(SHARED.binary_search(&member.name).is_err(), "{}", member.name);
        }
    }

    #[test]
    fn every_type_of_the_compartment_can_be_searched_and_recognised() {
        for member in &MEMBERS {
            assert!(
                !member.about.is_empty() && !member.subject.is_empty(),
                "{}",
                member.name
            );
            for list in [member.about, member.taking_part, member.subject, member.others] {
                assert!(
                    !list.starts_with(' ') && !list.ends_with(' ') && !list.contains("  "),
                    "{list}"
                );
            }
        }
    }

    #[test]
    fn types_that_may_hold_records_of_anybody_are_in_neither_list() {
        for name in [
            "Binary",
            "Bundle",
            "Device",
            "Linkage",
            "MessageHeader",
            "Parameters",
            "Subscription",
            "Task",
            "VerificationResult",
            "",
            "patient",
            "Foo",
        ] {
            assert!(matches!(Kind::of_name(name), Kind::Other), "{name}");
        }
        assert!(matches!(Kind::of(ResourceType::PATIENT), Kind::Patient));
    }
}
