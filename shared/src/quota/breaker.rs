//! Whether coordinators are worth asking: requests wait for those that do not answer a few times only.

/// So many failures in a row, of whatever coordinators, and none is asked for a while.
const FAILURES: u32 = 3;

/// The first while, in milliseconds. It doubles with each failure that follows.
const FIRST_REST_MILLISECONDS: u64 = 1_000;

/// The longest while, in milliseconds.
const LONGEST_REST_MILLISECONDS: u64 = 30_000;

/// One isolate's view of the coordinators as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breaker {
    failures: u32,
    /// Since when none is asked, and for how long.
    rest: Option<(u64, u64)>,
}

impl Breaker {
    /// Whether a coordinator may be asked at `now`, in milliseconds by the isolate's clock. When a rest is over one
    /// question is let through, and the next only when it was answered or another rest has passed.
    pub fn may_ask(&mut self, now_milliseconds: u64) -> bool {
        match &mut self.rest {
            None => true,
            Some((since, length)) => {
                let elapsed = now_milliseconds.checked_sub(*since);
                // A clock that went back ends the rest, lest it never end.
                let over = elapsed.is_none_or(|elapsed| elapsed >= *length);
                if over {
                    *since = now_milliseconds;
                }
                over
            }
        }
    }

    /// For how long none is asked yet, in milliseconds; 0 when one may be.
    pub fn rests_for(&self, now_milliseconds: u64) -> u64 {
        self.rest.map_or(0, |(since, length)| {
            now_milliseconds
                .checked_sub(since)
                .map_or(0, |elapsed| length.saturating_sub(elapsed))
        })
    }

    /// A coordinator answered.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// One did not, in time or with sense, at `now`.
    pub fn failed(&mut self, now_milliseconds: u64) {
        self.failures = self.failures.saturating_add(1);
        if let Some(doublings) = self.failures.checked_sub(FAILURES) {
            let length = FIRST_REST_MILLISECONDS
                .saturating_mul(1 << doublings.min(10))
                .min(LONGEST_REST_MILLISECONDS);
            self.rest = Some((now_milliseconds, length));
        }
    }
}
