//! What a person agreed that a client may have.

use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

/// A remembered answer on the consent page.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Who agreed.
    pub user_id: String,
    /// With whom.
    pub client_id: String,
    /// To what, all times together.
    pub scope: ScopeSet,
    /// When they last did.
    pub granted_at: Timestamp,
}
