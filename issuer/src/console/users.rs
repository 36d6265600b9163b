//! `/admin/users`: people's accounts.

pub(super) mod form;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use crate::administration::{AdministrationError, factors, invitations, sessions, users as service};
use crate::domain::page::Cursor;
use crate::domain::user::User;
use crate::error::page::PageError;
use crate::state::AppState;
use crate::store::UserFilter;
use crate::views::console::{
    Choice, ConfirmPage, FormState, Question, UserEntry, UserFactor, UserPage, UsersPage,
};

use super::listing::Listing;
use super::{Administrator, Submission, done, faults, links, segment, show};

const LIST: &str = "/admin/users";
const ANY: &str = "any";
const ACTIVE: &str = "active";
const DEACTIVATED: &str = "deactivated";

/// Where the page of a person is.
fn path_of(id: &str) -> String {
    format!("{LIST}/{}", segment(id))
}

/// Shows the list.
pub(super) async fn list(
    State(state): State<AppState>,
    administrator: Administrator,
    query: RawQuery,
) -> Result<Response, PageError> {
    let listing = Listing::read(query)?;
    let person = listing.filter("person")?;
    let is_address = person.contains('@');
    let wanted = |is_wanted: bool| (is_wanted && !person.is_empty()).then(|| String::from(person));
    let filter = UserFilter {
        name: wanted(!is_address),
        email: wanted(is_address),
        role_id: listing.wanted("role")?,
        organization_id: listing.wanted("organization")?,
        active: match listing.filter("state")? {
            ACTIVE => Some(true),
            DEACTIVATED => Some(false),
            _ => None,
        },
    };
    let page = service::list(state.store(), filter, listing.page())
        .await
        .map_err(faults::missing)?;
    let names = ["person", "role", "organization", "state"];
    let mut form = FormState::default();
    let mut asked = Vec::new();
    for name in names {
        form = form.with(name, listing.filter(name)?);
        asked.push((name, listing.filter(name)?));
    }
    let next = page.next.as_ref().map(Cursor::encode);
    let entries: Vec<UserEntry<'_>> = page.entries.iter().map(UserEntry::of).collect();
    show(&UsersPage {
        frame: administrator.frame(),
        form: &form,
        roles: &roles(&state, Some(ANY)).await?,
        states: &[
            Choice::new("", ANY),
            Choice::new(ACTIVE, ACTIVE),
            Choice::new(DEACTIVATED, DEACTIVATED),
        ],
        users: &entries,
        pages: links(LIST, &asked, listing.after().as_deref(), next.as_deref()),
    })
}

/// The roles to choose from, after one called `none` that stands for no choice.
pub(super) async fn roles(state: &AppState, none: Option<&str>) -> Result<Vec<Choice>, PageError> {
    let roles = crate::administration::roles::all(state.store())
        .await
        .map_err(faults::missing)?;
    let none = none.map(|none| Choice::new("", none));
    let own = roles.into_iter().map(|role| Choice::new(role.id, role.name));
    Ok(none.into_iter().chain(own).collect())
}

/// The person whom the path names.
async fn named(state: &AppState, id: Result<Path<String>, PathRejection>) -> Result<User, PageError> {
    let Ok(Path(id)) = id else {
        return Err(PageError::NotFound);
    };
    service::get(state.store(), &id).await.map_err(faults::missing)
}

/// Shows one.
pub(super) async fn get(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let user = named(&state, id).await?;
    let factors = factors::list(state.store(), &user.id)
        .await
        .map_err(faults::missing)?;
    let factors: Vec<UserFactor<'_>> = factors.iter().map(UserFactor::of).collect();
    show(&UserPage {
        frame: administrator.frame(),
        user: &UserEntry::of(&user),
        is_own: administrator.actor.user_id.as_ref() == Some(&user.id),
        factors: &factors,
    })
}

fn ask(
    administrator: &Administrator,
    question: Question,
    user: &User,
    form: &FormState,
) -> Result<Response, PageError> {
    show(&ConfirmPage {
        frame: administrator.frame(),
        question,
        name: &user.name,
        form,
        action: administrator.path(),
        back: &path_of(&user.id),
    })
}

async fn ask_first(
    state: &AppState,
    administrator: Administrator,
    question: Question,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let user = named(state, id).await?;
    let form = administrator.form(state, administrator.path());
    ask(&administrator, question, &user, &form)
}

/// What came of an answer: the page of the person, or the question once more with what is in the way.
async fn answered<T>(
    state: &AppState,
    submission: &Submission,
    question: Question,
    user: &User,
    outcome: Result<T, AdministrationError>,
    word: &str,
) -> Result<Response, PageError> {
    match submission.recorded(state, outcome).await? {
        Ok(_) => done(&path_of(&user.id), word),
        Err(error) => {
            let form = submission.again(state, &[], faults::of(error)?);
            ask(&submission.administrator, question, user, &form)
        }
    }
}

/// Asks whether an account is to be closed.
pub(super) async fn ask_deactivate(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    ask_first(&state, administrator, Question::DeactivateUser, id).await
}

/// Closes an account.
pub(super) async fn deactivate(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let user = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let outcome = service::deactivate(state.store(), actor, &user.id, state.now()).await;
    answered(
        &state,
        &submission,
        Question::DeactivateUser,
        &user,
        outcome,
        "deactivated",
    )
    .await
}

/// Asks whether an account is to be opened again.
pub(super) async fn ask_reactivate(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    ask_first(&state, administrator, Question::ReactivateUser, id).await
}

/// Opens an account again.
pub(super) async fn reactivate(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let user = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let outcome = service::reactivate(state.store(), actor, &user.id, state.now()).await;
    answered(
        &state,
        &submission,
        Question::ReactivateUser,
        &user,
        outcome,
        "reactivated",
    )
    .await
}

/// Asks whether somebody is to be invited.
pub(super) async fn ask_invite(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    ask_first(&state, administrator, Question::InviteUser, id).await
}

/// Invites somebody, once more where they were before.
pub(super) async fn invite(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let user = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let outcome = invitations::send(&state, actor, &user.id).await;
    answered(
        &state,
        &submission,
        Question::InviteUser,
        &user,
        outcome,
        "invited",
    )
    .await
}

/// Asks whether all sessions of a person are to end.
pub(super) async fn ask_end_sessions(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    ask_first(&state, administrator, Question::EndSessions, id).await
}

/// Ends all sessions of a person.
pub(super) async fn end_sessions(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let user = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let outcome = sessions::end_all_of(state.store(), actor, &user.id, state.now()).await;
    answered(
        &state,
        &submission,
        Question::EndSessions,
        &user,
        outcome,
        "signed-out",
    )
    .await
}

/// Asks whether all second factors of a person are to end.
pub(super) async fn ask_reset_factors(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    ask_first(&state, administrator, Question::ResetFactors, id).await
}

/// Ends all second factors of a person, with everything that stood on them.
pub(super) async fn reset_factors(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let user = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let outcome = factors::reset(state.store(), state.notices(), actor, &user.id, state.now()).await;
    answered(
        &state,
        &submission,
        Question::ResetFactors,
        &user,
        outcome,
        "factors-reset",
    )
    .await
}
