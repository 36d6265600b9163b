//! Decisions: the interaction table with the scope that is enough and those that are not, and every rule and reason.

use super::*;
use crate::scope::holder::FhirUser;
use crate::scope::interaction::OperationTarget;
use crate::scope::operations::{OperationLevel, OperationRule, Touches};
use crate::scope::request::RawRequest;
use crate::scope::resource_type::ResourceType;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::format;

const CLIENT: Holder<'_> = Holder::Client;
const USER: Holder<'_> = Holder::User {
    patient: None,
    fhir_user: None,
};
const USER_WITH_PATIENT: Holder<'_> = Holder::User {
    patient: Some("own"),
    fhir_user: None,
};

fn granted(scopes: &str) -> GrantedScopes {
    GrantedScopes::compile(&if scopes.is_empty() {
        ScopeSet::empty()
    } else {
        ScopeSet::parse(scopes).unwrap()
    })
}

fn split(line: &str) -> RawRequest<'_> {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    RawRequest {
        query,
        ..RawRequest::new(method, path)
    }
}

/// What a decision comes down to: the scopes that allowed, or the reason with the scope needed.
fn outcome(raw: &RawRequest<'_>, scopes: &str, holder: &Holder<'_>, operations: &Operations) -> String {
    let request = FhirRequest::parse(raw).unwrap();
    match permits(&request, &granted(scopes), holder, operations) {
        Decision::Allow(allowed) => {
            let strict = if allowed.strict_search { " strictly" } else { "" };
            match allowed.ground {
                Ground::Open => "open".to_string(),
                Ground::OwnResource { scope } => format!("own resource by {scope}"),
                Ground::Scopes { level, by } => {
                    let by: Vec<&str> = by.iter().collect();
                    format!("{level:?} by {}{strict}", by.join(" "))
                }
            }
        }
        Decision::Deny(denied) => match denied.needed {
            Some(needed) => format!("{:?}, needs {needed}", denied.reason),
            None => format!("{:?}", denied.reason),
        },
    }
}

#[track_caller]
fn decides(line: &str, scopes: &str, holder: &Holder<'_>, expected: &str) {
    let found = outcome(&split(line), scopes, holder, &Operations::none());
    assert_eq!(found, expected, "{line} with {scopes:?}");
}

/// A row of the interaction table: exactly these letters on this type permit it, for a client; each letter less,
/// another type or another level does not.
#[track_caller]
fn row(raw: &RawRequest<'_>, resource: &str, letters: &str) {
    let ask = |scopes: &str, holder: &Holder<'_>| outcome(raw, scopes, holder, &Operations::none());
    let enough = format!("system/{resource}.{letters}");
    let name = format!("{} {}", raw.method, raw.path);
    assert_eq!(ask(&enough, &CLIENT), format!("System by {enough}"), "{name}");
    let refused = format!("InsufficientScope, needs {enough}");
    assert_eq!(ask("", &CLIENT), refused, "{name}");
    for letter in letters.chars() {
        let others: String = "cruds".chars().filter(|other| *other != letter).collect();
        assert_eq!(
            ask(&format!("system/*.{others}"), &CLIENT),
            refused,
            "{name} without {letter}"
        );
    }
    assert_eq!(ask("system/Slot.cruds", &CLIENT), refused, "{name}");
    assert_eq!(
        ask("user/*.cruds patient/*.cruds", &CLIENT),
        format!("LevelNotHeld, needs {enough}"),
        "{name}"
    );
}

#[test]
fn every_row_of_the_interaction_table_needs_its_letters() {
    for (line, resource, letters) in [
        ("GET /Observation/1", "Observation", "r"),
        ("HEAD /Observation/1", "Observation", "r"),
        ("GET /Observation/1/_history/2", "Observation", "r"),
        ("GET /Observation/1/_history", "Observation", "r"),
        ("GET /Observation/_history", "Observation", "s"),
        ("GET /_history", "*", "s"),
        ("GET /Observation?code=1", "Observation", "s"),
        ("HEAD /Observation?code=1", "Observation", "s"),
        ("GET /Observation", "Observation", "s"),
        ("GET /?_lastUpdated=gt2020", "*", "s"),
        ("GET ?_type=Observation", "*", "s"),
        ("GET /Patient/1/Observation?code=1", "Observation", "s"),
        ("GET /Patient/1/*", "*", "s"),
        ("POST /Observation", "Observation", "c"),
        ("PUT /Observation/1", "Observation", "u"),
        ("PATCH /Observation/1", "Observation", "u"),
        ("PUT /Observation?identifier=1", "Observation", "us"),
        ("PATCH /Observation?identifier=1", "Observation", "us"),
        ("DELETE /Observation/1", "Observation", "d"),
        ("DELETE /Observation?identifier=1", "Observation", "ds"),
        ("DELETE /Observation/1/_history", "Observation", "d"),
        ("DELETE /Observation/1/_history/2", "Observation", "d"),
    ] {
        row(&split(line), resource, letters);
    }
    let condition = RawRequest {
        if_none_exist: Some("identifier=1"),
        ..split("POST /Observation")
    };
    row(&condition, "Observation", "cs");
    for (line, resource) in [
        ("POST /Observation/_search", "Observation"),
        ("POST /_search", "*"),
        ("POST /Patient/1/Observation/_search", "Observation"),
        ("POST /Patient/1/_search", "*"),
    ] {
        row(
            &RawRequest {
                search_form: Some("code=1"),
                ..split(line)
            },
            resource,
            "s",
        );
    }
}

#[test]
fn metadata_is_open_to_everyone() {
    for holder in [CLIENT, USER, USER_WITH_PATIENT] {
        decides("GET /metadata?mode=full", "", &holder, "open");
        decides("HEAD /metadata", "openid", &holder, "open");
    }
}

#[test]
fn batches_are_denied_whatever_is_granted() {
    decides("POST /", "system/*.cruds", &CLIENT, "Batch");
    decides("POST ", "user/*.cruds", &USER, "Batch");
}

#[test]
fn denies_by_default() {
    for scopes in [
        "",
        "openid launch/patient offline_access api:everything",
        "patient/Foo.read system/*.sr",
    ] {
        decides(
            "GET /Patient/1",
            scopes,
            &CLIENT,
            "InsufficientScope, needs system/Patient.r",
        );
        decides(
            "GET /Patient/1",
            scopes,
            &USER,
            "InsufficientScope, needs user/Patient.r",
        );
        decides(
            "GET /Patient/own",
            scopes,
            &USER_WITH_PATIENT,
            "InsufficientScope, needs patient/Patient.r",
        );
    }
}

#[test]
fn writing_never_implies_reading() {
    decides(
        "GET /Patient/1",
        "user/*.write",
        &USER,
        "InsufficientScope, needs user/Patient.r",
    );
    decides(
        "PUT /Patient/1",
        "user/*.read",
        &USER,
        "InsufficientScope, needs user/Patient.u",
    );
}

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
fn parameters_that_reach_out_need_all_types() {
    for parameter in [
        "_include=Observation:subject",
        "_include:iterate=*",
        "_revinclude=Provenance:target",
        "_has:Group:member:_id=1",
        "subject.name=ann",
        "_filter=a",
        "_list=1",
        "_query=x",
        "%5Finclude=*",
        "_unheard-of=1",
    ] {
        let line = format!("GET /Observation?code=1&{parameter}");
        decides(
            &line,
            "system/Observation.cruds",
            &CLIENT,
            "ReachesOtherTypes, needs system/*.rs",
        );
        decides(
            &line,
            "system/*.s",
            &CLIENT,
            "ReachesOtherTypes, needs system/*.rs",
        );
        decides(&line, "system/*.rs", &CLIENT, "System by system/*.rs");
        decides(&line, "", &CLIENT, "InsufficientScope, needs system/*.rs");
    }
}

#[test]
fn parameters_that_reach_out_are_judged_in_every_interaction() {
    decides(
        "GET /Task/1?_include=*",
        "system/Task.rs",
        &CLIENT,
        "ReachesOtherTypes, needs system/*.rs",
    );
    let denied = "ReachesOtherTypes, needs system/*.rds";
    decides(
        "DELETE /Task/1?_cascade=delete",
        "system/Task.ds",
        &CLIENT,
        denied,
    );
    decides(
        "DELETE /Task/1?_cascade=delete",
        "system/*.rs system/Task.d",
        &CLIENT,
        denied,
    );
    decides(
        "DELETE /Task/1?_cascade=delete",
        "system/*.rds",
        &CLIENT,
        "System by system/*.rds",
    );
    decides("DELETE /Task?owner.name=x", "system/Task.ds", &CLIENT, denied);
    let condition = RawRequest {
        if_none_exist: Some("owner.name=x"),
        ..split("POST /Task")
    };
    let found = outcome(&condition, "system/Task.cs", &CLIENT, &Operations::none());
    assert_eq!(found, "ReachesOtherTypes, needs system/*.crs");
}

#[test]
fn a_search_form_is_judged_and_an_unread_one_may_hold_anything() {
    let search = split("POST /Observation/_search");
    let ask = |raw: &RawRequest<'_>, scopes: &str| outcome(raw, scopes, &CLIENT, &Operations::none());
    assert_eq!(
        ask(&search, "system/Observation.rs"),
        "UnseenSearchForm, needs system/*.rs"
    );
    assert_eq!(ask(&search, "system/*.rs"), "System by system/*.rs");
    let harmless = RawRequest {
        search_form: Some("code=1"),
        ..search
    };
    assert_eq!(
        ask(&harmless, "system/Observation.s"),
        "System by system/Observation.s"
    );
    let include = RawRequest {
        search_form: Some("code=1&_include=*"),
        ..search
    };
    assert_eq!(
        ask(&include, "system/Observation.rs"),
        "ReachesOtherTypes, needs system/*.rs"
    );
}

#[test]
fn a_restricted_scope_counts_for_the_search_it_describes() {
    let scope = "system/Observation.rs?category=lab";
    let allowed = format!("System by {scope} strictly");
    decides("GET /Observation?category=lab", scope, &CLIENT, &allowed);
    decides(
        "GET /Observation?category=lab&code=1&_count=5",
        scope,
        &CLIENT,
        &allowed,
    );
    let form = RawRequest {
        search_form: Some("category=lab"),
        ..split("POST /Observation/_search")
    };
    assert_eq!(outcome(&form, scope, &CLIENT, &Operations::none()), allowed);
    decides(
        "GET /Observation?category=lab",
        "system/*.rs?category=lab",
        &CLIENT,
        "System by system/*.rs?category=lab strictly",
    );
}

#[test]
fn a_restricted_scope_counts_for_nothing_else() {
    let scope = "system/Observation.cruds?category=lab";
    for line in [
        "GET /Observation",
        "GET /Observation?category=vital",
        "GET /Observation?category=lab,vital",
        "GET /Observation?category=lab&category=vital",
        "GET /Observation?category:not=lab",
        "GET /Observation/1",
        "GET /Observation/1?category=lab",
        "GET /Observation/1/_history",
        "GET /Observation/_history?category=lab",
        "GET /Patient/1/Observation?category=lab",
        "POST /Observation",
        "PUT /Observation/1",
        "PUT /Observation?category=lab",
        "PATCH /Observation?category=lab",
        "DELETE /Observation/1",
        "DELETE /Observation?category=lab",
    ] {
        let found = outcome(&split(line), scope, &CLIENT, &Operations::none());
        assert!(
            found.starts_with("OutsideRestriction, needs system/Observation."),
            "{line}: {found}"
        );
    }
    let found = outcome(
        &split("GET /Observation?category=lab&_include=*"),
        scope,
        &CLIENT,
        &Operations::none(),
    );
    assert_eq!(found, "OutsideRestriction, needs system/*.rs");
}

#[test]
fn several_restricted_scopes_are_alternatives_and_an_unrestricted_one_wins() {
    let scopes = "system/Observation.s?category=a system/Observation.s?category=b";
    decides(
        "GET /Observation?category=b",
        scopes,
        &CLIENT,
        "System by system/Observation.s?category=b strictly",
    );
    let scopes = "system/Observation.s?category=a system/Observation.rs";
    decides(
        "GET /Observation?category=a",
        scopes,
        &CLIENT,
        "System by system/Observation.rs",
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
fn the_needed_scope_comes_as_a_set() {
    let request = FhirRequest::parse(&split("PUT /Task?identifier=1")).unwrap();
    let Decision::Deny(denied) = permits(&request, &granted(""), &CLIENT, &Operations::none()) else {
        panic!("nothing is granted");
    };
    assert_eq!(
        denied.needed.unwrap().to_scope_set(),
        ScopeSet::parse("system/Task.us").unwrap()
    );
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
