//! An assertion works once.

use std::sync::Arc;

use http::StatusCode;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{BACKEND, Backend, backend, inline, is_invalid_client, present};
use crate::testing::{START, assertion_claims};

const RACERS: usize = 32;

// SMART-32
#[tokio::test]
async fn an_assertion_is_taken_once() {
    let backend = Backend::open().await;
    let assertion = backend.assertion();
    assert_eq!(
        present(&backend.clinic, &assertion, &[]).await.status,
        StatusCode::OK
    );
    is_invalid_client(&present(&backend.clinic, &assertion, &[]).await);
    let event = backend.clinic.last_audit().await;
    assert_eq!(event.reason.as_deref(), Some("client_assertion_replayed"));
}

// SMART-32
#[tokio::test]
async fn another_assertion_with_a_used_id_is_refused_too() {
    let backend = Backend::open().await;
    let mut claims = backend.claims();
    assert_eq!(backend.claiming(&claims).await.status, StatusCode::OK);
    claims["exp"] = (START.seconds() + 200).into();
    is_invalid_client(&backend.claiming(&claims).await);
}

#[tokio::test]
async fn an_assertion_is_remembered_until_it_is_refused_for_its_age() {
    let backend = Backend::open().await;
    let assertion = backend.assertion();
    assert_eq!(
        present(&backend.clinic, &assertion, &[]).await.status,
        StatusCode::OK
    );
    let issuer = &backend.clinic.issuer;
    for (seconds, reason) in [(329, "client_assertion_replayed"), (1, "client_assertion_times")] {
        issuer.advance(seconds);
        issuer.store().purge_expired(issuer.now()).await.unwrap();
        is_invalid_client(&present(&backend.clinic, &assertion, &[]).await);
        assert_eq!(backend.clinic.last_audit().await.reason.as_deref(), Some(reason));
    }
}

#[tokio::test]
async fn two_clients_may_use_one_id() {
    let Backend { clinic, signer } = Backend::open().await;
    clinic
        .issuer
        .add_client(backend("other", inline(&[&signer])))
        .await;
    for client_id in [BACKEND, "other"] {
        let mut claims = assertion_claims(client_id, START);
        claims["jti"] = "1".into();
        let answer = present(&clinic, &signer.sign(&signer.header(), &claims), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{client_id}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_one_assertion_at_once_one_gets_a_token() {
    let backend = Arc::new(Backend::open().await);
    let assertion = Arc::new(backend.assertion());
    let start = Arc::new(Barrier::new(RACERS));
    let mut racers = JoinSet::new();
    for _ in 0..RACERS {
        let (backend, assertion, start) = (backend.clone(), assertion.clone(), start.clone());
        racers.spawn(async move {
            start.wait().await;
            present(&backend.clinic, &assertion, &[]).await.status
        });
    }
    let statuses = racers.join_all().await;
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!(count(StatusCode::OK), 1);
    assert_eq!(count(StatusCode::UNAUTHORIZED), RACERS - 1);
}
