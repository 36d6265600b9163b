//! `/docs`: the API reference, made from the same description as `/openapi.json` ([`crate::openapi`]).
//!
//! It reads without scripts. Where `documentation.try_it` is on, a script of ours ([`SCRIPT_PATH`]) lets a person sign in by a client
//! of the page's own ([`client`]) and call what is described. The page's policy lets it call this origin and no other, and
//! neither the page nor the script keeps the token.

pub mod client;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value};

use crate::error::page::PageError;
use crate::openapi::schema::{kind, resolved};
use crate::openapi::{self, Answer, Body, Content, Description, Operation, Parameter, Tag, example};
use crate::state::AppState;
use crate::views::documentation::{
    AnswerEntry, BodyEntry, MemberEntry, OperationEntry, ParameterEntry, Part, ReferencePage, SigningIn,
    Span, reference_page,
};

use super::landing;

/// Where the page is.
pub const PATH: &str = "/docs";
/// Where its script is.
pub const SCRIPT_PATH: &str = "/static/reference.js";

const SCRIPT: &str = include_str!("../../templates/reference.js");

/// Shows the page.
pub async fn get(State(state): State<AppState>) -> Result<Response, PageError> {
    let all = openapi::description();
    let parts: Vec<Part> = Tag::ALL.iter().map(|tag| part(*tag, &all)).collect();
    let introduction: Vec<Vec<Span>> = openapi::INTRODUCTION.split("\n\n").map(spans).collect();
    let config = state.config();
    let signing_in = client::is_on(config).then_some(SigningIn {
        client_id: client::ID,
        scope: client::SCOPE,
    });
    Ok(reference_page(&ReferencePage {
        issuer: config.server.public_url.as_str(),
        introduction: &introduction,
        signing_in,
        parts: &parts,
    })?)
}

/// Its script.
pub async fn script() -> Response {
    landing::file("text/javascript; charset=utf-8", SCRIPT)
}

fn part(tag: Tag, all: &Description) -> Part {
    let own = all.operations.iter().filter(|operation| operation.tag == tag);
    Part {
        anchor: tag.as_str().to_lowercase().replace(' ', "-"),
        title: tag.as_str(),
        description: tag.description(),
        operations: own.map(|operation| entry(operation, &all.schemas)).collect(),
    }
}

fn entry(operation: &Operation, schemas: &Map<String, Value>) -> OperationEntry {
    let is_for_browsers = operation
        .answers
        .iter()
        .any(|answer| matches!(answer.content, Content::Page));
    OperationEntry {
        id: operation.id,
        method: operation.method,
        path: operation.path,
        summary: operation.summary,
        note: spans(operation.note),
        access: operation.access.words(),
        parameters: operation
            .parameters
            .iter()
            .map(|parameter| parameter_entry(parameter, schemas))
            .collect(),
        body: operation.body.as_ref().map(|body| body_entry(body, schemas)),
        answers: operation
            .all_answers()
            .map(|answer| answer_entry(&answer, schemas))
            .collect(),
        can_be_tried: !is_for_browsers,
        takes_token: operation.access.takes_token(),
    }
}

fn parameter_entry(parameter: &Parameter, schemas: &Map<String, Value>) -> ParameterEntry {
    ParameterEntry {
        name: parameter.name,
        place: parameter.place.as_str(),
        kind: kind(&parameter.schema, schemas),
        required: parameter.required,
        description: description_of(&parameter.schema),
        example: plain(&example(&parameter.schema, schemas)),
    }
}

fn body_entry(body: &Body, schemas: &Map<String, Value>) -> BodyEntry {
    let media_type = body.media_types.first().copied().unwrap_or_default();
    let schema = resolved(&body.schema, schemas);
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|own| own == name));
    let members = schema.get("properties").and_then(Value::as_object);
    let members = members.into_iter().flatten().map(|(name, member)| MemberEntry {
        kind: kind(member, schemas),
        required: is_required(name),
        description: description_of(member),
        name: name.clone(),
    });
    BodyEntry {
        media_types: body.media_types.join(" or "),
        media_type,
        members: members.collect(),
        examples: body
            .examples
            .iter()
            .map(|(name, value)| (*name, written(value, media_type)))
            .collect(),
    }
}

fn answer_entry(answer: &Answer, schemas: &Map<String, Value>) -> AnswerEntry {
    let (kind, example) = match &answer.content {
        Content::Nothing => ("none", None),
        Content::Json(schema) => ("JSON", Some(format!("{:#}", example(schema, schemas)))),
        Content::Text(media_type) => (*media_type, None),
        Content::Page => ("a page", None),
        Content::OAuthError => ("OAuth error", None),
        Content::Problem => ("problem document", None),
    };
    AnswerEntry {
        status: answer
            .status
            .map_or_else(|| "other".into(), |status| status.to_string()),
        description: answer.description,
        kind,
        example,
    }
}

fn description_of(schema: &Value) -> String {
    let description = schema.get("description").and_then(Value::as_str);
    description.unwrap_or_default().into()
}

/// A value as a person types it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// A body as it is sent: JSON, or a parameter a line.
fn written(body: &Value, media_type: &str) -> String {
    match body.as_object() {
        Some(members) if media_type != "application/json" => {
            let lines = members
                .iter()
                .map(|(name, value)| format!("{name}={}", plain(value)));
            lines.collect::<Vec<_>>().join("\n")
        }
        Some(_) | None => format!("{body:#}"),
    }
}

/// A text whose code stands between backticks, in pieces.
fn spans(text: &str) -> Vec<Span> {
    let pieces = text.split('`').enumerate().map(|(index, text)| Span {
        is_code: index % 2 == 1,
        text: text.into(),
    });
    pieces.filter(|span| !span.text.is_empty()).collect()
}

#[cfg(test)]
mod tests;
