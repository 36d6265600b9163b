//! What an isolate decides by itself, and when it asks.

use std::vec::Vec;

use super::{isolate, policy};
use crate::quota::{
    Admission, Coordinator, Decision, Holder, LeaseReply, LeaseRequest, Policy, Purpose, Received, Settled,
    Standing,
};

const START: u64 = 1_706_238_780_000;

/// One isolate and the coordinator, a network without delay between them, and a count of the questions.
struct Pair {
    policy: Policy,
    holder: Holder,
    coordinator: Coordinator,
    calls: u32,
}

impl Pair {
    fn new(policy: Policy) -> Self {
        Self {
            policy,
            holder: Holder::default(),
            coordinator: Coordinator::new(policy, None),
            calls: 0,
        }
    }

    fn question(&mut self, purpose: Purpose, now: u64) -> LeaseRequest {
        self.calls += 1;
        self.holder.ask(self.policy, purpose, isolate(1), self.calls, now)
    }

    fn answer(&mut self, question: &LeaseRequest, now: u64) -> LeaseReply {
        self.coordinator.handle(question, now).expect("answered").reply
    }

    fn ask(&mut self, purpose: Purpose, now: u64) -> Received {
        let question = self.question(purpose, now);
        let reply = self.answer(&question, now);
        self.holder.receive(self.policy, &reply, now)
    }

    /// One request at `now`.
    fn request(&mut self, now: u64) -> Result<Admission, Standing> {
        let received = match self.holder.take(self.policy, now) {
            Decision::Admitted(admission) => Received::Admitted(admission),
            Decision::Denied(standing) => Received::Denied(standing),
            Decision::Ask => self.ask(Purpose::Admission, now),
        };
        match received {
            Received::Admitted(admission) => {
                if admission.refill {
                    assert_eq!(self.ask(Purpose::Refill, now), Received::Refilled);
                }
                Ok(admission)
            }
            Received::Denied(standing) => Err(standing),
            Received::Refilled | Received::Void => panic!("{received:?}"),
        }
    }
}

#[test]
fn remaining_is_exact_with_one_isolate_and_ends_at_the_limit() {
    for limit in [1, 2, 3, 7, 60, 1_000, 6_000] {
        let mut pair = Pair::new(policy(limit, 60));
        for number in 0..limit {
            let admission = pair.request(START + u64::from(number)).expect("below the limit");
            assert_eq!(admission.standing.remaining, limit - number - 1, "of {limit}");
        }
        let refused = pair.request(START + 30_000).expect_err("above the limit");
        assert_eq!((refused.limit, refused.remaining), (limit, 0));
        assert_eq!(refused.reset_in_seconds, 30);
        assert_eq!(refused.reset.seconds(), 1_706_238_840);
    }
}

#[test]
fn few_requests_cost_a_call() {
    let mut pair = Pair::new(policy(1_000, 60));
    for number in 0..1_000 {
        let _ = pair.request(START + number * 60).expect("below the limit");
    }
    assert!(pair.calls <= 20, "at most 2 %: {}", pair.calls);
}

#[test]
fn a_client_above_its_limit_costs_no_call_until_the_window_ends() {
    let mut pair = Pair::new(policy(20, 60));
    while pair.request(START).is_ok() {}
    let calls = pair.calls;
    for now in START..START + 60_000 {
        assert!(pair.request(now).is_err());
    }
    assert_eq!(pair.calls, calls);
    assert!(
        pair.request(START + 60_000).is_ok(),
        "and then it is admitted again"
    );
    assert_eq!(pair.calls, calls + 1);
}

#[test]
fn a_lease_ends_before_the_window_does_and_is_counted_from_before_the_question() {
    let mut pair = Pair::new(policy(1_000, 60));
    let question = pair.question(Purpose::Admission, START);
    // The answer takes five seconds to come; the coordinator decided at the end of them.
    let reply = pair.answer(&question, START + 5_000);
    assert!(reply.units > 0);
    assert!(matches!(
        pair.holder.receive(pair.policy, &reply, START + 5_000),
        Received::Admitted(_)
    ));
    assert!(matches!(
        pair.holder.take(pair.policy, START + 54_949),
        Decision::Admitted(_)
    ));
    assert_eq!(pair.holder.take(pair.policy, START + 54_950), Decision::Ask);
}

#[test]
fn what_a_lease_left_is_given_back_with_the_next_question() {
    let mut pair = Pair::new(policy(640, 60).with_leases_of(10).expect("a policy"));
    let _ = pair.request(START).expect("admitted");
    assert_eq!(pair.holder.take(pair.policy, START + 9_950), Decision::Ask);
    let question = pair.question(Purpose::Admission, START + 9_950);
    assert_eq!(
        question.settled,
        [Settled {
            sequence: 1,
            left: 10
        }]
    );
}

#[test]
fn an_expired_lease_does_not_lower_what_remains() {
    let mut pair = Pair::new(policy(1_000, 60).with_leases_of(10).expect("a policy"));
    for (number, second) in (0..60).step_by(12).enumerate() {
        let admission = pair.request(START + second * 1_000).expect("admitted");
        assert_eq!(
            admission.standing.remaining,
            999 - u32::try_from(number).expect("small")
        );
    }
}

#[test]
fn a_clock_that_goes_back_ends_every_lease() {
    let mut pair = Pair::new(policy(1_000, 60));
    let _ = pair.request(START + 30_000).expect("admitted");
    assert!(matches!(
        pair.holder.take(pair.policy, START + 29_990),
        Decision::Admitted(_)
    ));
    assert_eq!(pair.holder.take(pair.policy, START + 29_900), Decision::Ask);
}

#[test]
fn an_answer_is_taken_once_and_only_to_a_question_that_waits() {
    let mut pair = Pair::new(policy(1_000, 60));
    let question = pair.question(Purpose::Admission, START);
    let reply = pair.answer(&question, START);
    assert!(matches!(
        pair.holder.receive(pair.policy, &reply, START),
        Received::Admitted(_)
    ));
    assert_eq!(pair.holder.receive(pair.policy, &reply, START), Received::Void);

    let question = pair.question(Purpose::Admission, START);
    let reply = pair.answer(&question, START);
    pair.holder.give_up(question.sequence);
    assert_eq!(pair.holder.receive(pair.policy, &reply, START), Received::Void);
    let next = pair.question(Purpose::Admission, START);
    let settled = Settled {
        sequence: question.sequence,
        left: Settled::ALL,
    };
    assert_eq!(next.settled, [settled], "and the coordinator hears of it");
}

#[test]
fn an_answer_that_makes_no_sense_is_none() {
    let mut pair = Pair::new(policy(10, 60));
    for spoil in [
        (|reply: &mut LeaseReply| reply.units = 11) as fn(&mut LeaseReply),
        |reply| reply.pool = u32::MAX,
        |reply| reply.reset_milliseconds = 60_001,
        |reply| reply.sequence = 99,
    ] {
        let question = pair.question(Purpose::Admission, START);
        let mut reply = pair.answer(&question, START);
        spoil(&mut reply);
        assert_eq!(pair.holder.receive(pair.policy, &reply, START), Received::Void);
    }
}

#[test]
fn many_requests_at_once_are_all_admitted_up_to_the_limit() {
    let mut pair = Pair::new(policy(100, 60));
    let questions: Vec<LeaseRequest> = (0..120)
        .map(|_| {
            assert_eq!(pair.holder.take(pair.policy, START), Decision::Ask);
            pair.question(Purpose::Admission, START)
        })
        .collect();
    assert_eq!(
        questions.iter().filter(|question| question.wish > 0).count(),
        1,
        "only one asks for a lease"
    );
    let replies: Vec<LeaseReply> = questions
        .iter()
        .map(|question| pair.answer(question, START))
        .collect();
    let admitted = replies
        .iter()
        .filter(|reply| {
            let received = pair.holder.receive(pair.policy, reply, START);
            matches!(received, Received::Admitted(_))
        })
        .count();
    assert_eq!(admitted, 100);
}

#[test]
fn a_unit_that_was_not_needed_after_all_is_there_again() {
    let mut pair = Pair::new(policy(10, 60));
    for _ in 0..20 {
        let admission = pair.request(START).expect("each one is taken back");
        pair.holder.take_back(admission.unit);
    }
    for remaining in (0..10).rev() {
        assert_eq!(
            pair.request(START).expect("admitted").standing.remaining,
            remaining
        );
    }
    assert!(pair.request(START).is_err());
}

#[test]
fn a_question_that_went_down_with_its_request_is_given_up() {
    let mut pair = Pair::new(policy(10, 60));
    let lost = pair.question(Purpose::Admission, START);
    assert!(!pair.holder.is_empty());
    let _ = pair.answer(&lost, START);
    assert_eq!(pair.holder.take(pair.policy, START + 10_000), Decision::Ask);
    assert!(pair.holder.is_empty());
    // Its grant comes back, so that the whole limit is there.
    let admission = pair.request(START + 10_000).expect("admitted");
    assert_eq!(admission.standing.remaining, 9);
}
