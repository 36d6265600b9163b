use alloc::string::ToString as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::judge_patch;
use crate::scope::compartment::{CompartmentError, Patient};
use crate::scope::resource_type::ResourceType;

const PATIENT: Patient<'_> = Patient::new("p-1", ["https://edge.example/fhir", "https://fhir.example/r4"]);
const STEPS: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";

fn observation() -> ResourceType {
    ResourceType::from_name("Observation").unwrap()
}

#[test]
fn what_is_sent_is_of_the_type_and_the_id_and_the_patient_s() {
    let sent = |body: &Value, id| PATIENT.judge_sent(body.to_string().as_bytes(), observation(), id);
    let good = json!({ "resourceType": "Observation", "id": "1", "subject": { "reference": "Patient/p-1" } });
    assert_eq!(sent(&good, None), Ok(()));
    assert_eq!(sent(&good, Some("1")), Ok(()));
    assert_eq!(sent(&good, Some("2")), Err(CompartmentError::Body));
    for other in [
        json!({}),
        json!({ "resourceType": "Condition", "id": "1", "subject": { "reference": "Patient/p-1" } }),
        json!({ "resourceType": "Observation", "resourcetype": "Observation", "id": "1", "subject": { "reference": "Patient/p-1" } }),
        json!([]),
    ] {
        assert_eq!(sent(&other, Some("1")), Err(CompartmentError::Body), "{other}");
    }
    for foreign in [
        json!({ "resourceType": "Observation", "id": "1" }),
        json!({ "resourceType": "Observation", "id": "1", "subject": { "reference": "Patient/p-2" } }),
        json!({ "resourceType": "Observation", "id": "1", "subject": { "reference": "Patient?identifier=p-1" } }),
        json!({ "resourceType": "Observation", "id": "1", "subject": { "reference": "urn:uuid:1" } }),
        json!({ "resourceType": "Observation", "id": "1", "subject": { "reference": "Patient/p-1" }, "performer": [{ "reference": "Patient/p-2" }] }),
    ] {
        assert_eq!(
            sent(&foreign, Some("1")),
            Err(CompartmentError::Resource),
            "{foreign}"
        );
    }
    assert_eq!(
        PATIENT.judge_sent(
            b"{\"resourceType\":\"Observation\",\"resourceType\":\"Binary\"}",
            observation(),
            None
        ),
        Err(CompartmentError::Body)
    );
}

#[test]
fn each_resource_that_a_batch_creates_is_the_patient_s() {
    let entry = |patient: &str| json!({ "resource": { "resourceType": "Observation", "subject": { "reference": alloc::format!("Patient/{patient}") } } });
    let judge = |entries: &[Value], count| {
        let body = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries }).to_string();
        PATIENT.judge_sent_together(body.as_bytes(), &alloc::vec![observation(); count])
    };
    assert_eq!(judge(&[entry("p-1"), entry("p-1")], 2), Ok(()));
    assert_eq!(
        judge(&[entry("p-1"), entry("p-2")], 2),
        Err((1, CompartmentError::Resource))
    );
    assert_eq!(
        judge(&[entry("p-1"), json!({})], 2),
        Err((1, CompartmentError::Body))
    );
    assert_eq!(judge(&[entry("p-1")], 2), Err((1, CompartmentError::Body)));
}

#[test]
fn a_patch_leaves_alone_whose_the_resource_is() {
    let patch =
        |media_type: &str, body: &Value| judge_patch(body.to_string().as_bytes(), media_type, observation());
    for (media_type, body) in [
        (STEPS, json!([])),
        (
            STEPS,
            json!([{ "op": "replace", "path": "/status", "value": "final" }]),
        ),
        (
            STEPS,
            json!([{ "op": "add", "path": "/note/-", "value": {} }, { "op": "move", "from": "/a", "path": "/b" }]),
        ),
        (MERGE, json!({ "status": "final", "note": null })),
    ] {
        assert_eq!(patch(media_type, &body), Ok(()), "{body}");
    }
    for (media_type, body) in [
        (
            STEPS,
            json!([{ "op": "replace", "path": "/subject/reference", "value": "Patient/p-2" }]),
        ),
        (
            STEPS,
            json!([{ "op": "replace", "path": "/status", "value": "a" }, { "op": "remove", "path": "/subject" }]),
        ),
        (
            STEPS,
            json!([{ "op": "move", "from": "/subject", "path": "/note" }]),
        ),
        (
            STEPS,
            json!([{ "op": "add", "path": "/performer/-", "value": {} }]),
        ),
        (
            STEPS,
            json!([{ "op": "replace", "path": "/Subject", "value": {} }]),
        ),
        (
            STEPS,
            json!([{ "op": "replace", "path": "/sub~0ject", "value": {} }]),
        ),
        (STEPS, json!([{ "op": "replace", "path": "", "value": {} }])),
        (
            STEPS,
            json!([{ "op": "replace", "path": "subject", "value": {} }]),
        ),
        (STEPS, json!([{ "op": "replace", "path": "/id", "value": "2" }])),
        (STEPS, json!([{ "op": "replace" }])),
        (STEPS, json!([1])),
        (STEPS, json!({})),
        (MERGE, json!({ "subject": null })),
        (MERGE, json!({ "performer": [] })),
        (MERGE, json!({ "resourceType": "Binary" })),
        (MERGE, json!({ "ID": "2" })),
        (MERGE, json!([])),
        ("application/fhir+json", json!({ "resourceType": "Parameters" })),
        ("application/xml-patch+xml", json!([])),
        ("", json!([])),
    ] {
        assert_eq!(
            patch(media_type, &body),
            Err(CompartmentError::Patch),
            "{media_type} {body}"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_patch_or_a_resource_by_chance(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(PATIENT.judge_sent(&bytes, observation(), None).is_err());
        prop_assume!(!bytes.starts_with(b"{") && !bytes.starts_with(b"["));
        prop_assume!(!bytes.trim_ascii_start().starts_with(b"{") && !bytes.trim_ascii_start().starts_with(b"["));
        for media_type in [STEPS, MERGE] {
            prop_assert!(judge_patch(&bytes, media_type, observation()).is_err());
        }
    }
}
