//! Who answers the pages of the second factor.

use axum::response::Response;
use http::{HeaderMap, header};
use wardgate_shared::secret::Secret;

use crate::domain::digest::SecretDigest;
use crate::domain::session::AuthenticationMethod;
use crate::domain::sign_in::SignInProgress;
use crate::domain::user::User;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::extract::BrowserSession;
use crate::extract::cookies::Cookie;
use crate::login::form_token::{FormPurpose, form_token, is_form_token};
use crate::state::AppState;

/// Somebody who has shown a first proof.
#[derive(Clone, Debug)]
pub enum Ongoing {
    /// They have no session yet, and get one by the second.
    SignIn {
        /// The cookie's value.
        secret: Secret<String>,
        /// The sign-in.
        sign_in: SignInProgress,
        /// Who.
        user: Box<User>,
    },
    /// They are signed in, and give another proof in their session.
    Session(Box<BrowserSession>),
}

impl Ongoing {
    /// Who it is by the request's cookies. A sign-in that is not finished goes before a session: somebody is at it.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn find(
        state: &AppState,
        headers: &HeaderMap,
        session: Option<BrowserSession>,
    ) -> Result<Option<Self>, InternalError> {
        let cookie = Cookie::SignIn.read(headers, &state.config().server.public_url);
        if let Some(secret) = cookie {
            let digest = SecretDigest::of(secret);
            if let Some((sign_in, user)) = state.store().sign_in(&digest, state.now()).await? {
                return Ok(Some(Self::SignIn {
                    secret: Secret::new(secret.into()),
                    sign_in,
                    user: Box::new(user),
                }));
            }
        }
        Ok(session.map(|session| Self::Session(Box::new(session))))
    }

    /// Has the pages of the second factor, to which `response` leads, ask the person of the session: not whoever has left a sign-in
    /// unfinished in this browser.
    ///
    /// # Errors
    /// Never in fact.
    pub fn in_session(state: &AppState, mut response: Response) -> Result<Response, InternalError> {
        let cookie = Cookie::SignIn.clear(&state.config().server.public_url)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    /// The person.
    pub fn user(&self) -> &User {
        match self {
            Self::SignIn { user, .. } => user,
            Self::Session(session) => &session.user,
        }
    }

    /// By what they have proved who they are so far.
    pub fn methods(&self) -> &[AuthenticationMethod] {
        match self {
            Self::SignIn { sign_in, .. } => &sign_in.methods,
            Self::Session(session) => &session.session.methods,
        }
    }

    /// The digest of the cookie by which they are known: what is sent to them is bound to it.
    pub fn binding(&self) -> SecretDigest {
        match self {
            Self::SignIn { sign_in, .. } => sign_in.digest,
            Self::Session(session) => session.session.digest,
        }
    }

    /// The token of a form that is shown to them.
    pub fn form_token(&self, state: &AppState, purpose: FormPurpose<'_>) -> String {
        form_token(state.form_key(), self.secret(), purpose)
    }

    /// Refuses a form that was not shown to them for this purpose.
    ///
    /// # Errors
    /// [`PageError::StaleForm`].
    pub fn check_token(
        &self,
        state: &AppState,
        purpose: FormPurpose<'_>,
        token: &str,
    ) -> Result<(), PageError> {
        if is_form_token(state.form_key(), self.secret(), purpose, token) {
            Ok(())
        } else {
            Err(PageError::StaleForm)
        }
    }

    /// The value of the cookie by which they are known.
    pub fn secret(&self) -> &str {
        match self {
            Self::SignIn { secret, .. } => secret.expose(),
            Self::Session(session) => session.secret.expose(),
        }
    }
}
