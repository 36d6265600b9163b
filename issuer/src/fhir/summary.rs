//! What people are shown of a Patient or an Encounter, out of whatever bytes a server sends.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::fhir_reference::is_fhir_id;

use super::MAXIMUM_RESULTS;

/// The longest text that is shown of one member, in characters.
const MAXIMUM_CHARACTERS: usize = 80;

/// A resource as people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its id: a lawful one.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What tells it from others of that name.
    pub details: String,
}

impl Summary {
    /// Both in one line.
    pub fn label(&self) -> String {
        if self.details.is_empty() {
            self.title.clone()
        } else {
            format!("{}, {}", self.title, self.details)
        }
    }
}

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "resourceType")]
    kind: String,
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    resource: Value,
}

/// The patients of a search; `None` when `body` is no Bundle.
pub(super) fn patients(body: &[u8]) -> Option<Vec<Summary>> {
    of_bundle(body, patient_of)
}

/// The patient of this id; `None` when `body` is something else.
pub(super) fn patient(body: &[u8], id: &str) -> Option<Summary> {
    let resource = serde_json::from_slice(body).ok()?;
    patient_of(&resource).filter(|patient| patient.id == id)
}

/// The encounters of a search that are this patient's; `None` when `body` is no Bundle.
pub(super) fn encounters(body: &[u8], patient_id: &str) -> Option<Vec<Summary>> {
    of_bundle(body, |resource| encounter_of(resource, patient_id))
}

/// The encounter of this id; `None` when `body` is something else, or another patient's.
pub(super) fn encounter(body: &[u8], id: &str, patient_id: &str) -> Option<Summary> {
    let resource = serde_json::from_slice(body).ok()?;
    encounter_of(&resource, patient_id).filter(|encounter| encounter.id == id)
}

fn of_bundle(body: &[u8], read: impl Fn(&Value) -> Option<Summary>) -> Option<Vec<Summary>> {
    let bundle: Bundle = serde_json::from_slice(body).ok()?;
    (bundle.kind == "Bundle").then(|| {
        let found = bundle.entry.iter().filter_map(|entry| read(&entry.resource));
        found.take(MAXIMUM_RESULTS).collect()
    })
}

fn patient_of(resource: &Value) -> Option<Summary> {
    let id = id_of(resource, "Patient")?;
    let title = name(resource).unwrap_or_else(|| String::from("A patient without a name"));
    let born = text(resource, "/birthDate").map(|date| format!("born {date}"));
    let number = text(resource, "/identifier/0/value").map(|number| format!("number {number}"));
    let details = [born, text(resource, "/gender"), number];
    Some(Summary {
        id,
        title,
        details: join(details, ", "),
    })
}

/// The name in use: the official one, else the usual one, else the first.
fn name(resource: &Value) -> Option<String> {
    let names = resource.get("name")?.as_array()?;
    let in_use = |wanted: &str| {
        let mut names = names.iter();
        names.find(|name| name.get("use").and_then(Value::as_str) == Some(wanted))
    };
    let name = in_use("official")
        .or_else(|| in_use("usual"))
        .or_else(|| names.first())?;
    if let Some(whole) = text(name, "/text") {
        return Some(whole);
    }
    let given = name.get("given").and_then(Value::as_array);
    let given = given
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(shown);
    let parts: Vec<String> = given.take(4).chain(text(name, "/family")).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn encounter_of(resource: &Value, patient_id: &str) -> Option<Summary> {
    let id = id_of(resource, "Encounter")?;
    let subject = resource.pointer("/subject/reference").and_then(Value::as_str)?;
    // A relative reference, or an absolute one to the same base: what counts is its end.
    let mut segments = subject.rsplit('/');
    if segments.next() != Some(patient_id) || segments.next() != Some("Patient") {
        return None;
    }
    let kind = text(resource, "/type/0/text")
        .or_else(|| text(resource, "/type/0/coding/0/display"))
        .or_else(|| text(resource, "/class/display"))
        .unwrap_or_else(|| String::from("Visit"));
    // A day is enough to tell visits apart.
    let start = text(resource, "/period/start").map(|start| start.chars().take(10).collect());
    Some(Summary {
        id,
        title: kind,
        details: join([start, text(resource, "/status"), None], ", "),
    })
}

/// The id of a resource of this type.
fn id_of(resource: &Value, kind: &str) -> Option<String> {
    let is_kind = resource.get("resourceType").and_then(Value::as_str) == Some(kind);
    let id = resource.get("id").and_then(Value::as_str)?;
    (is_kind && is_fhir_id(id)).then(|| id.into())
}

fn text(resource: &Value, pointer: &str) -> Option<String> {
    shown(resource.pointer(pointer)?.as_str()?)
}

/// A text as it is shown: in one line, not too long, and without characters that would turn the line around.
fn shown(text: &str) -> Option<String> {
    let is_shown = |letter: &char| {
        !letter.is_control()
            && !matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text: String = text.chars().filter(is_shown).take(MAXIMUM_CHARACTERS).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.into())
}

fn join(parts: [Option<String>; 3], separator: &str) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{encounter, encounters, patient, patients};
    use crate::fhir::MAXIMUM_RESULTS;

    #[test]
    fn a_patient_is_shown_by_name_birth_and_number() {
        let resource = json!({
            "resourceType": "Patient", "id": "p-1", "birthDate": "1980-02-29", "gender": "female",
            "identifier": [{"value": "MRN-7"}],
            "name": [{"use": "old", "family": "Old"}, {"use": "official", "family": "Doe", "given": ["Jane", "Q."]}],
        });
        let found = patient(resource.to_string().as_bytes(), "p-1").unwrap();
        assert_eq!(
            found.label(),
            "Jane Q. Doe, born 1980-02-29, female, number MRN-7"
        );
        assert_eq!(patient(resource.to_string().as_bytes(), "p-2"), None);
    }

    #[test]
    fn what_is_strange_is_left_out_or_cut() {
        let bundle = json!({"resourceType": "Bundle", "entry": [
            {"resource": {"resourceType": "Patient", "id": "../x"}},
            {"resource": {"resourceType": "Patient"}},
            {"resource": {"resourceType": "OperationOutcome", "id": "1"}},
            {},
            {"resource": {"resourceType": "Patient", "id": "1", "name": [{"text": "a\u{202e}b\n<b>"}], "birthDate": 7}},
            {"resource": {"resourceType": "Patient", "id": "2", "name": "x".repeat(10)}},
        ]});
        let found = patients(bundle.to_string().as_bytes()).unwrap();
        let labels: Vec<String> = found.iter().map(super::Summary::label).collect();
        assert_eq!(labels, ["ab<b>", "A patient without a name"]);
        assert_eq!(patients(b"{\"resourceType\":\"OperationOutcome\"}"), None);
        assert_eq!(patients(b"<html>"), None);
    }

    #[test]
    fn a_search_shows_no_more_than_a_page() {
        let entry = json!({"resource": {"resourceType": "Patient", "id": "1"}});
        let bundle = json!({"resourceType": "Bundle", "entry": vec![entry; 50]});
        assert_eq!(
            patients(bundle.to_string().as_bytes()).unwrap().len(),
            MAXIMUM_RESULTS
        );
    }

    #[test]
    fn an_encounter_is_the_patients_own_or_none() {
        let resource = json!({
            "resourceType": "Encounter", "id": "e-1", "status": "in-progress", "class": {"display": "inpatient"},
            "period": {"start": "2026-05-01T10:00:00Z"}, "subject": {"reference": "Patient/p-1"},
        });
        let body = resource.to_string();
        let found = encounter(body.as_bytes(), "e-1", "p-1").unwrap();
        assert_eq!(found.label(), "inpatient, 2026-05-01, in-progress");
        assert_eq!(encounter(body.as_bytes(), "e-1", "p-2"), None);
        assert_eq!(encounter(body.as_bytes(), "e-2", "p-1"), None);
        let bundle = json!({"resourceType": "Bundle", "entry": [{"resource": resource}]}).to_string();
        assert_eq!(encounters(bundle.as_bytes(), "p-1").unwrap().len(), 1);
        assert_eq!(encounters(bundle.as_bytes(), "p-2").unwrap().len(), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = patients(&body);
            let _ = patient(&body, "1");
            let _ = encounter(&body, "1", "1");
        }

        #[test]
        fn whatever_a_name_is_one_short_line_is_shown(name in "\\PC{0,300}", id in "[A-Za-z0-9.-]{1,64}") {
            let body = json!({"resourceType": "Patient", "id": id, "name": [{"text": name}]}).to_string();
            if let Some(found) = patient(body.as_bytes(), &id) {
                prop_assert!(found.label().chars().count() <= 80);
                prop_assert!(!found.label().chars().any(char::is_control));
            }
        }
    }
}
