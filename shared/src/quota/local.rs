//! What an isolate does on its own account while the coordinator does not answer.

use super::policy::{Policy, Standing, seconds_until};

/// What one isolate has admitted on its own account.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalShare {
    window: u64,
    spent: u32,
}

impl LocalShare {
    /// Decides a request at `now`, in milliseconds by the isolate's clock, when the isolate may admit `share` requests a
    /// window: where the client stands once it is admitted,
    /// or once it is refused.
    ///
    /// # Errors
    /// The share of this window is used up.
    pub fn take(&mut self, policy: Policy, share: u32, now_milliseconds: u64) -> Result<Standing, Standing> {
        // As with the coordinator, a clock that goes back does not begin a window anew.
        let window = policy.window_at(now_milliseconds).max(self.window);
        if window > self.window {
            *self = Self { window, spent: 0 };
        }
        let left = share.min(policy.limit()).saturating_sub(self.spent);
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
