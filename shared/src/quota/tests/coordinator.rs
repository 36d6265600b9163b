//! What a coordinator grants, credits, stores and forgets.

use std::string::ToString as _;
use std::vec;
use std::vec::Vec;

use super::{isolate, policy};
use crate::denial::{DenyBefore, DenyKind};
use crate::quota::{
    Coordinator, LeaseReply, LeaseRequest, MAXIMUM_DENIALS, Policy, PolicyMismatch, Reservation, Settled,
};
use crate::time::Timestamp;

/// The beginning of a window of 60 seconds.
const START: u64 = 1_706_238_780_000;

fn question(policy: Policy, isolate_number: u8, sequence: u32, wish: u32) -> LeaseRequest {
    LeaseRequest {
        policy,
        holder: isolate(isolate_number),
        sequence,
        need: true,
        wish,
        settled: Vec::new(),
        known: Vec::new(),
    }
}

fn reply(coordinator: &mut Coordinator, request: &LeaseRequest, now: u64) -> LeaseReply {
    coordinator.handle(request, now).expect("the right policy").reply
}

#[test]
fn debits_what_it_leases_and_says_when_the_window_ends() {
    let policy = policy(100, 60);
    let mut coordinator = Coordinator::new(policy, None);
    let answer = reply(&mut coordinator, &question(policy, 1, 7, 10), START + 12_345);
    let expected = LeaseReply {
        sequence: 7,
        admitted: true,
        units: 10,
        pool: 89,
        window_end: Timestamp::from_seconds(1_706_238_840),
        lease_milliseconds: 47_655,
        reset_milliseconds: 47_655,
        deny_before: Vec::new(),
    };
    assert_eq!(answer, expected);
}

#[test]
fn a_lease_lasts_no_longer_than_the_policy_and_the_window_allow() {
    let policy = policy(100, 60).with_leases_of(10).expect("a policy");
    let mut coordinator = Coordinator::new(policy, None);
    for (at, lease) in [(0, 10_000), (49_999, 10_000), (55_000, 5_000)] {
        let answer = reply(&mut coordinator, &question(policy, 1, 1, 1), START + at);
        assert_eq!(answer.lease_milliseconds, lease, "after {at} ms");
    }
}

#[test]
fn keeps_half_of_the_pool_for_each_holder_that_asked_lately() {
    let policy = policy(1_000, 60);
    let mut coordinator = Coordinator::new(policy, None);
    assert_eq!(
        reply(&mut coordinator, &question(policy, 1, 1, 900), START).units,
        499
    );
    // Two holders: a quarter of what is left.
    assert_eq!(
        reply(&mut coordinator, &question(policy, 2, 1, 900), START).units,
        124
    );
    // After a minute of silence the first one is not counted any more. (The window is another one, too.)
    let later = START + 60_000;
    assert_eq!(
        reply(&mut coordinator, &question(policy, 2, 2, 900), later).units,
        499
    );
}

#[test]
fn never_grants_more_than_the_limit_and_then_says_no() {
    let policy = policy(5, 60);
    let mut coordinator = Coordinator::new(policy, None);
    let admitted: Vec<bool> = (0..7)
        .map(|sequence| reply(&mut coordinator, &question(policy, 1, sequence, 0), START).admitted)
        .collect();
    assert_eq!(admitted, [true, true, true, true, true, false, false]);
}

#[test]
fn credits_a_settled_grant_once_and_no_more_than_it_was() {
    let policy = policy(100, 60);
    let mut coordinator = Coordinator::new(policy, None);
    assert_eq!(
        reply(&mut coordinator, &question(policy, 1, 1, 20), START).pool,
        79
    );
    let mut settling = LeaseRequest {
        need: false,
        settled: vec![Settled {
            sequence: 1,
            left: Settled::ALL,
        }],
        ..question(policy, 1, 2, 0)
    };
    assert_eq!(reply(&mut coordinator, &settling, START).pool, 100);
    assert_eq!(reply(&mut coordinator, &settling, START).pool, 100, "doubled");
    // Another holder's grant of the same number is not touched.
    assert_eq!(
        reply(&mut coordinator, &question(policy, 2, 9, 20), START).pool,
        79
    );
    settling.settled = vec![Settled { sequence: 9, left: 5 }];
    assert_eq!(reply(&mut coordinator, &settling, START).pool, 79);
}

#[test]
fn nothing_of_a_window_that_is_over_is_credited_to_the_next() {
    let policy = policy(100, 60);
    let mut coordinator = Coordinator::new(policy, None);
    let _ = reply(&mut coordinator, &question(policy, 1, 1, 20), START);
    let _ = reply(&mut coordinator, &question(policy, 2, 1, 20), START + 60_000);
    let settling = LeaseRequest {
        need: false,
        settled: vec![Settled {
            sequence: 1,
            left: 20,
        }],
        ..question(policy, 1, 2, 0)
    };
    assert_eq!(reply(&mut coordinator, &settling, START + 60_001).pool, 79);
}

#[test]
fn the_whole_limit_is_there_again_in_the_next_window() {
    let policy = policy(1, 60);
    let mut coordinator = Coordinator::new(policy, None);
    assert!(reply(&mut coordinator, &question(policy, 1, 1, 0), START).admitted);
    assert!(!reply(&mut coordinator, &question(policy, 1, 2, 0), START + 59_999).admitted);
    assert!(reply(&mut coordinator, &question(policy, 1, 3, 0), START + 60_000).admitted);
}

#[test]
fn a_clock_that_goes_back_opens_no_window_again() {
    let policy = policy(1, 60);
    let mut coordinator = Coordinator::new(policy, None);
    assert!(reply(&mut coordinator, &question(policy, 1, 1, 0), START).admitted);
    let answer = reply(&mut coordinator, &question(policy, 1, 2, 0), START - 600_000);
    assert!(!answer.admitted);
    assert_eq!(
        answer.reset_milliseconds, 60_000,
        "ask again after a window's length"
    );
    let stored = Some(Reservation {
        window: START / 60_000,
        reserved: 1,
    });
    let mut restarted = Coordinator::new(policy, stored);
    assert!(!reply(&mut restarted, &question(policy, 1, 3, 0), START - 600_000).admitted);
}

#[test]
fn stores_before_it_answers_and_counts_all_of_it_as_spent_after_a_stop() {
    let policy = policy(100, 60);
    let mut coordinator = Coordinator::new(policy, None);
    let first = coordinator
        .handle(&question(policy, 1, 1, 4), START)
        .expect("answered");
    let window = START / 60_000;
    assert_eq!(
        first.store,
        Some(Reservation { window, reserved: 5 }),
        "exactly, while there is time"
    );
    let second = coordinator
        .handle(&question(policy, 1, 2, 4), START + 10)
        .expect("answered");
    assert_eq!(
        second.store,
        Some(Reservation { window, reserved: 20 }),
        "a tenth ahead, in a hurry"
    );
    let third = coordinator
        .handle(&question(policy, 1, 3, 4), START + 20)
        .expect("answered");
    assert_eq!(
        (third.reply.pool, third.store),
        (85, None),
        "that was reserved before"
    );

    let mut restarted = Coordinator::new(policy, second.store);
    assert_eq!(
        reply(&mut restarted, &question(policy, 1, 4, 0), START + 30).pool,
        79
    );
}

#[test]
fn a_coordinator_that_rested_before_it_stopped_has_lost_nothing() {
    let policy = policy(100, 60);
    let mut coordinator = Coordinator::new(policy, None);
    for sequence in 1..=2 {
        let _ = reply(&mut coordinator, &question(policy, 1, sequence, 4), START);
    }
    let stored = coordinator.rest();
    assert_eq!(stored.map(|reservation| reservation.reserved), Some(10));
    assert_eq!(coordinator.rest(), None);
    let mut restarted = Coordinator::new(policy, stored);
    assert_eq!(reply(&mut restarted, &question(policy, 1, 3, 0), START).pool, 89);
}

#[test]
fn writes_about_ten_times_a_window_under_load() {
    let policy = policy(1_000, 60);
    let mut coordinator = Coordinator::new(policy, None);
    let writes = (0..1_000)
        .filter(|sequence| {
            let question = question(policy, 1, *sequence, 0);
            let handled = coordinator.handle(&question, START + u64::from(*sequence));
            handled.expect("answered").store.is_some()
        })
        .count();
    assert!((10..=12).contains(&writes), "{writes}");
}

#[test]
fn refuses_a_question_about_another_policy() {
    let mut coordinator = Coordinator::new(policy(100, 60), None);
    let wrong = question(policy(101, 60), 1, 1, 0);
    assert_eq!(coordinator.handle(&wrong, START), Err(PolicyMismatch));
}

#[test]
fn a_stored_reservation_reads_as_it_was_written_and_nothing_else_reads() {
    let reservation = Reservation {
        window: 28_437_313,
        reserved: 77,
    };
    let bytes = reservation.to_bytes();
    assert_eq!(Reservation::from_bytes(&bytes), Some(reservation));
    assert_eq!(Reservation::from_bytes(&bytes[1..]), None);
    assert_eq!(Reservation::from_bytes(&[0; 13]), None);
}

#[test]
fn what_one_who_asks_knows_to_be_refused_all_others_are_told() {
    let policy = policy(100, 60);
    let mut coordinator = Coordinator::new(policy, None);
    let denial = |name: &str, seconds| {
        let not_before = Timestamp::from_seconds(seconds);
        DenyBefore::of(DenyKind::Subject, "https://issuer.example", name, not_before)
    };
    let told = |coordinator: &mut Coordinator, isolate, sequence, known: &[DenyBefore]| {
        let mut asked = question(policy, isolate, sequence, 1);
        asked.known = known.to_vec();
        reply(coordinator, &asked, START).deny_before
    };
    assert_eq!(told(&mut coordinator, 1, 1, &[]), []);
    assert_eq!(
        told(&mut coordinator, 1, 2, &[denial("ada", 5)]),
        [denial("ada", 5)]
    );
    assert_eq!(
        told(&mut coordinator, 2, 1, &[]),
        [denial("ada", 5)],
        "another isolate"
    );
    // The strictest of one name stays, whoever comes later with less.
    assert_eq!(
        told(&mut coordinator, 2, 2, &[denial("ada", 3)]),
        [denial("ada", 5)]
    );
    assert_eq!(
        told(&mut coordinator, 3, 1, &[denial("ada", 9)]),
        [denial("ada", 9)]
    );
    for number in 0..2 * MAXIMUM_DENIALS {
        let sequence = u32::try_from(number).unwrap() + 10;
        let told = told(&mut coordinator, 1, sequence, &[denial(&number.to_string(), 1)]);
        assert!(told.len() <= MAXIMUM_DENIALS);
    }
}
