//! Clients, people, their sessions, and the audit trail.

use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::redirect_uri::RegisteredRedirectUri;
use wardgate_shared::secret::Secret;

use super::{TestStore, audit, database, digest, later};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::{Client, ClientAuthentication, ClientKeys, ClientMetadata, GrantType};
use crate::domain::session::Session;
use crate::domain::user::{Profile, User};
use crate::store::{Insertion, Store, StoreError};
use crate::testing::{self, START, Signer, key_set};

const IDLE: i64 = 3600;

#[tokio::test]
async fn a_client_comes_back_as_it_was_stored() {
    let test = TestStore::new().await;
    let service = Client {
        pkce_required: false,
        push_required: true,
        metadata: ClientMetadata {
            logo_uri: Some("https://service.example/logo.png".into()),
            ..ClientMetadata::default()
        },
        post_logout_redirect_uris: vec![
            RegisteredRedirectUri::parse("https://service.example/signed-out").unwrap(),
        ],
        ..testing::client(
            "service",
            ClientAuthentication::Secret(digest("secret")),
            &[GrantType::ClientCredentials],
            &[],
            "system/*.rs",
        )
    };
    let inserted = test
        .store
        .insert_client(service.clone(), audit(AuditAction::ClientRegistration))
        .await
        .unwrap();
    assert_eq!(inserted, Insertion::Inserted);
    assert_eq!(test.store.client("app").await.unwrap(), Some(test.client.clone()));
    assert_eq!(test.store.client("service").await.unwrap(), Some(service.clone()));
    assert_eq!(test.store.client("SERVICE").await.unwrap(), None);
    assert_eq!(test.store.clients().await.unwrap(), [test.client, service]);
}

#[tokio::test]
async fn the_keys_of_a_client_come_back_as_they_were_stored() {
    let test = TestStore::new().await;
    let signers = SignatureAlgorithm::ALL.map(|algorithm| Signer::new(algorithm, Some(algorithm.name())));
    let unnamed = Signer::new(SignatureAlgorithm::ES256, None);
    let signers: Vec<&Signer> = signers.iter().chain([&unnamed]).collect();
    for (client_id, keys) in [
        ("inline", ClientKeys::Inline(key_set(&signers))),
        ("url", ClientKeys::Url("https://client.example/jwks.json".into())),
    ] {
        let authentication = ClientAuthentication::PrivateKeyJwt { keys };
        let client = testing::client(client_id, authentication, &[], &[], "system/*.rs");
        let inserted = test
            .store
            .insert_client(client.clone(), audit(AuditAction::ClientRegistration))
            .await
            .unwrap();
        assert_eq!(inserted, Insertion::Inserted);
        assert_eq!(test.store.client(client_id).await.unwrap(), Some(client));
    }
}

#[tokio::test]
async fn a_client_with_two_ways_to_authenticate_is_a_damaged_row() {
    let test = TestStore::new().await;
    for columns in [
        "jwks = '{\"keys\":[]}', jwks_uri = 'https://client.example/', secret_digest = NULL",
        "jwks = '{\"keys\":[]}', jwks_uri = NULL, secret_digest = zeroblob(32)",
        "jwks = NULL, jwks_uri = 'https://client.example/', secret_digest = zeroblob(32)",
        "jwks = '{\"keys\":5}', jwks_uri = NULL, secret_digest = NULL",
    ] {
        test.connection()
            .execute(
                &format!("UPDATE clients SET {columns} WHERE client_id = 'app'"),
                [],
            )
            .unwrap();
        assert_eq!(
            test.store.client("app").await,
            Err(StoreError::Corrupt("clients")),
            "{columns}"
        );
    }
}

#[tokio::test]
async fn a_taken_client_id_changes_and_records_nothing() {
    let test = TestStore::new().await;
    let other = Client {
        name: "Another".into(),
        ..test.client.clone()
    };
    let inserted = test
        .store
        .insert_client(other, audit(AuditAction::ClientRegistration))
        .await
        .unwrap();
    assert_eq!(inserted, Insertion::AlreadyExists);
    assert_eq!(test.store.client("app").await.unwrap(), Some(test.client.clone()));
    assert_eq!(test.count(AuditAction::ClientRegistration).await, 1);
}

#[tokio::test]
async fn a_person_is_found_by_id_and_by_address() {
    let test = TestStore::new().await;
    for found in [
        test.store.user(&test.user.id).await,
        test.store.user_by_email("ada@example.org").await,
    ] {
        let user = found.unwrap().unwrap();
        assert_eq!(format!("{user:?}"), format!("{:?}", test.user));
    }
    assert!(test.store.user("user-x").await.unwrap().is_none());
    assert!(
        test.store
            .user_by_email("Ada@example.org")
            .await
            .unwrap()
            .is_none(),
        "callers normalise"
    );
}

#[tokio::test]
async fn a_profile_replaces_the_earlier_one_and_leaves_a_trace() {
    let test = TestStore::new().await;
    let profile: Profile = serde_json::from_value(testing::full_profile()).unwrap();
    for profile in [profile, Profile::default()] {
        let event = audit(AuditAction::UserChange);
        let found = test
            .store
            .set_profile(&test.user.id, profile.clone(), event)
            .await;
        assert_eq!(found, Ok(true));
        let user = test.store.user(&test.user.id).await.unwrap().unwrap();
        assert_eq!(user.profile, profile);
    }
    let event = audit(AuditAction::UserChange);
    let nobody = test.store.set_profile("user-x", Profile::default(), event).await;
    assert_eq!(nobody, Ok(false));
    assert_eq!(test.count(AuditAction::UserChange).await, 2);
}

#[tokio::test]
async fn a_taken_address_changes_nothing() {
    let test = TestStore::new().await;
    let twin = testing::user("ada@example.org");
    let inserted = test
        .store
        .insert_user(twin.clone(), audit(AuditAction::UserCreation))
        .await
        .unwrap();
    assert_eq!(inserted, Insertion::AlreadyExists);
    assert!(test.store.user(&twin.id).await.unwrap().is_none());
    assert_eq!(test.count(AuditAction::UserCreation).await, 1);
}

#[tokio::test]
async fn a_new_hash_takes_the_place_of_the_one_that_was_verified_and_of_no_other() {
    let test = TestStore::new().await;
    let hash = |text: &str| Secret::new(format!("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ${text}"));
    let known = hash("known");
    let grace = User {
        password_hash: Some(known.clone()),
        ..testing::user("grace@example.org")
    };
    let inserted = test
        .store
        .insert_user(grace.clone(), audit(AuditAction::UserCreation));
    assert_eq!(inserted.await, Ok(Insertion::Inserted));
    let rehash = |known: Secret<String>, new| test.store.rehash_password(&grace.id, known, new);
    assert!(rehash(known.clone(), hash("new")).await.unwrap());
    // The one that was verified is another by now: a reset came in between.
    assert!(!rehash(known, hash("old")).await.unwrap());
    let stored = test.store.user(&grace.id).await.unwrap().unwrap();
    assert_eq!(stored.password_hash.unwrap().expose(), hash("new").expose());
}

#[tokio::test]
async fn a_session_lives_until_it_idles_or_ends() {
    let test = TestStore::new().await;
    let session = test.session("cookie");
    test.store
        .begin_session(session.clone(), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    let at = |seconds, idle| test.store.session(&session.digest, idle, later(seconds));

    let (found, user) = at(0, IDLE).await.unwrap().unwrap();
    assert_eq!(found, session);
    assert_eq!(user.id, test.user.id);
    assert!(at(IDLE - 1, IDLE).await.unwrap().is_some());
    assert!(at(IDLE, IDLE).await.unwrap().is_none(), "idle");
    assert!(at(43_199, 100_000).await.unwrap().is_some());
    assert!(at(43_200, 100_000).await.unwrap().is_none(), "past its end");
    assert!(
        test.store
            .session(&digest("other"), IDLE, START)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn being_seen_keeps_a_session_alive_and_writes_once_a_minute() {
    let test = TestStore::new().await;
    test.store
        .begin_session(test.session("cookie"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    let before = test.store.commits();
    test.store
        .touch_session(&digest("cookie"), 3600, 604_800, later(59))
        .await
        .unwrap();
    assert_eq!(
        test.store.commits(),
        before,
        "nothing was written within the minute"
    );
    test.store
        .touch_session(&digest("cookie"), 3600, 604_800, later(60))
        .await
        .unwrap();
    assert_eq!(test.store.commits(), before + 1);
    let (session, _) = test
        .store
        .session(&digest("cookie"), IDLE, later(IDLE + 59))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(session.last_seen_at, later(60));
}

#[tokio::test]
async fn a_deactivated_person_has_no_session() {
    let test = TestStore::new().await;
    test.store
        .begin_session(test.session("cookie"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    test.connection()
        .execute("UPDATE users SET deactivated_at = 1", [])
        .unwrap();
    assert!(
        test.store
            .session(&digest("cookie"), IDLE, START)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_new_session_ends_the_one_it_replaces() {
    let test = TestStore::new().await;
    test.store
        .begin_session(test.session("old"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    let replaces = Some(digest("old"));
    test.store
        .begin_session(test.session("new"), replaces, audit(AuditAction::SignIn))
        .await
        .unwrap();
    assert!(
        test.store
            .session(&digest("old"), IDLE, START)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        test.store
            .session(&digest("new"), IDLE, START)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_session_ends_once() {
    let test = TestStore::new().await;
    test.store
        .begin_session(test.session("cookie"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    assert!(
        test.store
            .end_session(&digest("cookie"), audit(AuditAction::SignOut))
            .await
            .unwrap()
    );
    assert!(
        !test
            .store
            .end_session(&digest("cookie"), audit(AuditAction::SignOut))
            .await
            .unwrap()
    );
    assert!(
        test.store
            .session(&digest("cookie"), IDLE, START)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(test.count(AuditAction::SignOut).await, 1);
}

#[tokio::test]
async fn a_session_of_nobody_is_a_conflict_and_leaves_nothing() {
    let test = TestStore::new().await;
    let session = Session {
        user_id: "user-x".into(),
        ..test.session("cookie")
    };
    let refused = test
        .store
        .begin_session(session, None, audit(AuditAction::SignIn))
        .await;
    assert_eq!(refused, Err(StoreError::Conflict));
    assert_eq!(test.count(AuditAction::SignIn).await, 0);
}

#[tokio::test]
async fn audit_events_come_back_whole_newest_first() {
    let test = TestStore::new().await;
    let whole = AuditEvent::new(later(1), AuditAction::SignIn, AuditOutcome::Failure)
        .with_user("user-1")
        .with_client("app")
        .with_ip_address(Some("2001:db8::1".parse().unwrap()))
        .with_method("pwd")
        .with_reason("wrong_password");
    test.store.record(whole.clone()).await.unwrap();
    let bare = AuditEvent::new(later(2), AuditAction::SignOut, AuditOutcome::Success);
    test.store.record(bare.clone()).await.unwrap();
    assert_eq!(test.store.audit_events(2).await.unwrap(), [bare, whole]);
}

#[tokio::test]
async fn every_audit_action_and_outcome_has_a_name_of_its_own() {
    let test = TestStore::new().await;
    for action in AuditAction::ALL {
        assert_eq!(AuditAction::from_name(action.as_str()), Some(action));
        test.store.record(audit(action)).await.unwrap();
    }
    let events = test.store.audit_events(AuditAction::ALL.len()).await.unwrap();
    assert!(events.iter().rev().map(|event| event.action).eq(AuditAction::ALL));
}

#[tokio::test]
async fn audit_events_cannot_be_changed() {
    let test = TestStore::new().await;
    assert!(
        test.connection()
            .execute("UPDATE audit_events SET reason = 'x'", [])
            .is_err()
    );
}

#[tokio::test]
async fn a_damaged_row_is_an_error_and_no_panic() {
    let test = TestStore::new().await;
    test.connection()
        .execute("UPDATE clients SET grant_types = '[\"unheard_of\"]'", [])
        .unwrap();
    assert_eq!(
        test.store.client("app").await,
        Err(StoreError::Corrupt("clients"))
    );
}

#[tokio::test]
async fn a_user_comes_back_after_reopening() {
    let test = TestStore::new().await;
    test.store.close().await;
    assert_eq!(
        test.store.record(audit(AuditAction::SignIn)).await,
        Err(StoreError::Closed)
    );
    let reopened = Store::open(&database(&test.folder), &testing::sealer(), START).unwrap();
    let user: User = reopened.user(&test.user.id).await.unwrap().unwrap();
    assert_eq!(user.email, test.user.email);
}
