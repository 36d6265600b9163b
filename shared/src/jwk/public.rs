//! One public key.

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};

use crate::json;
use crate::jwt::SignatureAlgorithm;

use super::JwkError;

/// A public key for verifying signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk {
    material: KeyMaterial,
    key_id: Option<String>,
    algorithm: Option<SignatureAlgorithm>,
}

/// The numbers of a key, big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMaterial {
    /// RSA: modulus (2048 to 8192 bits) and exponent, without leading zero bytes.
    Rsa {
        /// `n`.
        modulus: Vec<u8>,
        /// `e`.
        exponent: Vec<u8>,
    },
    /// P-256: coordinates of 32 bytes each.
    P256 {
        /// `x`.
        x: Vec<u8>,
        /// `y`.
        y: Vec<u8>,
    },
    /// P-384: coordinates of 48 bytes each.
    P384 {
        /// `x`.
        x: Vec<u8>,
        /// `y`.
        y: Vec<u8>,
    },
    /// Ed25519: 32 bytes.
    Ed25519 {
        /// `x`.
        x: Vec<u8>,
    },
}

/// Members that only private and symmetric keys have: RFC 7518 sections 6.2.2, 6.3.2 and 6.4.
const SECRET_MEMBERS: [&str; 8] = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];

/// The members that count, as on the wire.
struct Wire<'a> {
    members: &'a Map<String, Value>,
}

impl<'a> Wire<'a> {
    /// A member that is there.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A member that is a text, if it is there.
    fn text(&self, name: &str) -> Result<Option<&'a str>, JwkError> {
        self.get(name)
            .map(|value| value.as_str().ok_or(JwkError::Malformed))
            .transpose()
    }

    /// A member that is a number in base64url and has to be there.
    fn number(&self, name: &str) -> Result<Vec<u8>, JwkError> {
        let text = self.text(name)?.ok_or(JwkError::Malformed)?;
        Base64UrlUnpadded::decode_vec(text).map_err(|_| JwkError::Malformed)
    }

    /// Whether the key is for verifying, as far as it says; `key_ops` is a list of texts.
    fn is_for_signatures(&self) -> Result<bool, JwkError> {
        let is_for_verifying = match self.get("key_ops") {
            None => true,
            Some(Value::Array(operations)) if operations.iter().all(Value::is_string) => {
                operations.iter().any(|one| one == "verify")
            }
            Some(_) => return Err(JwkError::Malformed),
        };
        Ok(is_for_verifying && self.text("use")?.is_none_or(|usage| usage == "sig"))
    }
}

impl PublicJwk {
    /// A key of this material, checked as [`PublicJwk::parse`] checks.
    ///
    /// # Errors
    /// [`JwkError::Weak`], [`JwkError::WrongLength`], or [`JwkError::Unsupported`] when `algorithm` does not belong to the
    /// material.
    pub fn new(
        material: KeyMaterial,
        key_id: Option<String>,
        algorithm: Option<SignatureAlgorithm>,
    ) -> Result<Self, JwkError> {
        let material = material.checked()?;
        if algorithm.is_some_and(|algorithm| !material.fits(algorithm)) {
            return Err(JwkError::Unsupported);
        }
        Ok(Self {
            material,
            key_id,
            algorithm,
        })
    }

    /// Reads a key from its JSON text.
    ///
    /// # Errors
    /// [`JwkError`]; see there.
    pub fn parse(text: &[u8]) -> Result<Self, JwkError> {
        let members = json::parse_object(text).map_err(|_| JwkError::Malformed)?;
        Self::of_members(&members)
    }

    /// Reads a key from a JSON value that was checked for repeated members.
    pub(crate) fn from_value(value: &Value) -> Result<Self, JwkError> {
        Self::of_members(value.as_object().ok_or(JwkError::Malformed)?)
    }

    fn of_members(members: &Map<String, Value>) -> Result<Self, JwkError> {
        let wire = Wire { members };
        // A symmetric key has only `k`; the check comes before the type so that it is never passed over as unknown.
        let key_type = wire.text("kty")?.ok_or(JwkError::Malformed)?;
        if key_type == "oct" || SECRET_MEMBERS.iter().any(|name| wire.get(name).is_some()) {
            return Err(JwkError::NotPublic);
        }
        if !wire.is_for_signatures()? {
            return Err(JwkError::NotForSignatures);
        }
        let material = match (key_type, wire.text("crv")?) {
            ("RSA", _) => KeyMaterial::Rsa {
                modulus: wire.number("n")?,
                exponent: wire.number("e")?,
            },
            ("EC", Some("P-256")) => KeyMaterial::P256 {
                x: wire.number("x")?,
                y: wire.number("y")?,
            },
            ("EC", Some("P-384")) => KeyMaterial::P384 {
                x: wire.number("x")?,
                y: wire.number("y")?,
            },
            ("OKP", Some("Ed25519")) => KeyMaterial::Ed25519 { x: wire.number("x")? },
            _ => return Err(JwkError::Unsupported),
        };
        let algorithm = match wire.text("alg")? {
            None => None,
            // RFC 9864 names the same algorithm by its curve.
            Some("Ed25519") => Some(SignatureAlgorithm::EdDSA),
            Some(name) => Some(SignatureAlgorithm::from_name(name).ok_or(JwkError::Unsupported)?),
        };
        Self::new(material, wire.text("kid")?.map(String::from), algorithm)
    }

    /// The numbers.
    pub const fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// `kid`.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// `alg`, when the key says it.
    pub const fn algorithm(&self) -> Option<SignatureAlgorithm> {
        self.algorithm
    }

    /// Whether signatures of `algorithm` may be checked with this key: the key's own `alg` where it has one, else any
    /// algorithm of its type.
    pub fn permits(&self, algorithm: SignatureAlgorithm) -> bool {
        self.algorithm
            .map_or_else(|| self.material.fits(algorithm), |own| own == algorithm)
    }

    /// The same key bound to one algorithm: its own `alg`, or its type's usual one where it says none.
    ///
    /// For keys of an issuer, so that a token's header never chooses how its signature is checked (RFC 8725 section 3.1).
    #[must_use]
    pub fn bound(mut self) -> Self {
        self.algorithm = self.algorithm.or(Some(self.material.usual_algorithm()));
        self
    }

    /// The key as a JSON text with `use` `sig`, as a set publishes it.
    pub fn to_json(&self) -> Value {
        let encode = |bytes: &Vec<u8>| Some(Base64UrlUnpadded::encode_string(bytes));
        let (kty, crv, n, e, x, y) = match &self.material {
            KeyMaterial::Rsa { modulus, exponent } => {
                ("RSA", None, encode(modulus), encode(exponent), None, None)
            }
            KeyMaterial::P256 { x, y } => ("EC", Some("P-256"), None, None, encode(x), encode(y)),
            KeyMaterial::P384 { x, y } => ("EC", Some("P-384"), None, None, encode(x), encode(y)),
            KeyMaterial::Ed25519 { x } => ("OKP", Some("Ed25519"), None, None, encode(x), None),
        };
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                members.insert(name.into(), value.into());
            }
        };
        put("kty", Some(kty.into()));
        put("crv", crv.map(String::from));
        put("n", n);
        put("e", e);
        put("x", x);
        put("y", y);
        put("kid", self.key_id.clone());
        put("alg", self.algorithm.map(|algorithm| algorithm.name().into()));
        put("use", Some("sig".into()));
        Value::Object(members)
    }
}

impl KeyMaterial {
    /// Whether signatures of `algorithm` are made with keys of this type.
    pub const fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        use SignatureAlgorithm::{ES256, ES384, EdDSA, PS256, RS256, RS384};
        match self {
            Self::Rsa { .. } => matches!(algorithm, RS256 | RS384 | PS256),
            Self::P256 { .. } => matches!(algorithm, ES256),
            Self::P384 { .. } => matches!(algorithm, ES384),
            Self::Ed25519 { .. } => matches!(algorithm, EdDSA),
        }
    }

    /// The algorithm that keys of this type are most used with: RS256 for RSA; the others have only one.
    pub const fn usual_algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::Rsa { .. } => SignatureAlgorithm::RS256,
            Self::P256 { .. } => SignatureAlgorithm::ES256,
            Self::P384 { .. } => SignatureAlgorithm::ES384,
            Self::Ed25519 { .. } => SignatureAlgorithm::EdDSA,
        }
    }

    /// The material in its shortest form, or why it is not fit for use.
    ///
    /// RSA: NIST SP 800-131A asks for 2048 bits; above 8192 a verification costs more than a token is worth. The
    /// exponent is odd and at least 65537 (FIPS 186-5), and short enough (8 bytes) to be cheap.
    fn checked(self) -> Result<Self, JwkError> {
        match self {
            Self::Rsa { modulus, exponent } => {
                let (modulus, exponent) = (without_leading_zeros(modulus), without_leading_zeros(exponent));
                let bits = modulus
                    .len()
                    .saturating_mul(8)
                    .saturating_sub(modulus.first().map_or(0, |byte| byte.leading_zeros() as usize));
                let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
                let exponent_value = (exponent.len() <= 8).then(|| {
                    exponent
                        .iter()
                        .fold(0_u64, |value, byte| (value << 8) | u64::from(*byte))
                });
                match exponent_value {
                    Some(value) if value >= 65_537 && (2048..=8192).contains(&bits) => {}
                    _ => return Err(JwkError::Weak),
                }
                if !odd(&modulus) || !odd(&exponent) {
                    return Err(JwkError::Weak);
                }
                Ok(Self::Rsa { modulus, exponent })
            }
            Self::P256 { x, y } if x.len() == 32 && y.len() == 32 => Ok(Self::P256 { x, y }),
            Self::P384 { x, y } if x.len() == 48 && y.len() == 48 => Ok(Self::P384 { x, y }),
            Self::Ed25519 { x } if x.len() == 32 => Ok(Self::Ed25519 { x }),
            Self::P256 { .. } | Self::P384 { .. } | Self::Ed25519 { .. } => Err(JwkError::WrongLength),
        }
    }
}

fn without_leading_zeros(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    number
}
