//! The rules that a client is held to, by its registration and the profile of the deployment (FAPI 2.0 Security Profile, OpenID
//! Connect Core, SMART App Launch).
//!
//! | rule | `standard` | `fapi2` | source |
//! |---|---|---|---|
//! | the client proves who it is | as registered, or not at all | by `private_key_jwt` | FAPI 2.0 section 5.3.2.1 |
//! | its assertions are signed with | what is registered, else anything | PS256, ES256 or EdDSA, or what of these is registered | section 5.4.1, FAPI-32 |
//! | `aud` of its assertions | the issuer or an endpoint, in a list too | the issuer alone, as a string | OIDC-02, OIDC-91, FAPI-34 |
//! | its authorization requests are pushed | as registered | always | section 5.3.2.2, FAPI-09 |
//! | PKCE with S256 | public clients; others as registered | always | OIDC-01, SMART-24, FAPI-10 |
//! | redirect URIs | https, on the person's device, or of a private-use scheme | https | section 5.3.2.2 |
//! | access tokens are bound to a key | as registered | always | section 5.3.2.1, FAPI-42 |
//! | access tokens are signed with | what is configured | that, if it is PS256, ES256 or EdDSA; else PS256 | section 5.4.1 |
//! | ID tokens are signed with | what is registered, else RS256 | the same, else PS256 | OIDC-03, OIDC-63 |
//! | a superseded refresh token works on for | what is registered; no time for public clients | the same, else a minute | FAPI-41 |
//!
//! The same for everybody: `response_type` is `code` (FAPI-11), codes and references to pushed requests live 60 seconds
//! (FAPI-15, FAPI-35), a challenge that was sent is held to, `iss` is in every answer (FAPI-05), and redirects are 303.
//!
//! A deployment that is held to FAPI holds every client to it (`security.profile`). A client that cannot keep the rules is
//! refused where it is registered ([`Rules::check`]), and where it calls.

use std::fmt;

use wardgate_shared::jwt::SignatureAlgorithm;

use super::{Client, ClientAuthentication, ClientKeys, SecurityProfile};

/// What FAPI lets JWTs be signed with (FAPI 2.0 Security Profile section 5.4.1). The first is what is used where nothing is
/// registered: the key of RSA clients and issuers serves for it.
const FAPI_ALGORITHMS: [SignatureAlgorithm; 3] = [
    SignatureAlgorithm::PS256,
    SignatureAlgorithm::ES256,
    SignatureAlgorithm::EdDSA,
];
/// The grace of a client that is held to FAPI, in seconds: FAPI-41 comes with the old token after 30.
const FAPI_GRACE_SECONDS: i64 = 60;

/// The rules for one client. Made by [`Client::rules`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub struct Rules {
    /// Whether it must authenticate by `private_key_jwt`.
    pub requires_private_key_jwt: bool,
    /// Whether `aud` of its assertions must be the issuer, as a string.
    pub requires_issuer_as_audience: bool,
    /// Whether its authorization requests must be pushed (RFC 9126 section 6).
    pub requires_push: bool,
    /// Whether its authorization requests must carry a challenge.
    pub requires_pkce: bool,
    /// Whether its redirect URIs must be https.
    pub requires_https_redirect: bool,
    /// Whether its access tokens must be bound to a key (RFC 9449).
    pub requires_sender_constraint: bool,
    /// What its ID tokens are signed with.
    pub id_token_algorithm: SignatureAlgorithm,
    /// How long a superseded refresh token still works, in seconds, beyond a retry.
    pub refresh_token_grace_seconds: i64,
    profile: SecurityProfile,
    registered_assertion_algorithm: Option<SignatureAlgorithm>,
}

impl SecurityProfile {
    /// The profile of this name in the configuration, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "standard" => Some(Self::Standard),
            "fapi2" => Some(Self::Fapi2),
            _ => None,
        }
    }

    /// What JWTs may be signed with.
    pub const fn algorithms(self) -> &'static [SignatureAlgorithm] {
        match self {
            Self::Standard => &SignatureAlgorithm::ALL,
            Self::Fapi2 => &FAPI_ALGORITHMS,
        }
    }

    /// What access tokens are signed with where `configured` is configured.
    pub fn access_token_algorithm(self, configured: SignatureAlgorithm) -> SignatureAlgorithm {
        if self.algorithms().contains(&configured) {
            configured
        } else {
            SignatureAlgorithm::PS256
        }
    }
}

impl Client {
    /// The rules for this client in a deployment that is held to `deployment`: the stricter of the two profiles counts.
    pub fn rules(&self, deployment: SecurityProfile) -> Rules {
        let metadata = &self.metadata;
        let profile = match (deployment, metadata.profile) {
            (SecurityProfile::Standard, SecurityProfile::Standard) => SecurityProfile::Standard,
            (SecurityProfile::Fapi2, _) | (_, SecurityProfile::Fapi2) => SecurityProfile::Fapi2,
        };
        let (fapi, default_algorithm, default_grace) = match profile {
            SecurityProfile::Standard => (false, SignatureAlgorithm::RS256, 0),
            SecurityProfile::Fapi2 => (true, SignatureAlgorithm::PS256, FAPI_GRACE_SECONDS),
        };
        let registered_algorithm = metadata.id_token_signed_response_alg;
        Rules {
            requires_private_key_jwt: fapi,
            requires_issuer_as_audience: fapi,
            requires_push: fapi || self.push_required,
            requires_pkce: fapi || self.is_public() || self.pkce_required,
            requires_https_redirect: fapi,
            requires_sender_constraint: fapi || metadata.dpop_bound_access_tokens,
            id_token_algorithm: registered_algorithm
                .filter(|algorithm| profile.algorithms().contains(algorithm))
                .unwrap_or(default_algorithm),
            refresh_token_grace_seconds: match (self.is_public(), metadata.refresh_token_grace_seconds) {
                (true, _) => 0,
                (false, 0) => default_grace,
                (false, seconds) => seconds.into(),
            },
            profile,
            registered_assertion_algorithm: metadata.token_endpoint_auth_signing_alg,
        }
    }
}

impl Rules {
    /// Whether the client may authenticate in the way it is registered for.
    pub const fn accepts_authentication(&self, authentication: &ClientAuthentication) -> bool {
        match authentication {
            ClientAuthentication::PrivateKeyJwt { .. } => true,
            ClientAuthentication::Public | ClientAuthentication::Secret(_) => !self.requires_private_key_jwt,
        }
    }

    /// Whether the client may sign an assertion with `algorithm`.
    pub fn accepts_assertion_by(&self, algorithm: SignatureAlgorithm) -> bool {
        let registered = self.registered_assertion_algorithm;
        registered.is_none_or(|registered| registered == algorithm)
            && self.profile.algorithms().contains(&algorithm)
    }

    /// Whether codes may be sent to `redirect_uri`, which is registered.
    pub fn accepts_redirect(&self, redirect_uri: &str) -> bool {
        !self.requires_https_redirect || redirect_uri.starts_with("https://")
    }

    /// What the client's access tokens are signed with where `configured` is configured.
    pub fn access_token_algorithm(&self, configured: SignatureAlgorithm) -> SignatureAlgorithm {
        self.profile.access_token_algorithm(configured)
    }

    /// Whether `client`, whose rules these are, can keep them: what is lawful by itself and senseless together.
    ///
    /// # Errors
    /// [`ProfileFault`].
    pub fn check(&self, client: &Client) -> Result<(), ProfileFault> {
        let metadata = &client.metadata;
        if client.is_public() && metadata.refresh_token_grace_seconds > 0 {
            return Err(ProfileFault::GraceOfPublicClient);
        }
        if !self.accepts_authentication(&client.authentication) {
            return Err(ProfileFault::NoPrivateKey);
        }
        if let ClientAuthentication::PrivateKeyJwt {
            keys: ClientKeys::Inline(keys),
        } = &client.authentication
        {
            let signs = |algorithm| keys.candidates(None, algorithm).next().is_some();
            let algorithms = SignatureAlgorithm::ALL.into_iter();
            if !algorithms
                .filter(|algorithm| self.accepts_assertion_by(*algorithm))
                .any(signs)
            {
                return Err(ProfileFault::NoUsableKey);
            }
        }
        let mut uris = client.redirect_uris.iter();
        if !uris.all(|uri| self.accepts_redirect(uri.as_str())) {
            return Err(ProfileFault::InsecureRedirectUri);
        }
        for (member, algorithm) in [
            (
                "id_token_signed_response_alg",
                metadata.id_token_signed_response_alg,
            ),
            (
                "userinfo_signed_response_alg",
                metadata.userinfo_signed_response_alg,
            ),
            (
                "token_endpoint_auth_signing_alg",
                metadata.token_endpoint_auth_signing_alg,
            ),
        ] {
            if algorithm.is_some_and(|algorithm| !self.profile.algorithms().contains(&algorithm)) {
                return Err(ProfileFault::Algorithm(member));
            }
        }
        Ok(())
    }
}

/// Why a client cannot keep its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileFault {
    /// `refresh_token_grace_seconds` of a public client.
    GraceOfPublicClient,
    /// It is public, or has a secret.
    NoPrivateKey,
    /// None of its registered keys signs with an algorithm that is allowed.
    NoUsableKey,
    /// A redirect URI is not https.
    InsecureRedirectUri,
    /// This member names an algorithm that is not allowed.
    Algorithm(&'static str),
}

impl fmt::Display for ProfileFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GraceOfPublicClient => formatter.write_str(
                "refresh_token_grace_seconds is for confidential clients: a public one is known by its refresh token alone",
            ),
            Self::NoPrivateKey => formatter
                .write_str("a client that is held to fapi2 must be confidential and authenticate by private_key_jwt"),
            Self::NoUsableKey => formatter
                .write_str("none of the client's keys signs with an algorithm that its assertions may be signed with"),
            Self::InsecureRedirectUri => {
                formatter.write_str("the redirect URIs of a client that is held to fapi2 must be https")
            }
            Self::Algorithm(member) => write!(
                formatter,
                "{member} of a client that is held to fapi2 must be PS256, ES256 or EdDSA"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
