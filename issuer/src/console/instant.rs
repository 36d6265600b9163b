//! Instants as administrators type them: in UTC, by the day, the minute or the second.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use wardgate_shared::time::Timestamp;

/// What is wrong with a text that is no instant.
pub(super) const NO_INSTANT: &str = "This is no date and time, such as 2027-01-15 or 2027-01-15 08:00.";

/// The instant that `text` names: `2027-01-15` (its beginning), `2027-01-15 08:00`, `2027-01-15 08:00:30`, or as RFC 3339 has
/// it.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp::from_seconds(instant.timestamp()));
    }
    let minute = || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok();
    let second = || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok();
    let day = || {
        Some(
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()?
                .and_time(NaiveTime::MIN),
        )
    };
    let instant = minute().or_else(second).or_else(day)?;
    Some(Timestamp::from_seconds(instant.and_utc().timestamp()))
}

#[cfg(test)]
mod tests {
    use wardgate_shared::time::Timestamp;

    use super::parse;

    #[test]
    fn days_minutes_and_seconds_are_read_in_utc() {
        for (text, seconds) in [
            ("2027-01-15", 1_799_971_200),
            ("2027-01-15 08:00", 1_800_000_000),
            ("2027-01-15 08:00:30", 1_800_000_030),
            ("2027-01-15T08:00:00Z", 1_800_000_000),
            ("2027-01-15T09:00:00+01:00", 1_800_000_000),
        ] {
            assert_eq!(parse(text).map(Timestamp::seconds), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "yesterday",
            "2027-02-30",
            "2027-01-15 25:00",
            "15.01.2027",
            "2027-01-15 08:00 x",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
