//! The brake on guessing passwords. Only a mismatch counts: not an attempt whose outcome is unknown, cancelled or lost to
//! a fault of our own.
//!
//! - By account: after a few mismatches in a row each further one doubles the wait, up to [`LONGEST_WAIT_SECONDS`]. So
//!   whoever keeps guessing at an account can keep its owner out for that long at a time, and never longer; an attempt
//!   that is turned away does not lengthen the wait. Addresses without an account are counted like others, so that the
//!   brake does not tell which exist.
//! - By network: a leaky bucket. Mismatches fill it, it drains steadily, and a full one makes the next attempt wait for
//!   one place, [`DRAIN_SECONDS`] at most: colleagues behind one address do not lock one another out by typing errors.
//!   The caller gives no network when all visitors share the address (the machine itself, a proxy).
//!
//! - By account, for second factors: the same with a longer wait, [`LONGEST_FACTOR_WAIT_SECONDS`], since a code of six digits
//!   is guessed sooner than a password. Only somebody who has shown the first proof gets so far, so nobody else can make its
//!   owner wait; and a right password does not start these counters anew.
//!
//! Guesses made all at once are bounded by letting in no more at a time than mismatches would still be free (one at
//! least). Kept in memory, bounded, and lost with a restart.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wardgate_shared::time::Timestamp;

use crate::throttle::{drop_half, network_of};

/// Mismatches without a wait, for one account.
const FREE_FOR_ACCOUNT: u32 = 5;
/// The longest wait for one account, in seconds.
pub const LONGEST_WAIT_SECONDS: i64 = 60;
/// The longest wait for one account's second factors, in seconds.
pub const LONGEST_FACTOR_WAIT_SECONDS: i64 = 900;
/// After this many seconds without a mismatch, an account starts anew.
const FORGET_AFTER_SECONDS: i64 = 3600;
/// How many mismatches fill the bucket of a network.
const BUCKET: u32 = 30;
/// In how many seconds a bucket loses one mismatch, and so the longest wait for a network.
pub const DRAIN_SECONDS: i64 = 2;
/// The advice when too many attempts are under way at once, in seconds: each takes a fraction of one.
const UNDER_WAY_SECONDS: i64 = 1;
/// How many accounts, and how many networks, are kept; about 2 MB each.
const MAXIMUM_ENTRIES: usize = 50_000;

/// Too many failures: come back in this many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many failed sign-ins")]
pub struct Throttled {
    /// Seconds, at least 1.
    pub retry_after_seconds: i64,
    /// Whether nobody was told so since the last attempt that was let through and failed: one line of the audit trail stands for
    /// all that follow.
    pub is_news: bool,
}

/// The counters.
#[derive(Debug, Default)]
pub struct SignInThrottle {
    /// Keys the counters, so that nobody outside can choose addresses that collide.
    hasher: RandomState,
    counters: Mutex<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    accounts: HashMap<u64, Account>,
    networks: HashMap<u64, Network>,
}

#[derive(Clone, Copy, Debug)]
struct Account {
    mismatches: u32,
    last_mismatch: Timestamp,
    wait_until: Timestamp,
    under_way: u32,
    /// Whether somebody was told to wait since the last mismatch.
    told: bool,
    /// In seconds.
    longest_wait: i64,
}

#[derive(Clone, Copy, Debug)]
struct Network {
    /// When the bucket will have drained.
    empty_at: Timestamp,
    under_way: u32,
    /// Whether somebody was told to wait since the last mismatch.
    told: bool,
}

/// An attempt that was let through. Dropped without an outcome, it counts nothing.
#[derive(Debug)]
#[must_use = "an attempt ends when it is dropped"]
pub struct Attempt {
    throttle: Arc<SignInThrottle>,
    account: u64,
    network: Option<u64>,
}

impl SignInThrottle {
    /// Lets an attempt for the account `email` (as compared, see `normalize_email`) from `address` through, or not.
    ///
    /// # Errors
    /// [`Throttled`]; the attempt then is not counted.
    pub fn begin(
        self: &Arc<Self>,
        email: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt, Throttled> {
        let account = self.hasher.hash_one(("account", email));
        self.begin_for(account, LONGEST_WAIT_SECONDS, address, now)
    }

    /// The same for an attempt at a second factor, or at what stands in for one, of the person `user_id`.
    ///
    /// # Errors
    /// As [`SignInThrottle::begin`].
    pub fn begin_factor(
        self: &Arc<Self>,
        user_id: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt, Throttled> {
        let account = self.hasher.hash_one(("second factor", user_id));
        self.begin_for(account, LONGEST_FACTOR_WAIT_SECONDS, address, now)
    }

    fn begin_for(
        self: &Arc<Self>,
        account: u64,
        longest_wait: i64,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt, Throttled> {
        let network = address.map(|address| self.hasher.hash_one(("network", network_of(address))));
        let mut counters = self.counters();
        let for_account = counters
            .accounts
            .get(&account)
            .map_or(0, |account| account.wait(now));
        let for_network = network
            .and_then(|network| counters.networks.get(&network))
            .map_or(0, |network| network.wait(now));
        let longest = for_account.max(for_network);
        if longest > 0 {
            let mut is_news = false;
            if for_account > 0
                && let Some(account) = counters.accounts.get_mut(&account)
            {
                is_news |= !std::mem::replace(&mut account.told, true);
            }
            if for_network > 0
                && let Some(network) = network.and_then(|network| counters.networks.get_mut(&network))
            {
                is_news |= !std::mem::replace(&mut network.told, true);
            }
            return Err(Throttled {
                retry_after_seconds: longest,
                is_news,
            });
        }
        let entry = counters.account(account, now);
        entry.longest_wait = longest_wait;
        entry.under_way = entry.under_way.saturating_add(1);
        if let Some(network) = network {
            let entry = counters.network(network, now);
            entry.under_way = entry.under_way.saturating_add(1);
        }
        drop(counters);
        Ok(Attempt {
            throttle: Arc::clone(self),
            account,
            network,
        })
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        // Nothing panics while the lock is held, so a poisoned one holds whole counters.
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    /// The password was right: the account starts anew.
    pub fn matched(self) {
        let mut counters = self.throttle.counters();
        if let Some(account) = counters.accounts.get_mut(&self.account) {
            account.mismatches = 0;
            account.wait_until = account.last_mismatch;
        }
    }

    /// The password was wrong, as was found at `now`.
    pub fn mismatched(self, now: Timestamp) {
        let mut counters = self.throttle.counters();
        counters.account(self.account, now).count(now);
        if let Some(network) = self.network {
            counters.network(network, now).count(now);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut counters = self.throttle.counters();
        if let Some(account) = counters.accounts.get_mut(&self.account) {
            account.under_way = account.under_way.saturating_sub(1);
            if account.under_way == 0 && account.mismatches == 0 {
                counters.accounts.remove(&self.account);
            }
        }
        if let Some(network) = self
            .network
            .and_then(|network| counters.networks.get_mut(&network))
        {
            network.under_way = network.under_way.saturating_sub(1);
        }
    }
}

impl Account {
    /// Seconds until the next attempt may begin.
    fn wait(&self, now: Timestamp) -> i64 {
        if self.is_forgotten(now) {
            return 0;
        }
        let by_mismatches = self.wait_until.since(now).max(0);
        let free = FREE_FOR_ACCOUNT.saturating_sub(self.mismatches).max(1);
        by_mismatches.max(if self.under_way < free {
            0
        } else {
            UNDER_WAY_SECONDS
        })
    }

    fn is_forgotten(&self, now: Timestamp) -> bool {
        self.under_way == 0 && now.since(self.last_mismatch) > FORGET_AFTER_SECONDS
    }

    fn count(&mut self, now: Timestamp) {
        if now.since(self.last_mismatch) > FORGET_AFTER_SECONDS {
            self.mismatches = 0;
        }
        self.mismatches = self.mismatches.saturating_add(1);
        self.last_mismatch = now;
        self.told = false;
        // The wait after mismatch number FREE_FOR_ACCOUNT is 1 second, then 2, 4, …
        let wait = match self.mismatches.checked_sub(FREE_FOR_ACCOUNT) {
            None => 0,
            Some(beyond) => 1_i64
                .checked_shl(beyond.min(32))
                .map_or(self.longest_wait, |wait| wait.min(self.longest_wait)),
        };
        self.wait_until = now.plus(wait);
    }
}

impl Network {
    /// Mismatches in the bucket.
    fn level(&self, now: Timestamp) -> u32 {
        let seconds = self.empty_at.since(now).max(0);
        let begun = seconds.saturating_add(DRAIN_SECONDS - 1) / DRAIN_SECONDS;
        u32::try_from(begun).unwrap_or(u32::MAX)
    }

    /// Seconds until the next attempt may begin.
    fn wait(&self, now: Timestamp) -> i64 {
        let level = self.level(now);
        if level >= BUCKET {
            // Until the bucket holds one less than it can; `count` keeps that within DRAIN_SECONDS.
            let one_free = i64::from(BUCKET.saturating_sub(1)).saturating_mul(DRAIN_SECONDS);
            return self
                .empty_at
                .since(now)
                .saturating_sub(one_free)
                .clamp(1, DRAIN_SECONDS);
        }
        if self.under_way < BUCKET.saturating_sub(level) {
            0
        } else {
            UNDER_WAY_SECONDS
        }
    }

    fn count(&mut self, now: Timestamp) {
        let full = now.plus(i64::from(BUCKET).saturating_mul(DRAIN_SECONDS));
        self.empty_at = self.empty_at.max(now).plus(DRAIN_SECONDS).min(full);
        self.told = false;
    }
}

impl Counters {
    fn account(&mut self, key: u64, now: Timestamp) -> &mut Account {
        if self.accounts.len() >= MAXIMUM_ENTRIES && !self.accounts.contains_key(&key) {
            self.accounts.retain(|_, account| !account.is_forgotten(now));
            // What a flood of made-up addresses leaves behind has one mismatch each.
            if self.accounts.len() >= MAXIMUM_ENTRIES {
                drop_half(&mut self.accounts, |account| {
                    (account.mismatches, account.last_mismatch)
                });
            }
        }
        self.accounts.entry(key).or_insert(Account {
            mismatches: 0,
            last_mismatch: now,
            wait_until: now,
            under_way: 0,
            told: false,
            longest_wait: LONGEST_WAIT_SECONDS,
        })
    }

    fn network(&mut self, key: u64, now: Timestamp) -> &mut Network {
        if self.networks.len() >= MAXIMUM_ENTRIES && !self.networks.contains_key(&key) {
            self.networks
                .retain(|_, network| network.under_way > 0 || network.level(now) > 0);
            if self.networks.len() >= MAXIMUM_ENTRIES {
                drop_half(&mut self.networks, |network| network.empty_at);
            }
        }
        self.networks.entry(key).or_insert(Network {
            empty_at: now,
            under_way: 0,
            told: false,
        })
    }
}

#[cfg(test)]
mod tests;
