//! A browser in which somebody is not asked for a second factor each time.

use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;

/// For how long a second factor counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorLifetime {
    /// Since it was given, in seconds.
    pub interval_seconds: i64,
    /// Since its person was last seen in the browser, in seconds.
    pub idle_seconds: i64,
}

impl FactorLifetime {
    /// Whether a factor that was given at `factor_at` counts at `now`, where the person was seen at `seen_at`. At the very end of
    /// either time it counts no more.
    pub const fn holds(self, factor_at: Timestamp, seen_at: Timestamp, now: Timestamp) -> bool {
        now.since(factor_at) < self.interval_seconds && now.since(seen_at) < self.idle_seconds
    }
}

/// A remembered browser of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedDevice {
    /// `device-` and 22 random characters.
    pub id: String,
    /// The digest of the cookie's value; the same for all people of one browser.
    pub digest: SecretDigest,
    /// Whose it is.
    pub user_id: String,
    /// What its person knows it by.
    pub label: String,
    /// When it was first remembered.
    pub created_at: Timestamp,
    /// When a second factor was last given there.
    pub last_factor_at: Timestamp,
    /// When its person was last seen there, roughly.
    pub last_seen_at: Timestamp,
    /// When it is forgotten, unless a second factor is given there again.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::FactorLifetime;
    use crate::testing::START;

    const HOUR: i64 = 3600;
    const LIFETIME: FactorLifetime = FactorLifetime {
        interval_seconds: 72 * HOUR,
        idle_seconds: 7 * 24 * HOUR,
    };

    #[test]
    fn a_factor_counts_for_72_hours_while_its_person_is_there() {
        let at = |seconds: i64| START.plus(seconds);
        assert!(LIFETIME.holds(START, at(71 * HOUR), at(72 * HOUR - 1)));
        assert!(!LIFETIME.holds(START, at(71 * HOUR), at(72 * HOUR)));
    }

    #[test]
    fn a_factor_counts_no_more_after_7_days_without_its_person() {
        let longer = FactorLifetime {
            interval_seconds: i64::MAX,
            ..LIFETIME
        };
        let week = 7 * 24 * HOUR;
        assert!(longer.holds(START, START, START.plus(week - 1)));
        assert!(!longer.holds(START, START, START.plus(week)));
    }
}
