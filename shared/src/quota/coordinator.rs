//! The one place where the units of a policy are counted for a subject.

use alloc::vec::Vec;

use super::policy::Policy;
use super::reservation::Reservation;
use super::wire::{HolderId, LeaseReply, LeaseRequest, MAXIMUM_DENIALS, Settled};
use crate::denial::{self, DenyBefore};

/// How many grants of the window are remembered. Units of a forgotten one cannot be credited.
const MAXIMUM_GRANTS: usize = 256;

/// How many holders are told apart.
const MAXIMUM_HOLDERS: usize = 64;

/// For how long a holder counts as there after it asked: this part of the window, and a minute at least.
const LATELY: u64 = 4;
const LATELY_MILLISECONDS: u64 = 60_000;

/// Reservations that follow one another this quickly, in milliseconds, are made ahead, in blocks.
const BUSY_MILLISECONDS: u64 = 1_000;

/// A block is this part of the limit.
const BLOCKS: u32 = 10;

/// Counts for one policy and one subject.
#[derive(Debug)]
pub struct Coordinator {
    policy: Policy,
    window: u64,
    /// Units of the window that were granted and not credited, or may have been.
    debited: u32,
    /// What storage says of the window, or will when what was handed out is stored.
    reserved: u32,
    stored_at: Option<u64>,
    /// Of this window and this life, the oldest first.
    grants: Vec<Grant>,
    holders: Vec<(HolderId, u64)>,
    /// What those who asked knew to be refused. In memory only: whoever asks knows it by itself a little later.
    denials: Vec<DenyBefore>,
}

#[derive(Debug)]
struct Grant {
    holder: HolderId,
    sequence: u32,
    units: u32,
}

/// What becomes of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    /// The answer, to be sent once `store` is durable.
    pub reply: LeaseReply,
    /// What must be durable first.
    pub store: Option<Reservation>,
}

/// A question about another policy than the coordinator's: it was sent to the wrong one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the question is about another policy")]
pub struct PolicyMismatch;

impl Coordinator {
    /// A coordinator that starts, with what its predecessor left in storage: all that was reserved counts as spent.
    pub fn new(policy: Policy, stored: Option<Reservation>) -> Self {
        let Reservation { window, reserved } = stored.unwrap_or(Reservation {
            window: 0,
            reserved: 0,
        });
        Self {
            policy,
            window,
            debited: reserved,
            reserved,
            stored_at: None,
            grants: Vec::new(),
            holders: Vec::new(),
            denials: Vec::new(),
        }
    }

    /// Answers a question at `now`, in milliseconds since the Unix epoch by the coordinator's own clock.
    ///
    /// # Errors
    /// [`PolicyMismatch`]; nothing has happened then.
    pub fn handle(
        &mut self,
        request: &LeaseRequest,
        now_milliseconds: u64,
    ) -> Result<Handled, PolicyMismatch> {
        if request.policy != self.policy {
            return Err(PolicyMismatch);
        }
        self.enter_window(now_milliseconds);
        for known in &request.known {
            denial::merge(&mut self.denials, *known, MAXIMUM_DENIALS);
        }
        for settled in &request.settled {
            self.credit(request.holder, *settled);
        }
        let holders = self.holders_lately(request.holder, now_milliseconds);

        let admitted = request.need && self.pool() > 0;
        self.debited = self.debited.saturating_add(u32::from(admitted));
        // Half of what is left is kept for holders that have not come yet.
        let largest = self.pool() / holders.saturating_mul(2).max(1);
        let units = request.wish.min(largest);
        self.debited = self.debited.saturating_add(units);
        self.remember(request, units.saturating_add(u32::from(admitted)));

        let length = u64::from(self.policy.window_milliseconds());
        // A clock that went back is outside of the window; the holder then asks again after one length of it.
        let reset = self
            .policy
            .end_of(self.window)
            .saturating_sub(now_milliseconds)
            .min(length);
        let lease = reset.min(u64::from(self.policy.lease_seconds()).saturating_mul(1_000));
        let reply = LeaseReply {
            sequence: request.sequence,
            admitted,
            units,
            pool: self.pool(),
            window_end: self.policy.end_timestamp_of(self.window),
            lease_milliseconds: u32::try_from(lease).unwrap_or(u32::MAX),
            reset_milliseconds: u32::try_from(reset).unwrap_or(u32::MAX),
            deny_before: self.denials.clone(),
        };
        let store = self.reserve(now_milliseconds);
        Ok(Handled { reply, store })
    }

    /// To be called when no question has come for a while: a reservation without what was reserved ahead. Once it is
    /// stored, a coordinator that is put to sleep has lost nothing. `None` when there is nothing to store.
    pub fn rest(&mut self) -> Option<Reservation> {
        (self.reserved > self.debited).then(|| {
            self.reserved = self.debited;
            self.reservation()
        })
    }

    /// When the window is over and nothing needs to be kept any more, in milliseconds since the Unix epoch.
    pub fn ends_at(&self) -> u64 {
        self.policy.end_of(self.window)
    }

    /// What the limit leaves of the debit.
    fn pool(&self) -> u32 {
        self.policy.limit().saturating_sub(self.debited)
    }

    fn reservation(&self) -> Reservation {
        Reservation {
            window: self.window,
            reserved: self.reserved,
        }
    }

    /// Begins the window that the clock says, unless it is an earlier one.
    fn enter_window(&mut self, now_milliseconds: u64) {
        let window = self.policy.window_at(now_milliseconds);
        if window > self.window {
            self.window = window;
            self.debited = 0;
            self.reserved = 0;
            self.grants.clear();
        }
    }

    /// Takes back what a holder will never spend of a grant, once.
    fn credit(&mut self, holder: HolderId, settled: Settled) {
        let named = |grant: &Grant| grant.sequence == settled.sequence && grant.holder == holder;
        if let Some(place) = self.grants.iter().position(named) {
            let grant = self.grants.remove(place);
            self.debited = self.debited.saturating_sub(grant.units.min(settled.left));
        }
    }

    fn remember(&mut self, request: &LeaseRequest, units: u32) {
        if units == 0 {
            return;
        }
        if self.grants.len() >= MAXIMUM_GRANTS {
            self.grants.remove(0);
        }
        self.grants.push(Grant {
            holder: request.holder,
            sequence: request.sequence,
            units,
        });
    }

    /// How many holders asked lately, the one that asks now included.
    fn holders_lately(&mut self, asking: HolderId, now_milliseconds: u64) -> u32 {
        let lately = (u64::from(self.policy.window_milliseconds()) / LATELY).max(LATELY_MILLISECONDS);
        self.holders
            .retain(|(holder, seen)| *holder != asking && seen.abs_diff(now_milliseconds) < lately);
        if self.holders.len() >= MAXIMUM_HOLDERS {
            // The first is the one that has been silent for the longest time.
            self.holders.remove(0);
        }
        self.holders.push((asking, now_milliseconds));
        u32::try_from(self.holders.len()).unwrap_or(u32::MAX)
    }

    /// What must be stored before the debit may be answered. A coordinator with little to do stores exactly the debit, so
    /// that nothing is lost when it is put to sleep; a busy one reserves ahead, and stores about ten times a window.
    fn reserve(&mut self, now_milliseconds: u64) -> Option<Reservation> {
        if self.debited <= self.reserved {
            return None;
        }
        let busy = self
            .stored_at
            .is_some_and(|stored| stored.abs_diff(now_milliseconds) < BUSY_MILLISECONDS);
        let ahead = if busy {
            (self.policy.limit() / BLOCKS).max(1)
        } else {
            0
        };
        self.reserved = self.debited.saturating_add(ahead).min(self.policy.limit());
        self.stored_at = Some(now_milliseconds);
        Some(self.reservation())
    }
}
