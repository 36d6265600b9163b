//! The example of a schema: what its parts give as theirs, put together.

use serde_json::{Map, Value, json};

use super::schema::resolved;

/// The deepest that schemas are looked into.
const DEEPEST: usize = 8;

/// An example of `schema`; `null` where nothing is said of it.
pub fn example(schema: &Value, schemas: &Map<String, Value>) -> Value {
    of(schema, schemas, DEEPEST)
}

fn of(schema: &Value, schemas: &Map<String, Value>, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else {
        return Value::Null;
    };
    let schema = resolved(schema, schemas);
    if let Some(first) = schema.pointer("/examples/0") {
        return first.clone();
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let members = properties
            .iter()
            .map(|(name, member)| (name.clone(), of(member, schemas, depth)))
            .filter(|(_, value)| !value.is_null());
        return Value::Object(members.collect());
    }
    match schema.get("items") {
        Some(items) => json!([of(items, schemas, depth)]),
        None => Value::Null,
    }
}
