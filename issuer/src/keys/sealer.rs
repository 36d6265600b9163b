//! Secrets at rest in the database that have to be read again: sealed with AES-256-GCM under a key of their own use.
//!
//! A random nonce stands before the ciphertext, and the name of the row it lies in is associated data: what is moved to
//! another row does not open. Nonces of 96 random bits bound a key to some billions of seals (NIST SP 800-38D section 8.3), which
//! is far beyond what a person's factors and an issuer's messages come to.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use wardgate_shared::secret::Secret;
use zeroize::Zeroizing;

use crate::rng::{self, NoRandomness};

/// What is sealed: each use has a key of its own, derived from the master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedUse {
    /// Private signing keys.
    SigningKeys,
    /// Messages that wait to be sent.
    Messages,
    /// Secrets of second factors.
    SecondFactors,
    /// Credentials with which the issuer calls others.
    Credentials,
}

impl SealedUse {
    /// The label of its key.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::SigningKeys => "wardgate signing keys at rest",
            Self::Messages => "wardgate messages at rest",
            Self::SecondFactors => "wardgate second factors at rest",
            Self::Credentials => "wardgate credentials at rest",
        }
    }
}

/// What was sealed does not open: it was sealed under another master key, for another row, or has been changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was sealed does not open: it has been changed, or was sealed under another master key")]
pub struct SealBroken;

/// Seals and opens, for one use.
#[derive(Debug)]
pub struct Sealer(Secret<[u8; 32]>);

impl Sealer {
    /// A sealer with this key.
    pub(super) const fn new(key: Secret<[u8; 32]>) -> Self {
        Self(key)
    }

    /// Seals `plain` for the row that `associated` names.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn seal(&self, plain: &[u8], associated: &str) -> Result<Vec<u8>, NoRandomness> {
        let nonce = rng::bytes::<NONCE_LEN>()?;
        let mut sealed = Zeroizing::new(plain.to_vec());
        self.key()
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.seal_in_place_append_tag(nonce, Aad::from(associated), &mut *sealed)
                    .ok()
            })
            .ok_or(NoRandomness)?;
        Ok([nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Opens what [`Sealer::seal`] sealed for the same row.
    ///
    /// # Errors
    /// [`SealBroken`].
    pub fn open(&self, sealed: &[u8], associated: &str) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN).ok_or(SealBroken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealBroken)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let key = self.key().ok_or(SealBroken)?;
        let plain_bytes = key
            .open_in_place(nonce, Aad::from(associated), &mut buffer)
            .map_err(|_| SealBroken)?
            .len();
        buffer.truncate(plain_bytes);
        Ok(buffer)
    }

    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, self.0.expose())
            .ok()
            .map(LessSafeKey::new)
    }
}
