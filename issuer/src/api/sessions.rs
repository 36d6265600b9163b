//! `/v1/sessions`: who is signed in, and the end of that.

mod description;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::administration::{FieldFault, sessions};
use crate::state::AppState;

use super::answer::{self, SessionDocument};
use super::call::{ApiError, Call};
use super::path_id;
use super::query::ListQuery;

pub use description::describe;

const USER: &str = "filter[userId]";

/// Lists living sessions, of everybody or of one person.
pub async fn list(State(state): State<AppState>, call: Call) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let query = ListQuery::parse(call.query.as_deref(), &[USER]).map_err(ApiError::Query)?;
        let idle_seconds = state.config().sessions.idle_seconds;
        let (size, user_id) = (query.page.size, query.filter(USER));
        let page = sessions::list(state.store(), user_id, idle_seconds, query.page, state.now()).await?;
        Ok(answer::list::<_, SessionDocument>(page, size))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Ends every session of the person whom the query names. Without one nobody is meant, and the call is refused.
pub async fn remove_all(State(state): State<AppState>, call: Call) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let query = ListQuery::only_filters(call.query.as_deref(), &[USER]).map_err(ApiError::Query)?;
        let missing = || ApiError::Query(vec![FieldFault::of_unknown(USER, "is missing")]);
        let user_id = query.filter(USER).ok_or_else(missing)?;
        sessions::end_all_of(state.store(), &actor, &user_id, state.now()).await?;
        Ok(answer::gone())
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Ends a session.
pub async fn remove(
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
        sessions::end(state.store(), &actor, &id, state.now()).await?;
        Ok(answer::gone())
    };
    call.finish(&state, &actor, outcome.await).await
}
