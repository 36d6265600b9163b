//! The lists in hand, and what to do when one is not fresh.

use wardgate_shared::status_list::{StatusList, TokenStatus};
use wardgate_shared::time::Timestamp;

use crate::refresh::{Permission, Refresh, RefreshSettings, Started};

/// How many lists of one issuer are kept. Issuers open a new one every hour or so; the one used longest ago goes first.
const MOST_LISTS: usize = 16;

/// How old lists may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusSettings {
    /// The longest time, in seconds, for which a list is used while a newer one could be fetched.
    pub fresh_seconds: i64,
    /// The longest time, in seconds, for which it is used while none can be.
    pub maximum_age_seconds: i64,
    /// The shortest time, in seconds, between two fetches of a list.
    pub cooldown_seconds: i64,
    /// After this time, in seconds, an attempt that has not ended counts as abandoned.
    pub attempt_seconds: i64,
}

/// The lists of one issuer, by their address.
#[derive(Debug)]
pub struct StatusLists {
    settings: StatusSettings,
    lists: Vec<Entry>,
    /// Counts uses, so that the list used longest ago is known.
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    uri: Box<str>,
    refresh: Refresh,
    kept: Option<Kept>,
    last_use: u64,
}

#[derive(Debug)]
struct Kept {
    list: StatusList,
    fetched_at: Timestamp,
    fresh_seconds: i64,
    expires_at: Timestamp,
}

/// What to do about a token's place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// This is its status. When `renew` is set, fetch the list beside the request.
    Status {
        /// The status; none beyond the list's end.
        status: Option<TokenStatus>,
        /// Whether the list is to be fetched, and nobody is fetching it.
        renew: bool,
    },
    /// Fetch the list and look again.
    Fetch,
    /// Somebody is fetching it: look again a little later.
    Wait,
    /// The status cannot be known now.
    Unavailable {
        /// When to try again, at least 1.
        retry_after_seconds: i64,
    },
}

impl StatusLists {
    /// No lists yet.
    pub fn new(settings: StatusSettings) -> Self {
        Self {
            settings,
            lists: Vec::new(),
            uses: 0,
        }
    }

    /// The status at `index` of the list at `uri`.
    pub fn look_up(&mut self, uri: &str, index: u64, now: Timestamp) -> Lookup {
        self.uses = self.uses.saturating_add(1);
        let Some(entry) = self.lists.iter_mut().find(|entry| *entry.uri == *uri) else {
            return Lookup::Fetch;
        };
        entry.last_use = self.uses;
        let permission = entry.refresh.may_search(now);
        let kept = entry
            .kept
            .as_ref()
            .filter(|kept| kept.is_usable(self.settings.maximum_age_seconds, now));
        let Some(kept) = kept else {
            return match permission {
                Permission::Granted => Lookup::Fetch,
                Permission::Running => Lookup::Wait,
                Permission::JustFetched => Lookup::Unavailable {
                    retry_after_seconds: self.settings.cooldown_seconds,
                },
                Permission::CoolingDown { seconds } => Lookup::Unavailable {
                    retry_after_seconds: seconds,
                },
            };
        };
        // A clock that went back says nothing of the age; asking again is the careful answer.
        let age = now.since(kept.fetched_at);
        let is_fresh = (0..kept.fresh_seconds).contains(&age);
        match permission {
            Permission::Granted if !is_fresh => Lookup::Fetch,
            Permission::Running if !is_fresh => Lookup::Wait,
            _ => Lookup::Status {
                status: kept.list.get(index),
                renew: permission == Permission::Granted && age.saturating_mul(2) >= kept.fresh_seconds,
            },
        }
    }

    fn entry(&mut self, uri: &str) -> Option<&mut Entry> {
        self.lists.iter_mut().find(|entry| *entry.uri == *uri)
    }

    /// Notes that a fetch of the list at `uri` begins.
    pub fn start(&mut self, uri: &str, now: Timestamp) -> Started {
        if let Some(entry) = self.entry(uri) {
            return entry.refresh.start(now);
        }
        let mut entry = Entry {
            uri: uri.into(),
            refresh: Refresh::new(RefreshSettings {
                fresh_seconds: 0,
                stale_seconds: 0,
                cooldown_seconds: self.settings.cooldown_seconds,
                attempt_seconds: self.settings.attempt_seconds,
            }),
            kept: None,
            last_use: self.uses,
        };
        let started = entry.refresh.start(now);
        if self.lists.len() < MOST_LISTS {
            self.lists.push(entry);
        } else if let Some(oldest) = self.lists.iter_mut().min_by_key(|entry| entry.last_use) {
            *oldest = entry;
        }
        started
    }

    /// Takes the list that a fetch begun at `fetched_at` brought. It is to be fetched again `due_in_seconds` later, and ends at
    /// `expires_at`.
    pub fn accept(
        &mut self,
        uri: &str,
        started: Started,
        list: StatusList,
        fetched_at: Timestamp,
        due_in_seconds: i64,
        expires_at: Timestamp,
    ) {
        let settings = self.settings;
        let Some(entry) = self.entry(uri) else {
            return;
        };
        if entry.refresh.succeed(started) {
            entry.kept = Some(Kept {
                list,
                fetched_at,
                // An issuer whose clock is behind would otherwise be asked for each request.
                fresh_seconds: due_in_seconds
                    .max(settings.cooldown_seconds)
                    .min(settings.fresh_seconds),
                expires_at,
            });
        }
    }

    /// Notes that a fetch brought nothing of use.
    pub fn fail(&mut self, uri: &str, started: Started, now: Timestamp) {
        if let Some(entry) = self.entry(uri) {
            entry.refresh.fail(started, now);
        }
    }
}

impl Kept {
    fn is_usable(&self, maximum_age_seconds: i64, now: Timestamp) -> bool {
        now < self.expires_at && now.since(self.fetched_at) < maximum_age_seconds
    }
}
