//! Claims of an ID token (OpenID Connect Core 1.0 section 2).

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::jwt::{Audiences, RegisteredClaims};
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
}

impl RegisteredClaims for IdClaims {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn audiences(&self) -> &Audiences {
        &self.audiences
    }
}

/// `at_hash` of an ID token signed with a SHA-256 algorithm: the left half of the access token's SHA-256, base64url
/// (OpenID Connect Core 1.0 section 3.1.3.6).
pub fn access_token_hash(access_token: &str) -> String {
    let digest = Sha256::digest(access_token.as_bytes());
    let (half, _) = digest.split_at(16);
    Base64UrlUnpadded::encode_string(half)
}

#[cfg(test)]
mod tests {
    use super::access_token_hash;

    #[test]
    fn access_token_hash_is_that_of_openid_connect_core_appendix_a3() {
        assert_eq!(
            access_token_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
    }
}
