//! What an isolate keeps of those who are counted, in bounded memory.
//!
//! Accounts fall into [`SETS`] by a hash of their names. In a set that is full the account that was used least recently is
//! forgotten. Forgetting keeps the bound: the units that were forgotten stay debited until their window ends, and nobody
//! spends them. (Only what was admitted during an outage on the isolate's own account is counted anew then.)

use std::cell::{Cell, Ref, RefCell};

use wardgate_shared::denial::{DenyBefore, Heard};
use wardgate_shared::quota::{Breaker, Holder, HolderId, LocalShare};
use wardgate_shared::time::Timestamp;

use super::Account;

/// How many sets there are.
pub(super) const SETS: usize = 256;

/// How many accounts a set holds.
pub(super) const ACCOUNTS_OF_A_SET: usize = 8;

/// What is kept of one account.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// What was leased.
    pub(super) holder: Holder,
    /// What was admitted without a coordinator.
    pub(super) local: LocalShare,
}

/// What an isolate keeps of all limits. Borrowed for moments only, never across an `await`.
#[derive(Debug, Default)]
pub struct Quotas {
    /// Each in the order of use, the last one last.
    sets: RefCell<Vec<Vec<(String, Entry)>>>,
    breaker: Cell<Breaker>,
    identity: Cell<Option<[u8; 16]>>,
    sequence: Cell<u32>,
    /// Whose tokens are refused, as coordinators told.
    heard: RefCell<Heard>,
}

impl Quotas {
    /// Takes what a coordinator told.
    pub(super) fn hear(&self, denials: &[DenyBefore], now: Timestamp) {
        if !denials.is_empty() {
            self.heard.borrow_mut().hear(denials, now);
        }
    }

    /// Whose tokens are refused, as coordinators told. Borrowed for moments only.
    pub fn heard(&self) -> Ref<'_, Heard> {
        self.heard.borrow()
    }

    /// Does something with what is kept of an account.
    pub(super) fn with<T>(&self, account: &Account<'_>, work: impl FnOnce(&mut Entry) -> T) -> T {
        let mut sets = self.sets.borrow_mut();
        match last_used(&mut sets, &account.name) {
            Some(entry) => work(entry),
            // There is a set for every number below their count, and the account was put into it.
            None => work(&mut Entry::default()),
        }
    }

    /// The identity and the number for a question, unless none is to be asked at `now`.
    pub(super) fn may_ask(&self, now: u64, random: impl FnOnce() -> [u8; 16]) -> Option<(HolderId, u32)> {
        let mut breaker = self.breaker.get();
        let may = breaker.may_ask(now);
        self.breaker.set(breaker);
        let identity = self.identity.get().unwrap_or_else(random);
        // Zeros are what a source of randomness that failed leaves, and two isolates must never have one identity.
        if !may || identity == [0; 16] {
            return None;
        }
        self.identity.set(Some(identity));
        let sequence = self.sequence.get();
        self.sequence.set(sequence.checked_add(1)?);
        Some((HolderId(identity), sequence))
    }

    /// Notes whether a coordinator answered.
    pub(super) fn answered(&self, answered: bool, now: u64) {
        let mut breaker = self.breaker.get();
        if answered {
            breaker.succeeded();
        } else {
            breaker.failed(now);
        }
        self.breaker.set(breaker);
    }

    /// For how many milliseconds no coordinator is asked.
    pub(super) fn rests_for(&self, now: u64) -> u64 {
        self.breaker.get().rests_for(now)
    }

    /// How many accounts are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sets.borrow().iter().map(Vec::len).sum()
    }
}

/// The set of a name: the hash of Fowler, Noll and Vo (FNV-1a, 32 bits).
fn set_of(name: &str) -> usize {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    usize::try_from(hash).unwrap_or_default() % SETS
}

/// Puts an account at the end of its set, and gives it.
fn last_used<'a>(sets: &'a mut Vec<Vec<(String, Entry)>>, name: &str) -> Option<&'a mut Entry> {
    if sets.is_empty() {
        sets.resize_with(SETS, Vec::new);
    }
    let set = sets.get_mut(set_of(name))?;
    let place = set.iter().position(|(own, _)| own == name);
    // The one that is used again and again is there already.
    if place.is_none_or(|place| place.saturating_add(1) < set.len()) {
        let used = match place {
            Some(place) => set.remove(place),
            None => (name.to_owned(), Entry::default()),
        };
        if set.len() >= ACCOUNTS_OF_A_SET {
            set.remove(0);
        }
        set.push(used);
    }
    set.last_mut().map(|(_, entry)| entry)
}
