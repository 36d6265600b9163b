//! The resources that are there from the start: made up, of three patients, one clinic and one practitioner.

use serde_json::{Value, json};

/// The types that this API holds.
pub(crate) const KINDS: [&str; 6] = [
    "Condition",
    "Encounter",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
];

const LOINC: &str = "http://loinc.org";

/// All of them.
pub(crate) fn all() -> Vec<Value> {
    let mut all = vec![organization(), practitioner()];
    all.extend([
        patient("patient-11111", "Rahman", "Amina", "female", "1984-03-12"),
        patient("patient-22222", "Karim", "Rafiq", "male", "1951-11-02"),
        patient("patient-33333", "Sultana", "Nadia", "female", "2016-07-21"),
    ]);
    for (number, patient) in (1..).zip(["patient-11111", "patient-22222", "patient-33333"]) {
        let date = format!("2026-05-0{number}");
        all.push(encounter(&format!("encounter-{number}"), patient, &date));
        let heart_rate = json!({ "value": 64 + number * 4, "unit": "/min", "code": "/min" });
        all.push(observation(
            &format!("heart-rate-{number}"),
            patient,
            "vital-signs",
            "8867-4",
            "Heart rate",
            &date,
            &heart_rate,
        ));
    }
    let glucose = json!({ "value": 5.4, "unit": "mmol/L", "code": "mmol/L" });
    all.push(observation(
        "glucose-1",
        "patient-11111",
        "laboratory",
        "15074-8",
        "Glucose",
        "2026-05-01",
        &glucose,
    ));
    all.push(json!({
        "resourceType": "Condition",
        "id": "condition-1",
        "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"),
        "code": concept("http://snomed.info/sct", "38341003", "Hypertension"),
        "subject": { "reference": "Patient/patient-22222" },
    }));
    all
}

fn concept(system: &str, code: &str, display: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code, "display": display }] })
}

fn organization() -> Value {
    json!({ "resourceType": "Organization", "id": "org-abc123", "active": true, "name": "Riverside Clinic" })
}

fn practitioner() -> Value {
    json!({
        "resourceType": "Practitioner",
        "id": "practitioner-67890",
        "active": true,
        "name": [{ "family": "Hossain", "given": ["Farid"], "prefix": ["Dr"] }],
    })
}

fn patient(id: &str, family: &str, given: &str, gender: &str, born: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "id": id,
        "active": true,
        "identifier": [{ "system": "urn:example:record-number", "value": format!("MRN-{id}") }],
        "name": [{ "family": family, "given": [given] }],
        "gender": gender,
        "birthDate": born,
        "managingOrganization": { "reference": "Organization/org-abc123" },
    })
}

fn encounter(id: &str, patient: &str, date: &str) -> Value {
    json!({
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
        "subject": { "reference": format!("Patient/{patient}") },
        "participant": [{ "individual": { "reference": "Practitioner/practitioner-67890" } }],
        "period": { "start": date, "end": date },
    })
}

fn observation(
    id: &str,
    patient: &str,
    category: &str,
    code: &str,
    display: &str,
    date: &str,
    quantity: &Value,
) -> Value {
    json!({
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "category": [concept("http://terminology.hl7.org/CodeSystem/observation-category", category, category)],
        "code": concept(LOINC, code, display),
        "subject": { "reference": format!("Patient/{patient}") },
        "effectiveDateTime": date,
        "valueQuantity": {
            "value": quantity["value"],
            "unit": quantity["unit"],
            "system": "http://unitsofmeasure.org",
            "code": quantity["code"],
        },
    })
}

/// What this API can do.
pub(crate) fn capabilities(base: &str) -> Value {
    let interactions: Vec<Value> = [
        "read",
        "vread",
        "update",
        "patch",
        "delete",
        "history-instance",
        "create",
        "search-type",
    ]
    .iter()
    .map(|code| json!({ "code": code }))
    .collect();
    let parameter = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let resources: Vec<Value> = KINDS
        .iter()
        .map(|kind| {
            json!({
                "type": kind,
                "versioning": "versioned",
                "interaction": interactions,
                "searchParam": [
                    parameter("_id", "token"),
                    parameter("patient", "reference"),
                    parameter("subject", "reference"),
                    parameter("code", "token"),
                    parameter("category", "token"),
                ],
            })
        })
        .collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "implementation": { "description": "A sample FHIR API, in memory", "url": base },
        "rest": [{ "mode": "server", "resource": resources }],
    })
}
