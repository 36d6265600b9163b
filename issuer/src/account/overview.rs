//! `/account`: who is signed in, and the way to all the rest.

use axum::extract::State;
use axum::response::Response;

use crate::error::page::PageError;
use crate::extract::SignedIn;
use crate::state::AppState;
use crate::views::{AccountPage, FormTargets, Moment, page};

use super::{frame, sign_in_first};

/// Where the page is.
pub const PATH: &str = "/account";

/// Shows the page.
pub async fn get(State(_): State<AppState>, SignedIn(session): SignedIn) -> Result<Response, PageError> {
    let Some(session) = session else {
        return sign_in_first(PATH);
    };
    let template = AccountPage {
        frame: frame(&session, PATH),
        signed_in: Moment::at(session.session.authenticated_at),
        methods: &session.session.methods,
        has_password: session.user.password_hash.is_some(),
    };
    Ok(page(&template, &FormTargets::none())?)
}
