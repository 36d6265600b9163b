use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use crate::scope::compartment::table::MEMBERS;
use crate::scope::compartment::{Patient, Task};
use crate::scope::request::{FhirRequest, RawRequest};

const PATIENT: Patient<'_> = Patient::new("p-1", ["https://edge.example/fhir", "https://fhir.example/r4"]);

#[test]
fn a_form_counts_like_a_query() {
    for (query, form, expected) in [
        (None, "code=a", Ok(true)),
        (None, "patient=p-1", Ok(false)),
        (None, "patient=Patient%2Fp-1", Ok(false)),
        (Some("patient=p-1"), "", Ok(false)),
        (None, "patient=p-2", Err(())),
        (Some("patient=p-1"), "patient=p-2", Err(())),
        (None, "subject:Patient.name=a", Err(())),
        (None, "patient=p-1+", Err(())),
    ] {
        let raw = RawRequest {
            query,
            search_form: Some(form),
            ..RawRequest::new("POST", "/Observation/_search")
        };
        let planned = PATIENT.plan(&FhirRequest::parse(&raw).unwrap());
        let adds = planned.map(|plan| plan.criterion.is_some()).map_err(|_| ());
        assert_eq!(adds, expected, "{query:?} {form:?}");
    }
}

fn parameters() -> impl Strategy<Value = String> {
    let names = MEMBERS
        .iter()
        .flat_map(|member| [member.about, member.taking_part])
        .flat_map(|list| list.split_ascii_whitespace())
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let name = prop_oneof![proptest::sample::select(names), "[a-zA-Z_:.]{1,12}"];
    let value = prop_oneof![
        Just("p-1".to_owned()),
        Just("Patient/p-1".to_owned()),
        Just("Patient/p-2".to_owned()),
        "[ -~&&[^#% ]]{0,12}",
    ];
    proptest::collection::vec((name, value), 0..5).prop_map(|pairs| {
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(name, value)| alloc::format!("{name}={value}"))
            .collect();
        pairs.join("&")
    })
}

proptest! {
    #[test]
    fn whatever_is_sent_in_the_end_names_the_patient(
        place in 0..MEMBERS.len(), query in parameters(),
    ) {
        let member = &MEMBERS[place];
        let path = alloc::format!("/{}", member.name);
        let raw = RawRequest { query: Some(&query), ..RawRequest::new("GET", &path) };
        let Ok(request) = FhirRequest::parse(&raw) else { return Ok(()) };
        let Ok(plan) = PATIENT.plan(&request) else { return Ok(()) };
        prop_assert!(matches!(plan.task, Task::Answer(_)));
        let added = plan.criterion.map(|criterion| alloc::format!("{}={}", criterion.name, criterion.value));
        let sent: Vec<&str> = query.split('&').chain(added.as_deref()).collect();
        let names = |list: &str, pair: &str| {
            list.split_ascii_whitespace().any(|name| {
                pair.split_once('=').is_some_and(|(own, value)| own == name && PATIENT.is_named_by_value(value))
            })
        };
        prop_assert!(sent.iter().any(|pair| names(member.about, pair) || names(member.taking_part, pair)), "{sent:?}");
        for pair in &sent {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if member.about.split_ascii_whitespace().any(|about| about.eq_ignore_ascii_case(name)) {
                prop_assert!(PATIENT.is_named_by_value(value), "{pair}");
            }
        }
    }
}
