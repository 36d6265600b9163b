//! How the keys change: made, succeeded by command or by schedule, revoked. Each change is one transaction with its audit event,
//! and two processes that change the same keys at once come one after the other: whoever is late looks again.

use wardgate_shared::jwt::{self, SignatureAlgorithm};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::denial::Denial;
use crate::domain::signing_key::{StoredSigningKey, Successor};
use crate::keys::native::{CryptoFailure, NativeSigningKey};
use crate::store::Store;

use super::{KeyError, KeyRing};

/// How often a change is tried when other processes change the keys at the same time.
const ATTEMPTS: usize = 3;
/// By what means keys change when nobody asks for it: a server or `init` that starts finds an algorithm without a key, or a key without use;
/// the schedule.
const START: &str = "start";
const SCHEDULE: &str = "schedule";

impl KeyRing {
    /// Makes the keys that are missing, one for each of [`KeyRing::algorithms`]. Gives the `kid`s it made. Keys of other
    /// algorithms, which were configured earlier, sign until those may, and then end.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn ensure_keys(&self, store: &Store, now: Timestamp) -> Result<Vec<String>, KeyError> {
        let mut made = Vec::new();
        for algorithm in self.algorithms() {
            let exists = self
                .keys()
                .iter()
                .any(|key| key.stored.algorithm == algorithm && key.stored.signs_until.is_none());
            if !exists {
                made.push(self.rotate(store, algorithm, rotation(START, now)).await?.key_id);
            }
        }
        self.retire_unused(store, now).await?;
        Ok(made)
    }

    async fn retire_unused(&self, store: &Store, now: Timestamp) -> Result<(), KeyError> {
        let used = self.algorithms();
        for retire in self.0.schedule.retire_unused(&self.lives(), &used, now) {
            let audit = rotation(START, now).with_object(&retire.0);
            store.retire_signing_key(retire, audit).await?;
        }
        self.reload(store).await
    }

    /// Makes a new key for `algorithm` and retires its predecessors when the new one begins to sign. `audit` says who asks for it, and when.
    ///
    /// # Errors
    /// [`KeyError`]; nothing is stored then.
    pub async fn rotate(
        &self,
        store: &Store,
        algorithm: SignatureAlgorithm,
        audit: AuditEvent,
    ) -> Result<StoredSigningKey, KeyError> {
        let made = self.make(algorithm).await?;
        for _ in 1..ATTEMPTS {
            self.reload(store).await?;
            let outcome = self.succeed(store, &made, algorithm, audit.clone()).await;
            if !is_late(&outcome) {
                return outcome;
            }
        }
        self.reload(store).await?;
        self.succeed(store, &made, algorithm, audit).await
    }

    /// Makes the successors that the schedule asks for by `now`, and gives them. Nothing is made twice: of two processes that
    /// find the same key due, one makes its successor.
    ///
    /// # Errors
    /// [`KeyError`]; those made before the failure stay.
    pub async fn rotate_due(&self, store: &Store, now: Timestamp) -> Result<Vec<StoredSigningKey>, KeyError> {
        self.reload(store).await?;
        let mut successors = Vec::new();
        let is_due = |algorithm| self.successor_due(algorithm).is_some_and(|due| due <= now);
        for algorithm in self.algorithms() {
            if !is_due(algorithm) {
                continue;
            }
            let made = self.make(algorithm).await?;
            // Another process may have made its own in that time, and may be doing so still.
            self.reload(store).await?;
            if !is_due(algorithm) {
                continue;
            }
            let audit = rotation(SCHEDULE, now);
            let outcome = self.succeed(store, &made, algorithm, audit).await;
            if !is_late(&outcome) {
                successors.push(outcome?);
            }
        }
        Ok(successors)
    }

    /// When the schedule makes a successor for the key of `algorithm`: the lead before that one signs. `None` without a schedule,
    /// and without a key.
    pub fn successor_due(&self, algorithm: SignatureAlgorithm) -> Option<Timestamp> {
        self.0.schedule.successor_due(&self.lives(), algorithm)
    }

    /// Stores a key that was made as the successor of those that the ring knows.
    async fn succeed(
        &self,
        store: &Store,
        (key_id, sealed_private_key): &(String, Vec<u8>),
        algorithm: SignatureAlgorithm,
        audit: AuditEvent,
    ) -> Result<StoredSigningKey, KeyError> {
        let now = audit.at;
        let succession = self.0.schedule.succeed(&self.lives(), algorithm, now);
        let stored = StoredSigningKey {
            sealed_private_key: sealed_private_key.clone(),
            key_id: key_id.clone(),
            algorithm,
            created_at: now,
            signs_from: succession.signs_from,
            signs_until: None,
            published_until: None,
        };
        store
            .insert_signing_key(stored.clone(), succession.retire, audit.with_object(key_id))
            .await?;
        self.reload(store).await?;
        Ok(stored)
    }

    /// Ends a key at once, whatever it signed: it is published no more and denied to whoever still knows it. What would have signed
    /// next signs now; when nothing would, a new key does. Gives the key that takes its place, if one had to; `None` when there is no
    /// published key of this `kid`. `audit` says who asks for it, and when.
    ///
    /// # Errors
    /// [`KeyError`]; nothing has changed then.
    pub async fn revoke(
        &self,
        store: &Store,
        key_id: &str,
        audit: AuditEvent,
    ) -> Result<Option<Option<String>>, KeyError> {
        for _ in 1..ATTEMPTS {
            let outcome = self.try_to_revoke(store, key_id, audit.clone()).await;
            if !is_late(&outcome) {
                return outcome;
            }
        }
        self.try_to_revoke(store, key_id, audit).await
    }

    async fn try_to_revoke(
        &self,
        store: &Store,
        key_id: &str,
        audit: AuditEvent,
    ) -> Result<Option<Option<String>>, KeyError> {
        let now = audit.at;
        self.reload(store).await?;
        let lives = self.lives();
        let Some(revoked) = lives
            .iter()
            .find(|life| life.key_id == key_id && life.is_published(now))
        else {
            return Ok(None);
        };
        let algorithm = revoked.algorithm;
        let mut same = lives
            .iter()
            .filter(|life| life.algorithm == algorithm && life.key_id != key_id);
        let successor = if revoked.signs_until.is_none() {
            // The newest of its kind: another takes its place, at the time at which it would have begun.
            let (key_id, sealed_private_key) = self.make(algorithm).await?;
            Some(Successor::Made(StoredSigningKey {
                key_id,
                algorithm,
                sealed_private_key,
                created_at: now,
                signs_from: now.max(revoked.signs_from),
                signs_until: None,
                published_until: None,
            }))
        } else if revoked.may_sign(now) {
            let next = same.find(|life| life.signs_until.is_none());
            next.map(|life| Successor::Waiting(life.key_id.clone()))
        } else {
            None
        };
        let name = successor.as_ref().map(|successor| match successor {
            Successor::Made(key) => key.key_id.clone(),
            Successor::Waiting(key_id) => key_id.clone(),
        });
        let denial = Denial::of_signing_key(key_id, now);
        store
            .revoke_signing_key(denial, algorithm, successor, now, audit.with_object(key_id))
            .await?;
        self.reload(store).await?;
        Ok(Some(name))
    }

    /// A new key: its `kid`, and its private half, sealed.
    async fn make(&self, algorithm: SignatureAlgorithm) -> Result<(String, Vec<u8>), KeyError> {
        // RSA generation takes a good part of a second, which no async thread should.
        let (key, pkcs8) = tokio::task::spawn_blocking(move || NativeSigningKey::generate(algorithm))
            .await
            .map_err(|_| CryptoFailure)??;
        let key_id = String::from(jwt::SigningKey::key_id(&key));
        let sealed = self.0.master_key.seal(&pkcs8, &key_id)?;
        Ok((key_id, sealed))
    }
}

/// Whether the keys were others by the time of the change.
fn is_late<T>(outcome: &Result<T, KeyError>) -> bool {
    outcome.as_ref().is_err_and(KeyError::is_of_others_meanwhile)
}

/// The audit event of a change that nobody asked for just now: by what means it came.
fn rotation(method: &'static str, now: Timestamp) -> AuditEvent {
    AuditEvent::new(now, AuditAction::KeyRotation, AuditOutcome::Success).with_method(method)
}

#[cfg(test)]
mod tests;
