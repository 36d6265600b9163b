//! The brake on guessing passwords: failures are counted by account and by network, and each one beyond a free number
//! doubles the wait before the next attempt.
//!
//! An attempt counts as failed when it begins and is forgiven when it succeeds, so that guesses made all at once are
//! counted too. Addresses without an account are counted like others, so that the brake does not tell which exist.
//!
//! Kept in memory, bounded, and lost with a restart. The wait per account can be used to keep its owner out for at most
//! [`LONGEST_WAIT_SECONDS`] at a time; the sum of guesses that it prevents is worth more.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use wardgate_shared::time::Timestamp;

/// Failures without a wait, for one account.
const FREE_FOR_ACCOUNT: u32 = 5;
/// Failures without a wait, for one network: a clinic may sign in from one address.
const FREE_FOR_NETWORK: u32 = 30;
/// The longest wait, in seconds.
pub const LONGEST_WAIT_SECONDS: i64 = 900;
/// After this many seconds without an attempt, a counter is forgotten.
const FORGET_AFTER_SECONDS: i64 = 3600;
/// How many counters are kept; about 2 MB.
const MAXIMUM_COUNTERS: usize = 50_000;

/// Too many failures: come back in this many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many failed sign-ins")]
pub struct Throttled {
    /// Seconds, at least 1.
    pub retry_after_seconds: i64,
}

/// The counters.
#[derive(Debug, Default)]
pub struct SignInThrottle {
    /// Keys the counters, so that nobody outside can choose addresses that collide.
    hasher: RandomState,
    counters: Mutex<HashMap<u64, Counter>>,
}

#[derive(Clone, Copy, Debug)]
struct Counter {
    failures: u32,
    last_attempt: Timestamp,
    wait_until: Timestamp,
}

/// An attempt that was let through.
#[derive(Debug)]
#[must_use = "an attempt that is not forgiven counts as failed"]
pub struct Attempt {
    account: u64,
    network: Option<u64>,
}

impl SignInThrottle {
    /// Lets an attempt for the account `email` (as compared, see `normalize_email`) from `address` through, or not.
    ///
    /// # Errors
    /// [`Throttled`]; the attempt then is not counted.
    pub fn begin(&self, email: &str, address: Option<IpAddr>, now: Timestamp) -> Result<Attempt, Throttled> {
        let account = self.hasher.hash_one(("account", email));
        let network = address.map(|address| self.hasher.hash_one(("network", network_of(address))));
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = |key: u64| {
            counters
                .get(&key)
                .map_or(0, |counter| counter.wait_until.since(now))
        };
        let longest = wait(account).max(network.map_or(0, wait));
        if longest > 0 {
            return Err(Throttled {
                retry_after_seconds: longest,
            });
        }
        count(&mut counters, account, FREE_FOR_ACCOUNT, now);
        if let Some(network) = network {
            count(&mut counters, network, FREE_FOR_NETWORK, now);
        }
        Ok(Attempt { account, network })
    }

    /// The attempt succeeded, but says nothing of the ones before: account and network lose this one failure. For guesses at
    /// what anybody can have a right one of.
    pub fn take_back(&self, attempt: &Attempt) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        for key in std::iter::once(attempt.account).chain(attempt.network) {
            if let Some(counter) = counters.get_mut(&key) {
                counter.failures = counter.failures.saturating_sub(1);
                counter.wait_until = counter.last_attempt;
            }
        }
    }

    /// The attempt succeeded: the account starts anew, the network loses this one failure.
    pub fn forgive(&self, attempt: &Attempt) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.remove(&attempt.account);
        if let Some(counter) = attempt.network.and_then(|network| counters.get_mut(&network)) {
            counter.failures = counter.failures.saturating_sub(1);
            counter.wait_until = counter.last_attempt;
        }
    }
}

/// An IPv4 address, or the /64 that one IPv6 customer has at least.
fn network_of(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address) >> 64 << 64,
    }
}

fn count(counters: &mut HashMap<u64, Counter>, key: u64, free: u32, now: Timestamp) {
    if counters.len() >= MAXIMUM_COUNTERS && !counters.contains_key(&key) {
        make_room(counters, now);
    }
    let fresh = Counter {
        failures: 0,
        last_attempt: now,
        wait_until: now,
    };
    let counter = counters.entry(key).or_insert(fresh);
    if now.since(counter.last_attempt) > FORGET_AFTER_SECONDS {
        *counter = fresh;
    }
    counter.failures = counter.failures.saturating_add(1);
    counter.last_attempt = now;
    // The wait after failure number `free` is 1 second, then 2, 4, …
    let wait = match counter.failures.checked_sub(free) {
        None => 0,
        Some(beyond) => 1_i64
            .checked_shl(beyond.min(32))
            .unwrap_or(LONGEST_WAIT_SECONDS)
            .min(LONGEST_WAIT_SECONDS),
    };
    counter.wait_until = now.plus(wait);
}

/// Drops what is forgotten anyway; if that is not enough, the half with the fewest failures, since what a flood of made-up
/// addresses leaves behind has one each.
fn make_room(counters: &mut HashMap<u64, Counter>, now: Timestamp) {
    counters.retain(|_, counter| now.since(counter.last_attempt) <= FORGET_AFTER_SECONDS);
    if counters.len() < MAXIMUM_COUNTERS {
        return;
    }
    let mut by_failures: Vec<(u32, Timestamp, u64)> = counters
        .iter()
        .map(|(key, counter)| (counter.failures, counter.last_attempt, *key))
        .collect();
    by_failures.sort_unstable();
    for (_, _, key) in by_failures.into_iter().take(MAXIMUM_COUNTERS / 2) {
        counters.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use wardgate_shared::time::Timestamp;

    use super::{FREE_FOR_ACCOUNT, FREE_FOR_NETWORK, MAXIMUM_COUNTERS, SignInThrottle, Throttled};

    const NOON: Timestamp = Timestamp::from_seconds(1_700_000_000);

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the throttle takes an address that may be unknown"
    )]
    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn lets_a_few_failures_pass_and_then_doubles_the_wait() {
        let throttle = SignInThrottle::default();
        for _ in 0..FREE_FOR_ACCOUNT {
            let _ = throttle.begin("a@example.org", None, NOON).unwrap();
        }
        let mut now = NOON;
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            let refused = throttle.begin("a@example.org", None, now).unwrap_err();
            assert_eq!(
                refused,
                Throttled {
                    retry_after_seconds: wait
                }
            );
            now = now.plus(wait);
            let _ = throttle.begin("a@example.org", None, now).unwrap();
        }
    }

    #[test]
    fn another_account_is_not_held_back() {
        let throttle = SignInThrottle::default();
        for _ in 0..FREE_FOR_ACCOUNT {
            let _ = throttle
                .begin("a@example.org", address("192.0.2.1"), NOON)
                .unwrap();
        }
        assert!(
            throttle
                .begin("a@example.org", address("192.0.2.2"), NOON)
                .is_err()
        );
        assert!(
            throttle
                .begin("b@example.org", address("192.0.2.1"), NOON)
                .is_ok()
        );
    }

    #[test]
    fn one_network_cannot_try_many_accounts() {
        let throttle = SignInThrottle::default();
        for number in 0..FREE_FOR_NETWORK {
            let host = format!("2001:db8::{number:x}");
            let _ = throttle
                .begin(&format!("{number}@example.org"), address(&host), NOON)
                .unwrap();
        }
        assert!(
            throttle
                .begin("x@example.org", address("2001:db8::ffff"), NOON)
                .is_err()
        );
        assert!(
            throttle
                .begin("x@example.org", address("2001:db8:0:1::1"), NOON)
                .is_ok()
        );
    }

    #[test]
    fn success_forgives_the_account() {
        let throttle = SignInThrottle::default();
        for _ in 0..10 {
            for _ in 1..FREE_FOR_ACCOUNT {
                let _ = throttle.begin("a@example.org", None, NOON).unwrap();
            }
            let attempt = throttle.begin("a@example.org", None, NOON).unwrap();
            throttle.forgive(&attempt);
        }
    }

    #[test]
    fn a_success_that_is_taken_back_does_not_hide_the_failures_before_it() {
        let throttle = SignInThrottle::default();
        let mut now = NOON;
        for _ in 0..(2 * FREE_FOR_ACCOUNT) {
            let _ = throttle.begin("a", address("192.0.2.1"), now).unwrap();
            now = now.plus(900);
            let right = throttle.begin("a", address("192.0.2.1"), now).unwrap();
            throttle.take_back(&right);
        }
        let _ = throttle.begin("a", None, now).unwrap();
        assert!(throttle.begin("a", None, now).is_err());
        for _ in 0..100 {
            let right = throttle.begin("b", None, now).unwrap();
            throttle.take_back(&right);
        }
    }

    #[test]
    fn a_counter_is_forgotten_after_an_hour() {
        let throttle = SignInThrottle::default();
        for _ in 0..FREE_FOR_ACCOUNT {
            let _ = throttle.begin("a@example.org", None, NOON).unwrap();
        }
        let later = NOON.plus(3601);
        for _ in 0..FREE_FOR_ACCOUNT {
            let _ = throttle.begin("a@example.org", None, later).unwrap();
        }
    }

    #[test]
    fn memory_is_bounded_and_a_flood_does_not_wash_out_the_worst() {
        let throttle = SignInThrottle::default();
        for _ in 0..FREE_FOR_ACCOUNT {
            let _ = throttle.begin("victim@example.org", None, NOON).unwrap();
        }
        for number in 0..(2 * MAXIMUM_COUNTERS) {
            let _ = throttle
                .begin(&format!("{number}@example.org"), None, NOON)
                .unwrap();
        }
        assert!(throttle.counters.lock().unwrap().len() <= MAXIMUM_COUNTERS);
        assert!(throttle.begin("victim@example.org", None, NOON).is_err());
    }
}
