//! Whose scopes count, and for which patient and user.

use super::*;

#[test]
fn adds_scopes_of_one_level_up() {
    decides(
        "PUT /Task?identifier=1",
        "user/Task.u user/*.s",
        &USER,
        "User by user/Task.u user/*.s",
    );
    decides(
        "GET /Task/1",
        "user/Task.r user/*.rs",
        &USER,
        "User by user/Task.r",
    );
}

#[test]
fn does_not_add_levels_together() {
    let scopes = "user/Task.u patient/Task.s";
    decides(
        "PUT /Task?identifier=1",
        scopes,
        &USER_WITH_PATIENT,
        "InsufficientScope, needs patient/Task.us",
    );
}

#[test]
fn the_wider_level_wins() {
    decides(
        "GET /Task/1",
        "patient/*.rs user/Task.r",
        &USER_WITH_PATIENT,
        "User by user/Task.r",
    );
}

#[test]
fn system_scopes_count_for_clients_only() {
    decides("GET /Task/1", "system/*.read", &CLIENT, "System by system/*.read");
    for holder in [USER, USER_WITH_PATIENT] {
        assert!(
            outcome(
                &split("GET /Task/1"),
                "system/*.read",
                &holder,
                &Operations::none()
            )
            .starts_with("LevelNotHeld")
        );
    }
    decides(
        "GET /Task/1",
        "user/*.read patient/*.read",
        &CLIENT,
        "LevelNotHeld, needs system/Task.r",
    );
}

#[test]
fn short_forms_count_at_the_level_of_the_holder() {
    for scope in ["observation.read", "observation/*.read"] {
        decides(
            "GET /Observation/1",
            scope,
            &CLIENT,
            &format!("System by {scope}"),
        );
        decides("GET /Observation/1", scope, &USER, &format!("User by {scope}"));
        decides(
            "GET /Observation/1",
            scope,
            &USER_WITH_PATIENT,
            &format!("Patient by {scope}"),
        );
        decides(
            "GET /Patient/1",
            scope,
            &CLIENT,
            "InsufficientScope, needs system/Patient.r",
        );
        decides(
            "POST /Observation",
            scope,
            &CLIENT,
            "InsufficientScope, needs system/Observation.c",
        );
    }
    decides(
        "GET /Patient/other",
        "patient.read",
        &USER_WITH_PATIENT,
        "OtherPatient",
    );
}

#[test]
fn patient_scopes_need_a_patient_in_context() {
    decides(
        "GET /Observation/1",
        "patient/*.read",
        &USER_WITH_PATIENT,
        "Patient by patient/*.read",
    );
    decides(
        "GET /Observation/1",
        "patient/*.read",
        &USER,
        "NoPatientInContext, needs user/Observation.r",
    );
}

#[test]
fn patient_scopes_open_only_ones_own_patient() {
    for line in [
        "GET /Patient/own",
        "HEAD /Patient/own",
        "GET /Patient/own/_history",
        "GET /Patient/own/_history/2",
        "PUT /Patient/own",
        "PATCH /Patient/own",
        "DELETE /Patient/own",
        "DELETE /Patient/own/_history",
        "GET /Patient/own/Observation",
        "GET /Patient/own/*",
    ] {
        decides(
            line,
            "patient/*.cruds",
            &USER_WITH_PATIENT,
            "Patient by patient/*.cruds",
        );
        let other = line.replace("own", "other");
        decides(&other, "patient/*.cruds", &USER_WITH_PATIENT, "OtherPatient");
        decides(&other, "user/*.cruds", &USER_WITH_PATIENT, "User by user/*.cruds");
    }
    decides(
        "GET /Patient/OWN",
        "patient/*.read",
        &USER_WITH_PATIENT,
        "OtherPatient",
    );
    decides(
        "GET /Patient/own-1",
        "patient/*.read",
        &USER_WITH_PATIENT,
        "OtherPatient",
    );
}

#[test]
fn patient_scopes_do_not_create_patients_or_write_them_by_search() {
    for line in [
        "POST /Patient",
        "PUT /Patient?identifier=1",
        "PATCH /Patient?identifier=1",
        "DELETE /Patient?identifier=1",
    ] {
        decides(line, "patient/*.cruds", &USER_WITH_PATIENT, "OtherPatient");
        decides(line, "user/*.cruds", &USER_WITH_PATIENT, "User by user/*.cruds");
    }
    let condition = RawRequest {
        if_none_exist: Some("identifier=1"),
        ..split("POST /Patient")
    };
    let found = outcome(
        &condition,
        "patient/*.cruds",
        &USER_WITH_PATIENT,
        &Operations::none(),
    );
    assert_eq!(found, "OtherPatient");
}

#[test]
fn patient_scopes_leave_searches_to_the_server_to_confine() {
    for line in [
        "GET /Patient",
        "GET /Observation?subject=Patient/other",
        "GET /Encounter/1/Observation",
        "GET /_history",
    ] {
        decides(
            line,
            "patient/*.rs",
            &USER_WITH_PATIENT,
            "Patient by patient/*.rs",
        );
    }
}

#[test]
fn an_uncovered_type_is_not_called_another_patient() {
    let expected = "InsufficientScope, needs user/Patient.r";
    decides(
        "GET /Patient/other",
        "patient/Observation.rs",
        &USER_WITH_PATIENT,
        expected,
    );
}

#[test]
fn fhir_user_opens_exactly_ones_own_resource() {
    let holder = |claim| Holder::User {
        patient: Some("own"),
        fhir_user: FhirUser::from_claim(claim, "https://f.example"),
    };
    let practitioner = holder("Practitioner/p1");
    let scopes = "openid fhirUser patient/Patient.rs";
    decides(
        "GET /Practitioner/p1",
        scopes,
        &practitioner,
        "own resource by fhirUser",
    );
    decides(
        "HEAD /Practitioner/p1?_format=json",
        scopes,
        &practitioner,
        "own resource by fhirUser",
    );
    for line in [
        "GET /Practitioner/p2",
        "GET /PractitionerRole/p1",
        "GET /Practitioner/p1/_history",
        "GET /Practitioner/p1/_history/1",
        "GET /Practitioner/p1?_include=*",
        "GET /Practitioner?_id=p1",
        "PUT /Practitioner/p1",
        "DELETE /Practitioner/p1",
        "GET /Practitioner/p1/Observation",
    ] {
        let found = outcome(&split(line), scopes, &practitioner, &Operations::none());
        assert!(found.starts_with("InsufficientScope"), "{line}: {found}");
    }
    let without = "InsufficientScope, needs patient/Practitioner.r";
    decides("GET /Practitioner/p1", "openid", &practitioner, without);
    decides("GET /Practitioner/p1", scopes, &USER_WITH_PATIENT, without);
    decides(
        "GET /Practitioner/p1",
        "fhirUser",
        &CLIENT,
        "InsufficientScope, needs system/Practitioner.r",
    );
    decides(
        "GET /Patient/self",
        "fhirUser patient/*.rs",
        &holder("Patient/self"),
        "own resource by fhirUser",
    );
}
