//! Secrets as they are stored: by their SHA-256.
//!
//! Everything hashed here was generated with 256 random bits, so a fast hash is enough: there is no dictionary to try.
//! Passwords are another matter and live in [`crate::password`].

use sha2::{Digest, Sha256};
use wardgate_shared::secret::{Secret, constant_time_eq};

/// The SHA-256 of a generated secret: of a code, a token, a session cookie or a client secret.
#[derive(Clone, Copy, Debug, PartialOrd, Ord)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// The digest of `secret` as the client presents it.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// A digest that was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest's bytes, for storing.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for SecretDigest {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for SecretDigest {}

/// A secret just made, in clear for its holder and as a digest for the store.
#[derive(Debug)]
pub struct NewSecret {
    /// What the holder gets, once.
    pub value: Secret<String>,
    /// What is stored.
    pub digest: SecretDigest,
}
