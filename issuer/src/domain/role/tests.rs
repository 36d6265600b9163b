//! What ceilings let through, and who may give what.

use wardgate_shared::scope::ScopeSet;

use super::{ADMINISTRATION_READ, ADMINISTRATION_WRITE, ORDINARY, Role, SecondFactorPolicy, allowed};
use crate::testing::START;

fn set(text: &str) -> ScopeSet {
    if text.is_empty() {
        ScopeSet::empty()
    } else {
        ScopeSet::parse(text).unwrap()
    }
}

fn role(ceiling: Option<&str>) -> Role {
    Role {
        id: "role-1".into(),
        name: "Role".into(),
        built_in: false,
        ceiling: ceiling.map(set),
        second_factor: SecondFactorPolicy::Offered,
        created_at: START,
    }
}

#[track_caller]
fn lets_through(ceiling: &str, requested: &str, with_patient: &str, without: &str) {
    let role = role(Some(ceiling));
    let granted = |patient| allowed(&set(requested), Some(&role), patient).to_string();
    assert_eq!(
        (granted(true), granted(false)),
        (with_patient.into(), without.into())
    );
}

#[test]
fn a_ceiling_cuts_in_the_spelling_of_the_request() {
    let granted = "openid patient/Observation.read";
    lets_through(
        "openid patient/*.rs",
        &format!("{granted} user/*.rs patient/*.cruds api:x"),
        granted,
        granted,
    );
    lets_through("openid", "patient/*.rs", "", "");
}

#[test]
fn the_short_form_counts_as_what_it_means() {
    lets_through("patient/*.rs", "observation.read", "observation.read", "");
    lets_through("user/*.cruds", "observation.read", "", "observation.read");
    lets_through("patient/Patient.rs user/Patient.rs", "observation.read", "", "");
    lets_through(
        "observation.read",
        "observation.read",
        "observation.read",
        "observation.read",
    );
}

#[test]
fn launch_stands_for_every_launch_scope() {
    let requested = "launch/patient launch/imagingstudy launch/encounter?role=x";
    lets_through("launch", requested, requested, requested);
    lets_through("launch/patient", requested, "launch/patient", "launch/patient");
}

#[test]
fn administration_is_only_for_roles_that_name_it() {
    let requested = set("openid __administration.read __administration.write __administration.future");
    for role in [None, Some(&role(None))] {
        assert_eq!(allowed(&requested, role, true).to_string(), "openid");
    }
    assert_eq!(
        allowed(
            &requested,
            Some(&role(Some("openid __administration.read"))),
            true
        )
        .to_string(),
        "openid __administration.read"
    );
}

#[test]
fn administrators_read_and_write() {
    assert!(role(Some(&format!("{ADMINISTRATION_READ} {ADMINISTRATION_WRITE}"))).administers());
    for ceiling in [
        None,
        Some(ADMINISTRATION_READ),
        Some(ADMINISTRATION_WRITE),
        Some("openid"),
    ] {
        assert!(!role(ceiling).administers(), "{ceiling:?}");
    }
}

#[test]
fn nobody_gives_more_than_they_have() {
    let giver = role(Some(
        "openid launch patient/*.rs user/*.rs __administration.write",
    ));
    for within in [
        "",
        "openid",
        "patient/Patient.r observation.read launch/patient",
        "__administration.write",
    ] {
        assert!(role(Some(within)).is_within(&giver), "{within}");
    }
    for beyond in [
        "email",
        "patient/*.cruds",
        "observation.write",
        "__administration.read",
        "api:x",
    ] {
        assert!(!role(Some(beyond)).is_within(&giver), "{beyond}");
    }
    // Everything but administration.
    assert!(!role(None).is_within(&giver));
    assert!(role(None).is_within(&role(Some(ORDINARY))));
    // The short form needs both of its meanings.
    assert!(!role(Some("observation.read")).is_within(&role(Some("patient/*.rs"))));
}

#[test]
fn every_policy_is_found_by_its_name() {
    for policy in SecondFactorPolicy::ALL {
        assert_eq!(SecondFactorPolicy::from_name(policy.as_str()), Some(policy));
    }
    assert_eq!(SecondFactorPolicy::from_name("Required"), None);
}
