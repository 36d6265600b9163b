//! `/auth/roles`: what people can be granted at most.

mod description;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Response;

use crate::administration::roles::{self, RoleRequest};
use crate::state::AppState;

use super::answer::{self, RoleDocument};
use super::body::Members;
use super::call::{ApiError, Call};
use super::query::ListQuery;
use super::{all_faults, path_id};

pub use description::describe;

/// Where the list is.
pub const PATH: &str = "/auth/roles";
const FILTERS: [&str; 1] = ["filter[name]"];

/// Lists roles.
pub async fn list(State(state): State<AppState>, call: Call) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let query = ListQuery::parse(call.query.as_deref(), &FILTERS).map_err(ApiError::Query)?;
        let size = query.page.size;
        let page = roles::list(state.store(), query.filter("filter[name]"), query.page).await?;
        Ok(answer::list::<_, RoleDocument>(page, size))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Makes a role.
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
        let (request, members) = read(Members::read(&call.headers, body)?);
        all_faults(members.faults(), request.check_new(state.now()).map(drop))?;
        let role = roles::create(state.store(), &actor, &request, state.now()).await?;
        let path = format!("{PATH}/{}", role.id);
        Ok(answer::created(RoleDocument::from(role), &path))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Shows a role.
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
        let role = roles::get(state.store(), &id).await?;
        Ok(answer::one(RoleDocument::from(role)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Changes a role.
pub async fn change(
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
        let (request, members) = read(Members::read(&call.headers, body)?);
        all_faults(members.faults(), request.check_change().map(drop))?;
        let role = roles::change(state.store(), &actor, &id, &request, state.now()).await?;
        Ok(answer::one(RoleDocument::from(role)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Removes a role that nobody has.
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
        roles::remove(state.store(), &actor, &id, state.now()).await?;
        Ok(answer::gone())
    };
    call.finish(&state, &actor, outcome.await).await
}

fn read(mut members: Members) -> (RoleRequest, Members) {
    let request = RoleRequest {
        name: members.text("name"),
        scope: members.text("scope"),
        second_factor: members.text("secondFactor"),
    };
    (request, members)
}
