//! Races: of many attempts at what may be done once, one wins.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{TestStore, access, audit, authorization_code, digest, later, presented, refresh};
use crate::domain::audit_event::AuditAction;
use crate::domain::authorization_code::CodeRedemption;
use crate::store::{Approval, Insertion, RefreshRotation, StoreError};
use crate::testing::START;

pub(super) const RACERS: usize = 32;

/// Runs `attempt(number)` in tasks that start together, and gives their answers.
pub(super) async fn race<T, F>(attempt: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(RACERS));
    let mut racers = JoinSet::new();
    for number in 0..RACERS {
        let (start, attempt) = (start.clone(), attempt(number));
        racers.spawn(async move {
            start.wait().await;
            attempt.await
        });
    }
    racers.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_redemptions_of_one_code_one_wins_and_the_rest_end_the_grant() {
    let test = TestStore::new().await;
    test.approve("c", test.grant("grant-1")).await;
    let store = test.store.clone();
    let answers = race(|number| {
        let store = store.clone();
        async move {
            let refresh = refresh(&format!("r{number}"), "grant-1");
            let access = access(&format!("at-{number}"), Some("grant-1"));
            let event = audit(AuditAction::TokenRequest);
            store
                .redeem_code(&digest("c"), Some(refresh), access, START, event)
                .await
                .unwrap()
        }
    })
    .await;
    let count = |wanted| answers.iter().filter(|answer| **answer == wanted).count();
    assert_eq!(count(CodeRedemption::Redeemed), 1);
    assert_eq!(count(CodeRedemption::Replayed), RACERS - 1);
    for number in 0..RACERS {
        assert!(
            !test.is_live(&format!("at-{number}")).await,
            "the replays ended what the winner got"
        );
    }
    assert_eq!(test.count(AuditAction::TokenRequest).await, 1);
    assert_eq!(test.count(AuditAction::Replay).await, RACERS - 1);
}

/// Presents `token(number)` for the successor `r{number}`, and gives what came of each with the successors that still count.
async fn race_of_refreshes(
    test: &TestStore,
    grace_seconds: i64,
    token: impl Fn(usize) -> &'static str,
) -> (Vec<RefreshRotation>, Vec<usize>) {
    let answers = race(|number| {
        let (store, presented) = (test.store.clone(), presented(token(number), grace_seconds));
        async move {
            let successor = refresh(&format!("r{number}"), "grant-1");
            let access = access(&format!("at-{number}"), Some("grant-1"));
            let event = audit(AuditAction::TokenRequest);
            store
                .rotate_refresh_token(presented, successor, access, later(1), event)
                .await
                .unwrap()
        }
    })
    .await;
    let mut living = Vec::new();
    for number in 0..RACERS {
        if test.is_refreshable(&format!("r{number}"), 1).await {
            living.push(number);
        }
    }
    (answers, living)
}

fn count(answers: &[RefreshRotation], wanted: RefreshRotation) -> usize {
    answers.iter().filter(|answer| **answer == wanted).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_one_refresh_token_one_rotates_and_the_rest_retry_and_one_successor_lives() {
    let test = TestStore::new().await;
    test.redeemed("r", test.grant("grant-1")).await;
    let (answers, living) = race_of_refreshes(&test, 0, |_| "r").await;
    assert_eq!(count(&answers, RefreshRotation::Rotated), 1);
    assert_eq!(count(&answers, RefreshRotation::Retried), RACERS - 1);
    let [survivor] = living.as_slice() else {
        panic!("{living:?}");
    };
    for number in 0..RACERS {
        assert_eq!(test.is_live(&format!("at-{number}")).await, number == *survivor);
    }
    assert_eq!(test.count(AuditAction::Replay).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_a_refresh_token_and_its_successor_no_two_living_tokens_come() {
    let test = TestStore::new().await;
    test.redeemed("old", test.grant("grant-1")).await;
    let store = test.store.clone();
    let rotated = store
        .rotate_refresh_token(
            presented("old", 0),
            refresh("new", "grant-1"),
            access("at-new", Some("grant-1")),
            later(1),
            audit(AuditAction::TokenRequest),
        )
        .await;
    assert_eq!(rotated, Ok(RefreshRotation::Rotated));
    let (answers, living) =
        race_of_refreshes(&test, 0, |number| if number % 2 == 0 { "old" } else { "new" }).await;
    // Whoever is first, the other's next use is a replay.
    assert_eq!(count(&answers, RefreshRotation::Replayed), 1, "{answers:?}");
    assert_eq!(living, [0_usize; 0]);
    for number in 0..RACERS {
        assert!(!test.is_live(&format!("at-{number}")).await);
    }
    assert_eq!(test.count(AuditAction::Replay).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_within_the_grace_all_succeed_and_one_successor_lives() {
    let test = TestStore::new().await;
    test.redeemed("r", test.grant("grant-1")).await;
    let (answers, living) = race_of_refreshes(&test, 60, |_| "r").await;
    assert_eq!(count(&answers, RefreshRotation::Rotated), 1);
    assert_eq!(count(&answers, RefreshRotation::Tolerated), RACERS - 1);
    assert_eq!(living.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_approvals_of_one_request_one_wins() {
    let test = Arc::new(TestStore::new().await);
    test.store
        .insert_authorization_request(test.request("r"))
        .await
        .unwrap();
    let answers = race(|number| {
        let test = test.clone();
        async move {
            let code = authorization_code(&format!("c{number}"), test.grant(&format!("grant-{number}")));
            test.store
                .approve_authorization(&digest("r"), code, None, Vec::new(), START)
                .await
                .unwrap()
        }
    })
    .await;
    assert_eq!(
        answers
            .iter()
            .filter(|approved| **approved == Approval::Approved)
            .count(),
        1
    );
    let codes: i64 = test
        .connection()
        .query_row("SELECT count(*) FROM authorization_codes", [], |row| row.get(0))
        .unwrap();
    assert_eq!(codes, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_see_what_was_answered() {
    let test = Arc::new(TestStore::new().await);
    race(|number| {
        let test = test.clone();
        async move {
            let id = format!("at-{number}");
            test.store
                .record_access_token(access(&id, None), audit(AuditAction::TokenRequest))
                .await
                .unwrap();
            assert!(test.is_live(&id).await);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_look_up_that_finds_no_connection_waits_for_one() {
    let test = TestStore::new().await;
    let (busy, mut is_busy) = tokio::sync::mpsc::channel(2);
    let mut holders = JoinSet::new();
    let mut gates = Vec::new();
    // As many as the store has connections.
    for _ in 0..2 {
        let (open, opened) = std::sync::mpsc::channel::<()>();
        gates.push(open);
        let (store, busy) = (test.store.clone(), busy.clone());
        holders.spawn(async move {
            let held = store.read(move |_| {
                busy.blocking_send(()).unwrap();
                opened.recv().unwrap();
                Ok(())
            });
            held.await.unwrap();
        });
        is_busy.recv().await.unwrap();
    }
    let mut look_up = Box::pin(test.store.client("app"));
    let first = std::future::poll_fn(|context| std::task::Poll::Ready(look_up.as_mut().poll(context)));
    assert!(first.await.is_pending());
    for gate in gates {
        gate.send(()).unwrap();
    }
    assert_eq!(look_up.await.unwrap().unwrap().client_id, "app");
    holders.join_all().await;
}

#[tokio::test]
async fn a_look_up_that_another_process_stands_in_the_way_of_is_left_to_a_thread_that_may_wait() {
    let test = TestStore::new().await;
    let timeout = |connection: &rusqlite::Connection| {
        Ok(connection.pragma_query_value(None, "busy_timeout", |row| row.get::<_, i64>(0))?)
    };
    let readers = &test.store.0.readers;
    assert_eq!(readers.read_here(timeout), Some(Ok(0)));
    assert_eq!(readers.read_here(|_| Err::<(), _>(StoreError::Busy)), None);
    let corrupt = StoreError::Corrupt("clients");
    assert_eq!(readers.read_here(|_| Err::<(), _>(corrupt)), Some(Err(corrupt)));
    assert_eq!(test.store.read(timeout).await, Ok(5000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_names_for_one_person_in_one_sector_one_stays() {
    let test = TestStore::new().await;
    let (store, user_id) = (test.store.clone(), test.user.id.clone());
    let names = race(|number| {
        let (store, user_id) = (store.clone(), user_id.clone());
        async move {
            store
                .pairwise_subject("app.example", &user_id, format!("sub-{number}"))
                .await
                .unwrap()
        }
    })
    .await;
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    assert_eq!(
        store.pairwise_owner(&names[0]).await,
        Ok(Some((user_id.clone(), "app.example".into())))
    );
    let elsewhere = store
        .pairwise_subject("b.example", &user_id, "sub-b".into())
        .await;
    assert_eq!(elsewhere, Ok("sub-b".into()));
    let nobody = store
        .pairwise_subject("app.example", "user-x", "sub-x".into())
        .await;
    assert_eq!(nobody, Err(StoreError::Conflict));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_one_client_assertion_one_wins() {
    let test = TestStore::new().await;
    let store = test.store.clone();
    let answers = race(|_| {
        let store = store.clone();
        async move {
            store
                .consume_client_assertion("app", "assertion-1", later(300))
                .await
                .unwrap()
        }
    })
    .await;
    let won = answers.iter().filter(|answer| **answer == Insertion::Inserted);
    assert_eq!(won.count(), 1);
}
