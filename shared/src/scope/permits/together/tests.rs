//! Several requests at once: all or none.

use alloc::vec::Vec;

use super::permits_together;
use crate::scope::permits::{Decision, DenialReason, permits};
use crate::scope::smart::Level;
use crate::scope::{FhirRequest, GrantedScopes, Holder, Operations, RawRequest, ScopeSet};

const PERSON: Holder<'_> = Holder::User {
    patient: Some("p1"),
    fhir_user: None,
};

fn parse<'a>(requests: &[(&'a str, &'a str)]) -> Vec<FhirRequest<'a>> {
    requests
        .iter()
        .map(|(method, target)| {
            let (path, query) = target
                .split_once('?')
                .map_or((*target, None), |(path, query)| (path, Some(query)));
            FhirRequest::parse(&RawRequest {
                query,
                ..RawRequest::new(method, path)
            })
            .unwrap()
        })
        .collect()
}

fn decide(
    scopes: &str,
    holder: &Holder<'_>,
    requests: &[(&str, &str)],
) -> Result<Option<Level>, (usize, DenialReason)> {
    let granted = GrantedScopes::compile(&ScopeSet::parse(scopes).unwrap());
    permits_together(&parse(requests), &granted, holder, &Operations::none())
        .map(|allowed| allowed.level)
        .map_err(|(place, denied)| (place, denied.reason))
}

#[test]
fn all_must_be_permitted_and_the_first_that_is_not_is_named() {
    let requests = [
        ("GET", "/metadata"),
        ("GET", "/Observation/1"),
        ("POST", "/Observation"),
        ("DELETE", "/Patient/1"),
    ];
    for (scopes, expected) in [
        ("system/*.cruds", Ok(Some(Level::System))),
        ("system/Observation.cr system/Patient.d", Ok(Some(Level::System))),
        ("system/Observation.cr", Err((3, DenialReason::InsufficientScope))),
        ("system/*.r", Err((2, DenialReason::InsufficientScope))),
        ("openid", Err((1, DenialReason::InsufficientScope))),
    ] {
        assert_eq!(decide(scopes, &Holder::Client, &requests), expected, "{scopes}");
    }
    assert_eq!(
        decide("openid", &Holder::Client, &[("GET", "/metadata")]),
        Ok(None)
    );
}

#[test]
fn the_server_is_told_one_level_so_all_must_be_permitted_at_one() {
    let requests = [("GET", "/Observation/1"), ("GET", "/Condition/1")];
    for (scopes, expected) in [
        (
            "patient/Observation.r patient/Condition.r",
            Ok(Some(Level::Patient)),
        ),
        ("user/Observation.r patient/*.r", Ok(Some(Level::Patient))),
        ("user/*.r patient/*.r", Ok(Some(Level::User))),
        (
            "user/Observation.r patient/Condition.r",
            Err((1, DenialReason::NotTogether)),
        ),
    ] {
        assert_eq!(decide(scopes, &PERSON, &requests), expected, "{scopes}");
    }
    let other = [("GET", "/Patient/p1"), ("GET", "/Patient/p2")];
    assert_eq!(
        decide("patient/*.r", &PERSON, &other),
        Err((1, DenialReason::OtherPatient))
    );
}

#[test]
fn scopes_that_are_limited_to_a_search_do_not_count_in_a_batch() {
    let scopes = "system/Patient.r system/Observation.s?category=a";
    let requests = [("GET", "/Patient/1"), ("GET", "/Observation?category=a")];
    assert_eq!(
        decide(scopes, &Holder::Client, &requests),
        Err((1, DenialReason::NotTogether))
    );
}

#[test]
fn no_batch_within_a_batch_and_no_operation() {
    for request in [
        ("POST", "/"),
        ("GET", "/Patient/1/$everything"),
        ("POST", "/Patient/$match"),
    ] {
        let requests = [("GET", "/Patient/1"), request];
        let (place, reason) = decide("system/*.cruds", &Holder::Client, &requests).unwrap_err();
        assert_eq!(place, 1, "{request:?}");
        assert!(matches!(
            reason,
            DenialReason::Batch | DenialReason::OperationNotListed
        ));
    }
}

#[test]
fn what_is_permitted_together_is_permitted_alone() {
    let requests = [
        ("GET", "/Observation?_include=Observation:subject"),
        ("POST", "/Patient/_search"),
        ("PUT", "/Observation?identifier=1"),
        ("DELETE", "/Observation/1"),
        ("GET", "/Patient/p1"),
        ("GET", "/Patient/p2"),
    ];
    for scopes in [
        "patient/*.cruds",
        "user/*.rs",
        "user/Observation.cruds patient/*.r",
        "system/*.cruds",
        "observation.*",
    ] {
        let granted = GrantedScopes::compile(&ScopeSet::parse(scopes).unwrap());
        for first in requests {
            for second in requests {
                let parsed = parse(&[first, second]);
                let together = permits_together(&parsed, &granted, &PERSON, &Operations::none());
                let alone = parsed.iter().all(|request| {
                    let decision = permits(request, &granted, &PERSON, &Operations::none());
                    matches!(decision, Decision::Allow(_))
                });
                assert!(together.is_err() || alone, "{scopes}: {first:?} {second:?}");
            }
        }
    }
}
