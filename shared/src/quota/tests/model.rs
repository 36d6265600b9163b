//! The theorem against a world that tries to break it: isolates and coordinators that stop, messages that are lost,
//! delayed, doubled and overtaken, clocks that differ, lag and jump. Chance comes from a seed, so that a run that breaks
//! something can be looked at again.
//!
//! The world itself can be made to break each of the theorem's assumptions, and then must be caught at it: a model that
//! cannot fail proves nothing.

use std::collections::BTreeMap;
use std::vec::Vec;

use crate::quota::{
    Coordinator, Decision, Holder, HolderId, LeaseReply, LeaseRequest, Policy, Purpose, Received,
    Reservation, Settled,
};

/// Which assumption the world breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// Storage is empty after a stop.
    StorageForgets,
    /// Replies leave before their reservation is durable.
    StoredAfterTheReply,
    /// The coordinator takes a lease back when its time is over, without its holder's word.
    ReclaimedByTime,
    /// Holders count a lease's time from the reply's arrival.
    CountedFromReceipt,
    /// Isolates have one identity among them.
    OneIdentity,
    /// Sequence numbers are used again.
    SequencesReused,
    /// The coordinator begins an earlier window anew when its clock goes back.
    WindowsReopened,
}

/// What clocks do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clocks {
    /// They differ, lag behind by less than the guard, and an isolate's may jump forward.
    Even,
    /// All of them jump as they like.
    Wild,
}

/// The generator of Steele, Lea and Flood (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }
}

enum Event {
    Request(usize),
    Question {
        isolate: usize,
        life: u32,
        bytes: Vec<u8>,
    },
    Answer {
        isolate: usize,
        life: u32,
        bytes: Vec<u8>,
    },
    GiveUp {
        isolate: usize,
        life: u32,
        sequence: u32,
    },
    IsolateStops(usize),
    CoordinatorStops,
    CoordinatorRests,
    ClockJumps(usize),
    LeaseIsOver(HolderId, u32),
}

struct Isolate {
    holder: Holder,
    id: HolderId,
    life: u32,
    sequence: u32,
    offset: u64,
    /// When each question was sent, in the world's time.
    sent: BTreeMap<u32, u64>,
}

struct World {
    random: Random,
    flaw: Flaw,
    clocks: Clocks,
    policy: Policy,
    now: u64,
    events: BTreeMap<(u64, u64), Event>,
    isolates: Vec<Isolate>,
    lives: u32,
    coordinator: Coordinator,
    coordinator_offset: u64,
    last_window: u64,
    stored: Option<Reservation>,
    not_yet_stored: Option<Reservation>,
    longest_delay: u64,
    /// The network loses one message in so many, and doubles and delays about as many.
    calm: u64,
    /// Admissions by the end of the window that they are charged to.
    charged: BTreeMap<i64, u32>,
    /// Admissions by the end of the window in which they happened.
    during: BTreeMap<i64, u32>,
}

/// What a run admitted.
struct Tally {
    /// Windows that were used up.
    full: usize,
    /// The window that broke the bound, if one did: what is wrong with it.
    broken: Option<&'static str>,
}

const ORIGIN: u64 = 1_706_238_000_000;

impl World {
    fn new(seed: u64, flaw: Flaw, clocks: Clocks) -> Self {
        let mut random = Random(seed);
        let (limit, window) = (1 + random.below(60), 2 + random.below(8));
        let lease = 1 + random.below(window);
        let number = |value: u64| u32::try_from(value).expect("small");
        let policy = super::policy(number(limit), number(window));
        let policy = if random.one_in(2) {
            policy.with_leases_of(number(lease)).expect("a policy")
        } else {
            policy
        };
        let mut world = Self {
            flaw,
            clocks,
            policy,
            now: ORIGIN,
            events: BTreeMap::new(),
            isolates: Vec::new(),
            lives: 0,
            coordinator: Coordinator::new(policy, None),
            coordinator_offset: 3_000_000 + random.below(10_000),
            last_window: 0,
            stored: None,
            not_yet_stored: None,
            longest_delay: 1 + random.below(400),
            calm: 8 + random.below(200),
            charged: BTreeMap::new(),
            during: BTreeMap::new(),
            random,
        };
        world.populate();
        world
    }

    /// Isolates, and all that happens to them of itself.
    fn populate(&mut self) {
        let windows = 4;
        let span = windows * u64::from(self.policy.window_seconds()) * 1_000;
        for place in 0..=self.random.below(4) {
            let isolate = self.new_isolate();
            self.isolates.push(isolate);
            let load = 1 + self.random.below(20);
            for _ in 0..u64::from(self.policy.limit()) * windows * load / 10 {
                let at = if self.random.one_in(3) {
                    self.near_a_boundary(windows)
                } else {
                    self.random.below(span)
                };
                self.at(at, Event::Request(usize::try_from(place).expect("small")));
            }
        }
        let isolates = u64::try_from(self.isolates.len()).expect("small");
        for _ in 0..self.random.below(12) {
            let at = self.random.below(span);
            let isolate = usize::try_from(self.random.below(isolates)).expect("small");
            let event = match self.random.below(6) {
                0 | 1 => Event::CoordinatorStops,
                2 => Event::CoordinatorRests,
                3 => Event::IsolateStops(isolate),
                _ => Event::ClockJumps(isolate),
            };
            self.at(at, event);
        }
    }

    /// Shortly before or after a window's end.
    fn near_a_boundary(&mut self, windows: u64) -> u64 {
        let length = u64::from(self.policy.window_seconds()) * 1_000;
        let first = length - self.coordinator_clock() % length;
        let end = first + self.random.below(windows) * length;
        (end + self.random.below(700)).saturating_sub(350)
    }

    fn new_isolate(&mut self) -> Isolate {
        self.lives += 1;
        let mut id = [0; 16];
        if self.flaw != Flaw::OneIdentity {
            id[0] = u8::try_from(self.lives % 256).expect("a byte");
        }
        Isolate {
            holder: Holder::default(),
            id: HolderId(id),
            life: self.lives,
            sequence: 0,
            offset: self.random.below(10_000_000),
            sent: BTreeMap::new(),
        }
    }

    fn at(&mut self, delay: u64, event: Event) {
        let tie = self.random.next();
        self.events.insert((self.now + delay, tie), event);
    }

    /// Sends a message over a network that does with it what it likes.
    fn send(&mut self, make: impl Fn() -> Event) {
        let copies = match self.random.below(self.calm) {
            0 => 0,
            1 => 2,
            2 => 3,
            _ => 1,
        };
        for _ in 0..copies {
            let slow = if self.random.one_in(self.calm) { 10 } else { 1 };
            let delay = self.random.below(self.longest_delay * slow);
            self.at(delay, make());
        }
    }

    fn clock_of(&mut self, place: usize) -> u64 {
        let lag = self.random.below(40);
        self.now + self.isolates[place].offset - lag
    }

    fn coordinator_clock(&self) -> u64 {
        self.now + self.coordinator_offset
    }

    fn run(mut self) -> Tally {
        while let Some(((at, _), event)) = self.events.pop_first() {
            self.now = at;
            self.happen(event);
        }
        let limit = self.policy.limit();
        let above = |admissions: &BTreeMap<i64, u32>| admissions.values().any(|count| *count > limit);
        let broken = if above(&self.charged) {
            Some("a window was charged with more than the limit")
        } else if self.clocks == Clocks::Even && above(&self.during) {
            Some("more than the limit was admitted during a window")
        } else {
            None
        };
        Tally {
            full: self.charged.values().filter(|count| **count == limit).count(),
            broken,
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Request(place) => self.request(place),
            Event::Question { isolate, life, bytes } => self.question(isolate, life, &bytes),
            Event::Answer { isolate, life, bytes } => self.answer(isolate, life, &bytes),
            Event::GiveUp {
                isolate,
                life,
                sequence,
            } => {
                if self.isolates[isolate].life == life {
                    self.isolates[isolate].holder.give_up(sequence);
                }
            }
            Event::IsolateStops(place) => self.isolates[place] = self.new_isolate(),
            Event::CoordinatorStops => self.restart(),
            Event::CoordinatorRests => {
                if let Some(reservation) = self.coordinator.rest() {
                    self.stored = Some(reservation);
                }
            }
            Event::ClockJumps(place) => self.jump(place),
            Event::LeaseIsOver(holder, sequence) => {
                let forged = LeaseRequest {
                    policy: self.policy,
                    holder,
                    sequence: u32::MAX,
                    need: false,
                    wish: 0,
                    settled: Vec::from([Settled {
                        sequence,
                        left: Settled::ALL,
                    }]),
                    known: Vec::new(),
                };
                let now = self.coordinator_clock();
                let _ = self.coordinator.handle(&forged, now).expect("the right policy");
            }
        }
    }

    fn jump(&mut self, place: usize) {
        let distance = self.random.below(20_000);
        match self.clocks {
            Clocks::Even => self.isolates[place].offset += distance,
            Clocks::Wild => {
                let back = self.random.one_in(2);
                let offset = if self.random.one_in(2) {
                    &mut self.coordinator_offset
                } else {
                    &mut self.isolates[place].offset
                };
                *offset = if back {
                    offset.saturating_sub(distance)
                } else {
                    *offset + distance
                };
            }
        }
    }

    fn restart(&mut self) {
        self.not_yet_stored = None;
        let stored = self.stored.filter(|_| self.flaw != Flaw::StorageForgets);
        self.coordinator = Coordinator::new(self.policy, stored);
    }

    fn request(&mut self, place: usize) {
        let now = self.clock_of(place);
        match self.isolates[place].holder.take(self.policy, now) {
            Decision::Admitted(admission) => {
                if self.random.one_in(20) {
                    self.isolates[place].holder.take_back(admission.unit);
                } else {
                    self.admitted_by_lease(admission.standing.reset.seconds());
                }
                if admission.refill {
                    self.ask(place, Purpose::Refill);
                }
            }
            Decision::Denied(_) => {}
            Decision::Ask => self.ask(place, Purpose::Admission),
        }
    }

    fn ask(&mut self, place: usize, purpose: Purpose) {
        let (now, world_now, reuse) = (self.clock_of(place), self.now, self.flaw == Flaw::SequencesReused);
        let isolate = &mut self.isolates[place];
        isolate.sequence = if reuse {
            (isolate.sequence + 1) % 3
        } else {
            isolate.sequence + 1
        };
        let (sequence, life) = (isolate.sequence, isolate.life);
        isolate.sent.insert(sequence, world_now);
        let question = isolate
            .holder
            .ask(self.policy, purpose, isolate.id, sequence, now);
        let bytes = question.to_bytes();
        self.send(|| Event::Question {
            isolate: place,
            life,
            bytes: bytes.clone(),
        });
        // Some requests go down with their question, which nobody gives up then.
        if !self.random.one_in(10) {
            let patience = 100 + self.random.below(300);
            let gives_up = Event::GiveUp {
                isolate: place,
                life,
                sequence,
            };
            self.at(patience, gives_up);
        }
    }

    fn question(&mut self, place: usize, life: u32, bytes: &[u8]) {
        let question = LeaseRequest::parse(bytes).expect("what was written");
        let now = self.coordinator_clock();
        let window = now / (u64::from(self.policy.window_seconds()) * 1_000);
        if self.flaw == Flaw::WindowsReopened && window < self.last_window {
            self.coordinator = Coordinator::new(self.policy, None);
        }
        self.last_window = window;
        let handled = self.coordinator.handle(&question, now).expect("the right policy");
        // A stop before the reservation is stored, and one between storing and answering.
        if self.random.one_in(60) {
            return self.restart();
        }
        if self.flaw == Flaw::StoredAfterTheReply {
            let earlier = core::mem::replace(&mut self.not_yet_stored, handled.store);
            self.stored = earlier.or(self.stored);
        } else {
            self.stored = handled.store.or(self.stored);
        }
        if self.random.one_in(60) {
            return self.restart();
        }
        if self.flaw == Flaw::ReclaimedByTime {
            let over = u64::from(handled.reply.lease_milliseconds) + 100;
            self.at(over, Event::LeaseIsOver(question.holder, question.sequence));
        }
        let bytes = handled.reply.to_bytes();
        self.send(|| Event::Answer {
            isolate: place,
            life,
            bytes: bytes.clone(),
        });
    }

    fn answer(&mut self, place: usize, life: u32, bytes: &[u8]) {
        let mut reply = LeaseReply::parse(bytes).expect("what was written");
        if self.isolates[place].life != life {
            return;
        }
        if self.flaw == Flaw::CountedFromReceipt {
            let sent = self.isolates[place].sent.get(&reply.sequence).copied();
            let elapsed = self.now - sent.expect("asked");
            reply.lease_milliseconds += u32::try_from(elapsed).expect("short");
        }
        let now = self.clock_of(place);
        let received = self.isolates[place].holder.receive(self.policy, &reply, now);
        if let Received::Admitted(admission) = received {
            if reply.admitted {
                // The coordinator decided, in the window that it names.
                let end = reply.window_end.seconds();
                *self.charged.entry(end).or_default() += 1;
                *self.during.entry(end).or_default() += 1;
            } else {
                self.admitted_by_lease(admission.standing.reset.seconds());
            }
        }
    }

    fn admitted_by_lease(&mut self, window_end: i64) {
        *self.charged.entry(window_end).or_default() += 1;
        let seconds = u64::from(self.policy.window_seconds());
        let end = (self.coordinator_clock() / 1_000 / seconds + 1) * seconds;
        let end = i64::try_from(end).expect("fits");
        *self.during.entry(end).or_default() += 1;
    }
}

const RUNS: u64 = 1_500;

/// What broke in the first run that broke something.
fn first_broken(flaw: Flaw, clocks: Clocks) -> Option<(u64, &'static str)> {
    (0..RUNS).find_map(|seed| {
        let broken = World::new(seed, flaw, clocks).run().broken?;
        Some((seed, broken))
    })
}

#[test]
fn no_window_admits_more_than_the_limit_whatever_stops_or_is_lost() {
    let mut full = 0;
    for seed in 0..RUNS {
        let tally = World::new(seed, Flaw::None, Clocks::Even).run();
        assert_eq!(tally.broken, None, "seed {seed}");
        full += tally.full;
    }
    // The bound was put to the test: windows were used up to the last unit.
    assert!(full > 500, "{full}");
}

#[test]
fn no_window_is_charged_with_more_than_the_limit_whatever_clocks_say() {
    assert_eq!(first_broken(Flaw::None, Clocks::Wild), None);
}

#[test]
fn the_model_catches_a_storage_that_forgets() {
    assert!(first_broken(Flaw::StorageForgets, Clocks::Even).is_some());
}

#[test]
fn the_model_catches_replies_that_leave_before_they_are_stored() {
    assert!(first_broken(Flaw::StoredAfterTheReply, Clocks::Even).is_some());
}

#[test]
fn the_model_catches_leases_taken_back_because_their_time_is_over() {
    assert!(first_broken(Flaw::ReclaimedByTime, Clocks::Even).is_some());
}

#[test]
fn the_model_catches_leases_counted_from_the_replys_arrival() {
    let (_, broken) = first_broken(Flaw::CountedFromReceipt, Clocks::Even).expect("caught");
    assert_eq!(broken, "more than the limit was admitted during a window");
}

#[test]
fn the_model_catches_isolates_with_one_identity() {
    assert!(first_broken(Flaw::OneIdentity, Clocks::Even).is_some());
}

#[test]
fn the_model_catches_sequence_numbers_used_again() {
    assert!(first_broken(Flaw::SequencesReused, Clocks::Even).is_some());
}

#[test]
fn the_model_catches_windows_that_are_opened_again() {
    assert!(first_broken(Flaw::WindowsReopened, Clocks::Wild).is_some());
}
