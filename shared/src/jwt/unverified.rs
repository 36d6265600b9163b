//! A JWT of which nothing is known to be true.

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};

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
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signature: Vec<u8>,
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
        let mut decoded = || {
            let part = parts.next().ok_or(JwtError::Malformed)?;
            Base64UrlUnpadded::decode_vec(part).map_err(|_| JwtError::Malformed)
        };
        let header = json::parse_object(&decoded()?)?;
        let claims = json::parse_object(&decoded()?)?;
        let signature = decoded()?;
        if parts.next().is_some() {
            return Err(JwtError::Malformed);
        }
        // Parameters that are not named here are ignored (RFC 7515 section 4), the certificates' among them.
        for name in ["kid", "typ", "jku"] {
            if header
                .get(name)
                .is_some_and(|value| !value.is_string() && !value.is_null())
            {
                return Err(JwtError::Malformed);
            }
        }
        // The claims are JSON and not another token (RFC 7519 section 5.2).
        let content_type = header.get("cty").filter(|value| !value.is_null());
        if content_type.is_some_and(|value| {
            !value
                .as_str()
                .is_some_and(|value| value.eq_ignore_ascii_case("json"))
        }) {
            return Err(JwtError::Malformed);
        }
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .ok_or(JwtError::Malformed)?;
        let algorithm = SignatureAlgorithm::from_name(algorithm).ok_or(JwtError::UnsupportedAlgorithm)?;
        if header.contains_key("crit") {
            return Err(JwtError::CriticalHeader);
        }
        if algorithm
            .signature_bytes()
            .is_some_and(|bytes| bytes != signature.len())
        {
            return Err(JwtError::InvalidSignature);
        }
        Ok(Self {
            text,
            algorithm,
            header,
            claims,
            signature,
        })
    }

    /// The header's `kid`, a hint where to look for the key.
    pub fn key_id(&self) -> Option<&str> {
        text_of(&self.header, "kid")
    }

    /// The header's `alg`, to be compared with the key's own algorithm.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The header's `typ`.
    pub fn token_type(&self) -> Option<&str> {
        text_of(&self.header, "typ")
    }

    /// The header's `jku`. Nothing is ever fetched from there: a caller who knows where the sender's keys are may refuse a
    /// token that says otherwise.
    pub fn key_set_url(&self) -> Option<&str> {
        text_of(&self.header, "jku")
    }

    /// The signature as sent.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// What the signature covers: header and claims as sent, joined by a full stop (RFC 7515 section 5.2).
    pub fn signing_input(&self) -> &'a [u8] {
        self.text
            .rsplit_once('.')
            .map_or(&[], |(input, _)| input.as_bytes())
    }

    /// Any header parameter; none when it is `null`.
    pub(crate) fn header_parameter(&self, name: &str) -> Option<&Value> {
        self.header.get(name).filter(|value| !value.is_null())
    }

    /// The claims, for whoever has had the signature checked.
    pub(super) const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// These claims as the token says them, unverified; each is a text or is not there.
    pub(crate) fn text_claims<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<&str>; N], JwtError> {
        let mut texts = [None; N];
        for (text, name) in texts.iter_mut().zip(names) {
            *text = match self.claims.get(name) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(text.as_str()),
                Some(_) => return Err(JwtError::Malformed),
            };
        }
        Ok(texts)
    }

    /// The `iss` claim as the token says it, unverified: a hint which issuer's keys to fetch, nothing more.
    pub fn issuer_hint(&self) -> Option<String> {
        text_of(&self.claims, "iss").map(String::from)
    }

    /// The `client_id` claim as the token says it, unverified: a hint who may be calling, nothing more.
    pub fn client_id_hint(&self) -> Option<String> {
        text_of(&self.claims, "client_id").map(String::from)
    }

    /// The `aud` claim as the token says it, unverified; empty when it is absent or malformed. A hint whom to look up, who
    /// must then be named in the policy like any other audience.
    pub fn audience_hint(&self) -> Vec<String> {
        let audiences = self.claims.get("aud").and_then(Audiences::of_value);
        audiences.map_or_else(Vec::new, Audiences::into_list)
    }
}

fn text_of<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}
