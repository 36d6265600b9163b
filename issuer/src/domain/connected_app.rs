//! What a person has given one client, all together: for the person who looks through their apps.

use wardgate_shared::scope::ScopeSet;

use super::client::Client;
use super::consent::Consent;
use super::grant::Grant;

/// A client with a hold on a person's account.
#[derive(Clone, Debug)]
pub struct ConnectedApp {
    /// The client.
    pub client: Client,
    /// The remembered answers, one a resource.
    pub consents: Vec<Consent>,
    /// The grants whose tokens are good or can be renewed.
    pub grants: Vec<Grant>,
    /// Whether it holds a good token that no grant to it stands behind: one exchanged for another client's (RFC 8693).
    pub has_exchanged_tokens: bool,
}

impl ConnectedApp {
    /// Whether it can act for the person at the moment, or renew what it had.
    pub const fn is_at_work(&self) -> bool {
        !self.grants.is_empty() || self.has_exchanged_tokens
    }

    /// Whether it can go on when the person has signed out.
    pub fn works_offline(&self) -> bool {
        self.grants.iter().any(|grant| !grant.ends_with_session())
    }

    /// All scopes that it was given, or that need not be asked for again.
    pub fn scope(&self) -> ScopeSet {
        let scopes = self.consents.iter().map(|consent| &consent.scope);
        scopes
            .chain(self.grants.iter().map(|grant| &grant.scope))
            .fold(ScopeSet::empty(), |all, scope| all.union(scope))
    }
}
