//! The cookie that ties a form to its browser before anybody has signed in: the one that a request brings, or a new one.

use axum::response::Response;
use http::{HeaderMap, header};
use wardgate_shared::secret::Secret;

use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::extract::Parameters;
use crate::extract::cookies::Cookie;
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;

use super::form_token::{FormPurpose, form_token, is_form_token};

/// The browser that a form is shown in.
#[derive(Debug)]
pub struct FormCookie {
    value: Secret<String>,
    is_fresh: bool,
}

impl FormCookie {
    /// The cookie of a request; a new one where there is none.
    ///
    /// # Errors
    /// Without randomness.
    pub fn of(state: &AppState, headers: &HeaderMap) -> Result<Self, InternalError> {
        let known = Cookie::SignInForm
            .read(headers, &state.config().server.public_url)
            .filter(|value| OpaqueSecret::SignInForm.is_shape_of(value));
        Ok(match known {
            Some(value) => Self {
                value: Secret::new(value.into()),
                is_fresh: false,
            },
            None => Self {
                value: OpaqueSecret::SignInForm.generate()?.value,
                is_fresh: true,
            },
        })
    }

    /// The token of a form of this purpose.
    pub fn token(&self, state: &AppState, purpose: FormPurpose<'_>) -> String {
        form_token(state.form_key(), self.value.expose(), purpose)
    }

    /// Sets the cookie, where it is new.
    ///
    /// # Errors
    /// Never in fact.
    pub fn set_on(&self, state: &AppState, response: &mut Response) -> Result<(), InternalError> {
        if self.is_fresh {
            let cookie = Cookie::SignInForm.set(self.value.expose(), &state.config().server.public_url)?;
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(())
    }
}

/// Checks that a form is one that was shown to the browser of these headers.
///
/// # Errors
/// [`PageError::StaleForm`].
pub fn check(
    state: &AppState,
    headers: &HeaderMap,
    purpose: FormPurpose<'_>,
    parameters: &Parameters,
) -> Result<(), PageError> {
    let browser = Cookie::SignInForm
        .read(headers, &state.config().server.public_url)
        .ok_or(PageError::StaleForm)?;
    let token = parameters
        .single("form_token")
        .map_err(|_| PageError::Field)?
        .unwrap_or_default();
    if is_form_token(state.form_key(), browser, purpose, token) {
        Ok(())
    } else {
        Err(PageError::StaleForm)
    }
}
