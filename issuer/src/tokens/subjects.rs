//! `sub`: what a client is told a person is called, and who that is (OpenID Connect Core section 8).
//!
//! A client of subject type `public` is told the account's id; one of type `pairwise` a random name that its sector alone
//! knows. The name is fixed with the grant, so every token made from it, userinfo and introspection say the same.

use crate::domain::client::Client;
use crate::error::InternalError;
use crate::rng;
use crate::state::AppState;

/// What `client` is told `user_id` is called.
///
/// # Errors
/// When the store cannot answer, or there is no randomness.
pub async fn subject(state: &AppState, client: &Client, user_id: &str) -> Result<String, InternalError> {
    match client.sector() {
        None => Ok(user_id.into()),
        Some(sector) => {
            let candidate = rng::identifier("sub-")?;
            Ok(state
                .store()
                .pairwise_subject(&sector, user_id, candidate)
                .await?)
        }
    }
}

/// The account behind the `sub` of a token of ours, whatever the client is registered for by now.
///
/// # Errors
/// When the store cannot answer.
pub async fn account_of_own(state: &AppState, subject: String) -> Result<String, InternalError> {
    let owner = state.store().pairwise_owner(&subject).await?;
    Ok(owner.map_or(subject, |(user_id, _)| user_id))
}

/// The account that `client` means by a `sub` of its own making; `None` when it knows nobody by that name. A pairwise
/// client cannot find out so who an account is.
///
/// # Errors
/// When the store cannot answer.
pub async fn account_named_by(
    state: &AppState,
    client: &Client,
    subject: &str,
) -> Result<Option<String>, InternalError> {
    let Some(own_sector) = client.sector() else {
        return Ok(state.store().user(subject).await?.map(|user| user.id));
    };
    let owner = state.store().pairwise_owner(subject).await?;
    Ok(owner.and_then(|(user_id, sector)| (sector == own_sector).then_some(user_id)))
}

#[cfg(test)]
mod tests;
