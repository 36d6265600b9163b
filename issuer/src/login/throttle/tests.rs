use std::net::IpAddr;
use std::sync::Arc;

use wardgate_shared::time::Timestamp;

use super::{BUCKET, DRAIN_SECONDS, FREE_FOR_ACCOUNT, LONGEST_WAIT_SECONDS, MAXIMUM_ENTRIES, SignInThrottle};

const NOON: Timestamp = Timestamp::from_seconds(1_700_000_000);
const CLINIC: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

fn throttle() -> Arc<SignInThrottle> {
    Arc::default()
}

/// Lets one attempt in and finds its password wrong.
#[track_caller]
fn mismatch(throttle: &Arc<SignInThrottle>, email: &str, address: Option<IpAddr>, now: Timestamp) {
    throttle.begin(email, address, now).unwrap().mismatched(now);
}

/// The wait that an attempt is told, 0 when it is let in.
fn wait(throttle: &Arc<SignInThrottle>, email: &str, address: Option<IpAddr>, now: Timestamp) -> i64 {
    match throttle.begin(email, address, now) {
        Ok(attempt) => {
            drop(attempt);
            0
        }
        Err(throttled) => throttled.retry_after_seconds,
    }
}

#[test]
fn an_account_s_wait_doubles_up_to_its_bound() {
    let throttle = throttle();
    for _ in 0..FREE_FOR_ACCOUNT {
        mismatch(&throttle, "a@example.org", None, NOON);
    }
    let mut now = NOON;
    for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(wait(&throttle, "a@example.org", None, now), expected);
        now = now.plus(expected);
        mismatch(&throttle, "a@example.org", None, now);
    }
    for _ in 0..100 {
        assert!(wait(&throttle, "a@example.org", None, now) <= LONGEST_WAIT_SECONDS);
    }
    assert_eq!(
        wait(&throttle, "a@example.org", None, now.plus(LONGEST_WAIT_SECONDS)),
        0
    );
}

#[test]
fn another_account_is_not_held_back() {
    let throttle = throttle();
    for _ in 0..FREE_FOR_ACCOUNT {
        mismatch(&throttle, "a@example.org", CLINIC, NOON);
    }
    assert_eq!(wait(&throttle, "a@example.org", None, NOON), 1);
    assert_eq!(wait(&throttle, "b@example.org", CLINIC, NOON), 0);
}

#[test]
fn one_network_cannot_try_many_accounts() {
    let throttle = throttle();
    let host = |number: u32| Some(format!("2001:db8::{number:x}").parse().unwrap());
    for number in 0..BUCKET {
        mismatch(&throttle, &format!("{number}@example.org"), host(number), NOON);
    }
    assert_eq!(
        wait(&throttle, "x@example.org", host(0xffff), NOON),
        DRAIN_SECONDS
    );
    let neighbour = Some("2001:db8:0:1::1".parse().unwrap());
    assert_eq!(wait(&throttle, "x@example.org", neighbour, NOON), 0);
}

#[test]
fn a_network_full_of_typing_errors_waits_for_seconds_only() {
    let throttle = throttle();
    let mut now = NOON;
    for number in 0..(10 * BUCKET) {
        let email = format!("{number}@example.org");
        let told = wait(&throttle, &email, CLINIC, now);
        assert!(told <= DRAIN_SECONDS, "{told}");
        now = now.plus(told);
        mismatch(&throttle, &email, CLINIC, now);
    }
    let told = wait(&throttle, "colleague@example.org", CLINIC, now);
    assert!((1..=DRAIN_SECONDS).contains(&told));
    let attempt = throttle
        .begin("colleague@example.org", CLINIC, now.plus(told))
        .unwrap();
    attempt.matched();
}

#[test]
fn an_attempt_without_an_outcome_counts_nothing() {
    let throttle = throttle();
    for _ in 0..(4 * BUCKET) {
        drop(throttle.begin("a@example.org", CLINIC, NOON).unwrap());
    }
    for _ in 1..FREE_FOR_ACCOUNT {
        mismatch(&throttle, "a@example.org", CLINIC, NOON);
    }
    assert_eq!(wait(&throttle, "a@example.org", CLINIC, NOON), 0);
}

#[test]
fn attempts_under_way_make_nobody_wait_while_mismatches_are_free() {
    let throttle = throttle();
    let under_way: Vec<_> = (1..BUCKET)
        .map(|number| {
            throttle
                .begin(&format!("{number}@example.org"), CLINIC, NOON)
                .unwrap()
        })
        .collect();
    assert_eq!(wait(&throttle, "a@example.org", CLINIC, NOON), 0);
    assert_eq!(wait(&throttle, "1@example.org", CLINIC, NOON), 0);
    drop(under_way);
}

#[test]
fn guesses_at_one_account_at_once_are_bounded() {
    let throttle = throttle();
    let mut under_way: Vec<_> = (0..FREE_FOR_ACCOUNT)
        .map(|_| throttle.begin("a@example.org", None, NOON).unwrap())
        .collect();
    assert_eq!(wait(&throttle, "a@example.org", None, NOON), 1);
    under_way.pop();
    assert_eq!(wait(&throttle, "a@example.org", None, NOON), 0);
}

#[test]
fn a_right_password_starts_the_account_anew() {
    let throttle = throttle();
    for _ in 0..10 {
        for _ in 1..FREE_FOR_ACCOUNT {
            mismatch(&throttle, "a@example.org", None, NOON);
        }
        throttle.begin("a@example.org", None, NOON).unwrap().matched();
    }
    assert!(throttle.counters().accounts.is_empty(), "nothing is kept of it");
}

#[test]
fn an_account_is_forgotten_after_an_hour() {
    let throttle = throttle();
    for _ in 0..FREE_FOR_ACCOUNT {
        mismatch(&throttle, "a@example.org", None, NOON);
    }
    let later = NOON.plus(3601);
    for _ in 0..FREE_FOR_ACCOUNT {
        mismatch(&throttle, "a@example.org", None, later);
    }
    assert_eq!(wait(&throttle, "a@example.org", None, later), 1);
}

#[test]
fn memory_is_bounded_and_a_flood_does_not_wash_out_the_worst() {
    let throttle = throttle();
    for _ in 0..FREE_FOR_ACCOUNT {
        mismatch(&throttle, "victim@example.org", CLINIC, NOON);
    }
    for number in 0..u32::try_from(2 * MAXIMUM_ENTRIES).unwrap() {
        let address = IpAddr::from(number.wrapping_add(0x0a00_0000).to_be_bytes());
        mismatch(&throttle, &format!("{number}@example.org"), Some(address), NOON);
    }
    assert!(throttle.counters().accounts.len() <= MAXIMUM_ENTRIES);
    assert!(throttle.counters().networks.len() <= MAXIMUM_ENTRIES);
    assert_eq!(wait(&throttle, "victim@example.org", None, NOON), 1);
}

#[test]
fn of_many_that_are_told_to_wait_one_is_news_until_the_next_mismatch() {
    let throttle = throttle();
    let mut now = NOON;
    for _ in 0..FREE_FOR_ACCOUNT {
        mismatch(&throttle, "a@example.org", CLINIC, now);
    }
    let is_news = |now| throttle.begin("a@example.org", CLINIC, now).unwrap_err().is_news;
    for _ in 0..3 {
        assert!(is_news(now));
        assert!((0..100).all(|_| !is_news(now)));
        now = now.plus(LONGEST_WAIT_SECONDS);
        mismatch(&throttle, "a@example.org", CLINIC, now);
    }
}
