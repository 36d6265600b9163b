//! The front page, and what every page needs: the stylesheet and the page for addresses that lead nowhere.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use crate::administration::Permission;
use crate::error::page::PageError;
use crate::extract::SignedIn;
use crate::state::AppState;
use crate::views::{FormTargets, LandingPage, page};

const STYLESHEET: &str = include_str!("../../templates/wardgate.css");
const PASSKEY_SCRIPT: &str = include_str!("../../templates/passkeys.js");

/// `/`.
pub async fn get(State(state): State<AppState>, SignedIn(session): SignedIn) -> Result<Response, PageError> {
    let user_name = session.as_ref().map(|session| session.user.name.as_str());
    let template = LandingPage {
        issuer: state.config().server.public_url.as_str(),
        user_name,
        administers: session
            .as_ref()
            .is_some_and(|session| Permission::Read.is_given_by(&session.user)),
    };
    Ok(page(&template, &FormTargets::none())?)
}

/// `/static/wardgate.css`.
pub async fn stylesheet() -> Response {
    file("text/css; charset=utf-8", STYLESHEET)
}

/// `/static/passkeys.js`, the only script beside the one that posts a form by itself.
pub async fn passkey_script() -> Response {
    file("text/javascript; charset=utf-8", PASSKEY_SCRIPT)
}

/// A file that comes with the program.
pub(super) fn file(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=3600"),
        ),
    ];
    (headers, text).into_response()
}

/// Any other address.
pub async fn not_found() -> PageError {
    PageError::NotFound
}

/// A page, by a method that it does not take.
pub async fn other_method() -> PageError {
    PageError::MethodNotAllowed
}
