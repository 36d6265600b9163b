//! Which place in which status list a new access token gets (draft-ietf-oauth-status-list section 13).
//!
//! A token carries its place under its signature, so the place is chosen before the token's record is stored, and without
//! asking the store. That is safe because a list belongs to the process that opened it: no other hands out its places, and
//! after a restart there is a new list. The list itself is stored with the first token in it.
//!
//! Places are random, so that neither order nor number of tokens shows. A list is closed when half of it is taken: a free
//! place is then found at the second attempt, on average, until the end.

use std::sync::{Arc, Mutex, PoisonError};

use wardgate_shared::time::Timestamp;

use crate::domain::status_list::{StatusListEntry, StatusListShard};
use crate::rng::{self, NoRandomness};

/// Places of a list: a power of two, so that random bits make every place equally likely. Packed, an untouched list takes
/// 200 bytes; unpacked it takes 128 KiB wherever it is looked up.
const ENTRIES: u32 = 1 << 20;
/// How many of them are given to tokens.
const CAPACITY: u32 = ENTRIES / 2;
/// How long a list is open, in seconds: it cannot die before the last token in it does.
const OPEN_SECONDS: i64 = 3600;
/// Attempts to find a free place. All of them fail once in 2^64 times, and then a new list is opened.
const ATTEMPTS: u32 = 64;

/// Hands out places. No two tokens ever get the same.
#[derive(Debug)]
pub struct StatusPlaces {
    longest_token_seconds: i64,
    open: Mutex<Option<OpenList>>,
}

#[derive(Debug)]
struct OpenList {
    list: Arc<StatusListShard>,
    closes_at: Timestamp,
    /// A bit a place.
    taken: Vec<u64>,
    free: u32,
}

impl StatusPlaces {
    /// No list is open yet. `longest_token_seconds` is how long an access token may live.
    pub const fn new(longest_token_seconds: i64) -> Self {
        Self {
            longest_token_seconds,
            open: Mutex::new(None),
        }
    }

    /// A place for a token that is made at `now` and lives until `expires_at`.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn next(&self, expires_at: Timestamp, now: Timestamp) -> Result<StatusListEntry, NoRandomness> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = open.as_mut()
            && now < list.closes_at
            && expires_at <= list.list.expires_at
            && let Some(entry) = list.take()?
        {
            return Ok(entry);
        }
        let mut list = OpenList::new(self.longest_token_seconds.max(expires_at.since(now)), now)?;
        let entry = list.take()?;
        *open = Some(list);
        // A fresh list has a free place at the first attempt.
        entry.ok_or(NoRandomness)
    }
}

impl OpenList {
    fn new(longest_token_seconds: i64, now: Timestamp) -> Result<Self, NoRandomness> {
        let closes_at = now.plus(OPEN_SECONDS);
        Ok(Self {
            list: Arc::new(StatusListShard {
                id: rng::identifier("")?,
                entries: ENTRIES,
                expires_at: closes_at.plus(longest_token_seconds),
            }),
            closes_at,
            taken: vec![0; usize::try_from(ENTRIES / u64::BITS).unwrap_or(0)],
            free: CAPACITY,
        })
    }

    /// A random free place; `None` when no more are given.
    fn take(&mut self) -> Result<Option<StatusListEntry>, NoRandomness> {
        if self.free == 0 {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            let index = u32::from_le_bytes(rng::bytes()?) % ENTRIES;
            let word = usize::try_from(index / u64::BITS).unwrap_or(usize::MAX);
            let bit = 1 << (index % u64::BITS);
            if let Some(word) = self.taken.get_mut(word)
                && *word & bit == 0
            {
                *word |= bit;
                self.free -= 1;
                let list = Arc::clone(&self.list);
                return Ok(Some(StatusListEntry { list, index }));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::{CAPACITY, ENTRIES, OPEN_SECONDS, StatusPlaces};
    use crate::testing::START;

    #[test]
    fn no_place_is_given_twice_and_a_list_closes_when_half_of_it_is_taken() {
        let places = StatusPlaces::new(3600);
        let mut lists: HashMap<String, HashSet<u32>> = HashMap::new();
        for _ in 0..CAPACITY + 10 {
            let entry = places.next(START.plus(300), START).unwrap();
            assert!(entry.index < ENTRIES);
            let taken = lists.entry(entry.list.id.clone()).or_default();
            assert!(taken.insert(entry.index), "{} was given twice", entry.index);
        }
        let mut sizes: Vec<usize> = lists.values().map(HashSet::len).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [10, usize::try_from(CAPACITY).unwrap()]);
    }

    #[test]
    fn many_threads_never_get_one_place() {
        let places = StatusPlaces::new(3600);
        let taken: Vec<(String, u32)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let next = || places.next(START.plus(300), START).unwrap();
                        (0..2000).map(|_| next()).collect::<Vec<_>>()
                    })
                })
                .collect();
            let taken = threads.into_iter().flat_map(|thread| thread.join().unwrap());
            taken.map(|entry| (entry.list.id.clone(), entry.index)).collect()
        });
        assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 16_000);
    }

    #[test]
    fn places_do_not_tell_the_order_of_tokens() {
        let places = StatusPlaces::new(3600);
        let indices: Vec<u32> = (0..1000)
            .map(|_| places.next(START.plus(300), START).unwrap().index)
            .collect();
        let rising = indices.windows(2).filter(|pair| pair[0] < pair[1]).count();
        // 500 are expected; 100 away from that is more than ten standard deviations.
        assert!((400..=600).contains(&rising), "{rising}");
        assert!(indices.iter().filter(|index| **index < ENTRIES / 2).count() > 400);
    }

    #[test]
    fn a_list_outlives_every_token_in_it() {
        let places = StatusPlaces::new(3600);
        let first = places.next(START.plus(3600), START).unwrap().list;
        let last_moment = START.plus(OPEN_SECONDS - 1);
        let last = places.next(last_moment.plus(3600), last_moment).unwrap().list;
        assert_eq!(first.id, last.id);
        assert!(last.expires_at >= last_moment.plus(3600));
        let closed = START.plus(OPEN_SECONDS);
        assert_ne!(places.next(closed.plus(60), closed).unwrap().list.id, first.id);
        let longer = places.next(START.plus(100_000), START).unwrap().list;
        assert!(longer.expires_at >= START.plus(100_000));
    }

    #[test]
    fn another_process_and_the_next_one_have_lists_of_their_own() {
        let places = || StatusPlaces::new(3600).next(START.plus(60), START).unwrap();
        assert_ne!(places().list.id, places().list.id);
    }
}
