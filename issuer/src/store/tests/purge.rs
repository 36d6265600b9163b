//! What is forgotten, and what is not.

use wardgate_shared::jwt::SignatureAlgorithm;

use super::{TestStore, access, audit, digest, later};
use crate::domain::audit_event::AuditAction;
use crate::domain::proof_use::ProofUse;
use crate::domain::signing_key::StoredSigningKey;
use crate::store::Insertion;

impl TestStore {
    pub(super) fn rows(&self, table: &str) -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        self.connection().query_row(&query, [], |row| row.get(0)).unwrap()
    }

    async fn purge(&self, seconds: i64) -> usize {
        self.store.purge_expired(later(seconds)).await.unwrap().rows
    }
}

#[tokio::test]
async fn what_has_not_expired_stays() {
    let test = TestStore::new().await;
    test.store
        .begin_session(test.session("session"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    test.store
        .insert_authorization_request(test.request("waiting"))
        .await
        .unwrap();
    test.approve("pending", test.grant("grant-1")).await;
    test.redeemed("r", test.grant("grant-2")).await;
    assert_eq!(test.purge(59).await, 0);
}

#[tokio::test]
async fn what_has_expired_goes() {
    let test = TestStore::new().await;
    test.store
        .begin_session(test.session("session"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    test.store
        .insert_authorization_request(test.request("waiting"))
        .await
        .unwrap();
    test.approve("pending", test.grant("grant-1")).await;
    assert_eq!(test.purge(60).await, 1, "the grant whose code was never redeemed");
    assert_eq!(test.rows("authorization_codes"), 0);
    assert_eq!(test.purge(600).await, 1, "the request");
    assert_eq!(test.purge(43_200).await, 1, "the session");
    assert!(test.rows("audit_events") > 0, "the audit trail stays");
}

#[tokio::test]
async fn a_consumed_code_stays_as_long_as_something_lives_under_its_grant() {
    let test = TestStore::new().await;
    test.redeemed("r", test.grant("grant-1")).await;
    assert_eq!(test.purge(3600).await, 1, "the access token");
    assert_eq!(
        test.rows("authorization_codes"),
        1,
        "its replay would still be known"
    );
    assert!(test.store.refresh_token(&digest("r")).await.unwrap().is_some());
    assert_eq!(
        test.purge(2_592_000).await,
        3,
        "the status list, the refresh token and the grant"
    );
    assert_eq!(test.rows("authorization_codes"), 0);
}

#[tokio::test]
async fn many_rows_go_in_portions() {
    let test = TestStore::new().await;
    for number in 0..1200 {
        test.connection()
            .execute(
                "INSERT INTO access_tokens (token_id, client_id, expires_at) VALUES (?1, 'app', 0)",
                [format!("at-{number}")],
            )
            .unwrap();
    }
    test.store
        .record_access_token(access("at-live", None), audit(AuditAction::TokenRequest))
        .await
        .unwrap();
    assert_eq!(test.purge(0).await, 1200);
    assert!(test.is_live("at-live").await);
}

#[tokio::test]
async fn a_signing_key_goes_when_it_is_no_longer_published() {
    let test = TestStore::new().await;
    let key = |key_id: &str, published_until| StoredSigningKey {
        key_id: key_id.into(),
        algorithm: SignatureAlgorithm::ES256,
        sealed_private_key: vec![1, 2, 3],
        created_at: later(0),
        signs_from: later(0),
        signs_until: None,
        published_until,
    };
    let event = || audit(AuditAction::KeyRotation);
    test.store
        .insert_signing_key(key("old", None), Vec::new(), event())
        .await
        .unwrap();
    let retire = vec![(String::from("old"), later(10), later(20))];
    test.store
        .insert_signing_key(key("new", None), retire, event())
        .await
        .unwrap();
    assert_eq!(test.purge(19).await, 0);
    assert_eq!(test.purge(20).await, 1);
    let left = test.store.signing_keys().await.unwrap();
    assert_eq!(
        left.iter().map(|key| key.key_id.as_str()).collect::<Vec<_>>(),
        ["new"]
    );
}

#[tokio::test]
async fn a_used_proof_goes_when_its_age_refuses_it() {
    let test = TestStore::new().await;
    let proof = ProofUse {
        digest: digest("proof"),
        expires_at: later(120),
    };
    let consume = || test.store.consume_dpop_proof(proof.clone());
    assert_eq!(consume().await.unwrap(), Insertion::Inserted);
    assert_eq!(test.purge(119).await, 0);
    assert_eq!(consume().await.unwrap(), Insertion::AlreadyExists);
    assert_eq!(test.purge(120).await, 1);
    assert_eq!(test.rows("dpop_proofs"), 0);
}

#[tokio::test]
async fn a_used_assertion_goes_when_its_age_refuses_it() {
    let test = TestStore::new().await;
    let consume = || {
        test.store
            .consume_client_assertion("app", "assertion-1", later(300))
    };
    assert_eq!(consume().await.unwrap(), Insertion::Inserted);
    assert_eq!(test.purge(299).await, 0);
    assert_eq!(consume().await.unwrap(), Insertion::AlreadyExists);
    assert_eq!(test.purge(300).await, 1);
    assert_eq!(test.rows("client_assertions"), 0);
}
