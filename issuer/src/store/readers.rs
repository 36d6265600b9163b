//! The pool of connections that read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::BUSY_TIMEOUT;
use super::error::StoreError;

/// How long a read may wait for a connection.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Connections that lie ready, and a count of them to wait on.
#[derive(Debug)]
pub(super) struct Readers {
    pool: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self {
            free: Arc::new(Semaphore::new(connections.len())),
            pool: Arc::new(Mutex::new(connections)),
        }
    }

    /// Runs `work` on the caller's own thread, if a connection lies ready: for what takes no longer than handing it to
    /// another thread would. `None` when it was not run, or found another process in its way, for which nobody waits here.
    pub(super) fn read_here<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Option<Result<T, StoreError>> {
        let _place = self.free.try_acquire().ok()?;
        let mut lent = Lent {
            connection: None,
            pool: Arc::clone(&self.pool),
        };
        let connection = lent.take()?;
        let outcome = connection
            .busy_timeout(Duration::ZERO)
            .map_err(StoreError::from)
            .and_then(|()| work(connection));
        match (outcome, connection.busy_timeout(BUSY_TIMEOUT)) {
            (Err(StoreError::Busy), _) => None,
            (outcome, Ok(())) => Some(outcome),
            (_, Err(error)) => Some(Err(error.into())),
        }
    }

    /// Runs `work` on a blocking thread with a connection of the pool. The work goes on, and returns its connection,
    /// even when the caller stops waiting.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = match tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(StoreError::Closed),
            Err(_) => return Err(StoreError::Busy),
        };
        let lent = Lent {
            connection: None,
            pool: Arc::clone(&self.pool),
        };
        let task = tokio::task::spawn_blocking(move || {
            let mut lent = lent;
            let outcome = lent.take().ok_or(StoreError::Closed).and_then(work);
            // The connection is back before the next reader is let in.
            drop(lent);
            drop(place);
            outcome
        });
        task.await.map_err(|_| StoreError::Closed)?
    }
}

/// A connection out of the pool, given back on drop.
struct Lent {
    connection: Option<Connection>,
    pool: Arc<Mutex<Vec<Connection>>>,
}

impl Lent {
    fn take(&mut self) -> Option<&Connection> {
        self.connection = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        self.connection.as_ref()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
    }
}
