//! Claims of an ID token (OpenID Connect Core 1.0 section 2).

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::jwt::{Audiences, RegisteredClaims, SignatureAlgorithm, deserialized};
use crate::time::Timestamp;

/// `typ` of an ID token. OpenID Connect names none; `JWT` keeps it apart from `at+jwt` and `logout+jwt`.
pub const ID_TOKEN_TYPE: &str = "JWT";

/// What an ID token says besides `exp` and `iat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdClaims {
    /// `iss`: the issuer's URL.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// `sub`: the person, 1 to 255 characters, stable for ever.
    #[serde(rename = "sub")]
    pub subject: String,
    /// `aud`: the client.
    #[serde(rename = "aud")]
    pub audiences: Audiences,
    /// `nonce` as the client sent it, byte for byte; absent when it sent none (OIDC-33).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// `auth_time`: when the person was authenticated.
    #[serde(rename = "auth_time", default, skip_serializing_if = "Option::is_none")]
    pub authenticated_at: Option<Timestamp>,
    /// `acr`: how the person was authenticated.
    #[serde(rename = "acr", default, skip_serializing_if = "Option::is_none")]
    pub authentication_context: Option<String>,
    /// `amr`: the methods used (RFC 8176).
    #[serde(rename = "amr", default, skip_serializing_if = "Vec::is_empty")]
    pub authentication_methods: Vec<String>,
    /// `sid`: the session in which the client got its grant (Back-Channel Logout 1.0 section 2.1).
    #[serde(rename = "sid", default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// `at_hash`: see [`access_token_hash`].
    #[serde(rename = "at_hash", default, skip_serializing_if = "Option::is_none")]
    pub access_token_hash: Option<String>,
    /// `fhirUser`: the absolute URL of the person's FHIR resource (SMART-53).
    #[serde(rename = "fhirUser", default, skip_serializing_if = "Option::is_none")]
    pub fhir_user: Option<String>,
    /// Claims that the client asked for one by one (section 5.5); everything else about the person is told at userinfo.
    #[serde(flatten)]
    pub asked: Map<String, Value>,
}

impl RegisteredClaims for IdClaims {
    fn of_members(members: Map<String, Value>) -> Option<Self> {
        deserialized(members)
    }

    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn audiences(&self) -> &Audiences {
        &self.audiences
    }
}

/// `at_hash` of an ID token signed with `algorithm`: the left half of the access token's digest, base64url, by the hash
/// function of the algorithm (OpenID Connect Core 1.0 section 3.1.3.6). That of Ed25519 is SHA-512 (RFC 8032 section 5.1).
pub fn access_token_hash(algorithm: SignatureAlgorithm, access_token: &str) -> String {
    fn left_half<D: Digest>(text: &str) -> String {
        let digest = D::digest(text.as_bytes());
        let half: Vec<u8> = digest.iter().copied().take(digest.len() / 2).collect();
        Base64UrlUnpadded::encode_string(&half)
    }
    match algorithm {
        SignatureAlgorithm::RS256 | SignatureAlgorithm::PS256 | SignatureAlgorithm::ES256 => {
            left_half::<Sha256>(access_token)
        }
        SignatureAlgorithm::RS384 | SignatureAlgorithm::ES384 => left_half::<Sha384>(access_token),
        SignatureAlgorithm::EdDSA => left_half::<Sha512>(access_token),
    }
}

#[cfg(test)]
mod tests {
    use super::access_token_hash;
    use crate::jwt::SignatureAlgorithm;

    #[test]
    fn access_token_hash_is_that_of_openid_connect_core_appendix_a3() {
        assert_eq!(
            access_token_hash(
                SignatureAlgorithm::RS256,
                "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
            ),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
    }
    #[test]
    fn access_token_hash_is_half_of_the_hash_that_belongs_to_the_algorithm() {
        for (algorithm, characters) in [
            (SignatureAlgorithm::RS256, 22),
            (SignatureAlgorithm::PS256, 22),
            (SignatureAlgorithm::ES256, 22),
            (SignatureAlgorithm::RS384, 32),
            (SignatureAlgorithm::ES384, 32),
            (SignatureAlgorithm::EdDSA, 43),
        ] {
            let hash = access_token_hash(algorithm, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
            assert_eq!(hash.len(), characters, "{algorithm}");
        }
    }
}
