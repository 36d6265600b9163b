//! `/auth/users/{id}/factors`: a person's second factors, and their reset. Seeds, numbers and keys are never shown.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::administration::factors;
use crate::state::AppState;

use super::answer::{self, FactorDocument};
use super::call::Call;
use super::path_id;

/// Lists what the person has.
pub async fn list(
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
        let factors = factors::list(state.store(), &id).await?;
        Ok(answer::all::<_, FactorDocument>(factors))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Ends all of them, with everything that stood on them.
pub async fn reset(
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
        factors::reset(state.store(), state.notices(), &actor, &id, state.now()).await?;
        Ok(answer::gone())
    };
    call.finish(&state, &actor, outcome.await).await
}
