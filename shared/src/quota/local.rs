//! What an isolate does on its own account while the coordinator does not answer.

use core::num::NonZeroU32;

use super::policy::{Policy, Standing, seconds_until};

/// What a policy does while the coordinator does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnavailable {
    /// Refuse: the bound stays what it is.
    Closed,
    /// Each isolate admits the limit divided by `share`, rounded down, in each window.
    Local {
        /// What the limit is divided by: the number of isolates that may be cut off before more than twice the limit is
        /// admitted.
        share: NonZeroU32,
    },
}

/// What one isolate has admitted on its own account.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalShare {
    window: u64,
    spent: u32,
}

impl LocalShare {
    /// Decides a request at `now`, in milliseconds by the isolate's clock: where the client stands once it is admitted,
    /// or once it is refused.
    ///
    /// # Errors
    /// The share of this window is used up.
    pub fn take(
        &mut self,
        policy: Policy,
        share: NonZeroU32,
        now_milliseconds: u64,
    ) -> Result<Standing, Standing> {
        // As with the coordinator, a clock that goes back does not begin a window anew.
        let window = policy.window_at(now_milliseconds).max(self.window);
        if window > self.window {
            *self = Self { window, spent: 0 };
        }
        let left = (policy.limit() / share).saturating_sub(self.spent);
        let standing = |remaining| Standing {
            limit: policy.limit(),
            remaining,
            window_seconds: policy.window_seconds(),
            reset: policy.end_timestamp_of(window),
            reset_in_seconds: seconds_until(policy.end_of(window), now_milliseconds)
                .clamp(1, policy.window_seconds()),
        };
        match left.checked_sub(1) {
            Some(remaining) => {
                self.spent = self.spent.saturating_add(1);
                Ok(standing(remaining))
            }
            None => Err(standing(0)),
        }
    }
}
