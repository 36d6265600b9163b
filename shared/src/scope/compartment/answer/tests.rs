use alloc::string::ToString as _;
use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{AnswerError, Expected};
use crate::scope::compartment::Patient;
use crate::scope::resource_type::ResourceType;

const PATIENT: Patient<'_> = Patient::new("p-1", ["https://edge.example/fhir", "https://fhir.example/r4"]);

fn observation() -> ResourceType {
    ResourceType::from_name("Observation").unwrap()
}

fn judge(document: &Value, expected: &Expected) -> Result<(), AnswerError> {
    PATIENT.judge(document.to_string().as_bytes(), expected)
}

fn of(patient: &str) -> Value {
    json!({ "resourceType": "Observation", "subject": { "reference": alloc::format!("Patient/{patient}") } })
}

fn bundle(kind: &str, resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources
        .iter()
        .map(|resource| json!({ "resource": resource }))
        .collect();
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

#[test]
fn one_resource_must_be_of_the_type_and_the_patient_s() {
    let expected = Expected::Resource(observation());
    assert_eq!(judge(&of("p-1"), &expected), Ok(()));
    assert_eq!(judge(&of("p-2"), &expected), Err(AnswerError::NotThePatients));
    for other in [
        json!({}),
        json!({ "resourceType": "Condition", "subject": { "reference": "Patient/p-1" } }),
        json!({ "resourceType": "OperationOutcome" }),
        bundle("searchset", &[of("p-1")]),
    ] {
        assert_eq!(judge(&other, &expected), Err(AnswerError::Unreadable), "{other}");
    }
    for bytes in [&b""[..], b"{", b"[]", b"null", b"{\"a\":1,\"a\":1}", b"\xff"] {
        assert_eq!(PATIENT.judge(bytes, &expected), Err(AnswerError::Unreadable));
    }
}

#[test]
fn every_version_in_a_history_must_be_the_patient_s_and_one_must_be_there() {
    let expected = Expected::History(observation());
    let deletion = json!({ "request": { "method": "DELETE", "url": "Observation/1" } });
    let mut history = bundle("history", &[of("p-1"), of("p-1")]);
    history["entry"].as_array_mut().unwrap().push(deletion.clone());
    assert_eq!(judge(&history, &expected), Ok(()));
    for foreign in [
        bundle("history", &[of("p-1"), of("p-2")]),
        bundle("history", &[]),
        json!({ "resourceType": "Bundle", "type": "history", "entry": [deletion] }),
        json!({ "resourceType": "Bundle", "type": "history" }),
    ] {
        assert_eq!(
            judge(&foreign, &expected),
            Err(AnswerError::NotThePatients),
            "{foreign}"
        );
    }
    assert_eq!(
        judge(&bundle("searchset", &[of("p-1")]), &expected),
        Err(AnswerError::Unreadable)
    );
}

#[test]
fn everything_that_a_search_finds_must_be_the_patient_s() {
    let only = Expected::Found(Some(observation()));
    let outcome = json!({ "resourceType": "OperationOutcome", "issue": [] });
    let organization = json!({ "resourceType": "Organization", "id": "1" });
    let patient = json!({ "resourceType": "Patient", "id": "p-1" });
    for expected in [&only, &Expected::Found(None)] {
        for fine in [
            bundle("searchset", &[]),
            json!({ "resourceType": "Bundle", "type": "searchset", "total": 3 }),
            bundle("searchset", &[of("p-1"), outcome.clone(), of("p-1")]),
            json!({ "resourceType": "Bundle", "type": "searchset", "entry": [{ "fullUrl": "a" }] }),
        ] {
            assert_eq!(judge(&fine, expected), Ok(()), "{fine}");
        }
        for foreign in [
            of("p-2"),
            json!({ "resourceType": "Observation" }),
            json!({ "resourceType": "Patient", "id": "p-2" }),
            json!({ "resourceType": "Binary", "data": "" }),
            json!({ "resourceType": "Bundle", "type": "collection" }),
            json!({}),
        ] {
            let found = bundle("searchset", &[of("p-1"), foreign]);
            assert_eq!(
                judge(&found, expected),
                Err(AnswerError::NotThePatients),
                "{found}"
            );
        }
        for unreadable in [
            of("p-1"),
            bundle("batch-response", &[of("p-1")]),
            json!({ "resourceType": "Bundle", "type": "searchset", "entry": {} }),
            json!({ "resourceType": "Bundle", "type": "searchset", "entry": [1] }),
            json!({ "resourceType": "Bundle", "type": "searchset", "Entry": [] }),
            json!({ "resourceType": "Bundle", "type": "searchset", "entry": [{ "resource": [] }] }),
            json!({ "resourceType": "Bundle", "type": "searchset", "entry": [{ "Resource": {} }] }),
        ] {
            assert_eq!(
                judge(&unreadable, expected),
                Err(AnswerError::Unreadable),
                "{unreadable}"
            );
        }
    }
    let included = bundle("searchset", &[of("p-1"), organization, patient]);
    assert_eq!(judge(&included, &Expected::Found(None)), Ok(()));
    assert_eq!(judge(&included, &only), Err(AnswerError::NotThePatients));
}

#[test]
fn each_response_of_a_batch_is_judged_as_what_was_asked_for() {
    let expected = Expected::Responses(Vec::from([
        None,
        Some(Expected::Resource(observation())),
        Some(Expected::Found(Some(observation()))),
    ]));
    let answer = |read: Value, found: Value| {
        json!({ "resourceType": "Bundle", "type": "batch-response", "entry": [
            { "response": { "status": "200" }, "resource": { "resourceType": "Practitioner" } },
            read,
            found,
        ] })
    };
    let read = |resource: Value| json!({ "response": { "status": "200 OK" }, "resource": resource });
    let found = |resources: &[Value]| read(bundle("searchset", resources));
    let refused =
        json!({ "response": { "status": "403", "outcome": { "resourceType": "OperationOutcome" } } });
    for fine in [
        answer(read(of("p-1")), found(&[of("p-1")])),
        answer(refused.clone(), refused.clone()),
        answer(
            read(of("p-1")),
            json!({ "response": { "status": "400" }, "resource": { "resourceType": "OperationOutcome" } }),
        ),
    ] {
        assert_eq!(judge(&fine, &expected), Ok(()), "{fine}");
    }
    // What is another patient's and what is not there are the same.
    for nothing in [
        read(of("p-2")),
        json!({ "response": { "status": "404" } }),
        json!({ "response": { "status": "410 Gone" }, "resource": { "resourceType": "OperationOutcome" } }),
    ] {
        let answer = answer(nothing, found(&[]));
        assert_eq!(
            judge(&answer, &expected),
            Err(AnswerError::NothingFound),
            "{answer}"
        );
    }
    assert_eq!(
        judge(&answer(read(of("p-1")), found(&[of("p-2")])), &expected),
        Err(AnswerError::NotThePatients)
    );
    for unreadable in [
        answer(json!({ "response": { "status": "200" } }), found(&[])),
        answer(json!({ "response": { "status": "304" } }), found(&[])),
        answer(found(&[]), read(of("p-1"))),
        bundle("batch-response", &[of("p-1")]),
        bundle("searchset", &[]),
    ] {
        assert_eq!(
            judge(&unreadable, &expected),
            Err(AnswerError::Unreadable),
            "{unreadable}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_judged_without_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for expected in [Expected::Resource(observation()), Expected::Found(None), Expected::History(observation())] {
            prop_assert!(PATIENT.judge(&bytes, &expected).is_err());
        }
    }

    #[test]
    fn one_record_of_somebody_else_withholds_the_whole_answer(
        mine in 0_usize..6, place in 0_usize..6, id in "[A-Za-z0-9.-]{1,64}",
    ) {
        prop_assume!(id != "p-1");
        let mut resources: Vec<Value> = (0..mine).map(|_| of("p-1")).collect();
        let expected = Expected::Found(Some(observation()));
        prop_assert_eq!(judge(&bundle("searchset", &resources), &expected), Ok(()));
        resources.insert(place.min(mine), of(&id));
        prop_assert_eq!(judge(&bundle("searchset", &resources), &expected), Err(AnswerError::NotThePatients));
    }
}
