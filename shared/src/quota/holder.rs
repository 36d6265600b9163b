//! An isolate's side of one policy and one subject: what it was leased, and what it asks for.

use alloc::vec::Vec;

use super::policy::{GUARD_MILLISECONDS, Policy, Standing, seconds_until};
use super::wire::{HolderId, LeaseReply, LeaseRequest, MAXIMUM_SETTLED, Settled};
use crate::time::Timestamp;

/// A question that was neither answered nor given up after this time, in milliseconds, went down with its request.
const FORGOTTEN_MILLISECONDS: u64 = 10_000;

/// A holder wishes for at least this part of the limit.
const SMALLEST_WISH: u32 = 64;

/// When no more than this part of the last lease is left, more is asked for before it is needed.
const LOW_WATERMARK: u32 = 4;

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Admit it.
    Admitted(Admission),
    /// Refuse it, until the window ends.
    Denied(Standing),
    /// Ask the coordinator: [`Holder::ask`].
    Ask,
}

/// A request that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Where the client stands now.
    pub standing: Standing,
    /// What it was admitted with.
    pub unit: Unit,
    /// Whether more should be asked for beside: [`Holder::ask`] with [`Purpose::Refill`].
    pub refill: bool,
}

/// The unit that a request was admitted with. When something else refuses the request, [`Holder::take_back`] takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    sequence: u32,
}

/// What a question is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A request waits for the answer.
    Admission,
    /// Nobody waits.
    Refill,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// The request that waits is admitted.
    Admitted(Admission),
    /// It is refused.
    Denied(Standing),
    /// Nobody waited.
    Refilled,
    /// The answer decides nothing: it is to no question, or makes no sense. To be treated like none.
    Void,
}

/// What an isolate holds of one policy for one subject.
#[derive(Debug, Default)]
pub struct Holder {
    /// The latest time seen, in milliseconds.
    latest: u64,
    window: Option<Window>,
    /// Questions without an answer.
    calls: Vec<Call>,
    /// To be told with the next question.
    settled: Vec<Settled>,
    /// Units spent since the last lease.
    spent: u32,
    /// Units of the last lease.
    leased: u32,
}

/// The newest window that was heard of.
#[derive(Debug)]
struct Window {
    end: Timestamp,
    /// When it is over for certain, by the clock here.
    over_at: u64,
    /// What the coordinator had left when it answered the newest question.
    pool: u32,
    newest: u32,
    leases: Vec<Lease>,
}

#[derive(Debug)]
struct Lease {
    sequence: u32,
    left: u32,
    until: u64,
}

#[derive(Debug)]
struct Call {
    sequence: u32,
    sent: u64,
    purpose: Purpose,
    wish: u32,
}

impl Holder {
    /// Decides a request at `now`, in milliseconds by the isolate's clock.
    pub fn take(&mut self, policy: Policy, now_milliseconds: u64) -> Decision {
        let now = self.observe(now_milliseconds);
        if let Some(admission) = self.spend(policy, now) {
            return Decision::Admitted(admission);
        }
        match &self.window {
            // The coordinator had nothing left and nothing can be handed back to it: asking would change nothing.
            Some(window) if window.pool == 0 && self.settled.is_empty() => {
                Decision::Denied(self.standing(policy, window, now))
            }
            Some(_) | None => Decision::Ask,
        }
    }

    /// The question to send at `now`, under a sequence number that the isolate uses for nothing else. Every question
    /// ends with [`receive`](Self::receive) or [`give_up`](Self::give_up).
    pub fn ask(
        &mut self,
        policy: Policy,
        purpose: Purpose,
        holder: HolderId,
        sequence: u32,
        now_milliseconds: u64,
    ) -> LeaseRequest {
        let sent = self.observe(now_milliseconds);
        let wish = if self.wishes() {
            0
        } else {
            let smallest = (policy.limit() / SMALLEST_WISH).max(1);
            self.spent.saturating_mul(2).clamp(smallest, policy.limit())
        };
        self.calls.push(Call {
            sequence,
            sent,
            purpose,
            wish,
        });
        LeaseRequest {
            policy,
            holder,
            sequence,
            need: purpose == Purpose::Admission,
            wish,
            settled: core::mem::take(&mut self.settled),
            known: Vec::new(),
        }
    }

    /// Takes the coordinator's answer, at `now`.
    pub fn receive(&mut self, policy: Policy, reply: &LeaseReply, now_milliseconds: u64) -> Received {
        let now = self.observe(now_milliseconds);
        let Some(call) = self.end_call(reply.sequence) else {
            return Received::Void;
        };
        let most = u64::from(policy.limit());
        let told = u64::from(reply.units).saturating_add(u64::from(reply.pool));
        if told > most || reply.reset_milliseconds > policy.window_milliseconds() {
            return Received::Void;
        }
        self.learn(&call, reply, now);
        if call.purpose == Purpose::Refill {
            return Received::Refilled;
        }
        let Some(window) = &self.window else {
            return Received::Void;
        };
        if reply.admitted {
            self.spent = self.spent.saturating_add(1);
            return Received::Admitted(Admission {
                standing: self.standing(policy, window, now),
                unit: Unit {
                    sequence: reply.sequence,
                },
                refill: false,
            });
        }
        // Another question may have brought units in the meantime.
        match self.take(policy, now) {
            Decision::Admitted(admission) => Received::Admitted(admission),
            Decision::Denied(standing) => Received::Denied(standing),
            Decision::Ask => Received::Void,
        }
    }

    /// Notes that the answer to a question did not come in time. It is not taken any more when it comes.
    pub fn give_up(&mut self, sequence: u32) {
        if self.end_call(sequence).is_some() {
            self.settle(sequence, Settled::ALL);
        }
    }

    /// Takes back the unit of a request that was refused after all.
    pub fn take_back(&mut self, unit: Unit) {
        self.spent = self.spent.saturating_sub(1);
        let mut leases = self.window.iter_mut().flat_map(|window| window.leases.iter_mut());
        match leases.find(|lease| lease.sequence == unit.sequence) {
            Some(lease) => lease.left = lease.left.saturating_add(1),
            None => self.settle(unit.sequence, 1),
        }
    }

    /// Whether forgetting this holder would lose nothing: no units and no questions.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.window.as_ref().is_none_or(|window| window.leases.is_empty())
    }

    /// Looks at the clock, and lets go of what the time has ended. Gives the time to count with, which never goes back
    /// by less than the guard allows for.
    fn observe(&mut self, now_milliseconds: u64) -> u64 {
        let went_back = now_milliseconds.saturating_add(GUARD_MILLISECONDS / 2) < self.latest;
        let now = if went_back {
            now_milliseconds
        } else {
            now_milliseconds.max(self.latest)
        };
        self.latest = now;
        if let Some(window) = &mut self.window {
            // How much time has passed cannot be told from a clock that went back, so every lease counts as over.
            let mut ended = Vec::new();
            window.leases.retain(|lease| {
                let lasts = !went_back && now < lease.until && lease.left > 0;
                if !lasts && lease.left > 0 {
                    ended.push((lease.sequence, lease.left));
                }
                lasts
            });
            let over = went_back || now >= window.over_at;
            for (sequence, left) in ended {
                self.settle(sequence, left);
            }
            if over {
                self.window = None;
            }
        }
        let forgotten = |call: &Call| went_back || now.saturating_sub(call.sent) >= FORGOTTEN_MILLISECONDS;
        while let Some(sequence) = self
            .calls
            .iter()
            .find(|call| forgotten(call))
            .map(|call| call.sequence)
        {
            self.give_up(sequence);
        }
        now
    }

    /// Spends a unit of the lease that ends first.
    fn spend(&mut self, policy: Policy, now: u64) -> Option<Admission> {
        let leases = &mut self.window.as_mut()?.leases;
        let lease = leases.iter_mut().min_by_key(|lease| lease.until)?;
        lease.left = lease.left.checked_sub(1)?;
        let unit = Unit {
            sequence: lease.sequence,
        };
        leases.retain(|lease| lease.left > 0);
        self.spent = self.spent.saturating_add(1);
        let window = self.window.as_ref()?;
        let low = window.left() <= self.leased / LOW_WATERMARK;
        Some(Admission {
            standing: self.standing(policy, window, now),
            unit,
            refill: low && self.leased >= LOW_WATERMARK && window.pool > 0 && !self.wishes(),
        })
    }

    /// Keeps what an answer says.
    fn learn(&mut self, call: &Call, reply: &LeaseReply, now: u64) {
        let over_at = now.saturating_add(u64::from(reply.reset_milliseconds));
        let until = call
            .sent
            .saturating_add(u64::from(reply.lease_milliseconds))
            .saturating_sub(GUARD_MILLISECONDS);
        match &mut self.window {
            // An answer that a later window overtook brings nothing but its decision.
            Some(window) if window.end > reply.window_end => return,
            Some(window) if window.end == reply.window_end => {
                window.over_at = window.over_at.min(over_at);
                if reply.sequence >= window.newest {
                    (window.newest, window.pool) = (reply.sequence, reply.pool);
                }
            }
            Some(_) | None => {
                // What is left of an earlier window is nobody's.
                self.settled.clear();
                self.window = Some(Window {
                    end: reply.window_end,
                    over_at,
                    pool: reply.pool,
                    newest: reply.sequence,
                    leases: Vec::new(),
                });
            }
        }
        if reply.units == 0 {
            // So little is left that none is leased: asking before there is need would only cost calls.
            self.leased = if call.wish > 0 { 0 } else { self.leased };
            return;
        }
        (self.leased, self.spent) = (reply.units, 0);
        if now >= until {
            self.settle(reply.sequence, reply.units);
        } else if let Some(window) = &mut self.window {
            window.leases.push(Lease {
                sequence: reply.sequence,
                left: reply.units,
                until,
            });
        }
    }

    fn standing(&self, policy: Policy, window: &Window, now: u64) -> Standing {
        // What is handed back with the next question can be leased again.
        let settled = self
            .settled
            .iter()
            .filter(|settled| settled.left != Settled::ALL)
            .fold(0, |sum: u32, settled| sum.saturating_add(settled.left));
        Standing {
            limit: policy.limit(),
            remaining: window.left().saturating_add(window.pool).saturating_add(settled),
            window_seconds: policy.window_seconds(),
            reset: window.end,
            reset_in_seconds: seconds_until(window.over_at, now).max(1),
        }
    }

    /// Whether a lease has been asked for and not answered.
    fn wishes(&self) -> bool {
        self.calls.iter().any(|call| call.wish > 0)
    }

    fn end_call(&mut self, sequence: u32) -> Option<Call> {
        let place = self.calls.iter().position(|call| call.sequence == sequence)?;
        Some(self.calls.swap_remove(place))
    }

    /// Notes what the coordinator may have back. When there is too much to note, those units are lost for the window.
    fn settle(&mut self, sequence: u32, left: u32) {
        if self.settled.len() < MAXIMUM_SETTLED {
            self.settled.push(Settled { sequence, left });
        }
    }
}

impl Window {
    fn left(&self) -> u32 {
        self.leases
            .iter()
            .fold(0, |sum, lease| sum.saturating_add(lease.left))
    }
}
