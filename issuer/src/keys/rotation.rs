//! When keys sign and when they are published: arithmetic on instants, nothing else.

use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

use crate::config::Config;
use crate::domain::signing_key::StoredSigningKey;

/// Verifiers' clocks may lag by this much, in seconds; a retired key stays published that much longer.
const CLOCK_SKEW_SECONDS: i64 = 300;

const DAY_SECONDS: i64 = 86_400;

/// The times that rotation keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    /// From the making of a successor to its first signature, in seconds.
    pub(super) lead_seconds: i64,
    /// From a key's last signature to its disappearance, in seconds.
    pub(super) overlap_seconds: i64,
    /// How long a key signs before its successor does, in seconds; `None` as long as nobody asks for one.
    pub(super) rotation_seconds: Option<i64>,
    /// What access tokens are signed with.
    pub(super) algorithm: SignatureAlgorithm,
}

/// When a new key begins, and what becomes of those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Succession {
    pub(super) signs_from: Timestamp,
    /// `kid`, `signs_until`, `published_until` of each key that ends.
    pub(super) retire: Vec<(String, Timestamp, Timestamp)>,
}

impl Schedule {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            lead_seconds: config.keys.publish_lead_seconds,
            overlap_seconds: config.longest_token_seconds().saturating_add(CLOCK_SKEW_SECONDS),
            rotation_seconds: (config.keys.rotation_days > 0)
                .then(|| config.keys.rotation_days.saturating_mul(DAY_SECONDS)),
            algorithm: config.keys.algorithm,
        }
    }

    /// The place of a new key for `algorithm` that is made at `now`.
    ///
    /// It waits for the lead when verifiers may hold a key set without it. It signs at once in a database just made, as
    /// the first RS256 key, and as the first of an algorithm that only ID tokens use, since those have no other to be
    /// signed with and their readers look for new keys. Each predecessor signs until the new
    /// key begins; one that ends before that keeps its end.
    pub(super) fn succeed(
        self,
        keys: &[StoredSigningKey],
        algorithm: SignatureAlgorithm,
        now: Timestamp,
    ) -> Succession {
        let same = || keys.iter().filter(|key| key.algorithm == algorithm);
        let succeeds = same().any(|key| key.may_sign(now));
        let was_published_before = keys
            .iter()
            .any(|key| key.created_at < now && key.is_published(now));
        let has_a_substitute = algorithm == self.algorithm && algorithm != SignatureAlgorithm::RS256;
        let waits = succeeds || (was_published_before && has_a_substitute);
        let signs_from = if waits { now.plus(self.lead_seconds) } else { now };
        let retire = same()
            .filter(|key| key.signs_until.is_none_or(|until| until > signs_from))
            .map(|key| {
                (
                    key.key_id.clone(),
                    signs_from,
                    signs_from.plus(self.overlap_seconds),
                )
            })
            .collect();
        Succession { signs_from, retire }
    }

    /// When a successor has to be made for the newest key of `algorithm`, so that it is published for the lead and signs on the day.
    pub(super) fn successor_due(
        self,
        keys: &[StoredSigningKey],
        algorithm: SignatureAlgorithm,
    ) -> Option<Timestamp> {
        let newest = keys
            .iter()
            .filter(|key| key.algorithm == algorithm && key.signs_until.is_none())
            .max_by_key(|key| key.signs_from)?;
        let signs_for = self.rotation_seconds?.saturating_sub(self.lead_seconds);
        Some(newest.signs_from.plus(signs_for))
    }

    /// The ends of keys whose algorithm is not among `used`: each signs until every used algorithm has a key that may.
    pub(super) fn retire_unused(
        self,
        keys: &[StoredSigningKey],
        used: &[SignatureAlgorithm],
        now: Timestamp,
    ) -> Vec<(String, Timestamp, Timestamp)> {
        let begins = |algorithm: &SignatureAlgorithm| {
            let own = keys.iter().filter(|key| key.algorithm == *algorithm);
            own.map(|key| key.signs_from).min().unwrap_or(now)
        };
        let signs_until = used.iter().map(begins).max().unwrap_or(now).max(now);
        let published_until = signs_until.plus(self.overlap_seconds);
        keys.iter()
            .filter(|key| !used.contains(&key.algorithm) && key.signs_until.is_none())
            .map(|key| (key.key_id.clone(), signs_until, published_until))
            .collect()
    }
}
