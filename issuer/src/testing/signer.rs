//! A client's own key, and assertions of any form that it signs.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use wardgate_shared::jwk::{JwkSet, PublicJwk};
use wardgate_shared::jwt::{SignatureAlgorithm, SigningKey};
use wardgate_shared::time::Timestamp;

use super::ISSUER;
use crate::keys::NativeSigningKey;
use crate::rng;

/// A key and the name under which its client registered it.
pub(crate) struct Signer {
    key: NativeSigningKey,
    key_id: Option<String>,
}

impl Signer {
    /// A new key with this `kid`, or with none.
    pub(crate) fn new(algorithm: SignatureAlgorithm, key_id: Option<&str>) -> Self {
        Self {
            key: NativeSigningKey::generate(algorithm).unwrap().0,
            key_id: key_id.map(String::from),
        }
    }

    /// The public half. It says its algorithm only if it has a name: keys without a name say as little as they can.
    pub(crate) fn public(&self) -> PublicJwk {
        let algorithm = self.key_id.as_ref().map(|_| self.key.algorithm());
        PublicJwk::new(
            self.key.public().material().clone(),
            self.key_id.clone(),
            algorithm,
        )
        .unwrap()
    }

    /// The header that SMART's test kit sends (SMART-31).
    pub(crate) fn header(&self) -> Value {
        let mut header = json!({ "alg": self.key.algorithm().name(), "typ": "JWT" });
        if let Some(key_id) = &self.key_id {
            header["kid"] = key_id.as_str().into();
        }
        header
    }

    /// Signs header and claims as they are.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |part: &Value| Base64UrlUnpadded::encode_string(part.to_string().as_bytes());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.key.sign(input.as_bytes()).unwrap();
        format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature))
    }

    /// A good assertion of `client_id`.
    pub(crate) fn assertion(&self, client_id: &str, now: Timestamp) -> String {
        self.sign(&self.header(), &assertion_claims(client_id, now))
    }
}

/// The claims that SMART's test kit sends (SMART-31): `exp` exactly 300 seconds ahead, no `iat`, no `nbf`.
pub(crate) fn assertion_claims(client_id: &str, now: Timestamp) -> Value {
    json!({
        "iss": client_id,
        "sub": client_id,
        "aud": format!("{ISSUER}/oauth2/token"),
        "exp": now.plus(300).seconds(),
        "jti": rng::identifier("").unwrap(),
    })
}

/// A set of these keys.
pub(crate) fn key_set(signers: &[&Signer]) -> JwkSet {
    JwkSet::new(signers.iter().map(|signer| signer.public()).collect()).unwrap()
}
