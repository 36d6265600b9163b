//! FHIR's RESTful interactions, each a handler, and the table of their routes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    body::Bytes,
    extract::{Form, Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{
    answer::{Refusal, json_body, resource},
    resources::{self, KINDS},
    search,
    store::Store,
};

/// The headers in which the edge says who calls.
const IDENTITY_HEADERS: &str = "x-wardgate-";

type Answer = Result<Response, Refusal>;
type Parameters = Vec<(String, String)>;

#[derive(Clone, Debug)]
struct Api {
    base: Arc<str>,
    store: Arc<Mutex<Store>>,
}

impl Api {
    /// The store; a handler that died in the middle of a write has not harmed it, as writes are single calls.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn address(&self, kind: &str, stored: &Value) -> String {
        let text = |pointer: &str| {
            stored
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        format!(
            "{}/{kind}/{}/_history/{}",
            self.base,
            text("/id"),
            text("/meta/versionId")
        )
    }
}

/// All routes. `base` is the FHIR base as clients see it.
pub(crate) fn router(base: String) -> Router {
    let api = Api {
        base: base.into(),
        store: Arc::new(Mutex::new(Store::with(resources::all()))),
    };
    Router::new()
        .route("/fhir/metadata", get(metadata))
        .route("/fhir/{kind}", get(search_by_query).post(create))
        .route("/fhir/{kind}/_search", post(search_by_form))
        .route(
            "/fhir/{kind}/{id}",
            get(read).put(update).patch(patch).delete(delete),
        )
        .route("/fhir/{kind}/{id}/_history", get(history))
        .route("/fhir/{kind}/{id}/_history/{version}", get(version))
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn(log))
        .with_state(api)
}

/// One line a request: what was asked, what came of it, and who the edge says asked.
async fn log(request: Request, next: Next) -> Response {
    let mut line = format!("{} {}", request.method(), request.uri());
    let identity: Vec<String> = request
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str().starts_with(IDENTITY_HEADERS))
        .map(|(name, value)| format!("{name}={:?}", value.to_str().unwrap_or("(not text)")))
        .collect();
    let response = next.run(request).await;
    line = format!("{line} {} {}", response.status().as_u16(), identity.join(" "));
    println!("{}", line.trim_end());
    response
}

async fn metadata(State(api): State<Api>) -> Response {
    json_body(StatusCode::OK, &resources::capabilities(&api.base))
}

async fn search_by_query(
    State(api): State<Api>,
    Path(kind): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Answer {
    run_search(&api, &kind, &parameters)
}

async fn search_by_form(
    State(api): State<Api>,
    Path(kind): Path<String>,
    Query(mut parameters): Query<Parameters>,
    Form(form): Form<Parameters>,
) -> Answer {
    parameters.extend(form);
    run_search(&api, &kind, &parameters)
}

fn run_search(api: &Api, kind: &str, parameters: &[(String, String)]) -> Answer {
    known(kind)?;
    Ok(json_body(
        StatusCode::OK,
        &search::bundle(&api.base, kind, parameters, api.store().all(kind)),
    ))
}

async fn read(State(api): State<Api>, Path((kind, id)): Path<(String, String)>) -> Answer {
    known(&kind)?;
    Ok(resource(StatusCode::OK, api.store().read(&kind, &id)?, None))
}

async fn version(
    State(api): State<Api>,
    Path((kind, id, version)): Path<(String, String, String)>,
) -> Answer {
    known(&kind)?;
    Ok(resource(
        StatusCode::OK,
        api.store().version(&kind, &id, &version)?,
        None,
    ))
}

async fn history(State(api): State<Api>, Path((kind, id)): Path<(String, String)>) -> Answer {
    known(&kind)?;
    let store = api.store();
    let versions = store.history(&kind, &id)?;
    let entries: Vec<Value> = versions
        .iter()
        .enumerate()
        .rev()
        .map(|(index, state)| {
            let method = match (index, state) {
                (_, None) => "DELETE",
                (0, Some(_)) => "POST",
                (_, Some(_)) => "PUT",
            };
            let mut entry = json!({
                "fullUrl": format!("{}/{kind}/{id}", api.base),
                "request": { "method": method, "url": format!("{kind}/{id}") },
                "response": { "status": "200", "etag": crate::answer::etag(&(index + 1).to_string()) },
            });
            if let Some(state) = state {
                entry["resource"] = state.clone();
            }
            entry
        })
        .collect();
    let bundle = json!({
        "resourceType": "Bundle",
        "type": "history",
        "total": entries.len(),
        "link": [{ "relation": "self", "url": format!("{}/{kind}/{id}/_history", api.base) }],
        "entry": entries,
    });
    Ok(json_body(StatusCode::OK, &bundle))
}

async fn create(State(api): State<Api>, Path(kind): Path<String>, headers: HeaderMap, body: Bytes) -> Answer {
    known(&kind)?;
    let body = parse(&headers, &body)?;
    of_kind(&body, &kind)?;
    let stored = api.store().create(&kind, body);
    Ok(resource(
        StatusCode::CREATED,
        &stored,
        Some(&api.address(&kind, &stored)),
    ))
}

async fn update(
    State(api): State<Api>,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    known(&kind)?;
    let body = parse(&headers, &body)?;
    of_kind(&body, &kind)?;
    if body.get("id").and_then(Value::as_str) != Some(&id) {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "invalid",
            "the resource's id is not that of the path",
        ));
    }
    let (stored, first) = api.store().update(&kind, &id, body, if_match(&headers))?;
    let location = first.then(|| api.address(&kind, &stored));
    let status = if first {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(resource(status, &stored, location.as_deref()))
}

/// JSON Merge Patch (RFC 7396).
async fn patch(
    State(api): State<Api>,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    known(&kind)?;
    if media_type(&headers) != "application/merge-patch+json" {
        return Err(unsupported("application/merge-patch+json"));
    }
    let change: Value = serde_json::from_slice(&body).map_err(|error| bad_json(&error))?;
    let mut store = api.store();
    let mut patched = store.read(&kind, &id)?.clone();
    merge(&mut patched, &change);
    of_kind(&patched, &kind)?;
    let (stored, _) = store.update(&kind, &id, patched, if_match(&headers))?;
    Ok(resource(StatusCode::OK, &stored, None))
}

fn merge(target: &mut Value, change: &Value) {
    let Some(changes) = change.as_object() else {
        *target = change.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Some(members) = target.as_object_mut() {
        for (name, value) in changes {
            if value.is_null() {
                members.remove(name);
            } else {
                merge(members.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

async fn delete(State(api): State<Api>, Path((kind, id)): Path<(String, String)>) -> Answer {
    known(&kind)?;
    api.store().delete(&kind, &id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn unknown() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "not-supported",
        "this API has no such interaction",
    )
}

async fn not_allowed() -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "not-supported",
        "this interaction does not exist here",
    )
}

fn known(kind: &str) -> Result<(), Refusal> {
    if KINDS.contains(&kind) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::NOT_FOUND,
        "not-supported",
        "this API has no resources of that type",
    ))
}

fn of_kind(body: &Value, kind: &str) -> Result<(), Refusal> {
    if body.get("resourceType").and_then(Value::as_str) == Some(kind) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "invalid",
        format!("the body is not a resource of type {kind}"),
    ))
}

fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    if !matches!(media_type(headers), "application/fhir+json" | "application/json") {
        return Err(unsupported("application/fhir+json"));
    }
    serde_json::from_slice(body).map_err(|error| bad_json(&error))
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

fn if_match(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::IF_MATCH)
        .and_then(|value| value.to_str().ok())
}

fn unsupported(wanted: &str) -> Refusal {
    Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-supported",
        format!("send {wanted}"),
    )
}

fn bad_json(error: &serde_json::Error) -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "structure",
        format!("the body is not JSON: {error}"),
    )
}

#[cfg(test)]
mod tests;
