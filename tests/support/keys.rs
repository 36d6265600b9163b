//! Signing keys of every algorithm that the edge accepts, with their public halves as JWK (RFC 7517, RFC 8037).

use std::sync::{Arc, LazyLock};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding,
};
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};

/// Making an RSA key takes long, so the whole run shares two: the issuer's, and a stranger's.
static RSA_KEYS: LazyLock<[Arc<RsaKeyPair>; 2]> = LazyLock::new(|| [new_rsa(), new_rsa()]);

fn new_rsa() -> Arc<RsaKeyPair> {
    Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))
}

/// A JWS algorithm with an asymmetric key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Rs256,
        Self::Rs384,
        Self::Ps256,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// The value of `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }
}

#[derive(Clone)]
enum Pair {
    Rsa(Arc<RsaKeyPair>),
    Ecdsa(Arc<EcdsaKeyPair>),
    Ed25519(Arc<Ed25519KeyPair>),
}

/// A private key with a `kid` and the algorithm it signs with.
#[derive(Clone)]
pub struct SigningKey {
    /// `kid`.
    pub kid: String,
    /// `alg`.
    pub algorithm: Algorithm,
    pair: Pair,
}

impl SigningKey {
    /// A key of the issuer. RSA keys share their numbers with all others made here, the rest are new each time.
    pub fn new(algorithm: Algorithm, kid: &str) -> Self {
        Self::with_rsa(algorithm, kid, 0)
    }

    /// A key that no issuer ever publishes, whatever its `kid` says.
    pub fn of_stranger(algorithm: Algorithm, kid: &str) -> Self {
        Self::with_rsa(algorithm, kid, 1)
    }

    fn with_rsa(algorithm: Algorithm, kid: &str, index: usize) -> Self {
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Ps256 => Pair::Rsa(Arc::clone(&RSA_KEYS[index])),
            Algorithm::Es256 => Pair::Ecdsa(Arc::new(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a P-256 key"),
            )),
            Algorithm::Es384 => Pair::Ecdsa(Arc::new(
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a P-384 key"),
            )),
            Algorithm::EdDsa => Pair::Ed25519(Arc::new(Ed25519KeyPair::generate().expect("an Ed25519 key"))),
        };
        Self {
            kid: kid.to_owned(),
            algorithm,
            pair,
        }
    }

    /// The same numbers under another `kid` or `alg`.
    #[must_use]
    pub fn renamed(&self, algorithm: Algorithm, kid: &str) -> Self {
        Self {
            kid: kid.to_owned(),
            algorithm,
            pair: self.pair.clone(),
        }
    }

    /// The raw JWS signature of `message`.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match self.algorithm {
                    Algorithm::Rs384 => &RSA_PKCS1_SHA384,
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature)
                    .expect("an RSA signature");
                signature
            }
            Pair::Ecdsa(pair) => pair
                .sign(&random, message)
                .expect("an ECDSA signature")
                .as_ref()
                .to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public half as a JWK.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": Base64UrlUnpadded::encode_string(public.modulus().big_endian_without_leading_zero()),
                    "e": Base64UrlUnpadded::encode_string(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Pair::Ecdsa(pair) => {
                // SEC 1, uncompressed: 4, then x and y of equal length.
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({
                    "kty": "EC",
                    "crv": if self.algorithm == Algorithm::Es384 { "P-384" } else { "P-256" },
                    "x": Base64UrlUnpadded::encode_string(x),
                    "y": Base64UrlUnpadded::encode_string(y),
                })
            }
            Pair::Ed25519(pair) => json!({
                "kty": "OKP",
                "crv": "Ed25519",
                "x": Base64UrlUnpadded::encode_string(pair.public_key().as_ref()),
            }),
        };
        jwk["kid"] = self.kid.as_str().into();
        jwk["alg"] = self.algorithm.name().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The thumbprint of the public half (RFC 7638): the members that make the key, in the order of their names.
    pub fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        let members: serde_json::Map<String, Value> = ["crv", "e", "kty", "n", "x", "y"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), jwk.get(name)?.clone())))
            .collect();
        let text = Value::Object(members).to_string();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        Base64UrlUnpadded::encode_string(hash.as_ref())
    }

    /// The public half as PEM (SubjectPublicKeyInfo): what an attacker would use as an HMAC secret.
    ///
    /// # Panics
    /// For other keys than RSA.
    pub fn public_pem(&self) -> String {
        let Pair::Rsa(pair) = &self.pair else {
            panic!("only RSA keys are asked for their PEM")
        };
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("the public key's DER");
        let text = Base64::encode_string(der.as_ref());
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
            .collect();
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            lines.join("\n")
        )
    }
}

/// A JWK set of these keys' public halves.
pub fn jwk_set(keys: &[&SigningKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}
