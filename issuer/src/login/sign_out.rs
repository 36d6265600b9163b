//! `/logout`: the sign-out page.

use axum::extract::State;
use axum::response::Response;
use http::header;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::cookies::Cookie;
use crate::extract::{ClientAddress, Form, FormError, SameOrigin, SignedIn};
use crate::state::AppState;
use crate::views::{FormTargets, SignOutForm, SignOutPage, page};

use super::form_token::{FormPurpose, form_token, is_form_token};

/// Asks whether to sign out, or says that nobody is signed in.
pub async fn get(State(state): State<AppState>, SignedIn(session): SignedIn) -> Result<Response, PageError> {
    let Some(session) = session else {
        return Ok(page(&SignOutPage { form: None }, &FormTargets::none())?);
    };
    let form_token = form_token(state.form_key(), session.secret.expose(), FormPurpose::SignOut);
    let form = SignOutForm {
        user_name: &session.user.name,
        form_token: &form_token,
    };
    Ok(page(&SignOutPage { form: Some(form) }, &FormTargets::own())?)
}

/// Signs out: ends the session, and with it what was granted for its length.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    if let Some(session) = session {
        let token = parameters
            .single("form_token")
            .map_err(|_| PageError::Field)?
            .unwrap_or_default();
        if !is_form_token(
            state.form_key(),
            session.secret.expose(),
            FormPurpose::SignOut,
            token,
        ) {
            return Err(PageError::StaleForm);
        }
        let audit = AuditEvent::new(state.now(), AuditAction::SignOut, AuditOutcome::Success)
            .with_user(session.user.id)
            .with_ip_address(address);
        state
            .store()
            .end_session(&session.session.digest, audit)
            .await
            .map_err(InternalError::from)?;
    }
    let mut response = redirect::to_own_page("/logout")?;
    let cookie = Cookie::Session
        .clear(&state.config().server.public_url)
        .map_err(InternalError::from)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

#[cfg(test)]
mod tests;
