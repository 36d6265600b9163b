//! JSON Schema (2020-12, as OpenAPI 3.1 has it) in few words. Every value comes with an example, of which the examples of
//! bodies and answers are made.

use serde_json::{Map, Value, json};

/// A member of an object.
#[derive(Debug)]
pub struct Member {
    name: &'static str,
    schema: Value,
    required: bool,
}

impl Member {
    /// Its name, its schema, and whether it is always there.
    pub fn into_parts(self) -> (&'static str, Value, bool) {
        (self.name, self.schema, self.required)
    }
}

/// A member that is always there.
pub fn always(name: &'static str, schema: Value) -> Member {
    Member {
        name,
        schema,
        required: true,
    }
}

/// A member that may be missing.
pub fn sometimes(name: &'static str, schema: Value) -> Member {
    Member {
        name,
        schema,
        required: false,
    }
}

/// A text.
pub fn text(description: &str, example: &str) -> Value {
    json!({ "type": "string", "description": description, "examples": [example] })
}

/// An instant, as RFC 3339 writes it.
pub fn instant(description: &str) -> Value {
    json!({
        "type": "string", "format": "date-time", "description": description, "examples": ["2027-01-15T08:00:00Z"],
    })
}

/// One of a few texts, of which the first is the example.
pub fn choice(description: &str, values: &[&str]) -> Value {
    json!({
        "type": "string", "enum": values, "description": description,
        "examples": values.first().into_iter().collect::<Vec<_>>(),
    })
}

/// True or false.
pub fn flag(description: &str, example: bool) -> Value {
    json!({ "type": "boolean", "description": description, "examples": [example] })
}

/// A whole number.
pub fn number(description: &str, example: i64) -> Value {
    json!({ "type": "integer", "description": description, "examples": [example] })
}

/// A list of texts.
pub fn texts(description: &str, example: &[&str]) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": description, "examples": [example] })
}

/// A list.
pub fn list_of(description: &str, items: Value) -> Value {
    let mut members = Map::new();
    members.insert("type".into(), "array".into());
    members.insert("items".into(), items);
    members.insert("description".into(), description.into());
    members.into()
}

/// Anything at all, where another specification says what.
pub fn anything(description: &str) -> Value {
    json!({ "description": description })
}

/// The same, or `null`.
pub fn or_null(mut schema: Value) -> Value {
    if let Some(members) = schema.as_object_mut() {
        if let Some(kind) = members.remove("type") {
            members.insert("type".into(), json!([kind, "null"]));
        }
        if let Some(values) = members.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
    }
    schema
}

/// An object that has these members and no others.
pub fn object(description: &str, members: impl IntoIterator<Item = Member>) -> Value {
    let mut schema = open_object(description, members);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("additionalProperties".into(), false.into());
    }
    schema
}

/// An object that may have others too.
pub fn open_object(description: &str, members: impl IntoIterator<Item = Member>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for member in members {
        if member.required {
            required.push(member.name);
        }
        properties.insert(member.name.into(), member.schema);
    }
    json!({ "type": "object", "description": description, "properties": properties, "required": required })
}

/// A schema that is named.
pub fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// A page of a list of a named schema.
pub fn page_of(name: &str) -> Value {
    let page = object(
        "Where the list goes on",
        [
            always(
                "next",
                or_null(text(
                    "The value of page[after] for the next page; null on the last one",
                    "MTgwMDAwMDAwMDo0Mg",
                )),
            ),
            always("size", number("How many entries were asked for", 50)),
        ],
    );
    object(
        "A page of a list",
        [
            always("data", list_of("The entries", named(name))),
            always("page", page),
        ],
    )
}

/// What `schema` stands for: itself, or the one that it names.
pub fn resolved<'a>(schema: &'a Value, schemas: &'a Map<String, Value>) -> &'a Value {
    let name = schema.get("$ref").and_then(Value::as_str);
    let name = name.and_then(|name| name.rsplit('/').next());
    name.and_then(|name| schemas.get(name)).unwrap_or(schema)
}

/// What kind of value `schema` describes, in words for people.
pub fn kind(schema: &Value, schemas: &Map<String, Value>) -> String {
    let schema = resolved(schema, schemas);
    let word = |kind: &Value| match kind.as_str() {
        Some("string") => "text",
        Some("integer") => "whole number",
        Some("boolean") => "true or false",
        Some("array") => "list",
        Some("object") => "object",
        Some("null") => "null",
        Some(_) | None => "anything",
    };
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values: Vec<&str> = values
            .iter()
            .map(|value| value.as_str().unwrap_or("null"))
            .collect();
        return values.join(" or ");
    }
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().map(word).collect::<Vec<_>>().join(" or "),
        Some(kind) if kind == "array" => match schema.get("items").map(|items| resolved(items, schemas)) {
            Some(items) if items.get("type") == Some(&json!("string")) => "list of texts".into(),
            Some(_) | None => "list of objects".into(),
        },
        Some(kind) => word(kind).into(),
        None => "anything".into(),
    }
}
