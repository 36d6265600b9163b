//! Answers, resources and patches that are judged by whose they are.

use serde_json::Value;
use wardgate_shared::scope::ResourceType;
use wardgate_shared::scope::compartment::{Expected, Patient, judge_patch};

/// A body, judged as each thing that it could be. What is given away is JSON, and names the patient wherever it has records.
pub fn compartment(data: &[u8]) {
    let patient = Patient::new("p-1", ["https://edge.example/fhir", "https://fhir.example/r4"]);
    let observation = ResourceType::from_name("Observation").expect("a type");
    for expected in [
        Expected::Resource(observation),
        Expected::History(observation),
        Expected::Found(None),
        Expected::Found(Some(observation)),
        Expected::Responses(vec![
            Some(Expected::Resource(observation)),
            Some(Expected::Found(None)),
        ]),
    ] {
        if patient.judge(data, &expected).is_err() {
            continue;
        }
        let given: Value = serde_json::from_slice(data).expect("what is given away is JSON");
        for record in records(&given) {
            assert_eq!(subject(record), Some("p-1"), "{record}");
        }
    }
    if patient.judge_sent(data, observation, Some("1")).is_ok() {
        let sent: Value = serde_json::from_slice(data).expect("what is sent on is JSON");
        assert_eq!((subject(&sent), sent["id"].as_str()), (Some("p-1"), Some("1")));
    }
    for media_type in ["application/json-patch+json", "application/merge-patch+json"] {
        if judge_patch(data, media_type, observation).is_ok() {
            let patch: Value = serde_json::from_slice(data).expect("a patch is JSON");
            assert!(patch.get("subject").is_none() && patch.get("id").is_none());
        }
    }
}

/// The Observations of an answer, with those of the Bundles in it.
fn records(answer: &Value) -> Vec<&Value> {
    match answer["resourceType"].as_str() {
        Some("Observation") => vec![answer],
        Some("Bundle") => {
            let entries = answer["entry"].as_array().into_iter().flatten();
            entries.flat_map(|entry| records(&entry["resource"])).collect()
        }
        _ => Vec::new(),
    }
}

/// The id of the patient whom an Observation is about, or who performed one that is about nobody.
fn subject(observation: &Value) -> Option<&str> {
    let mut references = flattened(&observation["subject"]);
    if references.is_empty() {
        references = flattened(&observation["performer"]);
    }
    references.into_iter().find_map(|reference| {
        let text = reference["reference"].as_str()?;
        let id = text.rsplit_once("Patient/")?.1;
        id.split('/').next()
    })
}

/// What is in a list, and in lists in it, or the one value that is no list.
fn flattened(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(flattened).collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}
