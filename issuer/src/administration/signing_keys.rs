//! Signing keys: which there are, a new one, and the end of one that others may know.

use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::signing_key::StoredSigningKey;
use crate::error::internal::InternalError;
use crate::keys::KeyError;
use crate::state::AppState;

use super::{Actor, AdministrationError, FieldFault};

/// The lives of all keys, newest first.
///
/// # Errors
/// When the store cannot answer.
pub async fn list(state: &AppState) -> Result<Vec<StoredSigningKey>, AdministrationError> {
    state.keys().reload(state.store()).await.map_err(failed)?;
    Ok(state.keys().lives())
}

/// The key of this `kid`.
///
/// # Errors
/// [`AdministrationError::NotFound`], or the store cannot answer.
pub async fn get(state: &AppState, key_id: &str) -> Result<StoredSigningKey, AdministrationError> {
    let found = list(state).await?.into_iter().find(|key| key.key_id == key_id);
    found.ok_or(AdministrationError::NotFound)
}

/// Makes a successor for the key of `algorithm`, or of the one that access tokens are signed with.
///
/// # Errors
/// [`AdministrationError::Invalid`] for an algorithm that is not in use, [`AdministrationError::ChangedMeanwhile`], or the issuer fails.
pub async fn rotate(
    state: &AppState,
    actor: &Actor,
    algorithm: Option<&str>,
    now: Timestamp,
) -> Result<StoredSigningKey, AdministrationError> {
    let algorithm = state.keys().algorithm_in_use(algorithm).ok_or_else(|| {
        let fault = FieldFault::new("algorithm", "must be one that the issuer signs with");
        AdministrationError::Invalid(vec![fault])
    })?;
    let audit = actor.audit(AuditAction::KeyRotation, AuditOutcome::Success, now);
    let rotated = state.keys().rotate(state.store(), algorithm, audit).await;
    rotated.map_err(failed)
}

/// Ends a key at once, with everything that it signed. Another signs in its place.
///
/// # Errors
/// [`AdministrationError::NotFound`] for a key that is not published, [`AdministrationError::ChangedMeanwhile`], or the issuer fails.
pub async fn revoke(
    state: &AppState,
    actor: &Actor,
    key_id: &str,
    now: Timestamp,
) -> Result<(), AdministrationError> {
    let audit = actor.audit(AuditAction::KeyRevocation, AuditOutcome::Success, now);
    let revoked = state.keys().revoke(state.store(), key_id, audit).await;
    revoked
        .map_err(failed)?
        .map(drop)
        .ok_or(AdministrationError::NotFound)
}

fn failed(error: KeyError) -> AdministrationError {
    if error.is_of_others_meanwhile() {
        return AdministrationError::ChangedMeanwhile;
    }
    AdministrationError::Internal(InternalError::Keys(error))
}
