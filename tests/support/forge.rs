//! Compact JWTs, good and bad: header and claims are any JSON value or any text, the signature any bytes.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};

use crate::clock::now;
use crate::keys::SigningKey;

/// The claims of a token that is right in every respect, to be spoilt one by one.
#[derive(Clone, Debug)]
pub struct Claims(pub Value);

impl Claims {
    /// A service's access token as the issuer gives it: RFC 9068 claims, valid for five minutes from now.
    pub fn access(issuer: &str, audience: &str) -> Self {
        Self(json!({
            "iss": issuer,
            "sub": "test_service",
            "aud": [audience],
            "exp": now() + 300,
            "iat": now(),
            "jti": "token-1",
            "client_id": "test_service",
            "scope": "system/*.cruds",
        }))
    }

    /// With this member set, or replaced.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0[member] = value.into();
        self
    }

    /// Without this member.
    #[must_use]
    pub fn without(mut self, member: &str) -> Self {
        self.0
            .as_object_mut()
            .expect("claims are an object")
            .remove(member);
        self
    }

    /// As an access token, signed.
    pub fn sign(&self, key: &SigningKey) -> String {
        self.sign_with_header(key, &access_header(key))
    }

    /// Signed under another header.
    pub fn sign_with_header(&self, key: &SigningKey, header: &Value) -> String {
        sign_text(key, &header.to_string(), &self.0.to_string())
    }
}

/// The header of an access token signed with `key`.
pub fn access_header(key: &SigningKey) -> Value {
    json!({ "alg": key.algorithm.name(), "typ": "at+jwt", "kid": key.kid })
}

/// A JWT of these JSON texts, signed with `key` whatever the header says.
pub fn sign_text(key: &SigningKey, header: &str, claims: &str) -> String {
    compact(header, claims, |message| key.signature(message))
}

/// A JWT of these JSON texts with HMAC-SHA-256 under `secret` as its signature.
pub fn sign_hs256(secret: &[u8], header: &str, claims: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    compact(header, claims, |message| {
        hmac::sign(&key, message).as_ref().to_vec()
    })
}

/// A JWT of these JSON texts whose signature is what `sign` makes of the signing input.
pub fn compact(header: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let header = Base64UrlUnpadded::encode_string(header.as_bytes());
    let claims = Base64UrlUnpadded::encode_string(claims.as_bytes());
    let message = format!("{header}.{claims}");
    let signature = Base64UrlUnpadded::encode_string(&sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// `token` with one bit of its signature turned over.
pub fn with_broken_signature(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').expect("a compact JWT");
    let mut bytes = Base64UrlUnpadded::decode_vec(signature).expect("base64url");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    format!("{message}.{}", Base64UrlUnpadded::encode_string(&bytes))
}

/// A status list token (draft-ietf-oauth-status-list) about itself, valid for five minutes, with one bit for each token.
pub fn status_list(issuer: &str, uri: &str, bits: &[u8], key: &SigningKey) -> String {
    let header = json!({ "alg": key.algorithm.name(), "typ": "statuslist+jwt", "kid": key.kid });
    let list = Base64UrlUnpadded::encode_string(&zlib_stored(bits));
    let claims = json!({
        "iss": issuer,
        "sub": uri,
        "iat": now(),
        "exp": now() + 300,
        "ttl": 60,
        "status_list": { "bits": 1, "lst": list },
    });
    sign_text(key, &header.to_string(), &claims.to_string())
}

/// A ZLIB stream (RFC 1950) that holds these bytes in one block as they are (RFC 1951 section 3.2.4).
fn zlib_stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short text");
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(bytes);
    stream.extend(((high << 16) | low).to_be_bytes());
    stream
}

/// A DPoP proof (RFC 9449 section 4.2) that is right in every respect, to be spoilt member by member.
#[derive(Clone)]
pub struct DpopProof {
    key: SigningKey,
    header: Value,
    claims: Value,
}

impl DpopProof {
    /// A proof of `key` for one request with `token`, made just now.
    pub fn new(key: &SigningKey, method: &str, url: &str, token: &str) -> Self {
        // No two of a test run are the same, and each test has a Worker of its own.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let hash = digest(&SHA256, token.as_bytes());
        Self {
            key: key.clone(),
            header: json!({ "typ": "dpop+jwt", "alg": key.algorithm.name(), "jwk": key.jwk() }),
            claims: json!({
                "jti": format!("proof-{id}"),
                "htm": method,
                "htu": url,
                "iat": now(),
                "ath": Base64UrlUnpadded::encode_string(hash.as_ref()),
            }),
        }
    }

    /// With this claim set, or replaced.
    #[must_use]
    pub fn with(mut self, claim: &str, value: impl Into<Value>) -> Self {
        self.claims[claim] = value.into();
        self
    }

    /// Without this claim.
    #[must_use]
    pub fn without(mut self, claim: &str) -> Self {
        self.claims.as_object_mut().expect("an object").remove(claim);
        self
    }

    /// With this parameter of the header set, or replaced.
    #[must_use]
    pub fn with_header(mut self, parameter: &str, value: impl Into<Value>) -> Self {
        self.header[parameter] = value.into();
        self
    }

    /// The proof, signed.
    pub fn sign(&self) -> String {
        sign_text(&self.key, &self.header.to_string(), &self.claims.to_string())
    }
}
