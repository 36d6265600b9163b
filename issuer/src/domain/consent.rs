//! What a person agreed that a client may have.

use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

/// An answer on the consent page, to be remembered.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Who agreed.
    pub user_id: String,
    /// With whom.
    pub client_id: String,
    /// To what.
    pub scope: ScopeSet,
    /// For which resources: those that the access tokens name in `aud`.
    pub audiences: Vec<String>,
    /// When they last did.
    pub granted_at: Timestamp,
}
