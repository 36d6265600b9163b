//! The interaction table: method and path to interaction, and the permissions each needs.

use super::*;
use crate::scope::path::Target;
use alloc::string::ToString;
use std::format;

fn interaction(
    method: &str,
    path: &'static str,
    conditional: bool,
) -> Result<Interaction<'static>, MethodError> {
    Interaction::new(Method::parse(method)?, Target::parse(path).unwrap(), conditional)
}

/// Checks which interaction a row is, and what it needs (`Type.letters`).
#[track_caller]
fn row(method: &str, path: &'static str, expected: Interaction<'_>, needs: &str) {
    let found = interaction(method, path, false).unwrap();
    assert_eq!(found, expected, "{method} {path}");
    needs_permissions(&found, needs);
}

#[track_caller]
fn needs_permissions(interaction: &Interaction<'_>, expected: &str) {
    let needs = match interaction.needs() {
        Needs::Nothing => "nothing".to_string(),
        Needs::ThoseOfItsEntries => "entries".to_string(),
        Needs::ThoseOfTheOperation => "operation".to_string(),
        Needs::Permissions(resource, permissions) => format!("{resource}.{permissions}"),
    };
    assert_eq!(needs, expected, "{interaction:?}");
}

const PATIENT: ResourceType = ResourceType::PATIENT;

#[test]
fn reading_one_instance_needs_r() {
    let read = Interaction::Read {
        resource_type: PATIENT,
        id: "1",
    };
    row("GET", "/Patient/1", read, "Patient.r");
    row("HEAD", "/Patient/1", read, "Patient.r");
    let version = Interaction::VersionRead {
        resource_type: PATIENT,
        id: "1",
        version: "2",
    };
    row("GET", "/Patient/1/_history/2", version, "Patient.r");
    let history = Interaction::HistoryInstance {
        resource_type: PATIENT,
        id: "1",
    };
    row("GET", "/Patient/1/_history", history, "Patient.r");
}

#[test]
fn history_of_a_type_or_the_system_needs_s() {
    row(
        "GET",
        "/Patient/_history",
        Interaction::HistoryType {
            resource_type: PATIENT,
        },
        "Patient.s",
    );
    row("GET", "/_history", Interaction::HistorySystem, "*.s");
}

#[test]
fn searching_needs_s_by_get_head_and_post() {
    let search = Interaction::SearchType {
        resource_type: PATIENT,
    };
    row("GET", "/Patient", search, "Patient.s");
    row("HEAD", "/Patient", search, "Patient.s");
    row("POST", "/Patient/_search", search, "Patient.s");
    row("GET", "", Interaction::SearchSystem, "*.s");
    row("GET", "/", Interaction::SearchSystem, "*.s");
    row("POST", "/_search", Interaction::SearchSystem, "*.s");
}

#[test]
fn searching_a_compartment_needs_s_on_what_it_returns() {
    let resource = ResourceSelector::Type(ResourceType::from_name("Observation").unwrap());
    let one = Interaction::SearchCompartment {
        compartment: PATIENT,
        id: "1",
        resource,
    };
    row("GET", "/Patient/1/Observation", one, "Observation.s");
    row("POST", "/Patient/1/Observation/_search", one, "Observation.s");
    let resource = ResourceSelector::Any;
    let all = Interaction::SearchCompartment {
        compartment: PATIENT,
        id: "1",
        resource,
    };
    row("GET", "/Patient/1/*", all, "*.s");
    row("POST", "/Patient/1/_search", all, "*.s");
}

#[test]
fn creating_needs_c_and_s_when_conditional() {
    row(
        "POST",
        "/Patient",
        Interaction::Create {
            resource_type: PATIENT,
        },
        "Patient.c",
    );
    let conditional = interaction("POST", "/Patient", true).unwrap();
    assert_eq!(
        conditional,
        Interaction::ConditionalCreate {
            resource_type: PATIENT
        }
    );
    needs_permissions(&conditional, "Patient.cs");
}

#[test]
fn updating_and_patching_need_u_and_s_when_conditional() {
    row(
        "PUT",
        "/Patient/1",
        Interaction::Update {
            resource_type: PATIENT,
            id: "1",
        },
        "Patient.u",
    );
    row(
        "PATCH",
        "/Patient/1",
        Interaction::Patch {
            resource_type: PATIENT,
            id: "1",
        },
        "Patient.u",
    );
    row(
        "PUT",
        "/Patient",
        Interaction::ConditionalUpdate {
            resource_type: PATIENT,
        },
        "Patient.us",
    );
    row(
        "PATCH",
        "/Patient",
        Interaction::ConditionalPatch {
            resource_type: PATIENT,
        },
        "Patient.us",
    );
}

#[test]
fn deleting_needs_d_and_s_when_conditional() {
    row(
        "DELETE",
        "/Patient/1",
        Interaction::Delete {
            resource_type: PATIENT,
            id: "1",
        },
        "Patient.d",
    );
    row(
        "DELETE",
        "/Patient",
        Interaction::ConditionalDelete {
            resource_type: PATIENT,
        },
        "Patient.ds",
    );
    let history = Interaction::DeleteHistory {
        resource_type: PATIENT,
        id: "1",
        version: None,
    };
    row("DELETE", "/Patient/1/_history", history, "Patient.d");
    let version = Interaction::DeleteHistory {
        resource_type: PATIENT,
        id: "1",
        version: Some("2"),
    };
    row("DELETE", "/Patient/1/_history/2", version, "Patient.d");
}

#[test]
fn batch_operations_and_capabilities_have_their_own_rules() {
    row("POST", "", Interaction::Batch, "entries");
    row("POST", "/", Interaction::Batch, "entries");
    row("GET", "/metadata", Interaction::Capabilities, "nothing");
    for method in ["GET", "HEAD", "POST"] {
        for (path, on) in [
            ("/$op", OperationTarget::System),
            ("/Patient/$op", OperationTarget::Type(PATIENT)),
            ("/Patient/1/$op", OperationTarget::Instance(PATIENT, "1")),
        ] {
            row(
                method,
                path,
                Interaction::Operation { on, name: "op" },
                "operation",
            );
        }
    }
}

#[test]
fn refuses_unknown_methods_and_never_takes_them_for_get() {
    for method in [
        "get",
        "Get",
        "post",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "PROPFIND",
        "FOO",
        "",
        " GET",
        "GET ",
        "GET\0",
        "ＧＥＴ",
    ] {
        assert_eq!(
            interaction(method, "/Patient/1", false),
            Err(MethodError::Unknown),
            "{method:?}"
        );
        assert_eq!(
            interaction(method, "/metadata", false),
            Err(MethodError::Unknown),
            "{method:?}"
        );
    }
}

/// Each path takes the listed methods and refuses the others, naming the listed ones.
#[test]
fn refuses_methods_that_do_not_apply_and_names_those_that_do() {
    for (path, allow) in [
        ("/", "GET, HEAD, POST"),
        ("/metadata", "GET, HEAD"),
        ("/_history", "GET, HEAD"),
        ("/Patient/_history", "GET, HEAD"),
        ("/Patient/1/Observation", "GET, HEAD"),
        ("/_search", "POST"),
        ("/Patient/_search", "POST"),
        ("/Patient/1/_search", "POST"),
        ("/$op", "GET, HEAD, POST"),
        ("/Patient/$op", "GET, HEAD, POST"),
        ("/Patient/1/$op", "GET, HEAD, POST"),
        ("/Patient/1", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/Patient/1/_history", "GET, HEAD, DELETE"),
        ("/Patient/1/_history/2", "GET, HEAD, DELETE"),
        ("/Patient", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            let found = interaction(method, path, false);
            if allow.split(", ").any(|allowed| allowed == method) {
                assert!(found.is_ok(), "{method} {path}");
            } else {
                assert_eq!(found, Err(MethodError::NotAllowed { allow }), "{method} {path}");
            }
        }
    }
}
