//! Work that is done after the answer, so that how long it takes shows in no answer. Bounded: what comes when too much is under way
//! is dropped, and its absence shows in no answer either.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::task::JoinSet;

/// How much may be under way at once.
const MAXIMUM_TASKS: usize = 64;

/// What is under way. It ends with its owner.
#[derive(Debug, Default)]
pub struct Background(Mutex<JoinSet<()>>);

impl Background {
    /// Begins with `work`, or drops it and says so.
    pub fn begin(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        if tasks.len() >= MAXIMUM_TASKS {
            return false;
        }
        tasks.spawn(work);
        true
    }

    /// Waits for what was begun so far.
    pub async fn finish(&self) {
        let tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.join_all().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Background, MAXIMUM_TASKS};

    #[tokio::test]
    async fn no_more_than_so_much_is_under_way_and_a_stop_waits_for_it() {
        let (background, done) = (Background::default(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..MAXIMUM_TASKS {
            let done = done.clone();
            assert!(background.begin(async move {
                tokio::task::yield_now().await;
                done.fetch_add(1, Ordering::SeqCst);
            }));
        }
        assert!(!background.begin(async {}));
        background.finish().await;
        assert_eq!(done.load(Ordering::SeqCst), MAXIMUM_TASKS);
        assert!(background.begin(async {}));
    }
}
