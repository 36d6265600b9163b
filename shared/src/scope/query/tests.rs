//! Parameters that stay within a type, parameters that reach out, and parameters in disguise.

use super::*;
use std::format;

#[test]
fn lets_parameters_of_the_type_itself_pass() {
    for raw in [
        "",
        "code=http://loinc.org|1234-5&date=ge2020-01-01&_count=10&_sort=-date",
        "name:contains=ann&_id=1,2&_lastUpdated=gt2020",
        "subject:Patient=1&patient=Patient/1&code:in=http://vs.example",
        "_elements=subject,code&_summary=true&_total=none&_format=json&_pretty=true",
        "_tag:not=x&_profile=http://p.example&_security=s&_source=u&_text=t&_content=c&_type=Observation",
        "_format=application/fhir+json;fhirVersion=4.0",
        "identifier=http://a.example/x.y|1.2.3",
        "&&code=1&",
        "code",
        "code=caf%C3%A9",
    ] {
        assert_eq!(Query::parse(raw).unwrap().widening_parameter(), None, "{raw}");
    }
}

#[test]
fn names_the_parameter_that_reaches_out() {
    for (raw, name) in [
        ("code=1&_include=Observation:subject", "_include"),
        ("_include:iterate=Observation:subject", "_include:iterate"),
        ("_revinclude=Provenance:target", "_revinclude"),
        ("_has:Observation:patient:code=1", "_has:Observation:patient:code"),
        ("subject.name=ann", "subject.name"),
        ("subject:Patient.name=ann", "subject:Patient.name"),
        ("_filter=x", "_filter"),
        ("_list=42", "_list"),
        ("_in=42", "_in"),
        ("_query=custom", "_query"),
        ("_contained=true", "_contained"),
        ("_graph=x", "_graph"),
        ("_cascade=delete", "_cascade"),
        ("_method=DELETE", "_method"),
        ("_getpages=abc", "_getpages"),
        ("_tag.x=1", "_tag.x"),
        ("_sort=subject.name", "_sort"),
        ("_sort=subject%2Ename", "_sort"),
    ] {
        assert_eq!(
            Query::parse(raw).unwrap().widening_parameter(),
            Some(name),
            "{raw}"
        );
    }
}

#[test]
fn sees_through_disguises() {
    for (raw, name) in [
        ("%5Finclude=x", "_include"),
        ("_%69nclude=x", "_include"),
        ("%5f%49nclude=x", "_Include"),
        ("_Include=x", "_Include"),
        ("_INCLUDE:iterate=x", "_INCLUDE:iterate"),
        ("subject%2Ename=x", "subject.name"),
        ("subject%3APatient%2ename=x", "subject:Patient.name"),
        ("_format=json;_include=x", "_include"),
        ("a=1;subject.name=x", "subject.name"),
        ("a=1;%20_include=x", "%20_include"),
        ("_include", "_include"),
    ] {
        assert_eq!(
            Query::parse(raw).unwrap().widening_parameter(),
            Some(name),
            "{raw}"
        );
    }
}

#[test]
fn refuses_names_that_a_second_reader_might_read_otherwise() {
    for raw in [
        "%255Finclude=x",
        "%20_include=x",
        "+_include=x",
        "_include+=x",
        "_include%00=x",
        "_include[]=x",
        "a%26b=x",
        "_include%3D=x",
        "%C3%A9=x",
        "%FF=x",
        "a;b=x",
        "a%09=x",
        "a/b=x",
    ] {
        assert_eq!(Query::parse(raw), Err(QueryError::ForbiddenName), "{raw}");
    }
    assert_eq!(Query::parse("=x"), Err(QueryError::EmptyName));
}

#[test]
fn refuses_what_no_uri_query_carries() {
    for raw in ["a=b c", "a=b\0", "a=b\nc", "a=é", "a=b#c", "a=\u{7f}"] {
        assert_eq!(Query::parse(raw), Err(QueryError::ForbiddenByte), "{raw:?}");
    }
    for raw in ["a=%", "a=%4", "a=%zz", "a=%4g", "a=100%"] {
        assert_eq!(Query::parse(raw), Err(QueryError::MalformedEncoding), "{raw}");
    }
}

#[test]
fn caps_length_and_count() {
    assert_eq!(
        Query::parse(&"a".repeat(Query::MAXIMUM_LENGTH + 1)),
        Err(QueryError::TooLong)
    );
    let most = "a=1&".repeat(Query::MAXIMUM_COUNT);
    assert!(Query::parse(&most).is_ok());
    assert_eq!(Query::parse(&format!("{most}a=1")), Err(QueryError::TooMany));
}

#[test]
fn knows_what_chooses_resources() {
    for raw in [
        "identifier=1",
        "_id=1",
        "subject.name=x",
        "_has:Observation:patient:code=1",
        "a=&b=1",
    ] {
        assert!(Query::parse(raw).unwrap().has_criteria(), "{raw}");
    }
    for raw in [
        "",
        "&",
        "_format=json",
        "_count=1",
        "identifier=",
        "identifier",
        "_include=x",
        "_type=Patient",
    ] {
        assert!(!Query::parse(raw).unwrap().has_criteria(), "{raw}");
    }
}
