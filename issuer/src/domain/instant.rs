//! Instants as people and other programs read them: RFC 3339, UTC, whole seconds.

use chrono::{DateTime, SecondsFormat};
use wardgate_shared::time::Timestamp;

/// `instant` as RFC 3339 writes it: `2027-01-15T08:00:00Z`.
pub fn rfc3339(instant: Timestamp) -> String {
    DateTime::from_timestamp(instant.seconds(), 0).map_or_else(
        || instant.to_string(),
        |date| date.to_rfc3339_opts(SecondsFormat::Secs, true),
    )
}

/// The instant that RFC 3339 writes so; a fraction of a second is dropped.
pub fn parse(text: &str) -> Option<Timestamp> {
    let instant = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp::from_seconds(instant.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::{parse, rfc3339};
    use crate::testing::START;

    #[test]
    fn an_instant_is_read_as_it_is_written() {
        assert_eq!(rfc3339(START), "2027-01-15T08:00:00Z");
        assert_eq!(parse("2027-01-15T08:00:00Z"), Some(START));
        assert_eq!(parse("2027-01-15T09:00:00.5+01:00"), Some(START));
        assert_eq!(parse("2027-01-15"), None);
    }
}
