//! `docs/rate-limits.md`: how often isolates ask their coordinator, measured on the code that runs.
//!
//! Requests come evenly over a window and to isolates at random; messages take no time. Set `WARDGATE_UPDATE_SNAPSHOTS`
//! to write the tables anew.

use std::fmt::Write as _;

use wardgate_shared::quota::{
    Coordinator, Decision, Holder, HolderId, LeaseRequest, Policy, Purpose, Received,
};
use wardgate_tests::source::{hold, read, with_table};

const DOCUMENT: &str = "docs/rate-limits.md";
const ISOLATES: [usize; 3] = [1, 4, 16];
/// Requests a window, and the window in seconds.
const POLICIES: [(u32, u32); 6] = [
    (60, 60),
    (300, 60),
    (1_000, 60),
    (6_000, 60),
    (1_000, 3_600),
    (20_000, 86_400),
];
const WINDOWS: u64 = 4;
const RUNS: u64 = 5;

/// The generator of Steele, Lea and Flood (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// One coordinator and some isolates.
struct World {
    policy: Policy,
    coordinator: Coordinator,
    isolates: Vec<Holder>,
    counted: Counted,
}

#[derive(Clone, Copy, Default)]
struct Counted {
    requests: u64,
    calls: u64,
    admitted: u64,
}

impl World {
    fn new(policy: Policy, isolates: usize) -> Self {
        Self {
            policy,
            coordinator: Coordinator::new(policy, None),
            isolates: (0..isolates).map(|_| Holder::default()).collect(),
            counted: Counted::default(),
        }
    }

    fn ask(&mut self, isolate: usize, purpose: Purpose, now: u64) -> Received {
        self.counted.calls += 1;
        let id = HolderId([u8::try_from(isolate).expect("few isolates"); 16]);
        let sequence = u32::try_from(self.counted.calls).expect("few calls");
        let question = self.isolates[isolate].ask(self.policy, purpose, id, sequence, now);
        let question = LeaseRequest::parse(&question.to_bytes()).expect("what was written");
        let handled = self.coordinator.handle(&question, now).expect("the right policy");
        self.isolates[isolate].receive(self.policy, &handled.reply, now)
    }

    fn request(&mut self, isolate: usize, now: u64) {
        self.counted.requests += 1;
        let refill = match self.isolates[isolate].take(self.policy, now) {
            Decision::Admitted(admission) => {
                self.counted.admitted += 1;
                admission.refill
            }
            Decision::Denied(_) => false,
            Decision::Ask => match self.ask(isolate, Purpose::Admission, now) {
                Received::Admitted(admission) => {
                    self.counted.admitted += 1;
                    admission.refill
                }
                Received::Denied(_) => false,
                other @ (Received::Refilled | Received::Void) => panic!("{other:?}"),
            },
        };
        if refill {
            assert_eq!(self.ask(isolate, Purpose::Refill, now), Received::Refilled);
        }
    }
}

/// `load` times the limit in each of some windows.
fn simulate(policy: Policy, isolates: usize, load: u64) -> Counted {
    let mut sum = Counted::default();
    for seed in 0..RUNS {
        let mut random = Random(seed);
        let mut world = World::new(policy, isolates);
        let length = u64::from(policy.window_seconds()) * 1_000;
        let requests = u64::from(policy.limit()) * load;
        for window in 0..WINDOWS {
            for number in 0..requests {
                let now = (1_000_000 + window) * length + number * length / requests;
                let isolate = random.below(u64::try_from(isolates).expect("few"));
                world.request(usize::try_from(isolate).expect("few"), now);
            }
        }
        sum.requests += world.counted.requests;
        sum.calls += world.counted.calls;
        sum.admitted += world.counted.admitted;
    }
    sum
}

/// A share in per cent with one decimal.
fn percent(part: u64, whole: u64) -> String {
    let tenths = (part * 1_000 + whole / 2) / whole;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn window_in_words(seconds: u32) -> &'static str {
    match seconds {
        60 => "a minute",
        3_600 => "an hour",
        86_400 => "a day",
        _ => panic!("a window without a word"),
    }
}

/// The table for leases of so many seconds, or until the window's end.
fn table(lease_seconds: Option<u32>) -> String {
    let mut table = String::from("| limit |");
    for isolates in ISOLATES {
        let noun = if isolates == 1 { "isolate" } else { "isolates" };
        write!(
            table,
            " {isolates} {noun}: calls | admitted | calls at three times the limit |"
        )
        .expect("a string grows");
    }
    table.push_str("\n|---|");
    table.push_str(&"---|---|---|".repeat(ISOLATES.len()));
    for (limit, window_seconds) in POLICIES {
        let policy = Policy::new(limit, window_seconds).expect("a policy");
        let policy = lease_seconds.map_or(policy, |seconds| {
            policy.with_leases_of(seconds).expect("a policy")
        });
        write!(table, "\n| {limit} {} |", window_in_words(window_seconds)).expect("a string grows");
        for isolates in ISOLATES {
            let (once, thrice) = (simulate(policy, isolates, 1), simulate(policy, isolates, 3));
            write!(
                table,
                " {} | {} | {} |",
                percent(once.calls, once.requests),
                percent(once.admitted, once.requests),
                percent(thrice.calls, thrice.requests)
            )
            .expect("a string grows");
        }
    }
    table.push('\n');
    table
}

#[test]
fn the_tables_of_the_document_are_what_the_code_does() {
    let document = read(DOCUMENT).expect("Markdown is text");
    let written = with_table(&document, "leases until the window ends", &table(None));
    let written = with_table(&written, "leases of 10 seconds", &table(Some(10)));
    hold(DOCUMENT, &written);
}

#[test]
fn one_isolate_asks_for_at_most_two_per_cent_of_a_thousand_a_minute() {
    let counted = simulate(Policy::new(1_000, 60).expect("a policy"), 1, 1);
    assert!(counted.calls * 50 <= counted.requests, "{} calls", counted.calls);
    assert_eq!(counted.admitted, counted.requests, "and admits all of them");
}
