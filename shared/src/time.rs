//! Instants as values. Nothing here reads a clock: the caller says what time it is.

use core::fmt;

use serde::{Deserialize, Serialize};

/// An instant in whole seconds since the Unix epoch, UTC, as `NumericDate` of RFC 7519 section 2 without a fraction.
///
/// Arithmetic saturates, so that no instant a token names can overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `seconds` after the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Whole seconds since the Unix epoch.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This instant moved `seconds` later, or the last representable one.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// This instant moved `seconds` earlier, or the first representable one.
    #[must_use]
    pub const fn minus(self, seconds: i64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` to this instant; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Timestamp::from_seconds(i64::MAX).plus(1).seconds(), i64::MAX);
        assert_eq!(Timestamp::from_seconds(i64::MIN).minus(1).seconds(), i64::MIN);
        assert_eq!(
            Timestamp::from_seconds(i64::MIN).since(Timestamp::from_seconds(1)),
            i64::MIN
        );
    }

    #[test]
    fn since_is_negative_for_a_later_instant() {
        assert_eq!(Timestamp::from_seconds(5).since(Timestamp::from_seconds(8)), -3);
    }
}
