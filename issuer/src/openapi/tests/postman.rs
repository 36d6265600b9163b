//! The Postman collection asks for what there is, and for something of every part.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::openapi::{Operation, Tag, description};

const COLLECTION: &str = include_str!("../../../../docs/postman/wardgate.postman_collection.json");

/// Every request of the folders below `item`.
fn requests<'a>(item: &'a Value, found: &mut Vec<&'a Value>) {
    for inner in item["item"].as_array().into_iter().flatten() {
        requests(inner, found);
    }
    if item.get("request").is_some() {
        found.push(item);
    }
}

/// Whether a request for `path` reaches `operation`; a variable stands for a segment.
fn reaches(operation: &Operation, method: &str, path: &str) -> bool {
    let (own, asked): (Vec<&str>, Vec<&str>) =
        (operation.path.split('/').collect(), path.split('/').collect());
    let fits = |(own, asked): (&&str, &&str)| own == asked || own.starts_with('{');
    operation.method == method && own.len() == asked.len() && own.iter().zip(&asked).all(fits)
}

#[test]
fn every_request_asserts_its_answer_and_every_part_of_the_api_is_asked() {
    let collection: Value = serde_json::from_str(COLLECTION).unwrap();
    let mut found = Vec::new();
    requests(&collection, &mut found);
    assert!(found.len() > 50);
    let all = description();
    let mut parts = BTreeSet::new();
    for item in found {
        let (name, request) = (&item["name"], &item["request"]);
        let asserts = item["event"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|event| event["listen"] == "test" && event["script"].to_string().contains("pm.test"));
        assert!(asserts, "{name} asserts nothing");
        let url = &request["url"];
        let raw = url["raw"].as_str().or(url.as_str()).unwrap();
        let path = raw.split('?').next().unwrap();
        let Some(path) = path
            .strip_prefix("{{issuer}}")
            .filter(|path| path.starts_with('/'))
        else {
            // At the edge, or wherever a page leads.
            continue;
        };
        let method = request["method"].as_str().unwrap();
        let operation = all
            .operations
            .iter()
            .find(|operation| reaches(operation, method, path));
        let operation = operation.unwrap_or_else(|| panic!("{name}: nothing answers {method} {path}"));
        parts.insert(operation.tag.as_str());
    }
    let every: BTreeSet<&str> = Tag::ALL.iter().map(|tag| tag.as_str()).collect();
    assert_eq!(parts, every);
}
