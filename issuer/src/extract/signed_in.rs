//! Who has signed in with this browser.

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use wardgate_shared::secret::Secret;

use crate::domain::digest::SecretDigest;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::state::AppState;

use super::cookies::Cookie;

/// A living session and its person, who is active.
#[derive(Clone, Debug)]
pub struct BrowserSession {
    /// The cookie's value.
    pub secret: Secret<String>,
    /// The session.
    pub session: Session,
    /// Who signed in.
    pub user: User,
}

/// The browser's session, if it has one.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Option<BrowserSession>);

impl<S> FromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let state = AppState::from_ref(state);
        let Some(secret) = Cookie::Session.read(&parts.headers, &state.config().server.public_url) else {
            return Ok(Self(None));
        };
        let (digest, now) = (SecretDigest::of(secret), state.now());
        let idle_seconds = state.config().sessions.idle_seconds;
        let found = state
            .store()
            .session(&digest, idle_seconds, now)
            .await
            .map_err(InternalError::from)?;
        let Some((mut session, user)) = found else {
            return Ok(Self(None));
        };
        let factor_idle_seconds = state.config().second_factor.lifetime.idle_seconds;
        if now.since(session.last_seen_at) >= factor_idle_seconds {
            session.second_factor_at = None;
        }
        state
            .store()
            .touch_session(&digest, idle_seconds, factor_idle_seconds, now)
            .await
            .map_err(InternalError::from)?;
        Ok(Self(Some(BrowserSession {
            secret: Secret::new(secret.into()),
            session,
            user,
        })))
    }
}
