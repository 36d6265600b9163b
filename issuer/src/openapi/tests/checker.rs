//! Whether a value is as a schema says, for the words of JSON Schema that the description uses. A word that is not known here
//! fails: it would otherwise go unchecked.

use serde_json::{Map, Value};

use crate::openapi::schema::resolved;

/// Everything that is wrong with `value`, each with its place.
pub(super) fn faults(value: &Value, schema: &Value, schemas: &Map<String, Value>) -> Vec<String> {
    let mut faults = Vec::new();
    check(value, schema, schemas, "", &mut faults);
    faults
}

fn check(value: &Value, schema: &Value, schemas: &Map<String, Value>, place: &str, faults: &mut Vec<String>) {
    let schema = resolved(schema, schemas)
        .as_object()
        .expect("a schema is an object");
    for (word, said) in schema {
        match word.as_str() {
            "description" | "examples" | "format" => {}
            "type" => {
                let kinds = said.as_array().map_or_else(|| vec![said.clone()], Clone::clone);
                if !kinds.iter().any(|kind| is_kind(value, kind.as_str().unwrap())) {
                    faults.push(format!("{place}: {value} is no {said}"));
                }
            }
            "enum" => {
                if !said.as_array().unwrap().contains(value) {
                    faults.push(format!("{place}: {value} is none of {said}"));
                }
            }
            "required" => {
                let members = value.as_object();
                for name in said.as_array().unwrap() {
                    let name = name.as_str().unwrap();
                    if members.is_some_and(|members| !members.contains_key(name)) {
                        faults.push(format!("{place}: {name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, member) in said.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(value, member, schemas, &format!("{place}/{name}"), faults);
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(said, false);
                let known = schema["properties"].as_object().unwrap();
                for name in value.as_object().into_iter().flat_map(Map::keys) {
                    if !known.contains_key(name) {
                        faults.push(format!("{place}: {name} is not described"));
                    }
                }
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(value, said, schemas, &format!("{place}/{index}"), faults);
                }
            }
            other => panic!("{other} is not checked here"),
        }
    }
}

fn is_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("{other} is not checked here"),
    }
}

#[test]
fn what_is_wrong_is_found() {
    use crate::openapi::schema::{always, number, object, or_null, sometimes, text, texts};
    use serde_json::json;

    let schema = object(
        "x",
        [
            always("name", or_null(text("x", "x"))),
            sometimes("size", number("x", 1)),
            sometimes("words", texts("x", &[])),
        ],
    );
    let none = Map::new();
    for good in [
        json!({"name": null}),
        json!({"name": "a", "size": 1, "words": ["b"]}),
    ] {
        assert!(faults(&good, &schema, &none).is_empty(), "{good}");
    }
    for bad in [
        json!({}),
        json!([]),
        json!({"name": 1}),
        json!({"name": "a", "other": 1}),
        json!({"name": "a", "size": 1.5}),
        json!({"name": "a", "words": [1]}),
    ] {
        assert_eq!(faults(&bad, &schema, &none).len(), 1, "{bad}");
    }
}
