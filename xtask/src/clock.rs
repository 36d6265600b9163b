//! The one place of this tool that reads a clock: it measures how long steps take, and nothing else depends on it.

use std::time::{Duration, Instant};

/// A running measurement, from its start to now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[expect(clippy::disallowed_methods, reason = "this module is the tool's clock")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// A duration as people read it: `3.4 s`, or `2 min 07 s` from a minute on.
pub(crate) fn readable(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::readable;

    #[test]
    fn durations_read_in_seconds_then_in_minutes() {
        assert_eq!(readable(Duration::from_millis(3_440)), "3.4 s");
        assert_eq!(readable(Duration::from_secs(127)), "2 min 07 s");
    }
}
