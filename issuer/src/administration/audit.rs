//! The search of the audit trail. Reading it is not recorded itself: it would bury what it looks for.

use crate::domain::audit_search::{AuditFilter, AuditFindings, AuditPlace};
use crate::error::internal::InternalError;
use crate::state::AppState;

/// The newest lines after `place` that `filter` asks for, at most `size`. A piece may be empty though there are older lines:
/// one search looks at so many only.
///
/// # Errors
/// When the store cannot answer.
pub async fn search(
    state: &AppState,
    filter: AuditFilter,
    place: Option<AuditPlace>,
    size: usize,
) -> Result<AuditFindings, InternalError> {
    Ok(state.store().search_audit_events(filter, place, size).await?)
}
