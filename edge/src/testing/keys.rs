//! The issuer's keys, which sign, and what the edge imports of them, which checks.

use std::cell::Cell;
use std::rc::Rc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use wardgate_shared::jwk::{JwkSet, KeyMaterial, PublicJwk};
use wardgate_shared::jwt::{SignatureAlgorithm, SigningKey, VerifyingKey};

/// A key of the issuer's.
pub(crate) struct IssuerKey {
    pair: Ed25519KeyPair,
    key_id: String,
}

impl IssuerKey {
    /// The same key for the same seed.
    pub(crate) fn new(key_id: &str, seed: u8) -> Self {
        Self {
            pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap(),
            key_id: key_id.to_owned(),
        }
    }

    /// The public half, as a proof has it in its header.
    pub(crate) fn public(&self) -> serde_json::Value {
        let mut jwk = self.jwk().to_json();
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    }

    /// What `jkt` says of a token that is bound to it.
    pub(crate) fn thumbprint(&self) -> String {
        self.jwk().thumbprint()
    }

    fn jwk(&self) -> PublicJwk {
        let x = self.pair.public_key().as_ref().to_vec();
        PublicJwk::new(KeyMaterial::Ed25519 { x }, Some(self.key_id.clone()), None).unwrap()
    }
}

impl SigningKey for IssuerKey {
    type Error = ();

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::EdDSA
    }

    fn key_id(&self) -> &str {
        &self.key_id
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ()> {
        Ok(self.pair.sign(message).as_ref().to_vec())
    }
}

/// The key set that has these.
pub(super) fn key_set(keys: &[&IssuerKey]) -> Vec<u8> {
    let set = JwkSet::new(keys.iter().map(|key| key.jwk()).collect()).unwrap();
    set.to_json().to_string().into_bytes()
}

/// An imported key.
#[derive(Clone, Debug)]
pub(crate) struct TestKey {
    pub(super) public: Vec<u8>,
    pub(super) algorithm: SignatureAlgorithm,
    /// Whether signatures can be checked.
    pub(super) works: Rc<Cell<bool>>,
    /// How many were checked.
    pub(super) checks: Rc<Cell<u32>>,
}

impl VerifyingKey for TestKey {
    type Error = ();

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    async fn verify_signature(&self, message: &[u8], signature: &[u8]) -> Result<bool, ()> {
        if !self.works.get() {
            return Err(());
        }
        self.checks.set(self.checks.get() + 1);
        Ok(UnparsedPublicKey::new(&ED25519, &self.public)
            .verify(message, signature)
            .is_ok())
    }
}
