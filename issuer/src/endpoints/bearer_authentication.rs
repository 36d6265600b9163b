//! Who calls, where an access token says so: at userinfo, introspection and registration (RFC 6750 section 2).

use http::{HeaderMap, HeaderValue, header};

use crate::error::bearer::BearerError;
use crate::error::internal::InternalError;
use crate::extract::Parameters;
use crate::state::AppState;
use crate::tokens::own::{self, LiveAccessToken};

/// Whether `value` of `Authorization` is of the scheme Bearer.
pub fn is_bearer(value: &HeaderValue) -> bool {
    let scheme = value.as_bytes().split(|byte| *byte == b' ').next();
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Bearer"))
}

/// The living access token of a request that has `scope`. It comes in the `Authorization` header, or in the form that is
/// given here; the query is never looked at (RFC 9700 section 4.3.2).
///
/// # Errors
/// Inside the `Ok`: [`BearerError`]. Outside: what the store could not answer.
pub async fn authenticate(
    state: &AppState,
    headers: &HeaderMap,
    form: Option<&Parameters>,
    scope: &'static str,
) -> Result<Result<LiveAccessToken, BearerError>, InternalError> {
    let text = match present(headers, form) {
        Ok(text) => text,
        Err(error) => return Ok(Err(error)),
    };
    let Some(live) = own::live_access_token(state, text, state.now()).await? else {
        return Ok(Err(BearerError::InvalidToken));
    };
    if live.token.claims().scope.split(' ').any(|own| own == scope) {
        Ok(Ok(live))
    } else {
        Ok(Err(BearerError::InsufficientScope(scope)))
    }
}

/// The text of the one token that a request carries, in its `Authorization` header or in a form.
///
/// # Errors
/// [`BearerError`].
pub(super) fn present<'a>(
    headers: &'a HeaderMap,
    form: Option<&'a Parameters>,
) -> Result<&'a str, BearerError> {
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = authorizations.next();
    let in_form = match form {
        Some(form) => form.single("access_token").map_err(|_| BearerError::Malformed)?,
        None => None,
    };
    match (authorization, authorizations.next(), in_form) {
        (None, None, None) => Err(BearerError::NoToken),
        (None, None, Some(token)) => Ok(token),
        (Some(authorization), None, None) => {
            let text = authorization.to_str().map_err(|_| BearerError::Malformed)?;
            let (_, token) = text
                .split_once(' ')
                .filter(|_| is_bearer(authorization))
                .ok_or(BearerError::Malformed)?;
            Ok(token.trim_matches(' '))
        }
        (_, _, _) => Err(BearerError::Malformed),
    }
}
