//! Recovery codes for somebody who gets some.

use wardgate_shared::secret::Secret;

use crate::domain::digest::SecretDigest;
use crate::domain::recovery_code::{self, CODE_BYTES, CODES};
use crate::error::internal::InternalError;
use crate::rng;
use crate::state::AppState;

/// New codes, in clear for their person, and as digests for the store.
#[derive(Debug)]
pub struct NewCodes {
    /// What the person is shown, once.
    pub shown: Vec<Secret<String>>,
    /// What is stored.
    pub digests: Vec<SecretDigest>,
}

impl NewCodes {
    /// New codes for somebody who has none that is not used; no codes for others.
    ///
    /// # Errors
    /// When the store cannot answer, or there is no randomness.
    pub async fn for_somebody_without(state: &AppState, user_id: &str) -> Result<Self, InternalError> {
        if state.store().unused_recovery_codes(user_id).await? > 0 {
            return Ok(Self {
                shown: Vec::new(),
                digests: Vec::new(),
            });
        }
        Self::generate()
    }

    /// As many as a person gets at a time.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate() -> Result<Self, InternalError> {
        let shown = (0..CODES)
            .map(|_| Ok(recovery_code::encode(rng::bytes::<CODE_BYTES>()?)))
            .collect::<Result<Vec<_>, InternalError>>()?;
        let digests = shown
            .iter()
            .filter_map(|code| recovery_code::digest(code.expose()))
            .collect();
        Ok(Self { shown, digests })
    }
}
