//! `/v1/signing-keys`: which keys sign and are published, a new one, and the end of one.

mod description;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use wardgate_shared::time::Timestamp;

use crate::administration::signing_keys as service;
use crate::domain::instant;
use crate::domain::signing_key::{Phase, StoredSigningKey};
use crate::state::AppState;

use super::answer;
use super::body::Members;
use super::call::{ApiError, Call};
use super::query::ListQuery;
use super::{all_faults, path_id};

pub use description::describe;

/// Where the list is.
pub const PATH: &str = "/v1/signing-keys";

/// A key, without its private half.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SigningKeyDocument {
    id: String,
    algorithm: &'static str,
    phase: &'static str,
    created_at: String,
    signs_from: String,
    signs_until: Option<String>,
    published_until: Option<String>,
    /// When the schedule makes its successor.
    successor_due_at: Option<String>,
}

impl SigningKeyDocument {
    fn of(state: &AppState, key: &StoredSigningKey, now: Timestamp) -> Self {
        // The key that has no end yet is the one that a successor is made for.
        let due = state.keys().successor_due(key.algorithm);
        let due = due.filter(|_| key.signs_until.is_none());
        Self {
            id: key.key_id.clone(),
            algorithm: key.algorithm.name(),
            phase: Phase::of(key, now).as_str(),
            created_at: instant::rfc3339(key.created_at),
            signs_from: instant::rfc3339(key.signs_from),
            signs_until: key.signs_until.map(instant::rfc3339),
            published_until: key.published_until.map(instant::rfc3339),
            successor_due_at: due.map(instant::rfc3339),
        }
    }
}

/// Lists all keys: there are few.
pub async fn list(State(state): State<AppState>, call: Call) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        ListQuery::none(call.query.as_deref()).map_err(ApiError::Query)?;
        let (keys, now) = (service::list(&state).await?, state.now());
        let documents = keys.iter().map(|key| SigningKeyDocument::of(&state, key, now));
        Ok(answer::all::<_, SigningKeyDocument>(documents.collect()))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Makes a successor.
pub async fn rotate(
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
        let mut members = Members::read(&call.headers, body)?;
        let algorithm = members.text("algorithm");
        all_faults(members.faults(), Ok(()))?;
        let now = state.now();
        let key = service::rotate(&state, &actor, algorithm.as_deref(), now).await?;
        let path = format!("{PATH}/{}", key.key_id);
        Ok(answer::created(SigningKeyDocument::of(&state, &key, now), &path))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Shows a key.
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
        let key = service::get(&state, &id).await?;
        Ok(answer::one(SigningKeyDocument::of(&state, &key, state.now())))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Ends a key at once.
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
        service::revoke(&state, &actor, &id, state.now()).await?;
        Ok(answer::gone())
    };
    call.finish(&state, &actor, outcome.await).await
}
