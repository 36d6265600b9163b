//! Paths that FHIR has, and paths made to be read in two ways.

use super::*;
use alloc::string::String;
use std::format;

#[track_caller]
fn refuses(path: &str, error: PathError) {
    assert_eq!(Target::parse(path), Err(error), "{path:?}");
}

fn named(name: &str) -> ResourceType {
    ResourceType::from_name(name).unwrap()
}

#[test]
fn reads_every_shape_fhir_defines() {
    let patient = ResourceType::PATIENT;
    let observation = ResourceSelector::Type(named("Observation"));
    for (path, target) in [
        ("", Target::System),
        ("/", Target::System),
        ("/metadata", Target::Metadata),
        ("/_history", Target::SystemHistory),
        ("/_search", Target::SystemSearch),
        ("/$export", Target::SystemOperation("export")),
        ("/Patient", Target::Type(patient)),
        ("/Patient/_history", Target::TypeHistory(patient)),
        ("/Patient/_search", Target::TypeSearch(patient)),
        (
            "/Patient/$member-match",
            Target::TypeOperation(patient, "member-match"),
        ),
        ("/Patient/A.b-9", Target::Instance(patient, "A.b-9")),
        ("/Patient/1/_history", Target::InstanceHistory(patient, "1")),
        ("/Patient/1/_history/2", Target::Version(patient, "1", "2")),
        (
            "/Patient/1/$everything",
            Target::InstanceOperation(patient, "1", "everything"),
        ),
        (
            "/Patient/1/Observation",
            Target::Compartment(patient, "1", observation),
        ),
        (
            "/Patient/1/*",
            Target::Compartment(patient, "1", ResourceSelector::Any),
        ),
        (
            "/Patient/1/Observation/_search",
            Target::CompartmentSearch(patient, "1", observation),
        ),
        (
            "/Patient/1/_search",
            Target::CompartmentSearch(patient, "1", ResourceSelector::Any),
        ),
    ] {
        assert_eq!(Target::parse(path), Ok(target), "{path}");
    }
}

#[test]
fn refuses_any_percent_encoding() {
    for path in [
        "/Patient%2F1",
        "/Patient/%2e%2e",
        "/Patient/..%2fObservation",
        "/Patient/1%00",
        "/Patient/%31",
        "/%50atient",
        "/Patient/1%3B",
        "/Patient/1%5C",
        "/Patient/1%252F",
        "/Patient/100%",
        "/Patient/1%0d%0a",
    ] {
        refuses(path, PathError::PercentEncoding);
    }
}

#[test]
fn refuses_dot_segments() {
    for path in [
        "/.",
        "/..",
        "/./Patient/1",
        "/Patient/../Observation",
        "/Patient/.",
        "/Patient/..",
        "/Patient/./1",
    ] {
        refuses(path, PathError::DotSegment);
    }
}

#[test]
fn refuses_empty_segments_and_trailing_slashes() {
    for path in ["//", "//Patient", "/Patient//1", "/Patient/1//", "///"] {
        refuses(path, PathError::EmptySegment);
    }
    for path in ["/Patient/", "/Patient/1/", "/metadata/", "/Patient/1/_history/"] {
        refuses(path, PathError::TrailingSlash);
    }
}

#[test]
fn refuses_semicolons_backslashes_controls_and_non_ascii() {
    for path in ["/Patient;x=1/1", "/Patient/1;jsessionid=2", "/;/Patient"] {
        refuses(path, PathError::Semicolon);
    }
    for path in ["/Patient\\1", "\\Patient", "/Patient/..\\1"] {
        refuses(path, PathError::Backslash);
    }
    for path in [
        "/Patient/1\0",
        "/Patient/1\n",
        "/Patient/ 1",
        "/Patient/1\t",
        "/Patient/1\u{7f}",
    ] {
        refuses(path, PathError::ControlCharacter);
    }
    for path in ["/Pаtient/1", "/Patient/１", "/Patient/1\u{200b}"] {
        refuses(path, PathError::NotAscii);
    }
    for path in [
        "/Patient?x",
        "/Patient#x",
        "/Patient/1:2",
        "/Patient/(1)",
        "/Patient,1",
        "/Patient/a+b",
        "/@x",
    ] {
        refuses(path, PathError::ForbiddenCharacter);
    }
}

#[test]
fn refuses_what_does_not_continue_the_base() {
    for path in ["Patient/1", "x", "-old/Patient"] {
        refuses(path, PathError::NotBelowBase);
    }
}

#[test]
fn refuses_types_in_another_spelling() {
    for path in [
        "/patient/1",
        "/PATIENT",
        "/Patient./1",
        "/Patient.",
        "/METADATA",
        "/Metadata",
        "/_History",
        "/_SEARCH",
        "/Foo",
        "/.well-known",
        "/Patient1",
        "/*",
        "/-",
        "/Resource/1",
    ] {
        refuses(path, PathError::UnknownResourceType);
    }
    refuses("/Patient/1/observation", PathError::UnknownResourceType);
    refuses("/Patient/1/*/_search", PathError::UnknownResourceType);
    refuses("/Patient/1/_HISTORY", PathError::UnknownResourceType);
}

#[test]
fn refuses_ids_outside_the_grammar() {
    let longest = "a".repeat(MAXIMUM_ID_LENGTH);
    assert!(Target::parse(&format!("/Patient/{longest}")).is_ok());
    refuses(&format!("/Patient/{longest}a"), PathError::InvalidId);
    for id in ["1.", "...", "a_b", "_id", "*", "a$", "_Search"] {
        refuses(&format!("/Patient/{id}"), PathError::InvalidId);
        refuses(&format!("/Patient/1/_history/{id}"), PathError::InvalidVersionId);
    }
    refuses("/Patient/a_b/_history", PathError::InvalidId);
    refuses("/Patient/_search/_history", PathError::InvalidId);
    refuses("/Patient/_history/2", PathError::InvalidId);
}

#[test]
fn refuses_malformed_operation_names() {
    for name in ["$", "$$everything", "$1", "$-", "$a.b", "$every*"] {
        refuses(&format!("/{name}"), PathError::InvalidOperation);
        refuses(&format!("/Patient/{name}"), PathError::InvalidOperation);
        refuses(&format!("/Patient/1/{name}"), PathError::InvalidOperation);
    }
    refuses(
        &format!("/${}", "a".repeat(MAXIMUM_ID_LENGTH + 1)),
        PathError::InvalidOperation,
    );
}

#[test]
fn refuses_compartments_fhir_does_not_define() {
    for path in [
        "/Observation/1/Patient",
        "/Group/1/*",
        "/Observation/1/_search",
        "/Group/1/Patient/_search",
    ] {
        refuses(path, PathError::NotACompartment);
    }
    for name in COMPARTMENTS {
        assert!(Target::parse(&format!("/{name}/1/Observation")).is_ok(), "{name}");
    }
}

#[test]
fn refuses_shapes_fhir_does_not_define() {
    for path in [
        "/Patient/1/Observation/2",
        "/Patient/1/$op/x",
        "/Patient/1/_history/2/$meta",
        "/Patient/1/_history/2/x/y",
        "/Patient/1/Observation/_history",
    ] {
        refuses(path, PathError::UnknownShape);
    }
    for path in ["/metadata/1", "/_history/1", "/_search/x", "/$op/x"] {
        refuses(path, PathError::UnknownResourceType);
    }
}

#[test]
fn refuses_overlong_paths() {
    let path: String = format!("/{}", "a".repeat(MAXIMUM_PATH_LENGTH));
    refuses(&path, PathError::TooLong);
}
