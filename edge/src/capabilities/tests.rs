use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SmartEndpoints, with_security};

const UPSTREAM: &str = "http://fhir.internal:8080/r4";
const RESOURCE: &str = "https://edge.example/fhir";

fn endpoints() -> SmartEndpoints {
    SmartEndpoints::of_document(
        r#"{"authorization_endpoint":"https://issuer.example/authorize","token_endpoint":"https://issuer.example/token",
            "revocation_endpoint":"https://issuer.example/revoke","capabilities":["client-public"]}"#,
    )
}

fn written(statement: &str) -> Option<Value> {
    let text = with_security(statement.as_bytes(), &endpoints(), UPSTREAM, RESOURCE)?;
    Some(serde_json::from_str(&text).unwrap())
}

fn own_extension() -> Value {
    json!({
        "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
        "extension": [
            { "url": "authorize", "valueUri": "https://issuer.example/authorize" },
            { "url": "token", "valueUri": "https://issuer.example/token" },
            { "url": "revoke", "valueUri": "https://issuer.example/revoke" },
        ]
    })
}

fn own_service() -> Value {
    json!({
        "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"
        }]
    })
}

// SMART-06
#[test]
fn writes_the_issuers_addresses_and_the_code_of_the_service() {
    let statement = r#"{"resourceType":"CapabilityStatement","rest":[{"mode":"server","resource":[]}]}"#;
    assert_eq!(
        written(statement).unwrap(),
        json!({
            "resourceType": "CapabilityStatement",
            "rest": [{
                "mode": "server",
                "resource": [],
                "security": { "extension": [own_extension()], "service": [own_service()] }
            }]
        })
    );
}

// SMART-07
#[test]
fn all_six_addresses_are_those_of_the_smart_configuration() {
    let document = json!({
        "authorization_endpoint": "https://i.example/a", "token_endpoint": "https://i.example/t",
        "introspection_endpoint": "https://i.example/i", "management_endpoint": "https://i.example/m",
        "registration_endpoint": "https://i.example/r", "revocation_endpoint": "https://i.example/v",
    });
    let endpoints = SmartEndpoints::of_document(&document.to_string());
    let statement = br#"{"resourceType":"CapabilityStatement","rest":[{"mode":"server"}]}"#;
    let text = with_security(statement, &endpoints, UPSTREAM, RESOURCE).unwrap();
    let written: Value = serde_json::from_str(&text).unwrap();
    let extension = &written["rest"][0]["security"]["extension"][0]["extension"];
    for (position, (name, member)) in [
        ("authorize", "authorization_endpoint"),
        ("token", "token_endpoint"),
        ("introspect", "introspection_endpoint"),
        ("manage", "management_endpoint"),
        ("register", "registration_endpoint"),
        ("revoke", "revocation_endpoint"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(
            extension[position],
            json!({ "url": name, "valueUri": document[member] }),
            "{name}"
        );
    }
}

#[test]
fn what_the_fhir_server_says_of_its_own_authorization_server_gives_way() {
    let statement = json!({
        "resourceType": "CapabilityStatement",
        "rest": [{
            "mode": "server",
            "security": {
                "cors": true,
                "extension": [
                    { "url": "http://example.org/other", "valueString": "kept" },
                    {
                        "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                        "extension": [{ "url": "token", "valueUri": "https://elsewhere.example/token" }]
                    },
                ],
                "service": [{ "coding": [{ "code": "SMART-on-FHIR" }], "text": "its own words" }],
                "description": "kept",
            }
        }, { "mode": "client", "security": { "cors": false } }]
    });
    let written = written(&statement.to_string()).unwrap();
    assert_eq!(
        written["rest"],
        json!([{
            "mode": "server",
            "security": {
                "cors": true,
                "extension": [{ "url": "http://example.org/other", "valueString": "kept" }, own_extension()],
                "service": [{ "coding": [{ "code": "SMART-on-FHIR" }], "text": "its own words" }],
                "description": "kept",
            }
        }, { "mode": "client", "security": { "cors": false } }])
    );
}

#[test]
fn without_the_issuers_document_nobodys_addresses_are_shown() {
    let statement = json!({
        "resourceType": "CapabilityStatement",
        "rest": [{ "mode": "server", "security": { "extension": [own_extension()] } }]
    });
    let text = with_security(
        statement.to_string().as_bytes(),
        &SmartEndpoints::default(),
        UPSTREAM,
        RESOURCE,
    )
    .unwrap();
    let written: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        written["rest"][0]["security"],
        json!({ "service": [own_service()] })
    );
}

#[test]
fn a_statement_without_a_server_gets_one() {
    let statement = r#"{"resourceType":"CapabilityStatement","status":"active"}"#;
    let written = written(statement).unwrap();
    assert_eq!(written["rest"][0]["mode"], "server");
    assert_eq!(
        written["rest"][0]["security"]["extension"],
        json!([own_extension()])
    );
}

#[test]
fn the_rest_keeps_its_order_and_its_bytes() {
    let statement = r#"{"z":1.50,"resourceType":"CapabilityStatement","big":123456789012345678901234567890,
        "rest":[{"mode":"server"}],"a":"\u00e9\/"}"#;
    let text = with_security(statement.as_bytes(), &endpoints(), UPSTREAM, RESOURCE).unwrap();
    assert!(text.starts_with(
        r#"{"z":1.50,"resourceType":"CapabilityStatement","big":123456789012345678901234567890,"rest":["#
    ));
    assert!(text.ends_with(r#"],"a":"\u00e9\/"}"#), "{text}");
}

#[test]
fn the_base_of_the_fhir_server_gives_way_to_that_of_this_worker() {
    for (url, expected) in [
        (UPSTREAM, RESOURCE.to_owned()),
        ("http://fhir.internal:8080/r4/", format!("{RESOURCE}/")),
        (
            "http://fhir.internal:8080/r4b",
            "http://fhir.internal:8080/r4b".to_owned(),
        ),
        ("https://other.example", "https://other.example".to_owned()),
    ] {
        let statement = json!({
            "resourceType": "CapabilityStatement", "implementation": { "description": "d", "url": url }
        });
        assert_eq!(
            written(&statement.to_string()).unwrap()["implementation"],
            json!({ "description": "d", "url": expected })
        );
    }
}

#[test]
fn what_is_no_statement_is_left_alone() {
    for document in [
        r#"{"resourceType":"TerminologyCapabilities","rest":[]}"#,
        r#"{"resourceType":"CapabilityStatement","rest":{}}"#,
        r#"{"resourceType":"CapabilityStatement","rest":[1]}"#,
        r#"{"resourceType":7}"#,
        "[]",
        "<CapabilityStatement/>",
        "{",
        "",
    ] {
        assert_eq!(written(document), None, "{document}");
    }
}

proptest! {
    #[test]
    fn whatever_the_fhir_server_answers_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = with_security(&bytes, &endpoints(), UPSTREAM, RESOURCE);
    }

    #[test]
    fn what_is_written_is_json_again(security in "\\PC{0,40}", other in "\\PC{0,40}") {
        let statement = json!({
            "resourceType": "CapabilityStatement", other: 1, "rest": [{ "mode": "server", "security": { security: [] } }]
        });
        if statement["resourceType"] == "CapabilityStatement" && statement["rest"].is_array() {
            prop_assert!(written(&statement.to_string()).is_some());
        }
    }
}
