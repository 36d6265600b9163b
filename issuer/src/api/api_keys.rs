//! `/v1/api-keys`: credentials of integrations that act for themselves. Members are spelled as the headers of a request are:
//! `api_key`, `api_secret`. A secret is in the answer that makes it, and in no other.

mod description;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use crate::administration::api_keys::{self as service, ApiKeyError, NewApiKey};
use crate::administration::{AdministrationError, FieldFault};
use crate::domain::api_key::ApiKey;
use crate::domain::instant;
use crate::domain::page::{Cursor, Page};
use crate::state::AppState;

use super::answer;
use super::audit_events::INSTANT;
use super::body::Members;
use super::call::{ApiError, Call};
use super::path_id;
use super::query::ListQuery;

pub use description::describe;

/// Where the list is.
pub const PATH: &str = "/v1/api-keys";

/// A key, and its secret where it was made just now.
#[derive(Serialize)]
struct ApiKeyDocument {
    id: String,
    api_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_secret: Option<String>,
    name: String,
    scopes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out_scopes: Vec<String>,
    state: &'static str,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    previous_secret_until: Option<String>,
}

impl ApiKeyDocument {
    fn of(key: ApiKey, now: Timestamp) -> Self {
        let previous = key.previous.filter(|previous| now < previous.until);
        Self {
            state: key.state(now).as_str(),
            id: key.id,
            api_key: key.key,
            api_secret: None,
            name: key.name,
            scopes: texts(&key.scope),
            left_out_scopes: Vec::new(),
            created_at: instant::rfc3339(key.created_at),
            expires_at: key.expires_at.map(instant::rfc3339),
            last_used_at: key.last_used_at.map(instant::rfc3339),
            previous_secret_until: previous.map(|previous| instant::rfc3339(previous.until)),
        }
    }
}

fn texts(scope: &ScopeSet) -> Vec<String> {
    scope.iter().map(ToString::to_string).collect()
}

/// Lists keys, without secrets.
pub async fn list(State(state): State<AppState>, call: Call) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let query = ListQuery::parse(call.query.as_deref(), &[]).map_err(ApiError::Query)?;
        let size = query.page.size;
        let after = query.page.after.as_ref().map(|cursor| cursor.id.as_str());
        let keys = service::list(&state, after, size.saturating_add(1))
            .await
            .map_err(AdministrationError::from)?;
        let page = Page::cut(keys, size, |key| Cursor {
            at: key.created_at,
            id: key.id.clone(),
        });
        let now = state.now();
        let entries = page.entries.into_iter().map(|key| ApiKeyDocument::of(key, now));
        let page = Page {
            entries: entries.collect(),
            next: page.next,
        };
        Ok(answer::list::<_, ApiKeyDocument>(page, size))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Makes a key.
pub async fn create(
    State(state): State<AppState>,
    call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        ListQuery::none(call.query.as_deref()).map_err(ApiError::Query)?;
        let new = read(Members::read(&call.headers, body)?)?;
        let made = service::create(&state, &actor, new).await.map_err(refused)?;
        let path = format!("{PATH}/{}", made.key.id);
        let document = ApiKeyDocument {
            api_secret: Some(made.secret.expose().clone()),
            left_out_scopes: texts(&made.left_out),
            ..ApiKeyDocument::of(made.key, state.now())
        };
        Ok(answer::created(document, &path))
    };
    call.finish(&state, &actor, outcome.await).await
}

fn read(mut members: Members) -> Result<NewApiKey, ApiError> {
    let name = members.text("name").unwrap_or_default();
    let scopes = members.texts("scopes").unwrap_or_default();
    let expires_at = members.removable("expires_at").flatten();
    let mut faults = members.faults();
    let scope = ScopeSet::parse(&scopes.join(" "));
    // A list of one text with spaces in it is no list of scopes.
    let is_list = scopes.iter().all(|scope| !scope.contains(' '));
    let end = expires_at.as_deref().map(instant::parse);
    if !(is_list && scope.is_ok()) && faults.iter().all(|fault| fault.field != "scopes") {
        faults.push(FieldFault::of_unknown(
            "scopes",
            "must be a list of at least one scope",
        ));
    }
    if end == Some(None) {
        faults.push(FieldFault::of_unknown("expires_at", INSTANT));
    }
    match scope {
        Ok(scope) if faults.is_empty() => Ok(NewApiKey {
            name,
            scope,
            expires_at: end.flatten(),
        }),
        Ok(_) | Err(_) => Err(AdministrationError::Invalid(faults).into()),
    }
}

/// Shows a key, without its secret.
pub async fn get(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let id = path_id(&call, id)?;
        let key = service::get(&state, &id).await.map_err(refused)?;
        Ok(answer::one(ApiKeyDocument::of(key, state.now())))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Gives a key a new secret. The one of before is taken for `overlap_seconds` more; not at all when nothing is said.
pub async fn rotate(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let id = path_id(&call, id)?;
        let mut members = Members::read(&call.headers, body)?;
        let overlap = members.number("overlap_seconds").unwrap_or_default();
        let faults = members.faults();
        if !faults.is_empty() {
            return Err(AdministrationError::Invalid(faults).into());
        }
        let rotated = service::rotate(&state, &actor, &id, overlap)
            .await
            .map_err(refused)?;
        Ok(answer::one(ApiKeyDocument {
            api_secret: Some(rotated.secret.expose().clone()),
            ..ApiKeyDocument::of(rotated.key, state.now())
        }))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Revokes a key.
pub async fn revoke(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let id = path_id(&call, id)?;
        service::revoke(&state, &actor, &id).await.map_err(refused)?;
        Ok(answer::gone())
    };
    call.finish(&state, &actor, outcome.await).await
}

fn refused(error: ApiKeyError) -> AdministrationError {
    let invalid = |field, detail| AdministrationError::Invalid(vec![FieldFault::of_unknown(field, detail)]);
    match error {
        ApiKeyError::Name => invalid(
            "name",
            "must be 1 to 200 bytes of text without control characters",
        ),
        ApiKeyError::NothingOfScope => invalid("scopes", "must hold a scope that you may give to an API key"),
        ApiKeyError::ScopeTooLong => invalid("scopes", "must not be longer than 4096 characters together"),
        ApiKeyError::Expiry => invalid("expires_at", "must be an instant to come"),
        ApiKeyError::Overlap => invalid("overlap_seconds", "must be 0 to 2592000 seconds"),
        ApiKeyError::NotActive => invalid("state", "must be active: this key is revoked or expired"),
        ApiKeyError::NotFound => AdministrationError::NotFound,
        ApiKeyError::NotYours => AdministrationError::BeyondOwnRole,
        ApiKeyError::Internal(error) => AdministrationError::Internal(error),
    }
}
