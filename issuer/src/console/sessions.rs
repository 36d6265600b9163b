//! `/admin/sessions`: who is signed in.

use std::collections::HashMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use crate::administration::{AdministrationError, sessions as service};
use crate::domain::page::Cursor;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::state::AppState;
use crate::views::console::{ConfirmPage, FormState, LivingSession, LivingSessionsPage, Question};

use super::listing::Listing;
use super::{Administrator, Submission, done, faults, links, show};

const LIST: &str = "/admin/sessions";

/// Shows the list.
pub(super) async fn list(
    State(state): State<AppState>,
    administrator: Administrator,
    query: RawQuery,
) -> Result<Response, PageError> {
    let listing = Listing::read(query)?;
    let user_id = listing.wanted("user")?;
    let idle_seconds = state.config().sessions.idle_seconds;
    let page = service::list(state.store(), user_id, idle_seconds, listing.page(), state.now())
        .await
        .map_err(faults::missing)?;
    let next = page.next.as_ref().map(Cursor::encode);
    let mut people = HashMap::new();
    for session in &page.entries {
        let user = state.store().user(&session.user_id).await;
        if let Some(user) = user.map_err(InternalError::from)? {
            people.insert(user.id, user.email);
        }
    }
    let entries: Vec<LivingSession<'_>> = page
        .entries
        .iter()
        .map(|session| LivingSession::of(session, people.get(&session.user_id).map_or("", String::as_str)))
        .collect();
    let asked = [("user", listing.filter("user")?)];
    show(&LivingSessionsPage {
        frame: administrator.frame(),
        form: &FormState::default().with("user", listing.filter("user")?),
        sessions: &entries,
        pages: links(LIST, &asked, listing.after().as_deref(), next.as_deref()),
    })
}

/// Asks whether a session is to end.
pub(super) async fn ask_end(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let Ok(Path(id)) = id else {
        return Err(PageError::NotFound);
    };
    let owner = match service::owner(state.store(), &id).await {
        Ok(owner) => owner,
        Err(AdministrationError::NotFound) => return done(LIST, "gone"),
        Err(error) => return Err(faults::missing(error)),
    };
    show(&ConfirmPage {
        frame: administrator.frame(),
        question: Question::EndSession,
        name: &owner.email,
        form: &administrator.form(&state, administrator.path()),
        action: administrator.path(),
        back: LIST,
    })
}

/// Ends a session.
pub(super) async fn end(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let Ok(Path(id)) = id else {
        return Err(PageError::NotFound);
    };
    let outcome = service::end(state.store(), &submission.administrator.actor, &id, state.now()).await;
    match submission.recorded(&state, outcome).await? {
        Ok(()) => done(LIST, "signed-out"),
        Err(AdministrationError::NotFound) => done(LIST, "gone"),
        Err(error) => Err(faults::missing(error)),
    }
}
