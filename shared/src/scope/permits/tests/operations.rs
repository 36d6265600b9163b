//! Operations, by the list of the operator.

use super::*;

fn operations() -> Operations {
    let patient = ResourceSelector::Type(ResourceType::PATIENT);
    let rule = |name, on, needs, touches| OperationRule::new(name, on, needs, touches).unwrap();
    let rs = Permissions::READ_AND_SEARCH;
    [
        rule(
            "everything",
            OperationLevel::Instance(patient),
            rs,
            Touches::AllTypes,
        ),
        rule(
            "validate",
            OperationLevel::Type(ResourceSelector::Any),
            Permissions::READ,
            Touches::ItsOwnType,
        ),
        rule("export", OperationLevel::System, rs, Touches::AllTypes),
    ]
    .into_iter()
    .collect()
}

#[test]
fn operations_are_denied_unless_listed() {
    for line in [
        "GET /Patient/1/$everything",
        "POST /$export",
        "POST /Patient/$validate",
        "GET /Patient/1/$meta",
    ] {
        decides(line, "system/*.cruds", &CLIENT, "OperationNotListed");
    }
    for line in [
        "GET /Patient/$everything",
        "GET /Group/1/$everything",
        "GET /$everything",
        "GET /Patient/1/$Everything",
    ] {
        let found = outcome(&split(line), "system/*.cruds", &CLIENT, &operations());
        assert_eq!(found, "OperationNotListed", "{line}");
    }
}

#[test]
fn listed_operations_need_their_permissions() {
    let ask =
        |line: &str, scopes: &str, holder: &Holder<'_>| outcome(&split(line), scopes, holder, &operations());
    assert_eq!(
        ask("GET /Patient/1/$everything", "system/*.rs", &CLIENT),
        "System by system/*.rs"
    );
    let refused = "InsufficientScope, needs system/*.rs";
    assert_eq!(
        ask("GET /Patient/1/$everything", "system/Patient.rs", &CLIENT),
        refused
    );
    assert_eq!(
        ask("POST /Task/$validate", "system/Task.r", &CLIENT),
        "System by system/Task.r"
    );
    assert_eq!(
        ask("POST /Task/$validate", "system/Slot.r", &CLIENT),
        "InsufficientScope, needs system/Task.r"
    );
    assert_eq!(
        ask("GET /$export", "system/*.read", &CLIENT),
        "System by system/*.read"
    );
}

#[test]
fn patient_scopes_call_operations_on_single_resources_only() {
    let ask = |line: &str| outcome(&split(line), "patient/*.cruds", &USER_WITH_PATIENT, &operations());
    assert_eq!(ask("GET /Patient/own/$everything"), "Patient by patient/*.cruds");
    for line in [
        "GET /Patient/other/$everything",
        "GET /$export",
        "POST /Task/$validate",
    ] {
        assert_eq!(ask(line), "OtherPatient", "{line}");
    }
}

#[test]
fn operation_targets_tell_type_and_id() {
    let request = FhirRequest::parse(&split("POST /Patient/1/$everything")).unwrap();
    let on = OperationTarget::Instance(ResourceType::PATIENT, "1");
    assert_eq!(
        *request.interaction(),
        Interaction::Operation {
            on,
            name: "everything"
        }
    );
}
