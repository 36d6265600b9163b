//! What happens while the coordinator does not answer.

use super::policy;
use crate::quota::{Breaker, LocalShare};

/// The share of an isolate.
const SHARE: u32 = 2;

const START: u64 = 1_706_238_780_000;

#[test]
fn a_local_share_admits_so_many_and_never_more_than_the_limit() {
    for (limit, share, admitted) in [(100, 25, 25), (10, 1, 1), (5, 9, 5)] {
        let mut local = LocalShare::default();
        let count = (0..200)
            .filter(|_| local.take(policy(limit, 60), share, START).is_ok())
            .count();
        assert_eq!(count, admitted, "{share} of {limit}");
    }
}

#[test]
fn a_local_share_tells_what_remains_of_it_and_until_when() {
    let mut local = LocalShare::default();
    let standing = local
        .take(policy(8, 60), SHARE, START + 100)
        .expect("the first of two");
    assert_eq!((standing.limit, standing.remaining), (8, 1));
    assert_eq!(
        (standing.reset.seconds(), standing.reset_in_seconds),
        (1_706_238_840, 60)
    );
    assert!(local.take(policy(8, 60), SHARE, START + 100).is_ok());
    assert_eq!(
        local
            .take(policy(8, 60), SHARE, START + 100)
            .map_err(|standing| standing.remaining),
        Err(0)
    );
}

#[test]
fn a_local_share_is_there_again_in_the_next_window_but_not_in_an_earlier_one() {
    let (policy, mut local) = (policy(4, 60), LocalShare::default());
    for _ in 0..SHARE {
        assert!(local.take(policy, SHARE, START).is_ok());
    }
    assert!(local.take(policy, SHARE, START - 1).is_err());
    assert!(local.take(policy, SHARE, START + 59_999).is_err());
    assert!(local.take(policy, SHARE, START + 60_000).is_ok());
}

#[test]
fn three_failures_in_a_row_end_the_questions_for_a_while() {
    let mut breaker = Breaker::default();
    for now in 0..3 {
        assert!(breaker.may_ask(now));
        breaker.failed(now);
    }
    assert!(!breaker.may_ask(2));
    assert!(!breaker.may_ask(1_001));
    assert_eq!(breaker.rests_for(1_001), 1);
    assert!(breaker.may_ask(1_002), "one is let through");
    assert!(!breaker.may_ask(1_003), "and no other while it runs");
    breaker.succeeded();
    assert!(breaker.may_ask(1_003));
}

#[test]
fn a_success_between_failures_keeps_the_questions_going() {
    let mut breaker = Breaker::default();
    for now in 0..30 {
        assert!(breaker.may_ask(now));
        if now % 3 == 2 {
            breaker.succeeded();
        } else {
            breaker.failed(now);
        }
    }
}

#[test]
fn rests_grow_up_to_half_a_minute_and_a_clock_that_goes_back_ends_them() {
    let mut breaker = Breaker::default();
    for _ in 0..2 {
        breaker.failed(0);
    }
    for rest in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
        breaker.failed(500);
        assert_eq!(breaker.rests_for(500), rest);
    }
    assert!(breaker.may_ask(499));
}
