//! The Worker's clock. In production it stands still between two operations that wait for something outside.

use wardgate_shared::time::Timestamp;

/// The time now, in milliseconds since the Unix epoch.
pub(super) fn milliseconds() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the clock is read"
    )]
    let milliseconds = js_sys::Date::now();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the clock is past 1970 and far below the limits of u64, and the cast saturates"
    )]
    let whole = milliseconds as u64;
    whole
}

/// The time now.
pub(super) fn now() -> Timestamp {
    Timestamp::from_seconds(i64::try_from(milliseconds() / 1_000).unwrap_or(i64::MAX))
}
