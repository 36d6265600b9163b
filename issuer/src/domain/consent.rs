//! What a person agreed that a client may have.

use std::collections::BTreeSet;

use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use super::person_claim::PersonClaim;

/// An answer on the consent page, to be remembered.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Who agreed.
    pub user_id: String,
    /// With whom.
    pub client_id: String,
    /// To what.
    pub scope: ScopeSet,
    /// To which claims besides those that the scopes open.
    pub claims: BTreeSet<PersonClaim>,
    /// For which resources: those that the access tokens name in `aud`.
    pub audiences: Vec<String>,
    /// When they last did.
    pub granted_at: Timestamp,
}
