//! What people have given to clients: listed, and taken back.

use tokio::task::JoinSet;

use super::{TestStore, access, audit, digest, later, presented, refresh};
use crate::domain::audit_event::AuditAction;
use crate::domain::client::ClientAuthentication;
use crate::domain::grant::{AccessTokenRecord, Grant};
use crate::store::RefreshRotation;
use crate::testing::{self, START};

impl TestStore {
    /// The grants of the client `app` that this person is shown so many seconds after the start.
    async fn shown(&self, seconds: i64) -> Vec<String> {
        let apps = self
            .store
            .connected_apps(&self.user.id, later(seconds))
            .await
            .unwrap();
        let grants = apps.into_iter().flat_map(|app| app.grants);
        grants.map(|grant| grant.id).collect()
    }

    async fn withdraw(&self) -> bool {
        let event = audit(AuditAction::ConsentWithdrawal);
        let withdrawn = self.store.withdraw_consent(&self.user.id, "app", event).await;
        withdrawn.unwrap()
    }
}

#[tokio::test]
async fn a_grant_is_shown_while_something_can_come_of_it() {
    let test = TestStore::new().await;
    test.approve("dormant", test.grant("grant-dormant")).await;
    assert_eq!(test.shown(0).await, Vec::<String>::new(), "nothing was redeemed");
    test.redeemed("r", test.grant("grant-1")).await;
    assert_eq!(test.shown(0).await, ["grant-1"]);
    assert_eq!(
        test.shown(2_591_999).await,
        ["grant-1"],
        "its refresh token lives"
    );
    assert_eq!(test.shown(2_592_000).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_grant_for_the_length_of_a_session_is_not_shown_after_it() {
    let test = TestStore::new().await;
    test.store
        .begin_session(test.session("session"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    let grant = Grant {
        scope: wardgate_shared::scope::ScopeSet::parse("openid").unwrap(),
        ..test.grant("grant-1")
    };
    test.redeemed("r", grant).await;
    assert_eq!(test.shown(43_199).await, ["grant-1"]);
    assert_eq!(test.shown(43_200).await, Vec::<String>::new());
}

#[tokio::test]
async fn taking_back_ends_exchanged_tokens_of_this_person_and_client_only() {
    let test = TestStore::new().await;
    let record = |token_id: &str, user_id: Option<&str>| AccessTokenRecord {
        user_id: user_id.map(String::from),
        ..access(token_id, None)
    };
    let event = || audit(AuditAction::TokenRequest);
    for record in [
        record("at-theirs", Some(&test.user.id)),
        record("at-somebodys", Some("user-other")),
        record("at-the-apps-own", None),
    ] {
        test.store.record_access_token(record, event()).await.unwrap();
    }
    let other = testing::client("other", ClientAuthentication::Public, &[], &[], "openid");
    let _ = test.store.insert_client(other, event()).await.unwrap();
    let grant = Grant {
        client_id: "other".into(),
        ..test.grant("grant-of-other")
    };
    test.redeemed_by("other", grant).await;
    let of_others = record("at-of-others", Some(&test.user.id));
    let exchanged = test
        .store
        .exchange_access_token("at-grant-of-other", of_others, START, event());
    assert!(exchanged.await.unwrap());
    let apps = test.store.connected_apps(&test.user.id, START).await.unwrap();
    let names: Vec<&str> = apps.iter().map(|app| app.client.client_id.as_str()).collect();
    assert_eq!(names, ["app", "other"]);
    assert!(apps[0].is_at_work() && !apps[0].works_offline() && apps[1].works_offline());

    assert!(test.withdraw().await);
    assert!(!test.is_live("at-theirs").await && !test.is_live("at-of-others").await);
    assert!(
        test.is_live("at-grant-of-other").await,
        "the other app keeps what it was given"
    );
    assert!(test.is_live("at-somebodys").await && test.is_live("at-the-apps-own").await);
    assert!(!test.withdraw().await, "there is nothing left");
    assert_eq!(test.count(AuditAction::ConsentWithdrawal).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_app_that_renews_while_its_access_is_taken_back_holds_nothing() {
    for round in 0..20 {
        let test = TestStore::new().await;
        test.redeemed("r", test.grant("grant-1")).await;
        let mut racers = JoinSet::new();
        let store = test.store.clone();
        racers.spawn(async move {
            let event = audit(AuditAction::TokenRequest);
            let (old, new) = (presented("r", 0), refresh("r2", "grant-1"));
            let renewed = access("at-r2", Some("grant-1"));
            let rotation = store
                .rotate_refresh_token(old, new, renewed, later(1), event)
                .await;
            matches!(
                rotation.unwrap(),
                RefreshRotation::Rotated | RefreshRotation::Dead
            )
        });
        let (store, user_id) = (test.store.clone(), test.user.id.clone());
        racers.spawn(async move {
            let event = audit(AuditAction::ConsentWithdrawal);
            store.withdraw_consent(&user_id, "app", event).await.unwrap()
        });
        assert_eq!(racers.join_all().await, [true, true]);
        for token in ["at-r", "at-r2"] {
            assert!(!test.is_live(token).await, "{token} in round {round}");
        }
        for token in ["r", "r2"] {
            assert!(!test.is_refreshable(token, 1).await, "{token} in round {round}");
        }
        assert!(test.store.refresh_token(&digest("r")).await.unwrap().is_some());
    }
}
