//! `/admin/organizations`: whom people act for.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use crate::administration::organizations::{self as service, OrganizationRequest};
use crate::domain::organization::Organization;
use crate::domain::page::Cursor;
use crate::error::page::PageError;
use crate::state::AppState;
use crate::views::console::{
    ConfirmPage, FormState, OrganizationEntry, OrganizationFormPage, OrganizationsPage, Question,
};

use super::listing::Listing;
use super::roles::policies;
use super::{Administrator, Submission, done, faults, links, show};

const LIST: &str = "/admin/organizations";
const NEW: &str = "/admin/new-organization";
const FIELDS: [&str; 3] = ["id", "name", "secondFactor"];

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
    let entries: Vec<OrganizationEntry<'_>> = page.entries.iter().map(OrganizationEntry::of).collect();
    show(&OrganizationsPage {
        frame: administrator.frame(),
        organizations: &entries,
        pages: links(LIST, &[], listing.after().as_deref(), next.as_deref()),
    })
}

async fn named(state: &AppState, id: Result<Path<String>, PathRejection>) -> Result<Organization, PageError> {
    let Ok(Path(id)) = id else {
        return Err(PageError::NotFound);
    };
    service::get(state.store(), &id).await.map_err(faults::missing)
}

fn show_form(
    administrator: &Administrator,
    form: &FormState,
    organization: Option<&Organization>,
) -> Result<Response, PageError> {
    show(&OrganizationFormPage {
        frame: administrator.frame(),
        form,
        action: administrator.path(),
        organization: organization.map(OrganizationEntry::of).as_ref(),
        policies: &policies(),
    })
}

/// Shows the form for a new organization.
pub(super) async fn new(
    State(state): State<AppState>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let form = administrator.form(&state, NEW);
    show_form(&administrator, &form, None)
}

fn requested(submission: &Submission) -> Result<OrganizationRequest, PageError> {
    Ok(OrganizationRequest {
        id: Some(submission.field("id")?.into()),
        name: Some(submission.field("name")?.into()),
        second_factor: Some(submission.field("secondFactor")?.into()),
    })
}

/// Enters an organization.
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

/// Shows the form with what an organization has.
pub(super) async fn edit(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let organization = named(&state, id).await?;
    let form = administrator
        .form(&state, administrator.path())
        .with("name", &*organization.name)
        .with("secondFactor", organization.second_factor.as_str());
    show_form(&administrator, &form, Some(&organization))
}

/// Changes an organization.
pub(super) async fn change(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let organization = named(&state, id).await?;
    let request = requested(&submission)?;
    let actor = &submission.administrator.actor;
    let outcome = service::change(state.store(), actor, &organization.id, &request, state.now()).await;
    match submission.recorded(&state, outcome).await? {
        Ok(_) => done(LIST, "changed"),
        Err(error) => {
            let form = submission.again(&state, &FIELDS, faults::of(error)?);
            show_form(&submission.administrator, &form, Some(&organization))
        }
    }
}

fn ask(
    administrator: &Administrator,
    organization: &Organization,
    form: &FormState,
) -> Result<Response, PageError> {
    show(&ConfirmPage {
        frame: administrator.frame(),
        question: Question::RemoveOrganization,
        name: &organization.name,
        form,
        action: administrator.path(),
        back: LIST,
    })
}

/// Asks whether an organization is to be removed.
pub(super) async fn ask_remove(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let organization = named(&state, id).await?;
    let form = administrator.form(&state, administrator.path());
    ask(&administrator, &organization, &form)
}

/// Removes an organization.
pub(super) async fn remove(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let organization = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let outcome = service::remove(state.store(), actor, &organization.id, state.now()).await;
    match submission.recorded(&state, outcome).await? {
        Ok(()) => done(LIST, "removed"),
        Err(error) => {
            let form = submission.again(&state, &[], faults::of(error)?);
            ask(&submission.administrator, &organization, &form)
        }
    }
}
