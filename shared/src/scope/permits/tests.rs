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

mod levels;
mod operations;
mod searches;

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
