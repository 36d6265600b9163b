//! Secrets that have to be read again, sealed at rest: seeds of authenticator apps, telephone numbers, others' client secrets.
//!
//! AES-256-GCM with a random nonce before the ciphertext. What the secret belongs to is its context (associated data): a
//! sealed secret moved to another row, or to another column, does not open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use wardgate_shared::secret::Secret;
use zeroize::Zeroizing;

use crate::rng::{self, NoRandomness};

/// What was sealed does not open: it was sealed under another key or for something else, or has been changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret does not open: the master key is another one, or the row was changed")]
pub struct SealBroken;

/// Seals and opens under one key.
#[derive(Clone, Debug)]
pub struct Sealer(Secret<[u8; 32]>);

impl Sealer {
    /// A sealer with this key, which nothing else may use.
    pub const fn new(key: Secret<[u8; 32]>) -> Self {
        Self(key)
    }

    /// Seals `plain` for `context`: the kind of secret and the id of its row, say. The nonce is random, which is enough for
    /// billions of secrets under one key.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn seal(&self, plain: &[u8], context: &str) -> Result<Vec<u8>, NoRandomness> {
        let nonce = rng::bytes::<NONCE_LEN>()?;
        let mut sealed = Zeroizing::new(plain.to_vec());
        self.key()
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.seal_in_place_append_tag(nonce, Aad::from(context), &mut *sealed)
                    .ok()
            })
            .ok_or(NoRandomness)?;
        Ok([nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Opens what [`Sealer::seal`] sealed for the same `context`.
    ///
    /// # Errors
    /// [`SealBroken`].
    pub fn open(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN).ok_or(SealBroken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealBroken)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let key = self.key().ok_or(SealBroken)?;
        let plain_bytes = key
            .open_in_place(nonce, Aad::from(context), &mut buffer)
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

#[cfg(test)]
mod tests {
    use wardgate_shared::secret::Secret;

    use super::{SealBroken, Sealer};

    #[test]
    fn what_was_sealed_opens_for_its_own_context_only() {
        let own = Sealer::new(Secret::new([7; 32]));
        let sealed = own.seal(b"seed", "factor-1").unwrap();
        assert_eq!(own.open(&sealed, "factor-1").unwrap().as_slice(), b"seed");
        assert_eq!(own.open(&sealed, "factor-2"), Err(SealBroken));
        let other = Sealer::new(Secret::new([8; 32]));
        assert_eq!(other.open(&sealed, "factor-1"), Err(SealBroken));
        assert_ne!(sealed, own.seal(b"seed", "factor-1").unwrap());
    }

    #[test]
    fn what_was_changed_or_cut_does_not_open() {
        let own = Sealer::new(Secret::new([7; 32]));
        let sealed = own.seal(b"seed", "factor-1").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(own.open(&changed, "factor-1"), Err(SealBroken), "{at}");
            assert_eq!(own.open(&sealed[..at], "factor-1"), Err(SealBroken), "{at}");
        }
    }
}
