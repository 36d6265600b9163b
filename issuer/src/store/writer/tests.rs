//! Group commit: what is queued together is committed together, and each job fails for itself.

use std::sync::mpsc;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{Chain, StoreError, Writer};
use crate::store::audit_chain::ChainKey;
use crate::store::{connection, migrations};
use crate::testing::{self, START};

fn writer() -> (TempDir, Connection, std::sync::Arc<Writer>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let mut connection = connection::open_for_writing(&path).unwrap();
    migrations::apply(&mut connection, START).unwrap();
    let chain = Chain::new(ChainKey::provide(&mut connection, &testing::sealer()).unwrap());
    connection
        .execute_batch(
            "CREATE TABLE numbers (n INTEGER PRIMARY KEY);
             CREATE TABLE pairs (n INTEGER REFERENCES numbers (n) DEFERRABLE INITIALLY DEFERRED)",
        )
        .unwrap();
    let beside = Connection::open(&path).unwrap();
    (
        folder,
        beside,
        std::sync::Arc::new(Writer::start(connection, chain).unwrap()),
    )
}

fn count(connection: &Connection) -> i64 {
    connection
        .query_row("SELECT count(*) FROM numbers", [], |row| row.get(0))
        .unwrap()
}

/// Keeps the writer busy in a transaction of its own until the sender speaks; answers when it is busy.
async fn keep_busy(
    writer: &std::sync::Arc<Writer>,
    tasks: &mut JoinSet<Result<(), StoreError>>,
) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel();
    let (busy, is_busy) = tokio::sync::oneshot::channel();
    let writer = writer.clone();
    tasks.spawn(async move {
        writer
            .write(move |_| {
                busy.send(()).unwrap();
                released.recv().unwrap();
                Ok(())
            })
            .await
    });
    is_busy.await.unwrap();
    release
}

/// Queues a job, without waiting for its answer.
async fn queue(
    writer: &std::sync::Arc<Writer>,
    tasks: &mut JoinSet<Result<(), StoreError>>,
    work: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
) {
    let mut write = {
        let writer = writer.clone();
        Box::pin(async move { writer.write(work).await })
    };
    let queued = std::future::poll_fn(|context| std::task::Poll::Ready(write.as_mut().poll(context))).await;
    assert!(queued.is_pending(), "the writer is busy");
    tasks.spawn(write);
}

fn insert(number: i64) -> impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static {
    move |connection| {
        connection.execute("INSERT INTO numbers VALUES (?1)", [number])?;
        Ok(())
    }
}

#[tokio::test]
async fn jobs_that_wait_together_are_committed_together() {
    let (_folder, beside, writer) = writer();
    let mut tasks = JoinSet::new();
    let release = keep_busy(&writer, &mut tasks).await;
    for number in 0..100 {
        queue(&writer, &mut tasks, insert(number)).await;
    }
    release.send(()).unwrap();
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    assert_eq!(count(&beside), 100);
    assert_eq!(
        writer.commits(),
        2,
        "one for the job that kept the writer busy, one for all the others"
    );
}

#[tokio::test]
async fn a_job_that_fails_undoes_its_own_changes_and_nobody_elses() {
    let (_folder, beside, writer) = writer();
    let mut tasks = JoinSet::new();
    let release = keep_busy(&writer, &mut tasks).await;
    queue(&writer, &mut tasks, insert(1)).await;
    queue(&writer, &mut tasks, |connection| {
        insert(2)(connection)?;
        insert(1)(connection)
    })
    .await;
    queue(&writer, &mut tasks, insert(3)).await;
    release.send(()).unwrap();
    let answers = tasks.join_all().await;
    assert_eq!(
        answers
            .iter()
            .filter(|answer| **answer == Err(StoreError::Conflict))
            .count(),
        1
    );
    let numbers: String = beside
        .query_row("SELECT group_concat(n) FROM numbers", [], |row| row.get(0))
        .unwrap();
    assert_eq!(numbers, "1,3");
}

#[tokio::test]
async fn a_commit_that_fails_fails_the_whole_batch() {
    let (_folder, beside, writer) = writer();
    let mut tasks = JoinSet::new();
    let release = keep_busy(&writer, &mut tasks).await;
    let mut batch = JoinSet::new();
    queue(&writer, &mut batch, insert(1)).await;
    // A deferred foreign key is looked at when the transaction commits: this job succeeds and the commit does not.
    queue(&writer, &mut batch, |connection| {
        connection.execute("INSERT INTO pairs VALUES (1000)", [])?;
        Ok(())
    })
    .await;
    release.send(()).unwrap();
    assert!(
        tasks.join_all().await.iter().all(Result::is_ok),
        "an earlier transaction is not touched"
    );
    assert_eq!(
        batch.join_all().await,
        [Err(StoreError::Conflict), Err(StoreError::Conflict)]
    );
    assert_eq!(count(&beside), 0);

    assert_eq!(writer.write(insert(5)).await, Ok(()), "the writer goes on");
    assert_eq!(count(&beside), 1);
}

#[tokio::test]
async fn a_job_that_loses_the_transaction_fails_its_neighbours_too() {
    let (_folder, beside, writer) = writer();
    let mut tasks = JoinSet::new();
    let release = keep_busy(&writer, &mut tasks).await;
    let mut batch = JoinSet::new();
    queue(&writer, &mut batch, insert(1)).await;
    // What SQLite does by itself when the disk is full.
    queue(&writer, &mut batch, |connection| {
        Ok(connection.execute_batch("ROLLBACK")?)
    })
    .await;
    queue(&writer, &mut batch, insert(2)).await;
    release.send(()).unwrap();
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    assert!(batch.join_all().await.iter().all(Result::is_err));
    assert_eq!(count(&beside), 0);
}

#[tokio::test]
async fn closing_works_off_what_is_queued() {
    let (_folder, beside, writer) = writer();
    let mut tasks = JoinSet::new();
    let release = keep_busy(&writer, &mut tasks).await;
    queue(&writer, &mut tasks, insert(1)).await;
    release.send(()).unwrap();
    writer.close().await;
    assert_eq!(count(&beside), 1);
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    assert_eq!(writer.write(insert(2)).await, Err(StoreError::Closed));
}
