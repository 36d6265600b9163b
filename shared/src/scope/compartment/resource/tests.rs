use alloc::borrow::ToOwned as _;
use alloc::string::String;

use serde_json::{Map, Value, json};

use crate::scope::compartment::Patient;
use crate::scope::compartment::table::MEMBERS;

const PATIENT: Patient<'_> = Patient::new("p-1", ["https://edge.example/fhir", "https://fhir.example/r4"]);

fn owns(resource: &Value) -> bool {
    PATIENT.owns(resource.as_object().unwrap())
}

/// A resource of this type with this value at a path; every second step is a list, as some are in FHIR.
fn with(name: &str, path: &str, value: Value) -> Map<String, Value> {
    let nested = path.rsplit('.').enumerate().fold(value, |value, (depth, name)| {
        let value = if depth % 2 == 0 { json!([value]) } else { value };
        json!({ name: value })
    });
    let mut resource = nested.as_object().unwrap().clone();
    resource.insert("resourceType".to_owned(), name.into());
    resource
}

fn reference(to: &str) -> Value {
    json!({ "reference": to })
}

#[test]
fn the_patient_s_own_resource_is_known_by_its_id() {
    assert!(owns(
        &json!({ "resourceType": "Patient", "id": "p-1", "link": [{ "other": { "reference": "Patient/p-2" } }] })
    ));
    for other in [
        json!({ "resourceType": "Patient", "id": "p-2" }),
        json!({ "resourceType": "Patient" }),
        json!({ "resourceType": "Patient", "id": 1 }),
        json!({ "resourceType": "Patient", "id": "p-1", "ID": "p-2" }),
        json!({ "resourceType": "Patient", "id": "p-2", "link": [{ "other": { "reference": "Patient/p-1" } }] }),
    ] {
        assert!(!owns(&other), "{other}");
    }
}

#[test]
fn every_type_of_the_compartment_is_known_by_whom_it_is_about() {
    for member in &MEMBERS {
        for path in member.subject.split_ascii_whitespace() {
            let of = |value: Value| PATIENT.owns(&with(member.name, path, value));
            assert!(of(reference("Patient/p-1")), "{}.{path}", member.name);
            for other in [
                reference("Patient/p-2"),
                reference("Practitioner/p-1"),
                reference("#p-1"),
                json!({ "identifier": { "value": "p-1" } }),
                json!({ "reference": ["Patient/p-1"] }),
                json!({ "Reference": "Patient/p-1" }),
                json!({ "reference": "Patient/p-1", "REFERENCE": "Patient/p-2" }),
                json!("Patient/p-1"),
                json!([reference("Patient/p-1"), reference("Patient/p-2")]),
                Value::Null,
            ] {
                assert!(!of(other.clone()), "{}.{path}: {other}", member.name);
            }
        }
        let bare = json!({ "resourceType": member.name, "id": "p-1" });
        assert!(!owns(&bare), "{}", member.name);
    }
}

#[test]
fn whoever_takes_part_makes_a_record_theirs_only_when_it_is_about_nobody() {
    for member in &MEMBERS {
        let about = member.subject.split(' ').next().unwrap();
        for path in member.others.split_ascii_whitespace() {
            let mut taking_part = with(member.name, path, reference("Patient/p-1"));
            let name = alloc::format!("{}.{path}", member.name);
            assert!(PATIENT.owns(&taking_part), "{name}");
            // Where both stand below the same element they cannot be written side by side so simply.
            if about.split('.').next() == path.split('.').next() {
                continue;
            }
            for (subject, expected) in [("Patient/p-1", true), ("Patient/p-2", false), ("Group/1", false)] {
                taking_part.extend(with(member.name, about, reference(subject)));
                assert_eq!(PATIENT.owns(&taking_part), expected, "{name}, about {subject}");
            }
            let mut of_another = with(member.name, path, reference("Patient/p-2"));
            of_another.extend(with(member.name, about, reference("Patient/p-1")));
            assert!(!PATIENT.owns(&of_another), "{name}: another patient takes part");
            let mut of_somebody = with(member.name, path, reference("Practitioner/p-2"));
            of_somebody.extend(with(member.name, about, reference("Patient/p-1")));
            assert!(PATIENT.owns(&of_somebody), "{name}: a practitioner takes part");
        }
    }
}

#[test]
fn a_record_that_says_in_two_ways_whose_it_is_is_nobody_s() {
    for resource in [
        json!({ "resourceType": "Observation", "subject": { "reference": "Patient/p-1" }, "Subject": { "reference": "Patient/p-2" } }),
        json!({ "resourceType": "Observation", "patient": { "reference": "Patient/p-1" } }),
        json!({ "resourceType": "Observation", "ResourceType": "Binary", "subject": { "reference": "Patient/p-1" } }),
        json!({ "resourceType": "Observation", "subject": { "reference": "Patient/p-1" }, "patient": { "reference": "Patient/p-2" } }),
        json!({ "resourceType": "Appointment", "participant": [{ "actor": { "reference": "Patient/p-1" } }], "subject": { "reference": "Patient/p-2" } }),
    ] {
        assert!(!owns(&resource), "{resource}");
    }
}

#[test]
fn what_holds_nobody_s_records_may_be_seen_and_belongs_to_nobody() {
    let see = |resource: Value| PATIENT.may_see(resource.as_object().unwrap());
    for name in ["Practitioner", "Organization", "Medication"] {
        assert!(see(json!({ "resourceType": name })), "{name}");
        assert!(
            !owns(&json!({ "resourceType": name, "subject": { "reference": "Patient/p-1" } })),
            "{name}"
        );
    }
    for name in ["Binary", "Bundle", "Parameters", "Foo", ""] {
        assert!(
            !see(json!({ "resourceType": name, "subject": { "reference": "Patient/p-1" } })),
            "{name}"
        );
    }
    assert!(!see(json!({})));
}
