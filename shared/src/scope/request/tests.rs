//! How method, path, query, condition and form come together.

use super::*;

fn raw(method: &'static str, path: &'static str) -> RawRequest<'static> {
    RawRequest::new(method, path)
}

#[test]
fn names_the_part_that_is_wrong() {
    assert_eq!(
        FhirRequest::parse(&raw("FOO", "/Patient")),
        Err(RequestError::Method(MethodError::Unknown))
    );
    assert_eq!(
        FhirRequest::parse(&raw("GET", "/patient")),
        Err(PathError::UnknownResourceType.into())
    );
    let query = RawRequest {
        query: Some("a=%"),
        ..raw("GET", "/Patient")
    };
    assert_eq!(
        FhirRequest::parse(&query),
        Err(RequestError::Query(QueryError::MalformedEncoding))
    );
    let condition = RawRequest {
        if_none_exist: Some("?a=b"),
        ..raw("POST", "/Patient")
    };
    assert_eq!(
        FhirRequest::parse(&condition),
        Err(RequestError::IfNoneExist(QueryError::ForbiddenName))
    );
    let form = RawRequest {
        search_form: Some("a b=1"),
        ..raw("POST", "/Patient/_search")
    };
    assert_eq!(
        FhirRequest::parse(&form),
        Err(RequestError::SearchForm(QueryError::ForbiddenByte))
    );
}

#[test]
fn refuses_conditional_writes_without_criteria() {
    for method in ["PUT", "PATCH", "DELETE"] {
        for query in [
            None,
            Some(""),
            Some("_format=json"),
            Some("identifier="),
            Some("_type=Patient"),
        ] {
            let request = RawRequest {
                query,
                ..raw(method, "/Patient")
            };
            assert_eq!(
                FhirRequest::parse(&request),
                Err(RequestError::MissingCriteria),
                "{method} {query:?}"
            );
        }
        let request = RawRequest {
            query: Some("identifier=1"),
            ..raw(method, "/Patient")
        };
        assert!(FhirRequest::parse(&request).is_ok(), "{method}");
    }
    for condition in ["", "_format=json"] {
        let request = RawRequest {
            if_none_exist: Some(condition),
            ..raw("POST", "/Patient")
        };
        assert_eq!(
            FhirRequest::parse(&request),
            Err(RequestError::MissingCriteria),
            "{condition}"
        );
    }
}

#[test]
fn looks_into_condition_and_form_for_parameters_that_reach_out() {
    let condition = RawRequest {
        if_none_exist: Some("subject.name=x"),
        ..raw("POST", "/Observation")
    };
    assert_eq!(
        FhirRequest::parse(&condition).unwrap().widening_parameter(),
        Some("subject.name")
    );
    let form = RawRequest {
        search_form: Some("_include=*"),
        ..raw("POST", "/Observation/_search")
    };
    assert_eq!(
        FhirRequest::parse(&form).unwrap().widening_parameter(),
        Some("_include")
    );
}

#[test]
fn knows_when_a_search_form_was_not_given() {
    for path in [
        "/_search",
        "/Patient/_search",
        "/Patient/1/_search",
        "/Patient/1/Observation/_search",
    ] {
        let unseen = raw("POST", path);
        assert!(FhirRequest::parse(&unseen).unwrap().has_unseen_form(), "{path}");
        let seen = RawRequest {
            search_form: Some(""),
            ..unseen
        };
        assert!(!FhirRequest::parse(&seen).unwrap().has_unseen_form(), "{path}");
    }
    assert!(
        !FhirRequest::parse(&raw("GET", "/Patient"))
            .unwrap()
            .has_unseen_form()
    );
    assert!(
        !FhirRequest::parse(&raw("POST", "/Patient"))
            .unwrap()
            .has_unseen_form()
    );
}

#[test]
fn ignores_a_condition_where_fhir_has_none() {
    let request = RawRequest {
        if_none_exist: Some("a=b"),
        ..raw("GET", "/Patient/1")
    };
    let request = FhirRequest::parse(&request).unwrap();
    assert_eq!(
        *request.interaction(),
        Interaction::Read {
            resource_type: crate::scope::ResourceType::PATIENT,
            id: "1"
        }
    );
}
