//! The one place where tests read the time. `workerd` runs on the real clock, so tokens are made relative to it; tests
//! never wait for time to pass.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests' one clock: workerd cannot be given another"
)]
pub fn now() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970");
    i64::try_from(elapsed.as_secs()).expect("seconds fit")
}

/// A point in time that bounded polling gives up at.
pub struct Deadline(Instant);

impl Deadline {
    /// The instant `limit` from now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests' one clock, for bounded polling"
    )]
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// Whether the instant has passed.
    pub fn passed(&self) -> bool {
        self.left().is_zero()
    }

    /// How long until the instant.
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests' one clock, for bounded polling"
    )]
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Asks `condition` every few milliseconds until it holds.
///
/// # Panics
/// When it does not hold within ten seconds; the message names `what` was awaited.
pub async fn eventually<F, R>(what: &str, mut condition: F)
where
    F: FnMut() -> R,
    R: Future<Output = bool>,
{
    let deadline = Deadline::after(Duration::from_secs(10));
    while !condition().await {
        assert!(!deadline.passed(), "waited ten seconds in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
