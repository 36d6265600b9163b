//! `/auth/users`: people's accounts.

mod description;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Response;

use crate::administration::invitations::{self, Invited};
use crate::administration::users::{self, NewUser, UserChange};
use crate::administration::{Actor, AdministrationError, FieldFault};
use crate::domain::user::Profile;
use crate::state::AppState;
use crate::store::UserFilter;

use super::answer::{self, UserDocument};
use super::body::Members;
use super::call::{ApiError, Call};
use super::query::ListQuery;
use super::{all_faults, path_id};

pub use description::describe;

/// Where the list is.
pub const PATH: &str = "/auth/users";
const FILTERS: [&str; 5] = [
    "filter[name]",
    "filter[email]",
    "filter[roleId]",
    "filter[organizationId]",
    "filter[active]",
];

/// Lists accounts.
pub async fn list(State(state): State<AppState>, call: Call) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = list_users(&state, &call).await;
    call.finish(&state, &actor, outcome).await
}

/// Makes an account.
pub async fn create(
    State(state): State<AppState>,
    call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = create_user(&state, &call, &actor, body).await;
    call.finish(&state, &actor, outcome).await
}

/// Shows an account.
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
        let user = users::get(state.store(), &id).await?;
        Ok(answer::one(UserDocument::from(user)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Changes an account.
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
        let mut members = Members::read(&call.headers, body)?;
        let change = UserChange {
            email: members.text("email"),
            name: members.text("name"),
            user_type: members.text("userType"),
            role_id: members.text("roleId"),
            organization_id: members.removable("organizationId"),
            fhir_user: members.removable("fhirUser"),
            practitioner_id: members.removable("practitionerId"),
        };
        all_faults(members.faults(), change.check().map(drop))?;
        let user = users::change(state.store(), &actor, &id, &change, state.now()).await?;
        Ok(answer::one(UserDocument::from(user)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Closes an account; one that is closed already stays so.
pub async fn deactivate(
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
        users::deactivate(state.store(), &actor, &id, state.now()).await?;
        let user = users::get(state.store(), &id).await?;
        Ok(answer::one(UserDocument::from(user)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Opens a closed account; one that is open already stays so.
pub async fn reactivate(
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
        users::reactivate(state.store(), &actor, &id, state.now()).await?;
        let user = users::get(state.store(), &id).await?;
        Ok(answer::one(UserDocument::from(user)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Sends a person an invitation, once more where they had one.
pub async fn invite(
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
        let user = invitations::send(&state, &actor, &id).await?;
        Ok(answer::one(
            UserDocument::from(user).with_invitation(Some("queued")),
        ))
    };
    call.finish(&state, &actor, outcome.await).await
}

async fn list_users(state: &AppState, call: &Call) -> Result<Response, ApiError> {
    let query = ListQuery::parse(call.query.as_deref(), &FILTERS).map_err(ApiError::Query)?;
    let filter = UserFilter {
        name: query.filter("filter[name]"),
        email: query.filter("filter[email]"),
        role_id: query.filter("filter[roleId]"),
        organization_id: query.filter("filter[organizationId]"),
        active: query.boolean("filter[active]").map_err(ApiError::Query)?,
    };
    let size = query.page.size;
    let page = users::list(state.store(), filter, query.page).await?;
    Ok(answer::list::<_, UserDocument>(page, size))
}

async fn create_user(
    state: &AppState,
    call: &Call,
    actor: &Actor,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    ListQuery::none(call.query.as_deref()).map_err(ApiError::Query)?;
    let mut members = Members::read(&call.headers, body)?;
    let new = NewUser {
        email: members.text("email"),
        name: members.text("name"),
        user_type: members.removable("userType").flatten(),
        role_id: members.text("roleId"),
        organization_id: members.removable("organizationId").flatten(),
        fhir_user: members.removable("fhirUser").flatten(),
        practitioner_id: members.removable("practitionerId").flatten(),
        profile: Profile::default(),
        password_hash: None,
    };
    let wish = members.boolean("invite");
    let invitation = invitations::of_wish(state, wish, new.email.as_deref()).await?;
    let now = state.now();
    let mut faults: Vec<FieldFault> = members.faults();
    faults.extend(invitation.as_ref().err().cloned());
    all_faults(faults, new.check(actor, now).map(drop))?;
    let invitation = invitation.map_err(|fault| AdministrationError::Invalid(vec![fault]))?;
    let (user, invited) = invitations::create(state, actor, new, invitation).await?;
    let path = format!("{PATH}/{}", user.id);
    let document = UserDocument::from(user).with_invitation(match invited {
        Invited::No => None,
        Invited::Queued => Some("queued"),
        Invited::Failed => Some("failed"),
    });
    Ok(answer::created(document, &path))
}
