//! Which provider signs a person in: home realm discovery.

use crate::domain::single_sign_on::{Connection, domain_of};
use crate::domain::user::normalize_email;
use crate::error::internal::InternalError;
use crate::state::AppState;

/// The enabled connection that has verified the domain of this address, as typed; `None` where people sign in here. Looks at
/// the domain alone, so that the answer is the same whether or not there is an account.
///
/// # Errors
/// When the store cannot answer.
pub async fn connection_for(state: &AppState, email: &str) -> Result<Option<Connection>, InternalError> {
    match domain_of(&normalize_email(email)) {
        Some(domain) => Ok(state.store().sso_connection_for(&domain).await?),
        None => Ok(None),
    }
}
