//! What a limit says, and where a client stands with it.

use crate::time::Timestamp;

/// The largest limit, in requests a window.
pub const MAXIMUM_LIMIT: u32 = 1_000_000_000;

/// The longest window: 31 days, in seconds.
pub const MAXIMUM_WINDOW_SECONDS: u32 = 31 * 86_400;

/// By how much a holder's clock may fall behind the coordinator's between asking and spending, in milliseconds. Every
/// lease ends this much earlier for its holder.
pub const GUARD_MILLISECONDS: u64 = 50;

/// So many requests in each window of so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    limit: u32,
    window_seconds: u32,
    lease_seconds: u32,
}

/// Why there is no such policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The limit is 0 or above [`MAXIMUM_LIMIT`].
    #[error("a limit is a number from 1 to {MAXIMUM_LIMIT}")]
    Limit,
    /// The window is empty or longer than [`MAXIMUM_WINDOW_SECONDS`].
    #[error("a window lasts from 1 to {MAXIMUM_WINDOW_SECONDS} seconds")]
    Window,
    /// A lease would last no time, or longer than the window.
    #[error("a lease lasts from 1 second to the length of the window")]
    Lease,
}

impl Policy {
    /// `limit` requests in each window of `window_seconds`. Leases last until the window ends.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub const fn new(limit: u32, window_seconds: u32) -> Result<Self, PolicyError> {
        if limit == 0 || limit > MAXIMUM_LIMIT {
            return Err(PolicyError::Limit);
        }
        if window_seconds == 0 || window_seconds > MAXIMUM_WINDOW_SECONDS {
            return Err(PolicyError::Window);
        }
        Ok(Self {
            limit,
            window_seconds,
            lease_seconds: window_seconds,
        })
    }

    /// The same with leases that last no longer than `lease_seconds`. What replies carry besides units then reaches busy
    /// isolates within that time, at the price of more calls.
    ///
    /// # Errors
    /// [`PolicyError::Lease`].
    pub const fn with_leases_of(mut self, lease_seconds: u32) -> Result<Self, PolicyError> {
        if lease_seconds == 0 || lease_seconds > self.window_seconds {
            return Err(PolicyError::Lease);
        }
        self.lease_seconds = lease_seconds;
        Ok(self)
    }

    /// Requests a window.
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// The window's length in seconds.
    pub const fn window_seconds(self) -> u32 {
        self.window_seconds
    }

    /// How long a lease lasts at most, in seconds.
    pub const fn lease_seconds(self) -> u32 {
        self.lease_seconds
    }

    /// The window's length in milliseconds. It fits 32 bits, as [`MAXIMUM_WINDOW_SECONDS`] does.
    pub(super) const fn window_milliseconds(self) -> u32 {
        self.window_seconds.saturating_mul(1_000)
    }

    /// The number of the window at `now`.
    pub(super) fn window_at(self, now_milliseconds: u64) -> u64 {
        now_milliseconds
            .checked_div(u64::from(self.window_milliseconds()))
            .unwrap_or_default()
    }

    /// When a window is over, in milliseconds since the Unix epoch.
    pub(super) fn end_of(self, window: u64) -> u64 {
        window
            .saturating_add(1)
            .saturating_mul(u64::from(self.window_milliseconds()))
    }

    /// When a window is over, as clients are told.
    pub(super) fn end_timestamp_of(self, window: u64) -> Timestamp {
        Timestamp::from_seconds(i64::try_from(self.end_of(window) / 1_000).unwrap_or(i64::MAX))
    }
}

/// Where a client stands with a policy: what the headers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Requests a window.
    pub limit: u32,
    /// How many more would be admitted in this one, as far as is known here: exactly, with one isolate.
    pub remaining: u32,
    /// The window's length in seconds.
    pub window_seconds: u32,
    /// When the next window begins, by the coordinator's clock.
    pub reset: Timestamp,
    /// In how many seconds that is, rounded up.
    pub reset_in_seconds: u32,
}

/// Milliseconds as whole seconds, rounded up.
pub(super) fn seconds_until(instant: u64, now_milliseconds: u64) -> u32 {
    u32::try_from(instant.saturating_sub(now_milliseconds).div_ceil(1_000)).unwrap_or(u32::MAX)
}
