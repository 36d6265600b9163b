//! What holds for DPoP proofs wherever they are presented.

use wardgate_shared::secret::Secret;

use super::apis::Api;
use super::{Reader, variables};

/// The shortest secret for nonces, in characters.
const SHORTEST_SECRET: usize = 32;

/// What holds for proofs.
#[derive(Clone, Debug)]
pub struct DpopSettings {
    /// How old a proof may be, in seconds since its `iat`.
    pub longest_age_seconds: i64,
    /// What happens while it cannot be known whether a proof was used elsewhere.
    pub on_failure: OnFailure,
    /// What nonces are made with.
    pub nonce_secret: Option<Secret<String>>,
}

/// What happens while the coordinator of a proof's key cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing passes: 503.
    Closed,
    /// Each isolate lets a proof pass once.
    Local,
}

impl Reader<'_> {
    pub(super) fn dpop(&mut self, apis: &[Api]) -> DpopSettings {
        let on_failure = match self.text(variables::DPOP_ON_FAILURE).as_str() {
            "local" => OnFailure::Local,
            // An empty text has its fault already.
            "closed" | "" => OnFailure::Closed,
            _ => {
                self.fault(variables::DPOP_ON_FAILURE, "must be 'closed' or 'local'");
                OnFailure::Closed
            }
        };
        let secret = self.text(variables::DPOP_NONCE_SECRET);
        let nonce_secret = match secret.as_str() {
            "none" | "" => None,
            _ => Some(secret),
        };
        if nonce_secret
            .as_ref()
            .is_some_and(|secret| secret.len() < SHORTEST_SECRET)
        {
            self.fault(
                variables::DPOP_NONCE_SECRET,
                "must be 'none' or at least 32 characters long",
            );
        }
        if nonce_secret.is_none() && apis.iter().any(|api| api.requires_dpop_nonce) {
            self.fault(
                variables::DPOP_NONCE_SECRET,
                "must be set where an API requires nonces",
            );
        }
        DpopSettings {
            longest_age_seconds: self.number(variables::DPOP_SECONDS, (10, 300)).into(),
            on_failure,
            nonce_secret: nonce_secret.map(Secret::new),
        }
    }
}
