//! The keys in hand, and what to do when the one that is wanted is not among them.

use wardgate_shared::jwk::{JwkSet, PublicJwk};
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

use crate::refresh::{Permission, Refresh, RefreshSettings, Standing, Started};

/// The issuer's keys; `K` is a key in the form that verifies.
#[derive(Debug)]
pub struct KeyCache<K> {
    refresh: Refresh,
    set: JwkSet,
    /// Counts how often the keys changed.
    generation: u64,
    imported: Vec<Imported<K>>,
}

/// A key of the set that was imported for one algorithm.
#[derive(Debug)]
struct Imported<K> {
    jwk: PublicJwk,
    algorithm: SignatureAlgorithm,
    key: K,
}

/// A key of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<K> {
    /// Ready for use.
    Ready(K),
    /// To be imported, and then handed to [`KeyCache::keep`].
    ToImport(PublicJwk),
}

/// What to do about a key that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<K> {
    /// Here it is. When `renew` is set, fetch the keys beside the request.
    Found {
        /// The key.
        key: Found<K>,
        /// Whether the set has become stale and nobody is fetching it.
        renew: bool,
    },
    /// Fetch the keys and look again.
    Fetch,
    /// Somebody is fetching the keys: look again a little later.
    Wait,
    /// There is no such key, as far as can be known: the token is refused.
    Unknown,
    /// Whether there is such a key cannot be known now: nothing is decided.
    Unavailable {
        /// When to try again, at least 1.
        retry_after_seconds: i64,
    },
}

impl<K: Clone> KeyCache<K> {
    /// No keys yet.
    pub fn new(settings: RefreshSettings) -> Self {
        Self {
            refresh: Refresh::new(settings),
            set: JwkSet::default(),
            generation: 0,
            imported: Vec::new(),
        }
    }

    /// Which keys these are: another number whenever they changed.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether a signature that held under the keys of this generation still counts: they are in hand, and not too old. Inside: whether
    /// to fetch them beside the request.
    pub fn vouches_for(&self, generation: u64, now: Timestamp) -> Option<bool> {
        let standing = self.refresh.standing(now);
        if generation != self.generation || standing == Standing::Absent {
            return None;
        }
        Some(standing == Standing::Stale && self.refresh.may_renew(now) == Permission::Granted)
    }

    /// Looks for the key of a token whose header says `key_id` and `algorithm`.
    pub fn look_up(&self, key_id: Option<&str>, algorithm: SignatureAlgorithm, now: Timestamp) -> Lookup<K> {
        let standing = self.refresh.standing(now);
        let jwk = match standing {
            Standing::Absent => None,
            Standing::Fresh | Standing::Stale => self.set.find(key_id, algorithm),
        };
        if let Some(jwk) = jwk {
            let renew = standing == Standing::Stale && self.refresh.may_renew(now) == Permission::Granted;
            return Lookup::Found {
                key: self.ready(jwk, algorithm),
                renew,
            };
        }
        let permission = match standing {
            Standing::Fresh => self.refresh.may_search(now),
            Standing::Stale | Standing::Absent => self.refresh.may_renew(now),
        };
        match permission {
            Permission::Granted => Lookup::Fetch,
            Permission::Running => Lookup::Wait,
            Permission::JustFetched => Lookup::Unknown,
            Permission::CoolingDown { seconds } => Lookup::Unavailable {
                retry_after_seconds: seconds,
            },
        }
    }

    fn ready(&self, jwk: &PublicJwk, algorithm: SignatureAlgorithm) -> Found<K> {
        self.imported
            .iter()
            .find(|imported| imported.algorithm == algorithm && imported.jwk == *jwk)
            .map_or_else(
                || Found::ToImport(jwk.clone()),
                |imported| Found::Ready(imported.key.clone()),
            )
    }

    /// Keeps an imported key for as long as the set holds `jwk`.
    pub fn keep(&mut self, jwk: PublicJwk, algorithm: SignatureAlgorithm, key: K) {
        let held = self.set.iter().any(|own| *own == jwk);
        let known = self
            .imported
            .iter()
            .any(|one| one.algorithm == algorithm && one.jwk == jwk);
        if held && !known {
            self.imported.push(Imported { jwk, algorithm, key });
        }
    }

    /// Notes that a fetch begins.
    pub const fn start(&mut self, now: Timestamp) -> Started {
        self.refresh.start(now)
    }

    /// Takes the set that a fetch brought in the place of the one in hand. Each key is bound to one algorithm, so that the
    /// header of a token never chooses.
    pub fn accept(&mut self, started: Started, set: JwkSet) {
        if self.refresh.succeed(started) {
            let set = set.bound();
            if set != self.set {
                self.generation = self.generation.saturating_add(1);
                self.imported
                    .retain(|imported| set.iter().any(|jwk| *jwk == imported.jwk));
                self.set = set;
            }
        }
    }

    /// Notes that a fetch brought nothing of use. The keys in hand stay until their bound.
    pub fn fail(&mut self, started: Started, now: Timestamp) {
        self.refresh.fail(started, now);
    }
}
