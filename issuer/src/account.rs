//! `/account`: the pages on which people look after their own account: where they are signed in, and which apps may act in
//! their name.
//!
//! Each page wants a session and shows what is that person's own, no more. An id in a form that names nothing of theirs gets
//! the same answer whether it names somebody else's or nothing at all.

pub mod apps;
pub mod devices;
pub mod factors;
pub mod overview;
pub mod password;
pub mod sessions;

use axum::extract::RawQuery;
use axum::response::Response;

use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{BrowserSession, FormError, Parameters};
use crate::login::destination::{Destination, OwnPage};
use crate::login::form_token::{FormPurpose, is_form_token};
use crate::state::AppState;
use crate::views::AccountFrame;

/// What is around the page `path`, for the person of `session`.
pub fn frame<'a>(session: &'a BrowserSession, path: &'a str) -> AccountFrame<'a> {
    AccountFrame {
        user_name: &session.user.name,
        user_email: &session.user.email,
        path,
    }
}

/// Sends somebody who is not signed in to the sign-in page, and back to `path` afterwards.
///
/// # Errors
/// Never in fact.
pub fn sign_in_first(path: &str) -> Result<Response, PageError> {
    let page = path.strip_prefix('/').and_then(OwnPage::parse);
    let destination = page.map_or(Destination::Home, Destination::Page);
    Ok(redirect::to_own_page(&destination.path_to("/login"))?)
}

/// The session, of whose person a form with this token is; or the refusal.
///
/// # Errors
/// [`PageError::StaleForm`] when nobody is signed in, or when the form is not of this session and purpose.
pub fn form_of(
    state: &AppState,
    session: Option<BrowserSession>,
    purpose: FormPurpose<'_>,
    parameters: &Parameters,
) -> Result<BrowserSession, PageError> {
    let session = session.ok_or(PageError::StaleForm)?;
    let token = parameters
        .single("form_token")
        .map_err(|_| PageError::Field)?
        .unwrap_or_default();
    if is_form_token(state.form_key(), session.secret.expose(), purpose, token) {
        Ok(session)
    } else {
        Err(PageError::StaleForm)
    }
}

/// What the page is to say was just done, by the word that a redirect left in `done`; each page says so in its own words.
fn done<'a>(RawQuery(query): RawQuery, words: &[(&str, &'a str)]) -> Result<Option<&'a str>, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let done = parameters.single("done").map_err(|_| PageError::Field)?;
    Ok(words
        .iter()
        .find_map(|(word, text)| (done == Some(*word)).then_some(*text)))
}

#[cfg(test)]
mod tests;
