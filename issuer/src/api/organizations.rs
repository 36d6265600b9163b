//! `/auth/organizations`: whom people act for.

mod description;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Response;

use crate::administration::organizations::{self, OrganizationRequest};
use crate::state::AppState;

use super::answer::{self, OrganizationDocument};
use super::body::Members;
use super::call::{ApiError, Call};
use super::query::ListQuery;
use super::{all_faults, path_id};

pub use description::describe;

/// Where the list is.
pub const PATH: &str = "/auth/organizations";
const FILTERS: [&str; 1] = ["filter[name]"];

/// Lists organizations.
pub async fn list(State(state): State<AppState>, call: Call) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let query = ListQuery::parse(call.query.as_deref(), &FILTERS).map_err(ApiError::Query)?;
        let size = query.page.size;
        let page = organizations::list(state.store(), query.filter("filter[name]"), query.page).await?;
        Ok(answer::list::<_, OrganizationDocument>(page, size))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Enters an organization.
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
        let mut members = Members::read(&call.headers, body)?;
        let id = members.text("id");
        let (request, members) = read(members, id);
        all_faults(members.faults(), request.check_new(state.now()).map(drop))?;
        let organization = organizations::create(state.store(), &actor, &request, state.now()).await?;
        let path = format!("{PATH}/{}", organization.id);
        Ok(answer::created(OrganizationDocument::from(organization), &path))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Shows an organization.
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
        let organization = organizations::get(state.store(), &id).await?;
        Ok(answer::one(OrganizationDocument::from(organization)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Changes an organization.
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
        // The id never changes, so that it is not known here.
        let (request, members) = read(Members::read(&call.headers, body)?, None);
        all_faults(members.faults(), request.check_change().map(drop))?;
        let organization = organizations::change(state.store(), &actor, &id, &request, state.now()).await?;
        Ok(answer::one(OrganizationDocument::from(organization)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Removes an organization that nobody acts for.
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
        organizations::remove(state.store(), &actor, &id, state.now()).await?;
        Ok(answer::gone())
    };
    call.finish(&state, &actor, outcome.await).await
}

fn read(mut members: Members, id: Option<String>) -> (OrganizationRequest, Members) {
    let request = OrganizationRequest {
        id,
        name: members.text("name"),
        second_factor: members.text("secondFactor"),
    };
    (request, members)
}
