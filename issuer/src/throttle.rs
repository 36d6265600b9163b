//! The brake on programs that call the protocol endpoints. People who guess are held by [`crate::login::throttle`].
//!
//! Two things are counted, each in leaky buckets that hold a minute's worth and drain steadily:
//! - **Failures**, by network. A full bucket turns away what comes from there, before it costs more than a look at the form.
//!   Not so a client that has proved itself from there lately: whoever shares an address with an attacker, as a whole
//!   hospital may, is not locked out by them. A public client that got through from there has a bucket of its own there.
//! - **Successes**, by endpoint and client; for a client without proof also by network, since anybody can use its name.
//!
//! The caller gives no network when all visitors share the address (the machine itself, a proxy); only clients with proof are
//! counted then. Kept in memory, bounded, and lost with a restart.

mod bucket;

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wardgate_shared::time::Timestamp;

use crate::config::LimitsConfig;

use bucket::Bucket;

/// How many buckets of a kind, and how many known callers, are kept; a few MB each.
const MAXIMUM_ENTRIES: usize = 50_000;
/// How long a caller is known after a success, in seconds.
const KNOWN_SECONDS: i64 = 86_400;

/// Too many calls: come back in this many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests")]
pub struct Throttled {
    /// Seconds, at least 1.
    pub retry_after_seconds: i64,
}

/// In whose name a call comes, before anything is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A name with something that is to prove it.
    WithProof(String),
    /// A name alone, as public clients have.
    NameOnly(String),
    /// None.
    Nameless,
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The endpoint's path.
    pub endpoint: &'static str,
    /// Where it comes from, where that says anything.
    pub network: Option<IpAddr>,
    /// In whose name.
    pub caller: Caller,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The caller got what it came for, so its proof held.
    Success,
    /// It was refused for something that is wrong with the request.
    Failure,
    /// Neither: it is to wait, or the issuer itself failed.
    Neither,
}

/// The counters.
#[derive(Debug)]
pub struct Throttle {
    limits: LimitsConfig,
    /// Keys the counters, so that nobody outside can choose names that collide.
    hasher: RandomState,
    counters: Mutex<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    failures: HashMap<u64, Bucket>,
    successes: HashMap<u64, Bucket>,
    /// Who got through from where, and when last.
    known: HashMap<u64, Timestamp>,
}

impl Throttle {
    /// Empty counters.
    pub fn new(limits: LimitsConfig) -> Self {
        Self {
            limits,
            hasher: RandomState::new(),
            counters: Mutex::default(),
        }
    }

    /// Whether a call may go on.
    ///
    /// # Errors
    /// [`Throttled`].
    pub fn admit(&self, call: &Call, now: Timestamp) -> Result<(), Throttled> {
        let counters = self.counters();
        let failures = self
            .failure_key(&counters, call, now)
            .and_then(|key| counters.failures.get(&key))
            .map_or(0, |bucket| bucket.wait(self.limits.failures_per_minute, now));
        let successes = self
            .success_key(call)
            .and_then(|(key, per_minute)| Some(counters.successes.get(&key)?.wait(per_minute, now)))
            .unwrap_or(0);
        match failures.max(successes) {
            0 => Ok(()),
            retry_after_seconds => Err(Throttled { retry_after_seconds }),
        }
    }

    /// Counts a call that was let through. Says whether a bucket is full now that was not lately: this is to be recorded, once.
    pub fn count(&self, call: &Call, outcome: Outcome, now: Timestamp) -> bool {
        let mut counters = self.counters();
        match outcome {
            Outcome::Success => {
                if let Some(key) = self.known_key(call) {
                    make_room(&mut counters.known, |since| *since);
                    counters.known.insert(key, now);
                }
                let Some((key, per_minute)) = self.success_key(call) else {
                    return false;
                };
                make_room(&mut counters.successes, Bucket::weight);
                let bucket = counters.successes.entry(key);
                bucket.or_insert_with(|| Bucket::empty(now)).add(per_minute, now)
            }
            Outcome::Failure => {
                // A known client with proof is counted for its network as well: that decides what is recorded.
                let own = self.failure_key(&counters, call, now);
                let Some(key) = own.or_else(|| self.network_key(call.network)) else {
                    return false;
                };
                make_room(&mut counters.failures, Bucket::weight);
                let bucket = counters.failures.entry(key);
                let limit = self.limits.failures_per_minute;
                bucket.or_insert_with(|| Bucket::empty(now)).add(limit, now)
            }
            Outcome::Neither => false,
        }
    }

    /// Whether failures from this network are so many that they are not recorded one by one.
    pub fn is_flooding(&self, network: Option<IpAddr>, now: Timestamp) -> bool {
        let Some(key) = self.network_key(network) else {
            return false;
        };
        let counters = self.counters();
        let bucket = counters.failures.get(&key);
        bucket.is_some_and(|bucket| bucket.is_flooded(self.limits.failures_per_minute, now))
    }

    /// The bucket that decides whether failures turn this call away; none when none does.
    fn failure_key(&self, counters: &Counters, call: &Call, now: Timestamp) -> Option<u64> {
        if self.limits.failures_per_minute == 0 {
            return None;
        }
        let is_known = self
            .known_key(call)
            .and_then(|key| counters.known.get(&key))
            .is_some_and(|since| now.since(*since) < KNOWN_SECONDS);
        match (&call.caller, is_known) {
            (Caller::WithProof(_), true) => None,
            (Caller::NameOnly(_), true) => self.known_key(call),
            (Caller::WithProof(_) | Caller::NameOnly(_), false) | (Caller::Nameless, _) => {
                self.network_key(call.network)
            }
        }
    }

    fn network_key(&self, network: Option<IpAddr>) -> Option<u64> {
        let enabled = self.limits.failures_per_minute > 0;
        let network = network.filter(|_| enabled)?;
        Some(self.hasher.hash_one(("network", network_of(network))))
    }

    /// Who it is that came from there.
    fn known_key(&self, call: &Call) -> Option<u64> {
        let network = network_of(call.network?);
        match &call.caller {
            Caller::WithProof(name) => Some(self.hasher.hash_one(("proved", network, name))),
            Caller::NameOnly(name) => Some(self.hasher.hash_one(("named", network, name))),
            Caller::Nameless => None,
        }
    }

    /// The bucket for successes, and how many a minute it takes.
    fn success_key(&self, call: &Call) -> Option<(u64, u32)> {
        let (key, per_minute) = match &call.caller {
            Caller::WithProof(name) => (
                self.hasher.hash_one((call.endpoint, name)),
                self.limits.client_requests_per_minute,
            ),
            Caller::NameOnly(name) => (
                self.hasher
                    .hash_one((call.endpoint, name, network_of(call.network?))),
                self.limits.public_client_requests_per_minute,
            ),
            Caller::Nameless => (
                self.hasher.hash_one((call.endpoint, network_of(call.network?))),
                self.limits.public_client_requests_per_minute,
            ),
        };
        (per_minute > 0).then_some((key, per_minute))
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        // Nothing panics while the lock is held, so a poisoned one holds whole counters.
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the half of `entries` that weighs least, when there is no room for one more.
fn make_room<T, W: Ord>(entries: &mut HashMap<u64, T>, weight: impl Fn(&T) -> W) {
    if entries.len() >= MAXIMUM_ENTRIES {
        drop_half(entries, weight);
    }
}

/// Drops the half of `entries` that weighs least.
pub(crate) fn drop_half<T, W: Ord>(entries: &mut HashMap<u64, T>, weight: impl Fn(&T) -> W) {
    let mut by_weight: Vec<(W, u64)> = entries.iter().map(|(key, entry)| (weight(entry), *key)).collect();
    by_weight.sort_unstable();
    let half = entries.len() / 2;
    for (_, key) in by_weight.into_iter().take(half) {
        entries.remove(&key);
    }
}

/// An IPv4 address, or the /64 that one IPv6 customer has at least.
pub(crate) fn network_of(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address) >> 64 << 64,
    }
}

#[cfg(test)]
mod tests;
