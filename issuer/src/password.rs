//! Passwords: Argon2id (RFC 9106) with bounded concurrency, off the async threads.
//!
//! A computation takes tens of milliseconds and many megabytes on purpose, so only a configured number runs at once and
//! further ones wait a while; whoever floods the sign-in page waits in that queue and stops nothing else. An unknown
//! account costs the same work as a known one, so that time does not tell which addresses exist.
//!
//! Which passwords may be set says [`policy`]; what is hashed here is held to its bounds alone.

pub mod policy;

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;
use wardgate_shared::secret::Secret;

use crate::clock::Stopwatch;
use crate::config::PasswordsConfig;
use crate::metrics::instruments::{OneMore, PasswordInstruments};
use crate::rng::{self, NoRandomness};
use crate::telemetry::spans;

use policy::{Owner, PasswordFault, PasswordPolicy};

/// The shortest password that may be set, in characters (NIST SP 800-63B section 5.1.1.1).
pub const MINIMUM_PASSWORD_CHARACTERS: usize = 8;
/// The longest password that is looked at, in bytes.
pub const MAXIMUM_PASSWORD_BYTES: usize = 1024;
/// How long a computation may wait for its turn before the caller is told to come back.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Waiting computations for each that may run: with the costs of the default configuration, a few seconds of work.
const SATURATION: usize = 64;

/// Why there is no answer about a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many computations wait already: answer 503.
    #[error("too many sign-ins at once")]
    Busy,
    /// A new password is shorter than [`MINIMUM_PASSWORD_CHARACTERS`].
    #[error("the password must have at least {MINIMUM_PASSWORD_CHARACTERS} characters")]
    TooShort,
    /// A new password is longer than [`MAXIMUM_PASSWORD_BYTES`].
    #[error("the password must not be longer than {MAXIMUM_PASSWORD_BYTES} bytes")]
    TooLong,
    /// The stored hash is not a PHC string that Argon2 understands.
    #[error("the stored password hash is damaged")]
    Damaged,
    /// The configured parameters do not work together.
    #[error("the parameters of Argon2 do not work together: memory_kib must be at least 8 times parallelism")]
    Parameters,
    /// The computation did not finish.
    #[error("the password could not be hashed")]
    Failed,
    /// No salt could be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Why a password is not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NewPasswordError {
    /// Everything that is wrong with it.
    #[error("the password cannot be used: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))]
    Faults(Vec<PasswordFault>),
    /// There is no answer.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// Whether a password is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordCheck {
    /// It is.
    Match {
        /// The stored hash was made with other parameters than those configured now: hash again and store.
        rehash: bool,
    },
    /// It is not, or there is no such account.
    Mismatch,
}

/// The password hasher. Clones share its queue.
#[derive(Clone)]
pub struct Passwords(Arc<Hasher>);

struct Hasher {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    /// Verified when there is no account: the same work, always a mismatch.
    dummy: Secret<String>,
    policy: PasswordPolicy,
    /// How many computations may run at once.
    lanes: usize,
    instruments: PasswordInstruments,
}

impl Passwords {
    /// A hasher with the configured costs. Makes one hash at once, so do not call it for every request.
    ///
    /// # Errors
    /// [`PasswordError::Parameters`] or [`PasswordError::NoRandomness`].
    pub fn new(config: &PasswordsConfig) -> Result<Self, PasswordError> {
        let params = Params::new(config.memory_kib, config.iterations, config.parallelism, None)
            .map_err(|_| PasswordError::Parameters)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy = hash_with(&argon2, &rng::bytes::<32>()?)?;
        let lanes = config.concurrency.max(1);
        let turns = Arc::new(Semaphore::new(lanes));
        let policy = PasswordPolicy::new(config);
        Ok(Self(Arc::new(Hasher {
            argon2,
            turns,
            dummy,
            policy,
            lanes,
            instruments: PasswordInstruments::default(),
        })))
    }

    /// What is counted and measured here.
    pub fn instruments(&self) -> &PasswordInstruments {
        &self.0.instruments
    }

    /// Whether so many wait that the last of them may wait in vain.
    pub fn is_saturated(&self) -> bool {
        let most = self.0.lanes.saturating_mul(SATURATION);
        usize::try_from(self.0.instruments.waiting.get()).is_ok_and(|waiting| waiting >= most)
    }

    /// Which passwords may be set.
    pub fn policy(&self) -> &PasswordPolicy {
        &self.0.policy
    }

    /// Hashes a password that `owner` chose, if it is one that they may have.
    ///
    /// # Errors
    /// [`NewPasswordError`].
    pub async fn hash_chosen(
        &self,
        password: Secret<String>,
        owner: Owner<'_>,
    ) -> Result<Secret<String>, NewPasswordError> {
        self.policy()
            .check(password.expose(), owner)
            .map_err(NewPasswordError::Faults)?;
        Ok(self.hash(password).await?)
    }

    /// Hashes a new password into a PHC string.
    ///
    /// # Errors
    /// [`PasswordError`] except `Damaged`.
    pub async fn hash(&self, password: Secret<String>) -> Result<Secret<String>, PasswordError> {
        if password.expose().chars().count() < MINIMUM_PASSWORD_CHARACTERS {
            return Err(PasswordError::TooShort);
        }
        if password.expose().len() > MAXIMUM_PASSWORD_BYTES {
            return Err(PasswordError::TooLong);
        }
        self.take_turn(move |hasher| hash_with(&hasher.argon2, password.expose().as_bytes()))
            .instrument(spans::password())
            .await
    }

    /// Checks a password against the stored hash. Without one the same work is done and the answer is a mismatch.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], [`PasswordError::Damaged`] or [`PasswordError::Failed`].
    pub async fn verify(
        &self,
        password: Secret<String>,
        stored: Option<&Secret<String>>,
    ) -> Result<PasswordCheck, PasswordError> {
        // No hash was ever made of so long a password. This tells nothing of the account.
        if password.expose().len() > MAXIMUM_PASSWORD_BYTES {
            return Ok(PasswordCheck::Mismatch);
        }
        let stored = stored.cloned();
        self.take_turn(move |hasher| {
            let phc = stored.as_ref().unwrap_or(&hasher.dummy);
            let hash = PasswordHash::new(phc.expose()).map_err(|_| PasswordError::Damaged)?;
            let outcome = hasher.argon2.verify_password(password.expose().as_bytes(), &hash);
            match (outcome, stored.is_some()) {
                (Ok(()), true) => Ok(PasswordCheck::Match {
                    rehash: hasher.is_outdated(&hash),
                }),
                (Ok(()), false) | (Err(argon2::password_hash::Error::Password), _) => {
                    Ok(PasswordCheck::Mismatch)
                }
                (Err(_), _) => Err(PasswordError::Damaged),
            }
        })
        .instrument(spans::password())
        .await
    }

    /// Runs `work` on a blocking thread when it is its turn. The turn ends with the work, even if the caller has gone.
    async fn take_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let (instruments, watch) = (&self.0.instruments, Stopwatch::start());
        let waiting = OneMore::of(&instruments.waiting);
        let turn: OwnedSemaphorePermit =
            match tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.0.turns).acquire_owned()).await {
                Ok(Ok(turn)) => turn,
                Ok(Err(_)) => return Err(PasswordError::Failed),
                Err(_) => {
                    instruments.refusals.inc();
                    return Err(PasswordError::Busy);
                }
            };
        drop(waiting);
        instruments.wait.observe(watch.elapsed().as_secs_f64());
        let hasher = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || {
            let (running, watch) = (OneMore::of(&hasher.instruments.running), Stopwatch::start());
            let outcome = work(&hasher);
            hasher.instruments.time.observe(watch.elapsed().as_secs_f64());
            drop(running);
            drop(turn);
            outcome
        });
        task.await.map_err(|_| PasswordError::Failed)?
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Passwords").finish_non_exhaustive()
    }
}

impl Hasher {
    fn is_outdated(&self, hash: &PasswordHash<'_>) -> bool {
        let wanted = self.argon2.params();
        let same = Params::try_from(hash).is_ok_and(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (wanted.m_cost(), wanted.t_cost(), wanted.p_cost())
        });
        !same || hash.algorithm != argon2::ARGON2ID_IDENT
    }
}

fn hash_with(argon2: &Argon2<'_>, password: &[u8]) -> Result<Secret<String>, PasswordError> {
    let salt = SaltString::encode_b64(&rng::bytes::<16>()?).map_err(|_| PasswordError::Failed)?;
    let hash = argon2
        .hash_password(password, &salt)
        .map_err(|_| PasswordError::Failed)?;
    Ok(Secret::new(hash.to_string()))
}

#[cfg(test)]
mod tests;
