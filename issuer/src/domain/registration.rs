//! Clients that register themselves (RFC 7591): how much they may ask for, and the tokens that let them.

use wardgate_shared::scope::{Level, Scope, ScopeSet, ScopeToken, narrow};
use wardgate_shared::time::Timestamp;

use super::client::{Client, GrantType};
use super::digest::SecretDigest;

/// The most that a client may be registered with when it is the client that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// The scopes, in SMART's sense: `patient/*.rs` covers `patient/Observation.r`.
    pub scope: ScopeSet,
    /// The grant types.
    pub grant_types: Vec<GrantType>,
}

impl Ceiling {
    /// What a client with these grant types is registered for: what it asks for as far as this covers it, everything when
    /// it names nothing (RFC 7591 section 2, `scope`). What its grant types can never give it is left out.
    pub fn scope_for(&self, requested: Option<&ScopeSet>, grant_types: &[GrantType]) -> ScopeSet {
        let permitted = match requested {
            Some(requested) => narrow(requested, &self.scope),
            None => self.scope.clone(),
        };
        let fits = |token: &&ScopeToken| match Scope::parse(token) {
            Ok(Scope::OfflineAccess | Scope::OnlineAccess) => grant_types.contains(&GrantType::RefreshToken),
            Ok(Scope::Smart(smart)) if smart.level() == Level::System => {
                grant_types.contains(&GrantType::ClientCredentials)
            }
            Ok(_) => true,
            Err(_) => false,
        };
        permitted.iter().filter(fits).cloned().collect()
    }
}

/// An initial access token (RFC 7591 section 3): who has it may register clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationToken {
    /// What the operator calls it by.
    pub id: String,
    /// Its digest.
    pub digest: SecretDigest,
    /// What it is for, for the operator.
    pub description: String,
    /// The most that clients may ask for by it.
    pub ceiling: Ceiling,
    /// How many more clients can be registered by it.
    pub uses_left: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is of no use.
    pub expires_at: Timestamp,
}

/// What lets a client register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Anybody may, as long as no more than `limit` clients wait for their first token.
    Open {
        /// That many.
        limit: u32,
    },
    /// An initial access token, of which one use is used up.
    Token(RegistrationToken),
}

/// A client that registers itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRegistration {
    /// The client.
    pub client: Client,
    /// The digest of its registration access token (RFC 7592).
    pub access_token: SecretDigest,
    /// What lets it.
    pub admission: Admission,
    /// When it is deleted if it has had no token by then.
    pub unused_until: Timestamp,
}

/// A client that manages its own registration (RFC 7592).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedClient {
    /// The client as it is registered.
    pub client: Client,
    /// The most it may ask for, where the token it registered by said so.
    pub ceiling: Option<Ceiling>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ceiling(scope: &str) -> Ceiling {
        Ceiling {
            scope: ScopeSet::parse(scope).unwrap(),
            grant_types: Vec::new(),
        }
    }

    #[track_caller]
    fn is_registered_for(ceiling: &Ceiling, requested: Option<&str>, grant_types: &[GrantType], scope: &str) {
        let requested = requested.map(|text| ScopeSet::parse(text).unwrap());
        assert_eq!(
            ceiling.scope_for(requested.as_ref(), grant_types).to_string(),
            scope
        );
    }

    #[test]
    fn a_client_gets_what_the_ceiling_covers_in_its_own_spelling() {
        let ceiling = ceiling("openid patient/*.rs user/Patient.rs");
        let code = [GrantType::AuthorizationCode];
        is_registered_for(
            &ceiling,
            Some("patient/Observation.read openid user/*.rs patient/*.cruds profile"),
            &code,
            "patient/Observation.read openid",
        );
        is_registered_for(&ceiling, None, &code, "openid patient/*.rs user/Patient.rs");
        is_registered_for(&ceiling, Some("profile"), &code, "");
    }

    #[test]
    fn what_the_grant_types_can_never_give_is_left_out() {
        let ceiling = ceiling("openid offline_access online_access system/*.rs");
        is_registered_for(&ceiling, None, &[GrantType::AuthorizationCode], "openid");
        is_registered_for(
            &ceiling,
            Some("openid offline_access system/*.rs"),
            &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            "openid offline_access",
        );
        is_registered_for(
            &ceiling,
            Some("system/Patient.r offline_access"),
            &[GrantType::ClientCredentials],
            "system/Patient.r",
        );
    }
}
