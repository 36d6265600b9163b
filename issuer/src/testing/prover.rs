//! A client's DPoP key, and proofs of any form that it makes.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

use super::{ISSUER, Signer};
use crate::rng;

/// A key that makes proofs.
pub(crate) struct Prover {
    signer: Signer,
    algorithm: SignatureAlgorithm,
}

impl Prover {
    /// A new ES256 key.
    pub(crate) fn new() -> Self {
        Self::with(SignatureAlgorithm::ES256)
    }

    /// A new key for this algorithm.
    pub(crate) fn with(algorithm: SignatureAlgorithm) -> Self {
        Self {
            signer: Signer::new(algorithm, None),
            algorithm,
        }
    }

    /// What `dpop_jkt` and `jkt` say of it.
    pub(crate) fn thumbprint(&self) -> String {
        self.signer.public().thumbprint()
    }

    /// The header of a good proof.
    pub(crate) fn header(&self) -> Value {
        let mut jwk = self.signer.public().to_json();
        jwk.as_object_mut().unwrap().remove("use");
        json!({ "typ": "dpop+jwt", "alg": self.algorithm.name(), "jwk": jwk })
    }

    /// The claims of a good proof for a request without access token.
    pub(crate) fn claims(method: &str, path: &str, now: Timestamp) -> Value {
        json!({
            "jti": rng::identifier("").unwrap(),
            "htm": method,
            "htu": format!("{ISSUER}{path}"),
            "iat": now.seconds(),
        })
    }

    /// The claims of a good proof for a request with `token`.
    pub(crate) fn claims_for(method: &str, path: &str, token: &str, now: Timestamp) -> Value {
        let mut claims = Self::claims(method, path, now);
        claims["ath"] = Base64UrlUnpadded::encode_string(&Sha256::digest(token)).into();
        claims
    }

    /// A proof of these parts.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.signer.sign(header, claims)
    }

    /// A proof with a good header and these claims.
    pub(crate) fn claiming(&self, claims: &Value) -> String {
        self.sign(&self.header(), claims)
    }

    /// A good proof for a POST to `path`.
    pub(crate) fn post(&self, path: &str, now: Timestamp) -> String {
        self.claiming(&Self::claims("POST", path, now))
    }

    /// A good proof for a request with `token`.
    pub(crate) fn call(&self, method: &str, path: &str, token: &str, now: Timestamp) -> String {
        self.claiming(&Self::claims_for(method, path, token, now))
    }
}
