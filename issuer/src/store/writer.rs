//! The one writer: a thread with a connection of its own that commits together what is queued together.
//!
//! While one commit waits for the disk, further jobs queue up; the next transaction takes them all and pays for the disk
//! once. Each job runs in a savepoint, so one that fails undoes its own changes and nobody else's. Before the commit the new lines of the
//! audit trail are chained to those of before. Nobody is answered
//! before the commit; if that fails, every job of the batch has failed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Stopwatch;
use crate::metrics::instruments::{CountedLine, StoreInstruments};

use super::audit_chain::Chain;
use super::audit_changes;
use super::error::StoreError;
use super::sql;

/// Jobs that may wait; whoever comes then waits to be let in, and is turned away after [`LONGEST_WAIT`].
const QUEUE: usize = 1024;
/// Jobs in one transaction: a bound on what the first of them waits for.
const LARGEST_BATCH: usize = 256;
/// How long a write may wait for a place in the queue.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The way to the writing thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    commits: Arc<AtomicU64>,
    instruments: StoreInstruments,
}

/// A change, its outcome and the one who waits for it.
trait Job: Send {
    /// Makes the change and keeps its outcome; says whether the change is to stay.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Replaces the outcome: the change is undone.
    fn fail(&mut self, error: StoreError);
    /// How long it has waited.
    fn waited(&self) -> Duration;
    /// Tells whoever waits.
    fn answer(self: Box<Self>);
}

struct Change<T, F> {
    work: Option<F>,
    outcome: Result<T, StoreError>,
    waiting: oneshot::Sender<Result<T, StoreError>>,
    since: Stopwatch,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T, StoreError> + Send> Job for Change<T, F> {
    fn run(&mut self, connection: &Connection) -> bool {
        if let Some(work) = self.work.take() {
            self.outcome = work(connection)
                .and_then(|outcome| audit_changes::refuse_unrecorded(connection).map(|()| outcome));
        }
        self.outcome.is_ok()
    }

    fn fail(&mut self, error: StoreError) {
        self.outcome = Err(error);
    }

    fn waited(&self) -> Duration {
        self.since.elapsed()
    }

    fn answer(self: Box<Self>) {
        // Whoever asked may have gone; the change is durable all the same.
        let _ = self.waiting.send(self.outcome);
    }
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection, chain: Chain) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let commits = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&commits);
        let instruments = StoreInstruments::default();
        let measured = instruments.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || work_off(connection, chain, jobs, &counter, &measured))?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            commits,
            instruments,
        })
    }

    /// Queues `work` and waits until it is committed, or undone.
    ///
    /// # Errors
    /// What `work` says; [`StoreError::Busy`] when the queue stays full; [`StoreError::Closed`]; or why the commit failed.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (waiting, answer) = oneshot::channel();
        let change = Change {
            work: Some(work),
            outcome: Err(StoreError::Closed),
            waiting,
            since: Stopwatch::start(),
        };
        let sent = queue
            .ok_or(StoreError::Closed)?
            .send_timeout(Box::new(change), LONGEST_WAIT)
            .await;
        sent.map_err(|error| match error {
            mpsc::error::SendTimeoutError::Timeout(_) => StoreError::Busy,
            mpsc::error::SendTimeoutError::Closed(_) => StoreError::Closed,
        })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    pub(super) const fn instruments(&self) -> &StoreInstruments {
        &self.instruments
    }

    /// How many jobs wait, and how many may.
    pub(super) fn queue(&self) -> (usize, usize) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let depth = queue
            .as_ref()
            .map_or(0, |queue| QUEUE.saturating_sub(queue.capacity()));
        (depth, QUEUE)
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Closes the queue and waits for the thread to work it off.
    pub(super) async fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A thread that panicked has nothing left to wait for.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

fn work_off(
    mut connection: Connection,
    mut chain: Chain,
    mut jobs: mpsc::Receiver<Box<dyn Job>>,
    commits: &AtomicU64,
    instruments: &StoreInstruments,
) {
    while let Some(first) = jobs.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < LARGEST_BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        for job in &batch {
            instruments.wait.observe(job.waited().as_secs_f64());
        }
        let watch = Stopwatch::start();
        let committed = commit(&mut connection, &mut chain, &mut batch);
        instruments.commit.observe(watch.elapsed().as_secs_f64());
        instruments
            .batch
            .observe(f64::from(u16::try_from(batch.len()).unwrap_or(u16::MAX)));
        match committed {
            Ok(lines) => {
                for line in &lines {
                    instruments.count(line);
                }
                commits.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                instruments.failures.inc();
                tracing::error!(%error, jobs = batch.len(), "a transaction was not committed");
                for job in &mut batch {
                    job.fail(error);
                }
            }
        }
        for job in batch {
            job.answer();
        }
    }
}

/// Runs a batch in one transaction, and gives the lines that the audit trail got. On an error nothing of it is stored.
fn commit(
    connection: &mut Connection,
    chain: &mut Chain,
    batch: &mut [Box<dyn Job>],
) -> Result<Vec<CountedLine>, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let begin = chain.begin(&transaction)?;
    audit_changes::record_outside(&transaction)?;
    for job in batch {
        sql::change(&transaction, "SAVEPOINT job", [])?;
        if !job.run(&transaction) {
            sql::change(&transaction, "ROLLBACK TO job", [])?;
        }
        sql::change(&transaction, "RELEASE job", [])?;
        // On some faults (disk full, I/O) SQLite undoes the whole transaction by itself; what follows would then be
        // committed one by one.
        if transaction.is_autocommit() {
            return Err(StoreError::Unavailable(0));
        }
    }
    let (head, lines) = chain.extend(&transaction, begin)?;
    transaction.commit()?;
    chain.keep(head);
    Ok(lines)
}

#[cfg(test)]
mod tests;
