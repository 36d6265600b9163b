//! A JWT of which nothing is known to be true.

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::UntrustedToken;
use serde::Deserialize;

use crate::json;

use super::alg::SignatureAlgorithm;
use super::error::JwtError;
use super::policy::Audiences;

/// The longest token that is looked at unless a caller says otherwise, in bytes. Access tokens stay well below it, so
/// that they fit in a header (SMART-45).
pub const MAXIMUM_JWT_BYTES: usize = 8 * 1024;

/// A well-formed compact JWT, not verified. It shows what is needed to find the key, and no claim.
#[derive(Debug)]
pub struct UnverifiedJwt<'a> {
    text: &'a str,
    algorithm: SignatureAlgorithm,
    token: UntrustedToken<'a, HeaderExtensions>,
}

/// Header parameters that jwt-compact has no field for. Unknown ones are ignored (RFC 7515 section 4).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct HeaderExtensions {
    /// Any value at all, `null` included, counts as present.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl<'a> UnverifiedJwt<'a> {
    /// Reads a compact JWT of at most `maximum_bytes` bytes.
    ///
    /// Checked here: length, three base64url parts, header and claims are JSON objects without repeated members,
    /// `alg` is a known asymmetric algorithm, no `crit`, and a signature of the algorithm's length.
    ///
    /// # Errors
    /// [`JwtError::TooLong`], [`JwtError::Malformed`], [`JwtError::DuplicateMember`],
    /// [`JwtError::UnsupportedAlgorithm`], [`JwtError::CriticalHeader`] or [`JwtError::InvalidSignature`].
    pub fn parse(text: &'a str, maximum_bytes: usize) -> Result<Self, JwtError> {
        if text.len() > maximum_bytes {
            return Err(JwtError::TooLong);
        }
        let mut parts = text.split('.');
        for _ in 0..2 {
            let part = parts.next().ok_or(JwtError::Malformed)?;
            let decoded = Base64UrlUnpadded::decode_vec(part).map_err(|_| JwtError::Malformed)?;
            json::check_object(&decoded)?;
        }
        let token = UntrustedToken::<HeaderExtensions>::try_from(text).map_err(|_| JwtError::Malformed)?;
        let algorithm =
            SignatureAlgorithm::from_name(token.algorithm()).ok_or(JwtError::UnsupportedAlgorithm)?;
        if token.header().other_fields.crit {
            return Err(JwtError::CriticalHeader);
        }
        let signature_bytes = token.signature_bytes().len();
        if algorithm
            .signature_bytes()
            .is_some_and(|bytes| bytes != signature_bytes)
        {
            return Err(JwtError::InvalidSignature);
        }
        Ok(Self {
            text,
            algorithm,
            token,
        })
    }

    /// The header's `kid`, a hint where to look for the key.
    pub fn key_id(&self) -> Option<&str> {
        self.token.header().key_id.as_deref()
    }

    /// The header's `alg`, to be compared with the key's own algorithm.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The header's `typ`.
    pub fn token_type(&self) -> Option<&str> {
        self.token.header().token_type.as_deref()
    }

    /// The header's `jku`. Nothing is ever fetched from there: a caller who knows where the sender's keys are may refuse a
    /// token that says otherwise.
    pub fn key_set_url(&self) -> Option<&str> {
        self.token.header().key_set_url.as_deref()
    }

    /// The signature as sent.
    pub fn signature(&self) -> &[u8] {
        self.token.signature_bytes()
    }

    /// What the signature covers: header and claims as sent, joined by a full stop (RFC 7515 section 5.2).
    pub fn signing_input(&self) -> &'a [u8] {
        self.text
            .rsplit_once('.')
            .map_or(&[], |(input, _)| input.as_bytes())
    }

    pub(super) const fn token(&self) -> &UntrustedToken<'a, HeaderExtensions> {
        &self.token
    }

    /// The `iss` claim as the token says it, unverified: a hint which issuer's keys to fetch, nothing more.
    pub fn issuer_hint(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Issuer {
            iss: Option<String>,
        }
        self.token
            .deserialize_claims_unchecked::<Issuer>()
            .ok()?
            .custom
            .iss
    }

    /// The `client_id` claim as the token says it, unverified: a hint who may be calling, nothing more.
    pub fn client_id_hint(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Client {
            client_id: Option<String>,
        }
        self.token
            .deserialize_claims_unchecked::<Client>()
            .ok()?
            .custom
            .client_id
    }

    /// The `aud` claim as the token says it, unverified; empty when it is absent or malformed. A hint whom to look up, who
    /// must then be named in the policy like any other audience.
    pub fn audience_hint(&self) -> Vec<String> {
        #[derive(Deserialize)]
        struct Audience {
            #[serde(rename = "aud")]
            audiences: Audiences,
        }
        let claims = self.token.deserialize_claims_unchecked::<Audience>();
        claims.map_or_else(
            |_| Vec::new(),
            |claims| claims.custom.audiences.iter().map(String::from).collect(),
        )
    }
}
