use alloc::vec::Vec;

use super::{BatchEntry, Plan, Task};
use crate::scope::compartment::table::{MEMBERS, SHARED};
use crate::scope::compartment::{CompartmentError, Expected, Patient};
use crate::scope::request::{FhirRequest, RawRequest};
use crate::scope::resource_type::ResourceType;

const PATIENT: Patient<'_> = Patient::new("p-1", ["https://edge.example/fhir", "https://fhir.example/r4"]);

fn request(line: &str) -> FhirRequest<'_> {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    FhirRequest::parse(&RawRequest {
        query,
        ..RawRequest::new(method, path)
    })
    .unwrap()
}

fn plan(line: &str) -> Result<Plan, CompartmentError> {
    PATIENT.plan(&request(line))
}

fn of_type(name: &str) -> ResourceType {
    ResourceType::from_name(name).unwrap()
}

#[track_caller]
fn refuses(reason: CompartmentError, lines: &[&str]) {
    for line in lines {
        assert_eq!(plan(line), Err(reason), "{line}");
    }
}

#[test]
fn reading_is_judged_by_the_answer_where_records_are_and_passes_where_none_are() {
    let observation = of_type("Observation");
    for (line, task) in [
        ("GET /Patient/p-1", Task::Nothing),
        ("HEAD /Patient/p-1/_history/2", Task::Nothing),
        ("GET /Patient/p-1/_history", Task::Nothing),
        ("GET /Practitioner/1", Task::Nothing),
        ("GET /metadata", Task::Nothing),
        (
            "GET /Observation/1",
            Task::Answer(Expected::Resource(observation)),
        ),
        (
            "HEAD /Observation/1?_format=json&_pretty=true",
            Task::Answer(Expected::Resource(observation)),
        ),
        (
            "GET /Observation/1/_history/2",
            Task::Answer(Expected::Resource(observation)),
        ),
        (
            "GET /Observation/1/_history?_count=5",
            Task::Answer(Expected::History(observation)),
        ),
    ] {
        assert_eq!(plan(line), Ok(task.into()), "{line}");
    }
    refuses(
        CompartmentError::OtherPatient,
        &[
            "GET /Patient/p-2",
            "GET /Patient/p-2/_history",
            "GET /Patient/p-2/_history/1",
        ],
    );
}

#[test]
fn each_type_is_in_the_compartment_or_shared_or_refused() {
    for resource_type in ResourceType::all() {
        let name = resource_type.as_str();
        let line = alloc::format!("GET /{name}/p-1");
        let found = plan(&line);
        if name == "Patient" || SHARED.contains(&name) {
            assert_eq!(found, Ok(Task::Nothing.into()), "{line}");
        } else if MEMBERS.iter().any(|member| member.name == name) {
            assert_eq!(
                found,
                Ok(Task::Answer(Expected::Resource(resource_type)).into()),
                "{line}"
            );
        } else {
            assert_eq!(found, Err(CompartmentError::Type), "{line}");
            let search = alloc::format!("GET /{name}?patient=p-1");
            assert_eq!(plan(&search), Err(CompartmentError::Type), "{search}");
            let write = alloc::format!("PUT /{name}/1");
            assert_eq!(plan(&write), Err(CompartmentError::Type), "{write}");
        }
    }
}

#[test]
fn an_answer_that_is_read_is_json_and_shows_whose_it_is() {
    refuses(
        CompartmentError::Format,
        &[
            "GET /Observation/1?_format=xml",
            "GET /Observation/1?_format=application%2Ffhir%2Bxml",
            "GET /Observation/1?_format=json&_format=xml",
            "GET /Observation?_format=html",
            "GET /Observation?_format=json,xml",
        ],
    );
    for line in [
        "GET /Observation/1?_format=application/fhir+json",
        "GET /Observation/1?_format=application%2Ffhir%2Bjson",
        "GET /Observation/1?_elements=code,subject",
        "GET /Observation/1?_summary=data",
    ] {
        assert!(plan(line).is_ok(), "{line}");
    }
    refuses(
        CompartmentError::Elements,
        &[
            "GET /Observation/1?_elements=code",
            "GET /Observation/1?_summary=text",
            "GET /Observation?_elements=code,performer",
            "GET /Observation?_summary=text",
        ],
    );
    refuses(
        CompartmentError::Parameter,
        &[
            "GET /Observation/1?_pretty=true;a=b",
            "GET /Observation/1?_include=*",
        ],
    );
}

#[test]
fn a_search_is_judged_and_names_the_patient_itself_or_is_made_to() {
    for (line, criterion) in [
        ("GET /Observation", Some(("patient", "Patient/p-1"))),
        (
            "GET /Observation?code=a&_count=5",
            Some(("patient", "Patient/p-1")),
        ),
        (
            "GET /Observation?performer=Practitioner/5",
            Some(("patient", "Patient/p-1")),
        ),
        ("GET /Observation?performer=5", Some(("patient", "Patient/p-1"))),
        ("GET /Group", Some(("member", "Patient/p-1"))),
        ("GET /Patient?name=a", Some(("_id", "p-1"))),
        ("GET /Patient/p-1/Patient", Some(("_id", "p-1"))),
        ("GET /Encounter/1/Observation", Some(("patient", "Patient/p-1"))),
        ("GET /Observation?patient=p-1", None),
        ("GET /Observation?patient=Patient%2Fp-1", None),
        ("GET /Observation?subject=Patient/p-1&patient=p-1", None),
        (
            "GET /Observation?subject=https://edge.example/fhir/Patient/p-1",
            None,
        ),
        ("GET /Observation?performer=Patient/p-1", None),
        ("GET /Patient/p-1/Observation?code=a", None),
    ] {
        let found = plan(line).unwrap();
        let criterion = criterion.map(|(name, value)| (name, value.into()));
        assert_eq!(
            found.criterion.map(|criterion| (criterion.name, criterion.value)),
            criterion,
            "{line}"
        );
        assert!(
            matches!(found.task, Task::Answer(Expected::Found(Some(_)))),
            "{line}"
        );
        assert!(!found.strict_search, "{line}");
    }
    assert_eq!(plan("GET /Practitioner?name=a"), Ok(Task::Nothing.into()));
    assert_eq!(
        plan("GET /Patient/p-1/*"),
        Ok(Task::Answer(Expected::Found(None)).into())
    );
}

#[test]
fn a_search_that_names_somebody_else_is_refused() {
    refuses(
        CompartmentError::OtherPatient,
        &[
            "GET /Observation?patient=p-2",
            "GET /Observation?patient=p-1&patient=p-2",
            "GET /Observation?patient=p-1,p-2",
            "GET /Observation?patient=p-1%2Cp-2",
            "GET /Observation?patient=",
            "GET /Observation?patient",
            "GET /Observation?subject=Patient/p-2&patient=p-1",
            "GET /Observation?subject=Group/p-1",
            "GET /Observation?patient:missing=true",
            "GET /Observation?patient:not=p-1",
            "GET /Observation?subject:Patient=p-1",
            "GET /Observation?subject:identifier=a",
            "GET /Observation?Patient=p-1",
            "GET /Observation?PATIENT=p-2&patient=p-1",
            "GET /Observation?performer=Patient/p-2",
            "GET /Observation?performer:Patient=p-2",
            "GET /Observation?Performer=Patient/p-2",
            "GET /Observation?patient=https://other.example/Patient/p-1",
            "GET /Patient?_id=p-2",
            "GET /Patient?_id=p-1,p-2",
            "GET /Patient?_id=Patient/p-1",
            "GET /Patient?_id:not=p-1",
        ],
    );
}

#[test]
fn a_search_that_looks_into_other_records_is_refused() {
    refuses(
        CompartmentError::Parameter,
        &[
            "GET /Observation?subject.name=a",
            "GET /Observation?subject:Patient.name=a",
            "GET /Observation?patient.name=a&patient=p-1",
            "GET /Observation?encounter.patient=p-2",
            "GET /Practitioner?_has:Observation:performer:patient=p-2",
            "GET /Patient?_has:Observation:patient:code=a",
            "GET /Patient?_filter=name%20eq%20a",
            "GET /Observation?_list=1",
            "GET /Observation?_query=a",
            "GET /Observation?_unknown=a",
            "GET /Patient?_ID=p-2&_id=p-1",
            "GET /Observation?_sort=subject.name",
            "GET /Observation?_sort=subject%2Ename",
            "GET /Observation?code=a;patient=p-2",
            "GET /Observation?code=%ff",
            // Its form has not been read.
            "POST /Observation/_search",
        ],
    );
}

#[test]
fn what_a_search_includes_is_judged_entry_by_entry() {
    for line in [
        "GET /Observation?_include=Observation:performer",
        "GET /Observation?_include:iterate=*&patient=p-1",
        "GET /Patient?_revinclude=Observation:subject",
        "GET /Practitioner?_revinclude=Observation:performer",
        "GET /Practitioner?_page_token=a",
        "GET /Observation?_page_token=a",
    ] {
        assert_eq!(
            plan(line).unwrap().task,
            Task::Answer(Expected::Found(None)),
            "{line}"
        );
    }
}

#[test]
fn the_whole_system_is_searched_only_to_turn_a_page() {
    for line in [
        "GET /?_getpages=a&_getpagesoffset=20&_count=20&_format=json&_bundletype=searchset",
        "GET ?_getpages=a",
    ] {
        assert_eq!(
            plan(line),
            Ok(Task::Answer(Expected::Found(None)).into()),
            "{line}"
        );
    }
    refuses(
        CompartmentError::Interaction,
        &[
            "GET /",
            "GET /?_type=Observation",
            "GET /?patient=p-1",
            "GET /?_getpages=a&patient=p-1",
            "GET /?_getpages=a&_include=*",
            "GET /_history",
            "GET /Observation/_history",
            "GET /Practitioner/1/*",
            "DELETE /Observation/1/_history",
            "DELETE /Patient/p-1/_history",
            "POST /",
        ],
    );
}

#[test]
fn where_only_numbers_are_shown_the_server_must_not_pass_over_a_parameter() {
    for line in [
        "GET /Observation?_summary=count",
        "GET /Observation?patient=p-1&_count=0",
        "GET /Observation?_total=accurate",
    ] {
        assert!(plan(line).unwrap().strict_search, "{line}");
    }
}

#[test]
fn of_the_operations_only_everything_of_the_patient_can_be_judged() {
    for line in [
        "GET /Patient/p-1/$everything",
        "GET /Patient/p-1/$everything?start=2020&_count=5",
    ] {
        assert_eq!(
            plan(line),
            Ok(Task::Answer(Expected::Found(None)).into()),
            "{line}"
        );
    }
    refuses(
        CompartmentError::Interaction,
        &[
            "GET /Patient/p-2/$everything",
            "GET /Patient/$everything",
            "GET /$export",
            "POST /Patient/p-1/$purge",
            "GET /Encounter/p-1/$everything",
            "GET /Practitioner/1/$everything",
        ],
    );
}

#[test]
fn a_write_names_what_has_to_be_looked_at() {
    let observation = of_type("Observation");
    for (line, task) in [
        ("POST /Observation", Task::Create(observation)),
        ("PUT /Observation/1", Task::Update(observation, "1".into())),
        ("PATCH /Observation/1", Task::Patch(observation, "1".into())),
        ("DELETE /Observation/1", Task::Delete(observation, "1".into())),
        (
            "PUT /Patient/p-1",
            Task::Update(ResourceType::PATIENT, "p-1".into()),
        ),
    ] {
        assert_eq!(plan(line), Ok(task.into()), "{line}");
    }
    refuses(
        CompartmentError::Shared,
        &[
            "POST /Practitioner",
            "PUT /Organization/1",
            "PATCH /Medication/1",
            "DELETE /Location/1",
            "PUT /Practitioner?name=a",
        ],
    );
    refuses(
        CompartmentError::Conditional,
        &[
            "PUT /Observation?patient=p-1",
            "PATCH /Observation?patient=p-1",
            "DELETE /Observation?patient=p-1",
        ],
    );
    let condition = RawRequest {
        if_none_exist: Some("patient=p-1"),
        ..RawRequest::new("POST", "/Observation")
    };
    assert_eq!(
        PATIENT.plan(&FhirRequest::parse(&condition).unwrap()),
        Err(CompartmentError::Conditional)
    );
}

#[test]
fn a_batch_reads_or_creates_and_changes_nothing() {
    let together = |lines: &[&str]| {
        let lines: Vec<alloc::string::String> = lines.iter().map(|line| (*line).into()).collect();
        let requests: Vec<FhirRequest<'_>> = lines.iter().map(|line| request(line)).collect();
        PATIENT.plan_together(&requests)
    };
    let observation = of_type("Observation");
    assert_eq!(
        together(&[
            "GET /Practitioner/1",
            "GET /Observation/1",
            "GET /Observation?patient=p-1"
        ]),
        Ok(Vec::from([
            BatchEntry::Read(None),
            BatchEntry::Read(Some(Expected::Resource(observation))),
            BatchEntry::Read(Some(Expected::Found(Some(observation)))),
        ]))
    );
    assert_eq!(
        together(&["POST /Observation", "POST /Observation"]),
        Ok(Vec::from([
            BatchEntry::Create(observation),
            BatchEntry::Create(observation)
        ]))
    );
    for (second, reason) in [
        ("POST /Observation", CompartmentError::Mixed),
        ("PUT /Observation/1", CompartmentError::EntryWrites),
        ("PATCH /Observation/1", CompartmentError::EntryWrites),
        ("DELETE /Observation/1", CompartmentError::EntryWrites),
        ("GET /Observation", CompartmentError::EntrySearch),
        (
            "GET /Observation?patient=p-1&_summary=count",
            CompartmentError::EntrySearch,
        ),
        ("GET /Observation?patient=p-2", CompartmentError::OtherPatient),
        ("POST /Observation/_search", CompartmentError::Parameter),
        ("GET /Binary/1", CompartmentError::Type),
    ] {
        assert_eq!(
            together(&["GET /Observation/1", second]),
            Err((1, reason)),
            "{second}"
        );
    }
}
