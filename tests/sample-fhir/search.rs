//! Type search: `_id`, `patient`, `subject`, `code`, `category`, `name`, `birthdate`, `identifier`, `_count`, and `_offset` for
//! the next page.
//!
//! Several values of one parameter, separated by commas, are alternatives; several parameters must all hold. Unknown
//! parameters are passed over, as FHIR lets a server do, and are left out of the `self` link.

use serde_json::{Value, json};

/// Entries on a page when the client does not say.
const DEFAULT_COUNT: usize = 50;
const LARGEST_COUNT: usize = 200;

/// The search bundle for `resources` of type `kind`. `base` is the FHIR base as clients see it.
pub(crate) fn bundle<'a>(
    base: &str,
    kind: &str,
    parameters: &[(String, String)],
    resources: impl Iterator<Item = &'a Value>,
) -> Value {
    let number = |name: &str| {
        parameters
            .iter()
            .find(|(key, _)| key == name)
            .and_then(|(_, value)| value.parse::<usize>().ok())
    };
    let count = number("_count").unwrap_or(DEFAULT_COUNT).min(LARGEST_COUNT);
    let offset = number("_offset").unwrap_or(0);
    let filters: Vec<&(String, String)> = parameters.iter().filter(|(name, _)| is_filter(name)).collect();
    let found: Vec<&Value> = resources
        .filter(|resource| filters.iter().all(|(name, value)| matches(resource, name, value)))
        .collect();
    let entries: Vec<Value> = found
        .iter()
        .skip(offset)
        .take(count)
        .map(|resource| {
            let id = resource.get("id").and_then(Value::as_str).unwrap_or_default();
            json!({ "fullUrl": format!("{base}/{kind}/{id}"), "resource": resource, "search": { "mode": "match" } })
        })
        .collect();
    let page = |offset: usize| {
        let mut query: Vec<String> = filters
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        query.push(format!("_count={count}"));
        if offset > 0 {
            query.push(format!("_offset={offset}"));
        }
        format!("{base}/{kind}?{}", query.join("&"))
    };
    let mut links = vec![json!({ "relation": "self", "url": page(offset) })];
    if count > 0 && offset + count < found.len() {
        links.push(json!({ "relation": "next", "url": page(offset + count) }));
    }
    json!({ "resourceType": "Bundle", "type": "searchset", "total": found.len(), "link": links, "entry": entries })
}

fn is_filter(name: &str) -> bool {
    matches!(
        name,
        "_id" | "patient" | "subject" | "code" | "category" | "name" | "birthdate" | "identifier"
    )
}

fn matches(resource: &Value, name: &str, value: &str) -> bool {
    value.split(',').any(|value| match name {
        "_id" => resource.get("id").and_then(Value::as_str) == Some(value),
        "patient" | "subject" => ["subject", "patient"].iter().any(|member| {
            let reference = resource
                .pointer(&format!("/{member}/reference"))
                .and_then(Value::as_str);
            reference.is_some_and(|reference| {
                reference == value || reference.strip_prefix("Patient/") == Some(value)
            })
        }),
        "name" => names(resource).any(|part| part.to_lowercase().starts_with(&value.to_lowercase())),
        // A year or a month stands for all its days.
        "birthdate" => {
            let date = resource.get("birthDate").and_then(Value::as_str);
            date.is_some_and(|date| date.starts_with(value))
        }
        "identifier" => {
            let wanted = value.split_once('|').map_or(value, |(_, wanted)| wanted);
            let mut identifiers = resource
                .get("identifier")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            identifiers.any(|identifier| identifier.get("value").and_then(Value::as_str) == Some(wanted))
        }
        _ => codings(resource.get(name)).any(|coding| is_token(coding, value)),
    })
}

/// The parts of all names.
fn names(resource: &Value) -> impl Iterator<Item = &str> {
    let names = resource
        .get("name")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    names.flat_map(|name| {
        let given = name.get("given").and_then(Value::as_array).into_iter().flatten();
        given.chain(name.get("family")).filter_map(Value::as_str)
    })
}

/// The codings of a CodeableConcept, or of a list of them.
fn codings(concepts: Option<&Value>) -> impl Iterator<Item = &Value> {
    let concepts: Vec<&Value> = match concepts {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    concepts
        .into_iter()
        .filter_map(|concept| concept.get("coding")?.as_array())
        .flatten()
}

/// FHIR's token: `code`, `system|code`, `|code` (no system) or `system|` (any code).
fn is_token(coding: &Value, token: &str) -> bool {
    let member = |name: &str| coding.get(name).and_then(Value::as_str);
    match token.split_once('|') {
        None => member("code") == Some(token),
        Some(("", code)) => member("system").is_none() && member("code") == Some(code),
        Some((system, "")) => member("system") == Some(system),
        Some((system, code)) => member("system") == Some(system) && member("code") == Some(code),
    }
}

/// Percent-encodes what would end or change a query.
fn encode(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b',' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::bundle;
    use crate::resources;

    fn found(kind: &str, parameters: &[(&str, &str)]) -> Vec<String> {
        let answer = search(kind, parameters);
        let entries = answer["entry"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned())
            .collect()
    }

    fn search(kind: &str, parameters: &[(&str, &str)]) -> Value {
        let parameters: Vec<(String, String)> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let all = resources::all();
        let of_kind = all.iter().filter(|resource| resource["resourceType"] == kind);
        bundle("http://edge/fhir", kind, &parameters, of_kind)
    }

    #[test]
    fn patient_takes_an_id_or_a_reference() {
        let by_id = found("Observation", &[("patient", "patient-11111")]);
        assert!(!by_id.is_empty());
        assert_eq!(
            by_id,
            found("Observation", &[("subject", "Patient/patient-11111")])
        );
        assert!(found("Observation", &[("patient", "patient-1")]).is_empty());
    }

    #[test]
    fn parameters_narrow_and_commas_widen() {
        let heart_rates = found("Observation", &[("code", "8867-4")]);
        let of_one = found(
            "Observation",
            &[("code", "http://loinc.org|8867-4"), ("patient", "patient-11111")],
        );
        assert!(of_one.len() < heart_rates.len());
        assert_eq!(
            found("Patient", &[("_id", "patient-11111,patient-22222")]).len(),
            2
        );
        assert!(
            found("Observation", &[("code", "|8867-4")]).is_empty(),
            "this code has a system"
        );
        assert!(!found("Observation", &[("category", "laboratory")]).is_empty());
    }

    #[test]
    fn pages_follow_one_another_to_the_end() {
        let all = found("Observation", &[]);
        let first = search("Observation", &[("_count", "2")]);
        assert_eq!(first["total"], json!(all.len()));
        assert_eq!(
            first["link"][1]["url"],
            "http://edge/fhir/Observation?_count=2&_offset=2"
        );
        let rest = search("Observation", &[("_count", "100"), ("_offset", "2")]);
        assert_eq!(rest["entry"].as_array().unwrap().len(), all.len() - 2);
        assert_eq!(rest["link"].as_array().unwrap().len(), 1, "there is no next page");
    }
}
