//! Signature algorithms: the asymmetric ones of RFC 7518 and RFC 8037 that Wardgate signs and verifies with.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A JWS algorithm. What is not in this list cannot be named, so `none` and the HMAC family are refused by type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384 (RFC 7518 section 3.3).
    RS384,
    /// RSASSA-PSS with SHA-256 (RFC 7518 section 3.5).
    PS256,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4).
    ES256,
    /// ECDSA on P-384 with SHA-384 (RFC 7518 section 3.4).
    ES384,
    /// Ed25519 (RFC 8037 section 3.1).
    EdDSA,
}

impl SignatureAlgorithm {
    /// Every algorithm, in the order in which metadata lists them.
    pub const ALL: [Self; 6] = [
        Self::RS256,
        Self::RS384,
        Self::PS256,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// The name in the `alg` member of a header or a key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The algorithm of this exact name (names are case-sensitive), or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The length of a signature in bytes where the algorithm fixes it: `r ‖ s` for ECDSA (RFC 7518 section 3.4), 64
    /// for Ed25519. RSA signatures are as long as the key's modulus.
    pub const fn signature_bytes(self) -> Option<usize> {
        match self {
            Self::RS256 | Self::RS384 | Self::PS256 => None,
            Self::ES256 | Self::EdDSA => Some(64),
            Self::ES384 => Some(96),
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
