//! Work that waits for something outside, by the number of its task.
//!
//! On this platform a request that its client gives up is simply never continued, so what waits for it would stay in memory
//! for as long as the isolate lives. Everything that is waited for here has a time limit of its own; work that has not
//! been continued well after that is let go of.

use std::collections::BTreeMap;

/// How long after its time limit work is kept, in milliseconds: its continuation may stand in a queue.
const GRACE_MILLISECONDS: u64 = 60_000;

/// With less work than this nothing is looked through.
const FEW: usize = 64;

/// Work that waits.
#[derive(Debug)]
pub struct Waiting<W> {
    tasks: BTreeMap<u32, (u64, W)>,
    /// With so much work it is looked through: twice what was left the last time, so that each piece costs a look or two.
    sweep_at: usize,
}

impl<W> Default for Waiting<W> {
    fn default() -> Self {
        Self {
            tasks: BTreeMap::new(),
            sweep_at: FEW,
        }
    }
}

impl<W> Waiting<W> {
    /// Keeps the work of a task that will be continued within `limit_milliseconds` if it is continued at all. `now` gives the time, in
    /// milliseconds; it is asked once.
    pub fn put(&mut self, task: u32, work: W, limit_milliseconds: u32, now: impl Fn() -> u64) {
        let now = now();
        let until = now + u64::from(limit_milliseconds) + GRACE_MILLISECONDS;
        self.tasks.insert(task, (until, work));
        if self.tasks.len() >= self.sweep_at {
            self.tasks.retain(|_, (until, _)| *until > now);
            self.sweep_at = FEW.max(self.tasks.len() * 2);
        }
    }

    /// The work of a task that is to be continued, unless it was let go of.
    pub fn take(&mut self, task: u32) -> Option<W> {
        self.tasks.remove(&task).map(|(_, work)| work)
    }

    /// How many tasks wait.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, GRACE_MILLISECONDS, Waiting};

    #[test]
    fn work_is_taken_once_by_its_task() {
        let mut waiting = Waiting::default();
        waiting.put(7, "seven", 10, || 0);
        waiting.put(8, "eight", 10, || 0);
        assert_eq!(waiting.take(7), Some("seven"));
        assert_eq!(waiting.take(7), None);
        assert_eq!(waiting.take(9), None);
        assert_eq!(waiting.len(), 1);
    }

    #[test]
    fn requests_that_were_given_up_do_not_pile_up() {
        let mut waiting = Waiting::default();
        for task in 0..100_000_u32 {
            // A thousand a second, of which none is ever continued.
            waiting.put(task, [0_u8; 64], 1_000, || u64::from(task));
        }
        let kept_at_once = usize::try_from(GRACE_MILLISECONDS).unwrap() + 1_000;
        assert!(waiting.len() <= 2 * kept_at_once, "{} wait", waiting.len());
    }

    #[test]
    fn work_within_its_time_is_kept_however_much_is_given_up() {
        let mut waiting = Waiting::default();
        waiting.put(0, "slow", 600_000, || 0);
        for task in 1..10_000_u32 {
            waiting.put(task, "given up", 0, || u64::from(task) * 60);
        }
        assert!(waiting.len() < 10_000, "nothing was let go of");
        assert_eq!(waiting.take(0), Some("slow"));
    }

    #[test]
    fn little_work_is_not_looked_through() {
        let mut waiting = Waiting::default();
        for task in 0..u32::try_from(FEW).unwrap() - 1 {
            waiting.put(task, (), 0, || u64::from(task) * 1_000_000);
        }
        assert_eq!(waiting.len(), FEW - 1);
        waiting.put(1_000, (), 0, || u64::MAX / 2);
        assert_eq!(waiting.len(), 1, "what was over is gone");
    }
}
