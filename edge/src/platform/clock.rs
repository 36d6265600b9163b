//! The Worker's clock. In production it stands still between two operations that wait for something outside.

use wardgate_shared::time::Timestamp;

/// The time now.
pub(super) fn now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the clock is read"
    )]
    let milliseconds = js_sys::Date::now();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the time in seconds is far below the limits of i64"
    )]
    Timestamp::from_seconds((milliseconds / 1000.0) as i64)
}
