//! A leaky bucket: it holds as much as may come in a minute, and drains as much in a minute.

use wardgate_shared::time::Timestamp;

/// What one call adds. A limit of n a minute drains n of these sixtieths a second.
const ONE: u64 = 60;

/// The level of a bucket. Its limit is given with each call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    level: u64,
    at: Timestamp,
    /// Whether it was full since it was last half empty.
    flooded: bool,
}

impl Bucket {
    pub(super) const fn empty(now: Timestamp) -> Self {
        Self {
            level: 0,
            at: now,
            flooded: false,
        }
    }

    /// Seconds until there is room for one more: 0, or at least 1.
    pub(super) fn wait(&self, per_minute: u32, now: Timestamp) -> i64 {
        let missing = self.level(per_minute, now).saturating_add(ONE);
        let missing = missing.saturating_sub(capacity(per_minute));
        let seconds = missing.div_ceil(u64::from(per_minute).max(1));
        i64::try_from(seconds).unwrap_or(i64::MAX)
    }

    /// Adds one. Says whether it is full now, for the first time since it was half empty.
    pub(super) fn add(&mut self, per_minute: u32, now: Timestamp) -> bool {
        let flooded = self.is_flooded(per_minute, now);
        self.level = self
            .level(per_minute, now)
            .saturating_add(ONE)
            .min(capacity(per_minute));
        self.at = now;
        self.flooded = flooded || self.wait(per_minute, now) > 0;
        self.flooded && !flooded
    }

    /// Whether it was full, and has not drained to its half since.
    pub(super) fn is_flooded(&self, per_minute: u32, now: Timestamp) -> bool {
        self.flooded && self.level(per_minute, now) > capacity(per_minute) / 2
    }

    /// What is worth keeping: the fullest, then the latest.
    pub(super) const fn weight(&self) -> (u64, i64) {
        (self.level, self.at.seconds())
    }

    fn level(&self, per_minute: u32, now: Timestamp) -> u64 {
        let seconds = u64::try_from(now.since(self.at)).unwrap_or(0);
        self.level
            .saturating_sub(seconds.saturating_mul(u64::from(per_minute)))
    }
}

fn capacity(per_minute: u32) -> u64 {
    u64::from(per_minute).saturating_mul(ONE)
}
