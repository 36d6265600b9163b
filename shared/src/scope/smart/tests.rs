//! The rows of the scope grammar: every valid and invalid form the specification and the known short forms give.

use super::*;
use crate::scope::query::QueryError;
use alloc::string::ToString;

fn parse(text: &str) -> Result<Scope, SmartScopeError> {
    Scope::parse(&ScopeToken::parse(text).unwrap())
}

#[track_caller]
fn smart(text: &str) -> SmartScope {
    match parse(text) {
        Ok(Scope::Smart(scope)) => scope,
        other => panic!("{text}: {other:?}"),
    }
}

/// Reads a scope and compares level, type, letters and spelling.
#[track_caller]
fn reads(text: &str, level: Level, resource: &str, letters: &str, spelling: Spelling) {
    let scope = smart(text);
    assert_eq!(scope.level(), level, "{text}");
    assert_eq!(scope.resource().to_string(), resource, "{text}");
    assert_eq!(scope.permissions().to_string(), letters, "{text}");
    assert_eq!(scope.spelling(), spelling, "{text}");
    assert_eq!(scope.to_string(), text);
}

#[test]
fn reads_version_1_rows() {
    reads("patient/*.read", Level::Patient, "*", "rs", Spelling::V1);
    reads(
        "user/Appointment.write",
        Level::User,
        "Appointment",
        "cud",
        Spelling::V1,
    );
    reads(
        "patient/Patient.*",
        Level::Patient,
        "Patient",
        "cruds",
        Spelling::V1,
    );
    reads("user/*.*", Level::User, "*", "cruds", Spelling::V1);
    reads("system/*.read", Level::System, "*", "rs", Spelling::V1);
}

#[test]
fn reads_version_2_rows() {
    reads("patient/*.rs", Level::Patient, "*", "rs", Spelling::V2);
    reads(
        "patient/Observation.c",
        Level::Patient,
        "Observation",
        "c",
        Spelling::V2,
    );
    reads("user/*.cruds", Level::User, "*", "cruds", Spelling::V2);
    reads(
        "system/Encounter.cud",
        Level::System,
        "Encounter",
        "cud",
        Spelling::V2,
    );
    let text = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
    reads(text, Level::Patient, "Observation", "rs", Spelling::V2);
    assert_eq!(
        smart(text).restriction().unwrap().as_str(),
        "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    );
    reads("user/Basic.cuds", Level::User, "Basic", "cuds", Spelling::V2);
}

#[test]
fn reads_a_query_whose_value_has_dots_and_several_parameters() {
    reads(
        "patient/Observation.rs?code=1.2&status=final",
        Level::Patient,
        "Observation",
        "rs",
        Spelling::V2,
    );
}

#[test]
fn reads_experimental_queries() {
    for text in [
        "patient/Observation.rs?code:in=http://valueset.example",
        "patient/Observation.rs?patient.birthdate=1990",
        "patient/Observation.rs?_filter=status%20eq%20final",
    ] {
        assert!(smart(text).restriction().is_some(), "{text}");
    }
}

#[test]
fn reads_the_short_forms() {
    reads(
        "observation.read",
        Level::Holder,
        "Observation",
        "rs",
        Spelling::ShortDotted,
    );
    reads(
        "observation.write",
        Level::Holder,
        "Observation",
        "cud",
        Spelling::ShortDotted,
    );
    reads(
        "observation/*.read",
        Level::Holder,
        "Observation",
        "rs",
        Spelling::ShortSlashed,
    );
    reads(
        "medicationrequest.*",
        Level::Holder,
        "MedicationRequest",
        "cruds",
        Spelling::ShortDotted,
    );
    reads(
        "patient.read",
        Level::Holder,
        "Patient",
        "rs",
        Spelling::ShortDotted,
    );
}

#[test]
fn reads_every_scope_of_the_seed_documents() {
    reads("patient/*.read", Level::Patient, "*", "rs", Spelling::V1);
    reads("patient/*.write", Level::Patient, "*", "cud", Spelling::V1);
    reads(
        "patient/Patient.read",
        Level::Patient,
        "Patient",
        "rs",
        Spelling::V1,
    );
    reads("system/*.read", Level::System, "*", "rs", Spelling::V1);
    reads("system/*.write", Level::System, "*", "cud", Spelling::V1);
    assert_eq!(parse("online_access"), Ok(Scope::OnlineAccess));
    assert_eq!(parse("offline_access"), Ok(Scope::OfflineAccess));
    for (text, name) in [("launch/patient", "Patient"), ("launch/encounter", "Encounter")] {
        let resource_type = ResourceType::from_name(name).unwrap();
        assert_eq!(
            parse(text),
            Ok(Scope::LaunchContext {
                resource_type,
                role: None
            })
        );
    }
}

#[test]
fn reads_identity_and_launch_scopes_and_writes_them_back() {
    for (text, scope) in [
        ("launch", Scope::Launch),
        ("openid", Scope::OpenId),
        ("fhirUser", Scope::FhirUser),
        ("profile", Scope::Profile),
        ("email", Scope::Email),
        ("address", Scope::Address),
        ("phone", Scope::Phone),
    ] {
        assert_eq!(parse(text), Ok(scope), "{text}");
    }
    for text in [
        "launch/imagingstudy",
        "launch/patient?role=https://example.org/role",
        "__own",
        "openid",
    ] {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn refuses_version_1_rows_that_are_invalid() {
    for (text, error) in [
        (
            "patient/Observation.Read",
            SmartScopeError::Permissions(PermissionsError::Unknown),
        ),
        ("patient/Observation", SmartScopeError::MissingPermissions),
        ("Patient/Patient.read", SmartScopeError::LevelCase),
        ("patient/observation.read", SmartScopeError::UnknownResourceType),
        (
            "user/*.readwrite",
            SmartScopeError::Permissions(PermissionsError::Unknown),
        ),
    ] {
        assert_eq!(parse(text), Err(error), "{text}");
    }
}

#[test]
fn refuses_version_2_rows_that_are_invalid() {
    for (text, error) in [
        (
            "patient/Observation.sr",
            SmartScopeError::Permissions(PermissionsError::OutOfOrder),
        ),
        (
            "patient/Observation.dus",
            SmartScopeError::Permissions(PermissionsError::OutOfOrder),
        ),
        (
            "patient/Observation.rr",
            SmartScopeError::Permissions(PermissionsError::Repeated),
        ),
        (
            "patient/Observation.rx",
            SmartScopeError::Permissions(PermissionsError::Unknown),
        ),
        (
            "patient/Patient.",
            SmartScopeError::Permissions(PermissionsError::Empty),
        ),
        (
            "patient/Observation.rs?",
            SmartScopeError::Restriction(RestrictionError::Empty),
        ),
        (
            "patient/Observation.rs?category",
            SmartScopeError::Restriction(RestrictionError::MissingValue),
        ),
        (
            "patient/Observation.read?category=x",
            SmartScopeError::QueryAfterWord,
        ),
        ("patient/Observation:rs", SmartScopeError::MissingPermissions),
    ] {
        assert_eq!(parse(text), Err(error), "{text}");
    }
}

#[test]
fn refuses_unknown_types_and_near_misses() {
    for text in [
        "patient/Foo.rs",
        "user/Resource.read",
        "system/.rs",
        "patient/Patients.r",
        "patient/**.rs",
    ] {
        assert_eq!(parse(text), Err(SmartScopeError::UnknownResourceType), "{text}");
    }
    for text in [
        "patient/*.rs.read",
        "patient/Patient.read.",
        "patient/Patient..read",
        "patient/Patient/1.read",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    for text in ["USER/*.read", "System/*.rs", "pAtient/Patient.read"] {
        assert_eq!(parse(text), Err(SmartScopeError::LevelCase), "{text}");
    }
}

#[test]
fn refuses_queries_that_restrict_nothing_or_are_malformed() {
    for (query, error) in [
        ("a=1&", RestrictionError::Empty),
        ("&a=1", RestrictionError::Empty),
        ("a=1&&b=2", RestrictionError::Empty),
        ("a=", RestrictionError::MissingValue),
        ("=1", RestrictionError::Malformed(QueryError::EmptyName)),
        ("a=%4", RestrictionError::Malformed(QueryError::MalformedEncoding)),
        ("a=%FF", RestrictionError::NotUtf8),
        ("a?b=1", RestrictionError::Malformed(QueryError::ForbiddenName)),
        ("_count=1", RestrictionError::NotARestriction),
        ("_include=Observation:subject", RestrictionError::NotARestriction),
        ("_unheard-of=1", RestrictionError::NotARestriction),
    ] {
        let text = std::format!("patient/Observation.rs?{query}");
        assert_eq!(parse(&text), Err(SmartScopeError::Restriction(error)), "{text}");
    }
}

#[test]
fn refuses_malformed_launch_scopes() {
    for text in ["launch/", "launch/Patient", "launch/foo", "launch/patient/1"] {
        assert_eq!(parse(text), Err(SmartScopeError::UnknownLaunchType), "{text}");
    }
    for text in [
        "launch/patient?",
        "launch/patient?role=",
        "launch/patient?role=a&role=b",
        "launch/patient?x=y",
    ] {
        assert_eq!(parse(text), Err(SmartScopeError::LaunchRole), "{text}");
    }
}

#[test]
fn leaves_everything_else_to_its_owner() {
    for text in [
        "api:read",
        "messages.read",
        "observation.rs",
        "observation.Read",
        "Observation.read",
        "observation/123.read",
        "observation/*.read?x=y",
        "resource.read",
        "patient*.read",
        "patient",
        "OpenID",
        "fhiruser",
        "Launch",
        "__custom",
        "http://smarthealthit.org/fhir/scopes/patient/*.read",
        "https://example.org/scopes/all",
    ] {
        assert_eq!(
            parse(text),
            Ok(Scope::Other(ScopeToken::parse(text).unwrap())),
            "{text}"
        );
    }
}

#[test]
fn builds_scopes_that_it_reads_again() {
    let observation = ResourceSelector::Type(ResourceType::from_name("Observation").unwrap());
    let scope = SmartScope::from_parts(Level::User, observation, Permissions::READ_AND_SEARCH).unwrap();
    assert_eq!(scope.to_string(), "user/Observation.rs");
    assert_eq!(smart("user/Observation.rs"), scope);
    let all = SmartScope::from_parts(Level::System, ResourceSelector::Any, Permissions::ALL).unwrap();
    assert_eq!(all.to_string(), "system/*.cruds");
    assert_eq!(
        SmartScope::from_parts(Level::Holder, observation, Permissions::ALL),
        None
    );
    assert_eq!(
        SmartScope::from_parts(Level::User, observation, Permissions::NONE),
        None
    );
}
