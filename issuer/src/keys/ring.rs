//! The keys that are in use, and which one signs.

mod changes;

use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use wardgate_shared::jwk::JwkSet;
use wardgate_shared::jwt::{self, SignError, SignatureAlgorithm};
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::config::Config;
use crate::domain::signing_key::StoredSigningKey;
use crate::rng::NoRandomness;
use crate::store::{Store, StoreError};
use crate::telemetry::spans;

use super::master::MasterKey;
use super::native::{CryptoFailure, NativeSigningKey, NativeVerifyingKey};
use super::rotation::Schedule;
use super::sealer::Sealer;

/// What ID tokens can be signed with, whatever access tokens are signed with: the default first.
pub const ID_TOKEN_ALGORITHMS: [SignatureAlgorithm; 4] = [
    SignatureAlgorithm::RS256,
    SignatureAlgorithm::PS256,
    SignatureAlgorithm::ES256,
    SignatureAlgorithm::EdDSA,
];

/// The algorithms that an issuer signs with which is `configured` for one: that first, then [`ID_TOKEN_ALGORITHMS`].
pub fn signing_algorithms(configured: SignatureAlgorithm) -> Vec<SignatureAlgorithm> {
    let others = ID_TOKEN_ALGORITHMS
        .into_iter()
        .filter(|algorithm| *algorithm != configured);
    std::iter::once(configured).chain(others).collect()
}

/// Why a key operation failed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A stored key does not open with the master key.
    #[error(
        "the signing key {0} does not open with the configured master key: configure the master key that this database \
         was made with (keys.master_key_file or keys.master_key)"
    )]
    WrongMasterKey(String),
    /// A stored key opens but is not what its row says.
    #[error("the signing key {0} in the database is damaged")]
    Damaged(String),
    /// No key may sign at this instant.
    #[error("there is no signing key: run `wardgate init`")]
    NoSigningKey,
    /// The claims could not be written.
    #[error("the claims cannot be written as a JWT")]
    Claims,
    /// aws-lc refused.
    #[error(transparent)]
    Crypto(#[from] CryptoFailure),
    /// No key could be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The store could not be asked or told.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KeyError {
    /// Whether other processes changed the keys at the same time, again and again.
    pub const fn is_of_others_meanwhile(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

/// The signing keys, unsealed. Clones share one ring; [`KeyRing::reload`] changes it for all of them.
#[derive(Clone, Debug)]
pub struct KeyRing(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    master_key: MasterKey,
    algorithm: SignatureAlgorithm,
    schedule: Schedule,
    /// Replaced as a whole, never changed in place, so that readers hold the lock only to clone the `Arc`.
    keys: RwLock<Arc<Vec<RingKey>>>,
}

/// One key: its life, and both halves ready for use.
#[derive(Debug)]
struct RingKey {
    stored: StoredSigningKey,
    signing: NativeSigningKey,
    verifying: NativeVerifyingKey,
}

impl KeyRing {
    /// Loads the keys of the store. None need exist yet; see [`KeyRing::ensure_keys`].
    ///
    /// # Errors
    /// [`KeyError::WrongMasterKey`], [`KeyError::Damaged`] or [`KeyError::Store`].
    pub async fn load(store: &Store, master_key: MasterKey, config: &Config) -> Result<Self, KeyError> {
        let keys = open_all(&master_key, store.signing_keys().await?)?;
        Ok(Self(Arc::new(Shared {
            master_key,
            algorithm: config.keys.algorithm,
            schedule: Schedule::of(config),
            keys: RwLock::new(Arc::new(keys)),
        })))
    }

    /// Takes over what the store holds now: another process may have rotated.
    ///
    /// # Errors
    /// As [`KeyRing::load`]; the ring stays as it was then.
    pub async fn reload(&self, store: &Store) -> Result<(), KeyError> {
        let stored = store.signing_keys().await?;
        let unchanged = {
            let current = self.keys();
            current.len() == stored.len()
                && current.iter().zip(&stored).all(|(own, other)| {
                    own.stored.key_id == other.key_id
                        && own.stored.signs_from == other.signs_from
                        && own.stored.signs_until == other.signs_until
                        && own.stored.published_until == other.published_until
                })
        };
        if !unchanged {
            let keys = Arc::new(open_all(&self.0.master_key, stored)?);
            // The lock is never held across anything that can panic, so a poisoned one holds a whole value.
            *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        }
        Ok(())
    }

    /// Signs with the configured algorithm, or, in the time before its first key may sign, with RS256.
    ///
    /// `token_type` is the header's `typ`; `issued_at` and `expires_at` become `iat` and `exp`; `now` chooses the key.
    ///
    /// # Errors
    /// [`KeyError::NoSigningKey`], [`KeyError::Claims`] or [`KeyError::Crypto`].
    pub fn sign<C: Serialize>(
        &self,
        token_type: &str,
        claims: C,
        issued_at: Timestamp,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<String, KeyError> {
        let keys = self.keys();
        let key =
            current(&keys, self.0.algorithm, now).or_else(|| current(&keys, SignatureAlgorithm::RS256, now));
        sign_by(key, token_type, claims, issued_at, expires_at)
    }

    /// Signs with `algorithm` and nothing else.
    ///
    /// # Errors
    /// As [`KeyRing::sign`].
    pub fn sign_with<C: Serialize>(
        &self,
        algorithm: SignatureAlgorithm,
        token_type: &str,
        claims: C,
        issued_at: Timestamp,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<String, KeyError> {
        let keys = self.keys();
        sign_by(
            current(&keys, algorithm, now),
            token_type,
            claims,
            issued_at,
            expires_at,
        )
    }

    /// The public keys that verifiers should know at `now`, newest first.
    pub fn published(&self, now: Timestamp) -> JwkSet {
        let keys = self.keys();
        let published = keys.iter().filter(|key| key.stored.is_published(now));
        // More keys than a set may hold, or two of one name, cannot come from the store; an empty set would be refused
        // by every verifier, which is the safe side.
        JwkSet::new(published.map(|key| key.signing.public().clone()).collect()).unwrap_or_default()
    }

    /// The published key of this `kid` and algorithm.
    pub fn verifying_key(
        &self,
        key_id: &str,
        algorithm: SignatureAlgorithm,
        now: Timestamp,
    ) -> Option<NativeVerifyingKey> {
        self.keys()
            .iter()
            .find(|key| {
                key.stored.key_id == key_id
                    && key.stored.algorithm == algorithm
                    && key.stored.is_published(now)
            })
            .map(|key| key.verifying.clone())
    }

    /// The algorithms this issuer signs with: see [`signing_algorithms`].
    pub fn algorithms(&self) -> Vec<SignatureAlgorithm> {
        signing_algorithms(self.0.algorithm)
    }

    /// The algorithm of this name, if this issuer signs with it; without a name the one that access tokens are signed with.
    pub fn algorithm_in_use(&self, name: Option<&str>) -> Option<SignatureAlgorithm> {
        let Some(name) = name else {
            return Some(self.0.algorithm);
        };
        SignatureAlgorithm::from_name(name).filter(|algorithm| self.algorithms().contains(algorithm))
    }

    /// The lives of all keys, newest first, without private halves.
    pub fn lives(&self) -> Vec<StoredSigningKey> {
        let without_private = |key: &RingKey| StoredSigningKey {
            sealed_private_key: Vec::new(),
            ..key.stored.clone()
        };
        self.keys().iter().map(without_private).collect()
    }

    /// What seals people's secrets.
    pub fn sealer(&self) -> Sealer {
        self.0.master_key.sealer()
    }

    /// A secret for one purpose, derived from the master key.
    pub fn derive(&self, label: &str) -> Secret<[u8; 32]> {
        self.0.master_key.derive(label)
    }

    fn keys(&self) -> Arc<Vec<RingKey>> {
        Arc::clone(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The newest key of `algorithm` that may sign at `now`.
fn current(keys: &[RingKey], algorithm: SignatureAlgorithm, now: Timestamp) -> Option<&RingKey> {
    keys.iter()
        .filter(|key| key.stored.algorithm == algorithm)
        .filter(|key| key.stored.may_sign(now))
        .max_by_key(|key| key.stored.signs_from)
}

fn sign_by<C: Serialize>(
    key: Option<&RingKey>,
    token_type: &str,
    claims: C,
    issued_at: Timestamp,
    expires_at: Timestamp,
) -> Result<String, KeyError> {
    let key = key.ok_or(KeyError::NoSigningKey)?;
    let _span = spans::signing(key.stored.algorithm.name()).entered();
    jwt::sign(&key.signing, token_type, claims, issued_at, expires_at).map_err(|error| match error {
        SignError::Key(failure) => KeyError::Crypto(failure),
        SignError::Claims => KeyError::Claims,
    })
}

fn open_all(master_key: &MasterKey, stored: Vec<StoredSigningKey>) -> Result<Vec<RingKey>, KeyError> {
    stored
        .into_iter()
        .map(|stored| {
            let pkcs8 = master_key
                .open(&stored.sealed_private_key, &stored.key_id)
                .map_err(|_| KeyError::WrongMasterKey(stored.key_id.clone()))?;
            let damaged = |_| KeyError::Damaged(stored.key_id.clone());
            let signing = NativeSigningKey::from_pkcs8(stored.algorithm, &pkcs8).map_err(damaged)?;
            let verifying =
                NativeVerifyingKey::from_jwk(signing.public(), stored.algorithm).map_err(damaged)?;
            if jwt::SigningKey::key_id(&signing) != stored.key_id {
                return Err(KeyError::Damaged(stored.key_id));
            }
            Ok(RingKey {
                stored,
                signing,
                verifying,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
