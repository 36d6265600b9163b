//! Tokens that were verified a moment ago, so that the next request with one needs no signature checked again.
//!
//! An entry says what one token says to one API, and that its signature held under a key of one generation of its issuer's
//! keys. Whatever can change is looked at again at each hit: the time, whether the issuer still publishes that generation,
//! whether the token was revoked, whether its holder proves to be one. The whole token is compared, so that nothing depends
//! on a hash. Only what was verified is kept: whoever sends nonsense fills nothing.
//!
//! Memory is bounded by two generations of entries: when the young one is full it becomes the old one, and what was old is
//! forgotten. An entry that is hit in the old one becomes young again.

use std::collections::HashMap;
use std::rc::Rc;

use wardgate_shared::time::Timestamp;

use crate::authenticate::Holder;

/// How many bytes a generation takes at most, the entries' own size estimated.
const GENERATION_BYTES: usize = 2 * 1024 * 1024;

/// What an entry takes beside the token's text: its claims and its place, as an estimate in bytes.
const ENTRY_BYTES: usize = 1024;

/// What is known of a token.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who holds it, and what it says.
    pub holder: Rc<Holder>,
    /// The name of the API for which it was verified.
    pub api: Rc<str>,
    /// The issuer whose key it was, by its place among the trusted ones.
    pub issuer: usize,
    /// The generation of the issuer's keys among which its key was.
    pub key_generation: u64,
    /// When it was verified.
    pub verified_at: Timestamp,
}

/// The verified tokens of an isolate.
#[derive(Debug, Default)]
pub struct TokenCache {
    young: HashMap<Box<str>, Entry>,
    old: HashMap<Box<str>, Entry>,
    young_bytes: usize,
}

impl TokenCache {
    /// What is known of `token` towards the API of this name.
    pub fn get(&mut self, token: &str, api: &str) -> Option<Entry> {
        if let Some(entry) = self.young.get(token) {
            return Some(entry.clone()).filter(|entry| *entry.api == *api);
        }
        let entry = self.old.remove(token).filter(|entry| *entry.api == *api)?;
        self.insert(token, entry.clone());
        Some(entry)
    }

    /// Whether anything is known of `token` towards the API of this name. It need not hold any more.
    pub fn holds(&self, token: &str, api: &str) -> bool {
        let entry = self.young.get(token).or_else(|| self.old.get(token));
        entry.is_some_and(|entry| *entry.api == *api)
    }

    /// Keeps what was found out about `token`.
    pub fn insert(&mut self, token: &str, entry: Entry) {
        let bytes = token.len().saturating_add(ENTRY_BYTES);
        if self.young_bytes.saturating_add(bytes) > GENERATION_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(token.into(), entry).is_none() {
            self.young_bytes = self.young_bytes.saturating_add(bytes);
        }
    }

    /// Forgets a token whose entry holds no more.
    pub fn remove(&mut self, token: &str) {
        if self.young.remove(token).is_some() {
            let bytes = token.len().saturating_add(ENTRY_BYTES);
            self.young_bytes = self.young_bytes.saturating_sub(bytes);
        }
        self.old.remove(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::holder;

    fn entry(api: &str) -> Entry {
        Entry {
            holder: Rc::new(holder()),
            api: api.into(),
            issuer: 0,
            key_generation: 1,
            verified_at: Timestamp::from_seconds(0),
        }
    }

    #[test]
    fn a_token_is_known_to_its_api_only() {
        let mut cache = TokenCache::default();
        cache.insert("a.b.c", entry("fhir"));
        assert!(cache.get("a.b.c", "fhir").is_some());
        assert!(cache.get("a.b.c", "labs").is_none());
        assert!(cache.get("a.b.d", "fhir").is_none());
        cache.remove("a.b.c");
        assert!(cache.get("a.b.c", "fhir").is_none());
    }

    #[test]
    fn what_is_used_stays_and_memory_is_bounded() {
        let mut cache = TokenCache::default();
        cache.insert("used", entry("fhir"));
        let most = 2 * GENERATION_BYTES / ENTRY_BYTES;
        for number in 0..4 * most {
            cache.insert(&format!("token {number}"), entry("fhir"));
            assert!(cache.get("used", "fhir").is_some(), "{number}");
            assert!(cache.young.len() + cache.old.len() <= most);
        }
        assert!(cache.get("token 0", "fhir").is_none());
    }

    #[test]
    fn what_is_removed_makes_room() {
        let mut cache = TokenCache::default();
        for _ in 0..10 * GENERATION_BYTES / ENTRY_BYTES {
            cache.insert("token", entry("fhir"));
            cache.remove("token");
        }
        assert_eq!((cache.young_bytes, cache.young.len(), cache.old.len()), (0, 0, 0));
    }
}
