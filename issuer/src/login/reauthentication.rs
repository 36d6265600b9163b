//! Who may change what protects an account: somebody who has just shown that it is theirs, with all that it asks for.
//!
//! A session that somebody left open, or a browser that is remembered, is not enough.

use axum::response::Response;
use wardgate_shared::time::Timestamp;

use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::BrowserSession;
use crate::state::AppState;

use super::destination::{Destination, OwnPage};
use super::second_factor::ongoing::Ongoing;

/// The session, if its person signed in a short while ago (`second_factor.reauthenticate_seconds`), with a second factor if they
/// have one; else the way to do so that leads back to the page `path`.
///
/// # Errors
/// When the store cannot answer.
pub async fn recently_authenticated(
    state: &AppState,
    session: Option<BrowserSession>,
    path: &str,
) -> Result<Result<BrowserSession, Response>, PageError> {
    let page = path.strip_prefix('/').and_then(OwnPage::parse);
    let destination = page.map_or(Destination::Home, Destination::Page);
    let Some(session) = session else {
        return Ok(Err(redirect::to_own_page(&destination.path_to("/login"))?));
    };
    match detour(state, &session, &destination).await? {
        Some(path) => Ok(Err(Ongoing::in_session(state, redirect::to_own_page(&path)?)?)),
        None => Ok(Ok(session)),
    }
}

/// Where the person of the session has to go first; `None` when they may go on to `destination`.
///
/// # Errors
/// When the store cannot answer.
pub async fn detour(
    state: &AppState,
    session: &BrowserSession,
    destination: &Destination,
) -> Result<Option<String>, InternalError> {
    let now = state.now();
    let is_recent = |at: Timestamp| now.since(at) <= state.config().second_factor.reauthenticate_seconds;
    if !is_recent(session.session.authenticated_at) {
        return Ok(Some(destination.path_to("/login")));
    }
    let has_factor = !state.store().factors(&session.user.id).await?.is_empty();
    if has_factor && !session.session.second_factor_at.is_some_and(is_recent) {
        return Ok(Some(destination.path_to("/login/mfa")));
    }
    Ok(None)
}
