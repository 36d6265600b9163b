//! `/admin/roles`: what people can be granted at most.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use crate::administration::roles::{self as service, RoleRequest};
use crate::domain::page::Cursor;
use crate::domain::role::{Role, SecondFactorPolicy};
use crate::error::page::PageError;
use crate::state::AppState;
use crate::views::console::{Choice, ConfirmPage, FormState, Question, RoleEntry, RoleFormPage, RolesPage};

use super::listing::Listing;
use super::{Administrator, Submission, done, faults, links, show};

const LIST: &str = "/admin/roles";
const NEW: &str = "/admin/new-role";
const FIELDS: [&str; 3] = ["name", "scope", "secondFactor"];

/// What may be asked of people beyond their first factor, to choose from.
pub(super) fn policies() -> [Choice; 2] {
    SecondFactorPolicy::ALL.map(|policy| Choice::new(policy.as_str(), policy.as_str()))
}

/// Shows the list.
pub(super) async fn list(
    State(state): State<AppState>,
    administrator: Administrator,
    query: RawQuery,
) -> Result<Response, PageError> {
    let listing = Listing::read(query)?;
    let page = service::list(state.store(), None, listing.page())
        .await
        .map_err(faults::missing)?;
    let next = page.next.as_ref().map(Cursor::encode);
    let entries: Vec<RoleEntry<'_>> = page.entries.iter().map(RoleEntry::of).collect();
    show(&RolesPage {
        frame: administrator.frame(),
        roles: &entries,
        pages: links(LIST, &[], listing.after().as_deref(), next.as_deref()),
    })
}

async fn named(state: &AppState, id: Result<Path<String>, PathRejection>) -> Result<Role, PageError> {
    let Ok(Path(id)) = id else {
        return Err(PageError::NotFound);
    };
    service::get(state.store(), &id).await.map_err(faults::missing)
}

fn show_form(
    administrator: &Administrator,
    form: &FormState,
    role: Option<&Role>,
) -> Result<Response, PageError> {
    show(&RoleFormPage {
        frame: administrator.frame(),
        form,
        action: administrator.path(),
        role: role.map(RoleEntry::of).as_ref(),
        policies: &policies(),
    })
}

/// Shows the form for a new role.
pub(super) async fn new(
    State(state): State<AppState>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let form = administrator.form(&state, NEW);
    show_form(&administrator, &form, None)
}

/// What the form says.
fn requested(submission: &Submission) -> Result<RoleRequest, PageError> {
    let scope: Vec<&str> = submission.field("scope")?.split_whitespace().collect();
    Ok(RoleRequest {
        name: Some(submission.field("name")?.into()),
        scope: Some(scope.join(" ")),
        second_factor: Some(submission.field("secondFactor")?.into()),
    })
}

/// Makes a role.
pub(super) async fn create(
    State(state): State<AppState>,
    submission: Submission,
) -> Result<Response, PageError> {
    let request = requested(&submission)?;
    let actor = &submission.administrator.actor;
    let outcome = service::create(state.store(), actor, &request, state.now()).await;
    match submission.recorded(&state, outcome).await? {
        Ok(_) => done(LIST, "created"),
        Err(error) => {
            let form = submission.again(&state, &FIELDS, faults::of(error)?);
            show_form(&submission.administrator, &form, None)
        }
    }
}

/// Shows the form with what a role has.
pub(super) async fn edit(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let role = named(&state, id).await?;
    let ceiling = role.ceiling.as_ref().map(ToString::to_string);
    let form = administrator
        .form(&state, administrator.path())
        .with("name", &*role.name)
        .with("scope", ceiling.unwrap_or_default())
        .with("secondFactor", role.second_factor.as_str());
    show_form(&administrator, &form, Some(&role))
}

/// Changes a role.
pub(super) async fn change(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let role = named(&state, id).await?;
    let mut request = requested(&submission)?;
    // A built-in role keeps its name, and a role without a ceiling has none until somebody names one.
    if request.name.as_ref() == Some(&role.name) {
        request.name = None;
    }
    if role.ceiling.is_none() && request.scope.as_deref() == Some("") {
        request.scope = None;
    }
    let actor = &submission.administrator.actor;
    let outcome = service::change(state.store(), actor, &role.id, &request, state.now()).await;
    match submission.recorded(&state, outcome).await? {
        Ok(_) => done(LIST, "changed"),
        Err(error) => {
            let form = submission.again(&state, &FIELDS, faults::of(error)?);
            show_form(&submission.administrator, &form, Some(&role))
        }
    }
}

fn ask(administrator: &Administrator, role: &Role, form: &FormState) -> Result<Response, PageError> {
    show(&ConfirmPage {
        frame: administrator.frame(),
        question: Question::RemoveRole,
        name: &role.name,
        form,
        action: administrator.path(),
        back: LIST,
    })
}

/// Asks whether a role is to be removed.
pub(super) async fn ask_remove(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let role = named(&state, id).await?;
    let form = administrator.form(&state, administrator.path());
    ask(&administrator, &role, &form)
}

/// Removes a role.
pub(super) async fn remove(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let role = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let outcome = service::remove(state.store(), actor, &role.id, state.now()).await;
    match submission.recorded(&state, outcome).await? {
        Ok(()) => done(LIST, "removed"),
        Err(error) => {
            let form = submission.again(&state, &[], faults::of(error)?);
            ask(&submission.administrator, &role, &form)
        }
    }
}
