//! How many there are of everything.

use crate::error::internal::InternalError;
use crate::state::AppState;
use crate::store::Numbers;

/// Counts what there is now.
///
/// # Errors
/// When the store cannot answer.
pub async fn count(state: &AppState) -> Result<Numbers, InternalError> {
    let idle_seconds = state.config().sessions.idle_seconds;
    Ok(state.store().numbers(idle_seconds, state.now()).await?)
}
