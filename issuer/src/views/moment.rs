//! Instants as people read them.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use wardgate_shared::time::Timestamp;

/// An instant on a page: as a sentence says it, and as programs read it. In UTC, since nobody says where the person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(Timestamp);

impl Moment {
    /// This instant.
    pub const fn at(instant: Timestamp) -> Self {
        Self(instant)
    }

    /// For the attribute `datetime` of an element `time`: RFC 3339. Empty beyond the years that it can write.
    pub fn machine(self) -> String {
        self.utc()
            .map_or_else(String::new, |utc| utc.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    fn utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.0.seconds(), 0)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.utc() {
            Some(utc) => write!(formatter, "{}", utc.format("%-d %B %Y, %H:%M UTC")),
            None => formatter.write_str("an unknown time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use wardgate_shared::time::Timestamp;

    use super::Moment;

    #[test]
    fn an_instant_is_said_in_two_ways() {
        let moment = Moment::at(Timestamp::from_seconds(1_800_000_000));
        assert_eq!(moment.to_string(), "15 January 2027, 08:00 UTC");
        assert_eq!(moment.machine(), "2027-01-15T08:00:00Z");
    }

    #[test]
    fn an_instant_beyond_all_calendars_is_no_failure() {
        let moment = Moment::at(Timestamp::from_seconds(i64::MAX));
        assert_eq!(
            (moment.to_string().as_str(), moment.machine().as_str()),
            ("an unknown time", "")
        );
    }
}
