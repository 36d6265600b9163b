//! The queue of clients that are to hear of a session's end.

use wardgate_shared::scope::ScopeSet;

use super::{TestStore, audit, database, digest, later};
use crate::domain::audit_event::AuditAction;
use crate::domain::client::{Client, ClientAuthentication, GrantType};
use crate::domain::grant::Grant;
use crate::domain::logout_notification::LogoutNotification;
use crate::domain::session::Session;
use crate::store::Store;
use crate::testing;

impl TestStore {
    /// A session of this name, in which these clients of back-channel logout got tokens; each grant is `grant-{client}-{session}`.
    async fn session_with(&self, session: &str, clients: &[&str]) {
        self.store
            .begin_session(self.session(session), None, audit(AuditAction::SignIn))
            .await
            .unwrap();
        for name in clients {
            self.listening(name).await;
            let grant = self.grant_in(session, name);
            self.redeemed_by(name, grant).await;
        }
    }

    fn grant_in(&self, session: &str, client_id: &str) -> Grant {
        Grant {
            client_id: client_id.into(),
            session: Some(digest(session)),
            session_id: Some(format!("session-{session}")),
            ..self.grant(&format!("grant-{client_id}-{session}"))
        }
    }

    /// Registers a client that wants to hear of logouts, unless it is.
    async fn listening(&self, client_id: &str) {
        let mut client: Client = testing::client(
            client_id,
            ClientAuthentication::Public,
            &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            &[super::REDIRECT_URI],
            "openid patient/*.rs offline_access online_access",
        );
        client.metadata.backchannel_logout_uri = Some("https://rp.example/logout".into());
        let _ = self
            .store
            .insert_client(client, audit(AuditAction::ClientRegistration))
            .await
            .unwrap();
    }

    /// Stores a grant of this client that was redeemed: access token `at-{grant}`.
    pub(super) async fn redeemed_by(&self, client_id: &str, grant: Grant) {
        let (secret, grant_id) = (format!("code of {}", grant.id), grant.id.clone());
        let code = digest(&secret);
        self.approve(&secret, grant).await;
        let access = crate::domain::grant::AccessTokenRecord {
            client_id: client_id.into(),
            ..super::access(&format!("at-{grant_id}"), Some(&grant_id))
        };
        let redeemed =
            self.store
                .redeem_code(&code, None, access, later(0), audit(AuditAction::TokenRequest));
        assert_eq!(
            redeemed.await.unwrap(),
            crate::domain::authorization_code::CodeRedemption::Redeemed
        );
    }

    async fn end(&self, session: &str) -> bool {
        let audit = audit(AuditAction::SignOut);
        self.store.end_session(&digest(session), audit).await.unwrap()
    }

    /// What is due this many seconds after the start.
    async fn claim(&self, seconds: i64) -> Vec<LogoutNotification> {
        self.store
            .claim_logout_notifications(&[], 100, later(seconds))
            .await
            .unwrap()
    }

    async fn claimed_clients(&self, seconds: i64) -> Vec<String> {
        let mut clients: Vec<String> = self
            .claim(seconds)
            .await
            .into_iter()
            .map(|notification| notification.client_id)
            .collect();
        clients.sort();
        clients
    }
}

#[tokio::test]
async fn each_client_that_has_an_id_token_of_the_session_is_queued_once() {
    let test = TestStore::new().await;
    test.session_with("session", &["rp-1", "rp-2"]).await;
    // A second grant to the same client, one whose code was never redeemed, one without an ID token, one to a client that
    // does not listen, and one of another session.
    let again = Grant {
        id: "again".into(),
        ..test.grant_in("session", "rp-1")
    };
    test.redeemed_by("rp-1", again).await;
    test.listening("dormant").await;
    test.approve("c", test.grant_in("session", "dormant")).await;
    test.listening("no-openid").await;
    let without = Grant {
        scope: ScopeSet::parse("patient/*.rs openid_").unwrap(),
        ..test.grant_in("session", "no-openid")
    };
    test.redeemed_by("no-openid", without).await;
    test.redeemed_by("app", test.grant_in("session", "app")).await;
    test.session_with("other", &["rp-3"]).await;

    assert!(test.end("session").await);
    let claimed = test.claim(0).await;
    assert!(claimed.iter().all(|notification| {
        notification.user_id == test.user.id
            && notification.session_id == "session-session"
            && notification.attempts == 1
    }));
    let mut clients: Vec<&str> = claimed.iter().map(|claimed| &*claimed.client_id).collect();
    clients.sort_unstable();
    assert_eq!(clients, ["rp-1", "rp-2"]);
}

#[tokio::test]
async fn of_many_ends_of_one_session_one_queues() {
    let test = TestStore::new().await;
    test.session_with("session", &["rp"]).await;
    let ends = (0..20).map(|_| {
        let store = test.store.clone();
        tokio::spawn(async move {
            let audit = audit(AuditAction::SignOut);
            store.end_session(&digest("session"), audit).await.unwrap()
        })
    });
    let mut ended = 0;
    for end in ends.collect::<Vec<_>>() {
        ended += usize::from(end.await.unwrap());
    }
    assert_eq!(ended, 1);
    assert_eq!(test.rows("logout_notifications"), 1);
    assert_eq!(test.count(AuditAction::SignOut).await, 1);
}

#[tokio::test]
async fn of_many_that_claim_one_notification_one_gets_it() {
    let test = TestStore::new().await;
    test.session_with("session", &["rp"]).await;
    test.end("session").await;
    let claims = (0..20).map(|_| {
        let store = test.store.clone();
        tokio::spawn(async move {
            let claimed = store.claim_logout_notifications(&[], 5, later(0)).await;
            claimed.unwrap().len()
        })
    });
    let mut claimed = 0;
    for claim in claims.collect::<Vec<_>>() {
        claimed += claim.await.unwrap();
    }
    assert_eq!(claimed, 1);
}

#[tokio::test]
async fn a_client_is_told_one_thing_at_a_time_and_not_while_it_is_busy() {
    let test = TestStore::new().await;
    test.session_with("first", &["rp-1", "rp-2"]).await;
    test.session_with("second", &["rp-1"]).await;
    test.end("first").await;
    test.end("second").await;
    let busy = [String::from("rp-2")];
    let claimed = test.store.claim_logout_notifications(&busy, 100, later(0)).await;
    let claimed = claimed.unwrap();
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    assert_eq!(
        (&*claimed[0].client_id, &*claimed[0].session_id),
        ("rp-1", "session-first")
    );
    assert_eq!(test.claimed_clients(0).await, ["rp-1", "rp-2"]);
    let limited = test.store.claim_logout_notifications(&[], 1, later(1000)).await;
    assert_eq!(limited.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_claimed_and_not_finished_is_due_again_after_a_pause() {
    let test = TestStore::new().await;
    test.session_with("session", &["rp"]).await;
    test.end("session").await;
    assert_eq!(test.claim(0).await[0].attempts, 1);
    assert!(test.claim(9).await.is_empty());
    // As another process finds it that opens the same file.
    test.store.close().await;
    let store = Store::open(&database(&test.folder), &testing::sealer(), later(10)).unwrap();
    let claimed = store.claim_logout_notifications(&[], 5, later(10)).await.unwrap();
    assert_eq!(claimed[0].attempts, 2);
    let audit = audit(AuditAction::BackchannelLogout);
    store
        .finish_logout_notification(claimed[0].id, audit)
        .await
        .unwrap();
    assert_eq!(test.rows("logout_notifications"), 0);
    assert_eq!(
        store.audit_events(1).await.unwrap()[0].action,
        AuditAction::BackchannelLogout
    );
}

#[tokio::test]
async fn a_session_keeps_its_id_when_the_same_person_signs_in_again_and_tells_nobody() {
    let test = TestStore::new().await;
    test.session_with("session", &["rp"]).await;
    let next = test.session("next");
    test.store
        .begin_session(next, Some(digest("session")), audit(AuditAction::SignIn))
        .await
        .unwrap();
    assert!(test.claim(0).await.is_empty());
    let found = test.store.session(&digest("next"), 3600, later(0)).await.unwrap();
    assert_eq!(found.unwrap().0.id, "session-session");
    // The end of the next one is the end of what was given in the first.
    test.end("next").await;
    assert_eq!(test.claim(0).await[0].session_id, "session-session");
}

#[tokio::test]
async fn somebody_else_who_signs_in_ends_the_session_before_for_its_clients() {
    let test = TestStore::new().await;
    test.session_with("session", &["rp"]).await;
    let other = testing::user("bo@example.org");
    let _ = test
        .store
        .insert_user(other.clone(), audit(AuditAction::UserCreation))
        .await
        .unwrap();
    let theirs = Session {
        user_id: other.id,
        ..test.session("theirs")
    };
    test.store
        .begin_session(theirs, Some(digest("session")), audit(AuditAction::SignIn))
        .await
        .unwrap();
    assert_eq!(test.claim(0).await[0].user_id, test.user.id);
    let found = test
        .store
        .session(&digest("theirs"), 3600, later(0))
        .await
        .unwrap();
    assert_eq!(found.unwrap().0.id, "session-theirs");
}

#[tokio::test]
async fn a_client_hears_of_the_end_when_all_its_tokens_are_gone() {
    let test = TestStore::new().await;
    test.session_with("session", &["rp"]).await;
    test.store.purge_expired(later(4000)).await.unwrap();
    assert_eq!(test.rows("access_tokens"), 0);
    test.end("session").await;
    assert_eq!(test.claimed_clients(0).await, ["rp"]);
    // Without the session nothing keeps the grant.
    test.store.purge_expired(later(4000)).await.unwrap();
    assert_eq!(test.rows("grants"), 0);
}

#[tokio::test]
async fn all_sessions_of_a_person_end_together() {
    let test = TestStore::new().await;
    test.session_with("one", &["rp-1"]).await;
    test.session_with("two", &["rp-2"]).await;
    let sign_out = || {
        test.store
            .end_sessions_of(&test.user.id, audit(AuditAction::SignOut))
    };
    assert_eq!(sign_out().await.unwrap(), 2);
    assert_eq!(test.claimed_clients(0).await, ["rp-1", "rp-2"]);
    assert_eq!(sign_out().await.unwrap(), 0);
    assert_eq!(test.count(AuditAction::SignOut).await, 1);
    // What may outlast the session does.
    assert!(test.is_live("at-grant-rp-1-one").await);
}

#[tokio::test]
async fn a_closed_account_ends_sessions_and_grants() {
    let test = TestStore::new().await;
    test.session_with("session", &["rp"]).await;
    test.redeemed("r", test.grant("offline")).await;
    let close = || {
        let audit = audit(AuditAction::UserDeactivation);
        test.store.deactivate_user(&test.user.id, None, audit)
    };
    assert!(close().await.unwrap().unwrap());
    assert_eq!(test.claimed_clients(0).await, ["rp"]);
    assert!(!test.is_live("at-r").await && !test.is_live("at-grant-rp-session").await);
    assert!(!test.is_refreshable("r", 1).await);
    assert!(!close().await.unwrap().unwrap());
    assert_eq!(test.count(AuditAction::UserDeactivation).await, 1);
}
