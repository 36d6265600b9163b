//! Single sign-on: connections to the identity providers of organizations, and what each may do here.
//!
//! A provider speaks for the people of the domains that were verified for its connection, and for nobody else.

mod domain_name;
mod preset;
mod provider;
mod roles;

use serde_json::{Map, Value};
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;

pub use domain_name::{DomainName, domain_of};
pub use preset::{Preset, PresetError, entra_tenant};
pub use provider::{ProviderMetadata, with_query};
pub use roles::{RoleRule, claim_holds};

/// How long a person has at the provider, in seconds.
pub const ATTEMPT_LIFETIME_SECONDS: i64 = 600;
/// The scopes that are asked for unless a connection says otherwise.
pub const USUAL_SCOPES: [&str; 3] = ["openid", "email", "profile"];

/// How the issuer authenticates at a provider's token endpoint (OpenID Connect Core section 9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCredential {
    /// Not at all: PKCE alone binds the code.
    None,
    /// By a secret in the header; sealed under the master key.
    Basic(Vec<u8>),
    /// By a secret in the form; sealed under the master key.
    Post(Vec<u8>),
}

impl ClientCredential {
    /// The method's name (RFC 7591 section 2, `token_endpoint_auth_method`).
    pub const fn method(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic(_) => "client_secret_basic",
            Self::Post(_) => "client_secret_post",
        }
    }

    /// The secret as it is stored.
    pub fn sealed(&self) -> Option<&[u8]> {
        match self {
            Self::None => None,
            Self::Basic(sealed) | Self::Post(sealed) => Some(sealed),
        }
    }
}

/// What becomes of a person whom the provider knows and who has no account here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownPeople {
    /// They are turned away.
    Refuse,
    /// They get an account.
    Create,
}

impl UnknownPeople {
    /// The name in the store and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Create => "create",
        }
    }

    /// The policy of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Refuse, Self::Create]
            .into_iter()
            .find(|policy| policy.as_str() == name)
    }
}

/// Somebody's word that the provider asks everybody for more than one factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MfaAttestation {
    /// When it was given.
    pub at: Timestamp,
    /// By whom: an administrator's id, or `cli`.
    pub by: String,
}

/// What is settled about a connection by whoever sets it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// What people know it by: the organization. 1 to 100 characters, unique.
    pub name: String,
    /// What kind of provider it is.
    pub preset: Preset,
    /// `iss` of its ID tokens, to the character.
    pub issuer: String,
    /// By what name the provider knows this issuer.
    pub client_id: String,
    /// How the issuer authenticates there.
    pub credential: ClientCredential,
    /// What is asked for; `openid` is among it.
    pub scopes: Vec<String>,
    /// Values of `amr` of which the provider has to say one, or one of `required_acr`; empty for none.
    pub required_amr: Vec<String>,
    /// Values of `acr` of which the provider has to say one, or one of `required_amr`; empty for none.
    pub required_acr: Vec<String>,
    /// What becomes of people without an account.
    pub unknown_people: UnknownPeople,
    /// The role of people whom no rule fits.
    pub default_role: Option<String>,
    /// Which role follows from which claim; the first that fits counts.
    pub role_rules: Vec<RoleRule>,
    /// Whether rules and default may make somebody an administrator.
    pub grants_administration: bool,
}

/// A connection to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// `sso-` and 22 random characters.
    pub id: String,
    /// What is settled about it.
    pub settings: ConnectionSettings,
    /// What counts of the provider's discovery document.
    pub provider: ProviderMetadata,
    /// When that was fetched and found good.
    pub checked_at: Timestamp,
    /// When it is to be fetched anew.
    pub refresh_at: Timestamp,
    /// That the provider asks for more than one factor.
    pub mfa_attestation: Option<MfaAttestation>,
    /// Whether people are sent there; never without the attestation.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Connection {
    /// What the connection of this id seals its client secret for.
    pub fn secret_context(id: &str) -> String {
        format!("sso client secret {id}")
    }
}

impl ConnectionSettings {
    /// Whether the claims of an ID token show one of the values that the connection requires, where it requires any.
    pub fn is_satisfied_by(&self, amr: &[String], acr: Option<&str>) -> bool {
        let requires_any = !self.required_amr.is_empty() || !self.required_acr.is_empty();
        let by_amr = amr.iter().any(|value| self.required_amr.contains(value));
        !requires_any || by_amr || acr.is_some_and(|acr| self.is_required_acr(acr))
    }

    /// Whether `acr` is one of the values that the connection requires.
    pub fn is_required_acr(&self, acr: &str) -> bool {
        self.required_acr.iter().any(|required| required == acr)
    }

    /// The role that follows from an ID token's claims: of the first rule that fits, else the default where there are rules.
    pub fn role_for(&self, claims: &Map<String, Value>) -> Option<&str> {
        if self.role_rules.is_empty() {
            return None;
        }
        self.role_rules
            .iter()
            .find(|rule| rule.fits(claims))
            .map(|rule| rule.role.as_str())
            .or(self.default_role.as_deref())
    }
}

/// How a domain was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainVerification {
    /// Its owner published the token as a TXT record.
    Dns,
    /// An administrator answers for it.
    Administrator,
}

impl DomainVerification {
    /// The name in the store, the API and the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Administrator => "administrator",
        }
    }

    /// The way of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Dns, Self::Administrator]
            .into_iter()
            .find(|way| way.as_str() == name)
    }
}

/// A domain that a connection claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionDomain {
    /// The connection.
    pub connection_id: String,
    /// The domain.
    pub domain: DomainName,
    /// What its TXT record has to say.
    pub token: String,
    /// Since when it is verified, and how. Until then it counts for nothing.
    pub verified: Option<(Timestamp, DomainVerification)>,
    /// When it was claimed.
    pub created_at: Timestamp,
}

impl ConnectionDomain {
    /// The name of the TXT record that proves it.
    pub fn record_name(&self) -> String {
        format!("_wardgate.{}", self.domain.as_str())
    }
}

/// A browser that was sent to a provider. `state` and the cookie are known by digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The digest of `state`.
    pub digest: SecretDigest,
    /// The digest of the cookie's value.
    pub browser: SecretDigest,
    /// Where it was sent, and nowhere else may its answer come from (RFC 9700 section 4.4).
    pub connection_id: String,
    /// `nonce`, which the ID token has to say.
    pub nonce: String,
    /// The person has to have been authenticated there after this instant, where that was asked.
    pub fresh_after: Option<Timestamp>,
    /// When it dies.
    pub expires_at: Timestamp,
}

/// What signing out at the provider takes, of a browser in which somebody signed in by it.
#[derive(Clone, Debug)]
pub struct ProviderSignIn {
    /// The digest of the cookie's value.
    pub browser: SecretDigest,
    /// The connection.
    pub connection_id: String,
    /// Who signed in.
    pub user_id: String,
    /// The ID token, sealed under the master key.
    pub sealed_id_token: Secret<Vec<u8>>,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

impl ProviderSignIn {
    /// What the ID token of this person is sealed for.
    pub fn id_token_context(user_id: &str) -> String {
        format!("sso id token {user_id}")
    }
}

/// Who a person is at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The connection.
    pub connection_id: String,
    /// `sub` there.
    pub subject: String,
    /// The account here.
    pub user_id: String,
    /// When they were linked.
    pub created_at: Timestamp,
    /// When the person last came in by it.
    pub last_used_at: Timestamp,
}

#[cfg(test)]
mod tests;
