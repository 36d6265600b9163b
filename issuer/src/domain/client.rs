//! Clients: the applications that ask for tokens (RFC 6749 section 2).

mod metadata;
mod profile;
mod sector;

use wardgate_shared::jwk::JwkSet;
use wardgate_shared::redirect_uri::{RedirectTarget, RegisteredRedirectUri};
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;

pub use metadata::{ApplicationType, ClientMetadata, SecretMethod, SecurityProfile, SubjectType};
pub use profile::{ProfileFault, Rules};

/// A way to ask for tokens that a client may be allowed (RFC 6749 section 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantType {
    /// `authorization_code` (RFC 6749 section 4.1).
    AuthorizationCode,
    /// `client_credentials` (RFC 6749 section 4.4).
    ClientCredentials,
    /// `refresh_token` (RFC 6749 section 6).
    RefreshToken,
    /// `urn:ietf:params:oauth:grant-type:device_code` (RFC 8628).
    DeviceCode,
    /// `urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693).
    TokenExchange,
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523 section 2.1).
    JwtBearer,
}

impl GrantType {
    /// Every grant type this issuer knows, in the order in which metadata lists them.
    pub const ALL: [Self; 6] = [
        Self::AuthorizationCode,
        Self::ClientCredentials,
        Self::RefreshToken,
        Self::DeviceCode,
        Self::TokenExchange,
        Self::JwtBearer,
    ];

    /// The value of `grant_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }

    /// The grant type of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|grant_type| grant_type.as_str() == name)
    }
}

/// How a client proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// It cannot: an app on a person's device (RFC 6749 section 2.1, `token_endpoint_auth_method` `none`).
    Public,
    /// By a shared secret, as `client_secret_basic` or `client_secret_post`.
    Secret(SecretDigest),
    /// By an assertion that it signs, as `private_key_jwt` (OpenID Connect Core section 9, RFC 7523 section 2.2).
    PrivateKeyJwt {
        /// The public halves of its keys.
        keys: ClientKeys,
    },
}

/// Where a client's public keys are found: in one of two ways, never both (RFC 7591 section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKeys {
    /// Registered with it (`jwks`).
    Inline(JwkSet),
    /// Published by it (`jwks_uri`): a URL that the configuration lets the issuer fetch.
    Url(String),
}

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id`.
    pub client_id: String,
    /// What people read on the consent page.
    pub name: String,
    /// How it authenticates.
    pub authentication: ClientAuthentication,
    /// The grant types it may use.
    pub grant_types: Vec<GrantType>,
    /// Where its codes may go.
    pub redirect_uris: Vec<RegisteredRedirectUri>,
    /// Where its people may go once they have signed out (RP-Initiated Logout section 3.1).
    pub post_logout_redirect_uris: Vec<RegisteredRedirectUri>,
    /// The most it can be granted.
    pub scope: ScopeSet,
    /// Whether a confidential client must use PKCE. What holds in the end is in [`Client::rules`].
    pub pkce_required: bool,
    /// Whether its authorization requests must be pushed (RFC 9126 section 6).
    pub push_required: bool,
    /// Everything else it is registered with.
    pub metadata: ClientMetadata,
    /// Whether it registered itself (RFC 7591): nobody but itself vouches for its name, logo and links.
    pub registered_itself: bool,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl Client {
    /// Whether it may use `grant_type`.
    pub fn allows(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Whether it cannot prove who it is.
    pub const fn is_public(&self) -> bool {
        matches!(self.authentication, ClientAuthentication::Public)
    }

    /// The target of a request that presents `redirect_uri`; without one, the only registered URI (RFC 6749 section
    /// 3.1.2.3), and none when there are several.
    pub fn redirect_target(&self, redirect_uri: Option<&str>) -> Option<RedirectTarget> {
        match (redirect_uri, self.redirect_uris.as_slice()) {
            (Some(presented), registered) => registered.iter().find_map(|uri| uri.accept(presented)),
            (None, [only]) => Some(only.as_target()),
            (None, _) => None,
        }
    }

    /// The target of a logout request that presents `redirect_uri`: a registered URI, character by character.
    pub fn post_logout_target(&self, redirect_uri: &str) -> Option<RedirectTarget> {
        let mut registered = self.post_logout_redirect_uris.iter();
        registered
            .find(|uri| uri.as_str() == redirect_uri)
            .map(RegisteredRedirectUri::as_target)
    }
}
