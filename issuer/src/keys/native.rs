//! Signing and verifying with aws-lc-rs: the issuer's side of `wardgate_shared::jwt`.
//!
//! A key is bound to one algorithm when it is made, whatever a token's header says (RFC 8725 section 3.1). aws-lc draws
//! the salts of RSASSA-PSS and the nonces of ECDSA from the operating system by itself.

use std::convert::Infallible;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self as native, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey, RsaKeyPair,
};
use wardgate_shared::jwk::{KeyMaterial, PublicJwk};
use wardgate_shared::jwt::{SignatureAlgorithm, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

/// aws-lc refused: no randomness, or a key it does not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library refused the operation")]
pub struct CryptoFailure;

impl From<aws_lc_rs::error::Unspecified> for CryptoFailure {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

impl From<aws_lc_rs::error::KeyRejected> for CryptoFailure {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self
    }
}

/// A private key in memory, bound to its algorithm and named by its thumbprint.
pub struct NativeSigningKey {
    pair: Pair,
    algorithm: SignatureAlgorithm,
    public: PublicJwk,
    key_id: String,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl NativeSigningKey {
    /// Makes a new key for `algorithm`; RSA keys get 2048 bits. Gives its PKCS#8 form, for sealing.
    ///
    /// # Errors
    /// [`CryptoFailure`].
    pub fn generate(algorithm: SignatureAlgorithm) -> Result<(Self, Zeroizing<Vec<u8>>), CryptoFailure> {
        let pkcs8 = match algorithm {
            SignatureAlgorithm::RS256 | SignatureAlgorithm::RS384 | SignatureAlgorithm::PS256 => {
                let document: Pkcs8V1Der<'_> = RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?;
                Zeroizing::new(document.as_ref().to_vec())
            }
            SignatureAlgorithm::ES256 => ecdsa_pkcs8(&native::ECDSA_P256_SHA256_FIXED_SIGNING)?,
            SignatureAlgorithm::ES384 => ecdsa_pkcs8(&native::ECDSA_P384_SHA384_FIXED_SIGNING)?,
            SignatureAlgorithm::EdDSA => {
                Zeroizing::new(Ed25519KeyPair::generate()?.to_pkcs8v1()?.as_ref().to_vec())
            }
        };
        Ok((Self::from_pkcs8(algorithm, &pkcs8)?, pkcs8))
    }

    /// The key of this PKCS#8 document, to be used with `algorithm` only.
    ///
    /// # Errors
    /// [`CryptoFailure`], when the document is no key for the algorithm.
    pub fn from_pkcs8(algorithm: SignatureAlgorithm, pkcs8: &[u8]) -> Result<Self, CryptoFailure> {
        let (pair, material) = match algorithm {
            SignatureAlgorithm::RS256 | SignatureAlgorithm::RS384 | SignatureAlgorithm::PS256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8)?;
                let material = KeyMaterial::Rsa {
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
                };
                (Pair::Rsa(pair), material)
            }
            SignatureAlgorithm::ES256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&native::ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)?;
                let (x, y) = coordinates(pair.public_key().as_ref())?;
                (Pair::Ecdsa(pair), KeyMaterial::P256 { x, y })
            }
            SignatureAlgorithm::ES384 => {
                let pair = EcdsaKeyPair::from_pkcs8(&native::ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8)?;
                let (x, y) = coordinates(pair.public_key().as_ref())?;
                (Pair::Ecdsa(pair), KeyMaterial::P384 { x, y })
            }
            SignatureAlgorithm::EdDSA => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8)?;
                let x = pair.public_key().as_ref().to_vec();
                (Pair::Ed25519(pair), KeyMaterial::Ed25519 { x })
            }
        };
        let nameless = PublicJwk::new(material, None, Some(algorithm)).map_err(|_| CryptoFailure)?;
        let key_id = nameless.thumbprint();
        let public = PublicJwk::new(nameless.material().clone(), Some(key_id.clone()), Some(algorithm))
            .map_err(|_| CryptoFailure)?;
        Ok(Self {
            pair,
            algorithm,
            public,
            key_id,
        })
    }

    /// The public half, with `kid` and `alg`.
    pub const fn public(&self) -> &PublicJwk {
        &self.public
    }
}

impl SigningKey for NativeSigningKey {
    type Error = CryptoFailure;

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn key_id(&self) -> &str {
        &self.key_id
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding: &'static dyn native::RsaEncoding = match self.algorithm {
                    SignatureAlgorithm::RS256 => &native::RSA_PKCS1_SHA256,
                    SignatureAlgorithm::RS384 => &native::RSA_PKCS1_SHA384,
                    SignatureAlgorithm::PS256 => &native::RSA_PSS_SHA256,
                    SignatureAlgorithm::ES256 | SignatureAlgorithm::ES384 | SignatureAlgorithm::EdDSA => {
                        return Err(CryptoFailure);
                    }
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature)?;
                Ok(signature)
            }
            Pair::Ecdsa(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
        }
    }
}

impl std::fmt::Debug for NativeSigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("NativeSigningKey")
            .field("key_id", &self.key_id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// A public key in memory, bound to one algorithm. Clones share it.
#[derive(Clone, Debug)]
pub struct NativeVerifyingKey {
    algorithm: SignatureAlgorithm,
    key: Arc<ParsedPublicKey>,
}

impl NativeVerifyingKey {
    /// The key for signatures of `algorithm`.
    ///
    /// # Errors
    /// [`CryptoFailure`], when the key does not permit the algorithm or is no point of its curve.
    pub fn from_jwk(jwk: &PublicJwk, algorithm: SignatureAlgorithm) -> Result<Self, CryptoFailure> {
        if !jwk.permits(algorithm) {
            return Err(CryptoFailure);
        }
        let key = match jwk.material() {
            KeyMaterial::Rsa { modulus, exponent } => {
                let parameters = match algorithm {
                    SignatureAlgorithm::RS256 => &native::RSA_PKCS1_2048_8192_SHA256,
                    SignatureAlgorithm::RS384 => &native::RSA_PKCS1_2048_8192_SHA384,
                    SignatureAlgorithm::PS256 => &native::RSA_PSS_2048_8192_SHA256,
                    SignatureAlgorithm::ES256 | SignatureAlgorithm::ES384 | SignatureAlgorithm::EdDSA => {
                        return Err(CryptoFailure);
                    }
                };
                native::RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                }
                .to_parsed_public_key(parameters)?
            }
            KeyMaterial::P256 { x, y } => {
                ParsedPublicKey::new(&native::ECDSA_P256_SHA256_FIXED, point(x, y))?
            }
            KeyMaterial::P384 { x, y } => {
                ParsedPublicKey::new(&native::ECDSA_P384_SHA384_FIXED, point(x, y))?
            }
            KeyMaterial::Ed25519 { x } => ParsedPublicKey::new(&native::ED25519, x)?,
        };
        Ok(Self {
            algorithm,
            key: Arc::new(key),
        })
    }

    /// Whether `signature` is this key's signature of `message`; of whatever form, a bad one is `false`.
    pub fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

impl VerifyingKey for NativeVerifyingKey {
    type Error = Infallible;

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    async fn verify_signature(&self, message: &[u8], signature: &[u8]) -> Result<bool, Infallible> {
        Ok(self.accepts(message, signature))
    }
}

fn ecdsa_pkcs8(
    algorithm: &'static native::EcdsaSigningAlgorithm,
) -> Result<Zeroizing<Vec<u8>>, CryptoFailure> {
    Ok(Zeroizing::new(
        EcdsaKeyPair::generate(algorithm)?.to_pkcs8v1()?.as_ref().to_vec(),
    ))
}

/// `x` and `y` of an uncompressed point: 4, x, y (SEC 1 section 2.3.3).
fn coordinates(point: &[u8]) -> Result<(Vec<u8>, Vec<u8>), CryptoFailure> {
    let (4, both) = point
        .split_first()
        .map(|(form, rest)| (*form, rest))
        .ok_or(CryptoFailure)?
    else {
        return Err(CryptoFailure);
    };
    let (x, y) = both.split_at_checked(both.len() / 2).ok_or(CryptoFailure)?;
    Ok((x.to_vec(), y.to_vec()))
}

fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

#[cfg(test)]
mod tests;
