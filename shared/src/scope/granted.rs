//! The scopes of a token, prepared for many decisions.

use alloc::vec::Vec;

use super::set::ScopeSet;
use super::smart::{Scope, SmartScope};
use super::token::ScopeToken;

/// What of a token's scopes can permit FHIR requests, understood once. Scopes that cannot (launch context, identity,
/// other APIs', malformed ones) are left out; they grant nothing.
#[derive(Debug, Clone, Default)]
pub struct GrantedScopes {
    rules: Vec<Rule>,
    fhir_user: Option<ScopeToken>,
}

/// One SMART scope with its original spelling.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) scope: SmartScope,
    pub(super) spelling: ScopeToken,
}

impl GrantedScopes {
    /// Understands the scopes of a verified token.
    pub fn compile(scopes: &ScopeSet) -> Self {
        let mut granted = Self::default();
        for token in scopes {
            match Scope::parse(token) {
                Ok(Scope::Smart(scope)) => granted.rules.push(Rule {
                    scope,
                    spelling: token.clone(),
                }),
                Ok(Scope::FhirUser) => granted.fhir_user = Some(token.clone()),
                Ok(
                    Scope::Launch
                    | Scope::LaunchContext { .. }
                    | Scope::OpenId
                    | Scope::Profile
                    | Scope::Email
                    | Scope::Address
                    | Scope::Phone
                    | Scope::OfflineAccess
                    | Scope::OnlineAccess
                    | Scope::Other(_),
                )
                | Err(_) => {}
            }
        }
        granted
    }

    /// Whether no request but the open ones can be permitted.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.fhir_user.is_none()
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The scope `fhirUser`, if granted.
    pub(super) fn fhir_user(&self) -> Option<&ScopeToken> {
        self.fhir_user.as_ref()
    }
}
