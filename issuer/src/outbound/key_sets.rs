//! Key sets that others publish at a URL: fetched when needed, kept as long as they say, looked for anew when a key is
//! missing.
//!
//! One fetch a URL at a time, and at most one in a cool-down, whatever asks: assertions with invented `kid`s cannot make
//! the issuer hammer a client's server. The URLs are registered ones; where clients register themselves that bounds nothing,
//! so only so many sets are kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wardgate_shared::jwk::{JwkError, JwkSet};
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

use super::{FetchError, Outbound, freshness};

/// The least time between two fetches of one URL, in seconds. A set that may not be kept at all is kept for so long.
pub(super) const COOL_DOWN_SECONDS: i64 = 10;

/// The most URLs that are remembered at once.
const MOST_ENTRIES: usize = 1024;

/// The key that a signature names.
#[derive(Clone, Copy, Debug)]
pub struct WantedKey<'a> {
    /// The header's `kid`.
    pub key_id: Option<&'a str>,
    /// The header's `alg`.
    pub algorithm: SignatureAlgorithm,
}

impl WantedKey<'_> {
    fn is_in(&self, keys: &JwkSet) -> bool {
        keys.candidates(self.key_id, self.algorithm).next().is_some()
    }
}

/// Why there is no key set.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What was fetched is no key set that can be trusted.
    #[error("the answer is no key set: {0}")]
    NoKeySet(#[from] JwkError),
    /// A fetch failed a moment ago.
    #[error("it was not available a moment ago")]
    Pausing,
}

/// Every key set in hand.
#[derive(Debug)]
pub struct KeySets {
    outbound: Outbound,
    entries: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Entry>>>>,
}

#[derive(Debug, Default)]
struct Entry {
    keys: Option<Arc<JwkSet>>,
    fresh_until: Option<Timestamp>,
    asked_at: Option<Timestamp>,
}

impl KeySets {
    /// No key set yet; they will be fetched by `outbound`.
    pub fn new(outbound: Outbound) -> Self {
        Self {
            outbound,
            entries: Mutex::default(),
        }
    }

    /// The key set at `url`, which must be a registered one. When a set in hand lacks the wanted key it is fetched anew,
    /// so that a rotated key works (OIDC-87); the result may still lack it.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub async fn key_set(
        &self,
        url: &str,
        wanted: WantedKey<'_>,
        now: Timestamp,
    ) -> Result<Arc<JwkSet>, KeySetError> {
        let entry = {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            if entries.len() >= MOST_ENTRIES && !entries.contains_key(url) {
                // An entry in somebody's hands stays: others wait for what it will hold.
                entries.retain(|_, entry| Arc::strong_count(entry) > 1);
            }
            entries.entry(url.into()).or_default().clone()
        };
        // Whoever waits here finds what the one before fetched; if that one was cut off, it fetches itself.
        let mut entry = entry.lock().await;
        let cooling = entry
            .asked_at
            .is_some_and(|asked_at| (0..COOL_DOWN_SECONDS).contains(&now.since(asked_at)));
        let fresh = entry.keys_at(now);
        match fresh {
            Some(keys) if cooling || wanted.is_in(&keys) => return Ok(keys),
            None if cooling => return Err(KeySetError::Pausing),
            Some(_) | None => {}
        }
        entry.asked_at = Some(now);
        match self.fetch(url).await {
            Ok((keys, seconds)) => {
                let keys = Arc::new(keys);
                entry.keys = Some(keys.clone());
                entry.fresh_until = Some(now.plus(seconds.max(COOL_DOWN_SECONDS)));
                Ok(keys)
            }
            // What is in hand may be used on until its time is over.
            Err(error) => fresh.ok_or(error),
        }
    }

    async fn fetch(&self, url: &str) -> Result<(JwkSet, i64), KeySetError> {
        let fetched = self.outbound.fetch_json(url).await?;
        Ok((
            JwkSet::parse(&fetched.body)?,
            freshness::seconds(&fetched.headers),
        ))
    }
}

impl Entry {
    fn keys_at(&self, now: Timestamp) -> Option<Arc<JwkSet>> {
        let fresh = self.fresh_until.is_some_and(|until| now < until);
        self.keys.clone().filter(|_| fresh)
    }
}

#[cfg(test)]
mod tests;
