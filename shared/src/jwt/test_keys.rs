//! Keys for this crate's own tests: aws-lc-rs behind the traits, and a way to run a future that is always ready.

use alloc::string::String;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
};

use crate::jwk::{KeyMaterial, PublicJwk};

use super::{SignatureAlgorithm, SigningKey, VerifyingKey};

/// Runs a future that never waits.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a native key check waits for nothing"),
    }
}

enum Pair {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A fresh key pair of any algorithm.
pub(crate) struct TestKey {
    pair: Pair,
    algorithm: SignatureAlgorithm,
    key_id: String,
    pub(crate) fails: bool,
}

impl TestKey {
    pub(crate) fn generate(algorithm: SignatureAlgorithm, key_id: &str) -> Self {
        use SignatureAlgorithm::{ES256, ES384, EdDSA, PS256, RS256, RS384};
        let pair = match algorithm {
            RS256 | RS384 | PS256 => {
                Pair::Rsa(RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap())
            }
            ES256 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
            }
            ES384 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
            }
            EdDSA => Pair::Ed25519(Ed25519KeyPair::generate().unwrap()),
        };
        Self {
            pair,
            algorithm,
            key_id: key_id.into(),
            fails: false,
        }
    }

    pub(crate) fn public(&self) -> PublicJwk {
        let material = match &self.pair {
            Pair::Rsa(pair) => KeyMaterial::Rsa {
                modulus: pair
                    .public_key()
                    .modulus()
                    .big_endian_without_leading_zero()
                    .to_vec(),
                exponent: pair
                    .public_key()
                    .exponent()
                    .big_endian_without_leading_zero()
                    .to_vec(),
            },
            Pair::Ecdsa(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at((point.len() - 1) / 2);
                let (x, y) = (x.to_vec(), y.to_vec());
                if x.len() == 32 {
                    KeyMaterial::P256 { x, y }
                } else {
                    KeyMaterial::P384 { x, y }
                }
            }
            Pair::Ed25519(pair) => KeyMaterial::Ed25519 {
                x: pair.public_key().as_ref().to_vec(),
            },
        };
        PublicJwk::new(material, Some(self.key_id.clone()), Some(self.algorithm)).unwrap()
    }

    pub(crate) fn verifying(&self) -> TestVerifyingKey {
        TestVerifyingKey {
            key: self.public(),
            algorithm: self.algorithm,
            broken: false,
        }
    }
}

impl SigningKey for TestKey {
    type Error = &'static str;

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn key_id(&self) -> &str {
        &self.key_id
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, &'static str> {
        if self.fails {
            return Err("told to fail");
        }
        let random = SystemRandom::new();
        Ok(match &self.pair {
            Pair::Rsa(pair) => {
                let padding: &dyn signature::RsaEncoding = match self.algorithm {
                    SignatureAlgorithm::PS256 => &signature::RSA_PSS_SHA256,
                    SignatureAlgorithm::RS384 => &signature::RSA_PKCS1_SHA384,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signature = alloc::vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::Ecdsa(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        })
    }
}

/// A public key that verifies natively.
pub(crate) struct TestVerifyingKey {
    pub(crate) key: PublicJwk,
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) broken: bool,
}

impl VerifyingKey for TestVerifyingKey {
    type Error = &'static str;

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    async fn verify_signature(&self, message: &[u8], signature: &[u8]) -> Result<bool, &'static str> {
        use SignatureAlgorithm::{ES384, PS256, RS384};
        if self.broken {
            return Err("told to fail");
        }
        Ok(match self.key.material() {
            KeyMaterial::Rsa { modulus, exponent } => {
                let parameters = match self.algorithm {
                    RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    PS256 => &signature::RSA_PSS_2048_8192_SHA256,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                }
                .verify(parameters, message, signature)
                .is_ok()
            }
            KeyMaterial::P256 { x, y } | KeyMaterial::P384 { x, y } => {
                let parameters = if self.algorithm == ES384 {
                    &signature::ECDSA_P384_SHA384_FIXED
                } else {
                    &signature::ECDSA_P256_SHA256_FIXED
                };
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                UnparsedPublicKey::new(parameters, point)
                    .verify(message, signature)
                    .is_ok()
            }
            KeyMaterial::Ed25519 { x } => UnparsedPublicKey::new(&signature::ED25519, x)
                .verify(message, signature)
                .is_ok(),
        })
    }
}
