//! Who may administrate by the API (RFC 6750): whoever has an access token of the scope [`Permission::scope`].
//!
//! A person's token counts as long as the person's present role names the scope: whoever stops being an administrator
//! stops at once, however long their tokens live. A client that acts for itself has what it was registered for.

use std::net::IpAddr;

use http::HeaderMap;

use crate::administration::{Actor, Means, Permission};
use crate::endpoints::bearer_authentication;
use crate::error::bearer::BearerError;
use crate::error::internal::InternalError;
use crate::extract::RequestTarget;
use crate::state::AppState;

/// Who calls with this request, from `ip_address`, if they have `permission`. A DPoP proof that comes with it is used up.
///
/// # Errors
/// Inside the `Ok`: [`BearerError`]. Outside: what the store could not answer.
pub async fn authorize(
    state: &AppState,
    target: &RequestTarget,
    headers: &HeaderMap,
    ip_address: Option<IpAddr>,
    permission: Permission,
) -> Result<Result<Actor, BearerError>, InternalError> {
    let scope = permission.scope();
    let live = match bearer_authentication::authenticate(state, target, headers, None, scope).await? {
        Ok(live) => live,
        Err(error) => return Ok(Err(error)),
    };
    if live
        .user
        .as_ref()
        .is_some_and(|user| !permission.is_given_by(user))
    {
        return Ok(Err(BearerError::InsufficientScope(scope)));
    }
    Ok(Ok(Actor {
        user_id: live.user.map(|user| user.id),
        client_id: Some(live.token.into_claims().client_id),
        ip_address,
        means: Means::Api,
    }))
}
