//! What administrators were refused, for the audit trail: one line for each change that was not made, whichever way they came.

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::error::internal::InternalError;
use crate::state::AppState;

use super::Actor;

/// Why something is not done.
pub trait Refusal {
    /// The reason for the audit trail; none where the issuer itself failed, or a record was made already.
    fn reason(&self) -> Option<&'static str>;
}

/// Records that `actor` wanted to change something and was refused for `reason`.
///
/// # Errors
/// When it cannot be recorded.
pub async fn record_refusal(
    state: &AppState,
    actor: &Actor,
    reason: &'static str,
) -> Result<(), InternalError> {
    let audit = actor
        .audit(AuditAction::Administration, AuditOutcome::Failure, state.now())
        .with_reason(reason);
    Ok(state.record_refusal(audit).await?)
}
