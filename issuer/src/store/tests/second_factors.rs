//! Second factors, recovery codes, unfinished sign-ins and remembered browsers.

use wardgate_shared::secret::Secret;

use super::concurrency::{RACERS, race};
use super::{TestStore, audit, digest, later};
use crate::domain::audit_event::AuditAction;
use crate::domain::digest::SecretDigest;
use crate::domain::factor::{Factor, FactorKind, FactorUse, MOST_FACTORS};
use crate::domain::remembered_device::RememberedDevice;
use crate::domain::session::{AuthenticationMethod, Session};
use crate::domain::sign_in::{Completed, Completion, DeviceChange, MOST_TRIES, SignInProgress};
use crate::store::{FactorRemoval, Insertion, StoreError};
use crate::testing::{START, user};

const IDLE: i64 = 604_800;

impl TestStore {
    fn factor(&self, id: &str) -> Factor {
        Factor {
            id: id.into(),
            user_id: self.user.id.clone(),
            kind: FactorKind::Totp,
            name: "Authenticator app".into(),
            sealed: Some(vec![1, 2, 3]),
            detail: Some(serde_json::json!({ "digits": 6 })),
            created_at: START,
            confirmed_at: Some(START),
            last_used_at: None,
            last_step: None,
        }
    }

    async fn add_factor(&self, id: &str) {
        let inserted = self.store.insert_factor(self.factor(id), None).await.unwrap();
        assert_eq!(inserted, Insertion::Inserted);
    }

    fn sign_in(&self, secret: &str) -> SignInProgress {
        SignInProgress {
            digest: digest(secret),
            user_id: self.user.id.clone(),
            methods: vec![AuthenticationMethod::Password],
            authenticated_at: START,
            request: Some(digest("request")),
            expires_at: later(600),
        }
    }

    /// The end of a sign-in with the session `secret`.
    fn completion(&self, secret: &str, used: Option<FactorUse>) -> Completion {
        Completion {
            session: Session {
                second_factor_at: Some(START),
                ..self.session(secret)
            },
            // A factor is given in a session, unless a sign-in is named that is in progress.
            replaces: used.as_ref().map(|_| digest(&format!("held {secret}"))),
            sign_in: None,
            abandons: None,
            password: None,
            used,
            enrols: false,
            recovery_codes: Vec::new(),
            device: DeviceChange::None,
            notice: None,
            audit: vec![audit(AuditAction::SignIn)],
        }
    }

    async fn complete(&self, completion: Completion) -> Completed {
        if let Some(held) = completion.replaces
            && completion.sign_in.is_none()
        {
            self.hold(held).await;
        }
        self.store.complete_sign_in(completion, START).await.unwrap()
    }

    /// Begins the session of this digest.
    async fn hold(&self, digest: SecretDigest) {
        let name = format!("{:?}", digest.as_bytes());
        let session = Session {
            digest,
            ..self.session(&name)
        };
        let event = audit(AuditAction::Consent);
        let begun = self.store.begin_session(session, None, event).await;
        assert!(
            matches!(begun, Ok(()) | Err(StoreError::Conflict)),
            "it may be held already"
        );
    }

    async fn has_session(&self, secret: &str) -> bool {
        let found = self.store.session(&digest(secret), 3600, START).await.unwrap();
        found.is_some()
    }

    fn device(&self, id: &str, secret: &str) -> RememberedDevice {
        RememberedDevice {
            id: id.into(),
            digest: digest(secret),
            user_id: self.user.id.clone(),
            label: "Firefox on Linux".into(),
            created_at: START,
            last_factor_at: START,
            last_seen_at: START,
            expires_at: later(IDLE),
        }
    }

    async fn remember(&self, session: &str, device: RememberedDevice, before: Option<&str>) {
        let change = DeviceChange::Remember {
            device,
            before: before.map(digest),
        };
        let completion = Completion {
            device: change,
            ..self.completion(session, None)
        };
        assert_eq!(self.complete(completion).await, Completed::Begun);
    }
}

fn code_of_step(step: i64) -> FactorUse {
    FactorUse::OneTimePassword {
        factor_id: "factor-1".into(),
        step,
    }
}

#[tokio::test]
async fn a_factor_comes_back_as_it_was_stored_and_only_to_its_person() {
    let test = TestStore::new().await;
    let factor = test.factor("factor-1");
    test.add_factor("factor-1").await;
    let mut unconfirmed = test.factor("factor-2");
    unconfirmed.confirmed_at = None;
    let _ = test.store.insert_factor(unconfirmed.clone(), None).await.unwrap();
    assert_eq!(
        test.store.factors(&test.user.id).await.unwrap(),
        std::slice::from_ref(&factor)
    );
    assert_eq!(
        test.store.factor(&test.user.id, "factor-2").await.unwrap(),
        Some(unconfirmed)
    );
    assert_eq!(test.store.factor("user-x", "factor-1").await.unwrap(), None);
    assert_eq!(test.store.factors("user-x").await.unwrap(), []);
    let again = test.store.insert_factor(factor, None).await.unwrap();
    assert_eq!(again, Insertion::AlreadyExists);
}

#[tokio::test]
async fn nobody_has_more_factors_than_one_may_have() {
    let test = TestStore::new().await;
    for number in 0..MOST_FACTORS {
        test.add_factor(&format!("factor-{number}")).await;
    }
    let event = Some(audit(AuditAction::FactorEnrolment));
    let refused = test
        .store
        .insert_factor(test.factor("factor-x"), event.map(|event| (event, None)))
        .await;
    assert_eq!(refused, Ok(Insertion::AlreadyExists));
    assert_eq!(test.count(AuditAction::FactorEnrolment).await, 0);
}

#[tokio::test]
async fn a_factor_that_nobody_confirmed_goes_after_an_hour() {
    let test = TestStore::new().await;
    let unconfirmed = Factor {
        confirmed_at: None,
        ..test.factor("factor-1")
    };
    let _ = test.store.insert_factor(unconfirmed, None).await.unwrap();
    test.add_factor("factor-2").await;
    assert_eq!(test.store.purge_expired(later(3599)).await.unwrap().rows, 0);
    assert_eq!(test.store.purge_expired(later(3600)).await.unwrap().rows, 1);
    assert_eq!(test.store.factors(&test.user.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_step_and_those_before_it_count_once() {
    let test = TestStore::new().await;
    test.add_factor("factor-1").await;
    assert_eq!(
        test.complete(test.completion("a", Some(code_of_step(100)))).await,
        Completed::Begun
    );
    for step in [100, 99] {
        let again = test.completion("b", Some(code_of_step(step)));
        assert_eq!(test.complete(again).await, Completed::FactorSpent);
    }
    assert!(!test.has_session("b").await, "nothing is stored");
    assert_eq!(test.count(AuditAction::SignIn).await, 1);
    assert_eq!(
        test.complete(test.completion("c", Some(code_of_step(101)))).await,
        Completed::Begun
    );
    let factor = test
        .store
        .factor(&test.user.id, "factor-1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((factor.last_step, factor.last_used_at), (Some(101), Some(START)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_one_step_one_signs_in() {
    let test = TestStore::new().await;
    test.add_factor("factor-1").await;
    for number in 0..RACERS {
        test.hold(digest(&format!("held s{number}"))).await;
    }
    let answers = race(|number| {
        let store = test.store.clone();
        let completion = test.completion(&format!("s{number}"), Some(code_of_step(7)));
        async move { store.complete_sign_in(completion, START).await.unwrap() }
    })
    .await;
    let begun = answers.iter().filter(|answer| **answer == Completed::Begun);
    assert_eq!(begun.count(), 1);
    assert_eq!(answers.len(), RACERS);
    assert_eq!(test.count(AuditAction::SignIn).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_one_recovery_code_one_signs_in() {
    let test = TestStore::new().await;
    test.hold(digest("kept")).await;
    for number in 0..RACERS {
        test.hold(digest(&format!("held s{number}"))).await;
    }
    let codes = vec![digest("code-1"), digest("code-2")];
    let event = audit(AuditAction::RecoveryCodes);
    test.store
        .replace_recovery_codes(&test.user.id, codes, digest("kept"), None, event)
        .await
        .unwrap();
    let answers = race(|number| {
        let store = test.store.clone();
        let used = FactorUse::RecoveryCode {
            digest: digest("code-1"),
        };
        let completion = test.completion(&format!("s{number}"), Some(used));
        async move { store.complete_sign_in(completion, START).await.unwrap() }
    })
    .await;
    let begun = answers.iter().filter(|answer| **answer == Completed::Begun);
    assert_eq!(begun.count(), 1);
    assert_eq!(test.store.unused_recovery_codes(&test.user.id).await, Ok(1));
    let has = |code| {
        let (store, user_id) = (test.store.clone(), test.user.id.clone());
        async move { store.has_recovery_code(&user_id, &digest(code)).await.unwrap() }
    };
    assert!(!has("code-1").await && has("code-2").await);
    assert!(
        !test
            .store
            .has_recovery_code("user-x", &digest("code-2"))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn new_recovery_codes_replace_the_old() {
    let test = TestStore::new().await;
    test.hold(digest("kept")).await;
    let replace = |code, session| {
        let event = audit(AuditAction::RecoveryCodes);
        let codes = vec![digest(code)];
        test.store
            .replace_recovery_codes(&test.user.id, codes, digest(session), None, event)
    };
    for code in ["old", "new"] {
        assert_eq!(replace(code, "kept").await, Ok(true));
    }
    assert_eq!(replace("stolen", "ended").await, Ok(false), "its session is over");
    let has = test.store.has_recovery_code(&test.user.id, &digest("old")).await;
    assert_eq!(has, Ok(false));
    assert_eq!(test.store.unused_recovery_codes(&test.user.id).await, Ok(1));
}

#[tokio::test]
async fn another_persons_factor_completes_nothing() {
    let test = TestStore::new().await;
    let other = user("grace@example.org");
    let _ = test
        .store
        .insert_user(other.clone(), audit(AuditAction::UserCreation))
        .await
        .unwrap();
    let theirs = Factor {
        user_id: other.id,
        ..test.factor("factor-1")
    };
    let _ = test.store.insert_factor(theirs, None).await.unwrap();
    let checked = FactorUse::Checked {
        factor_id: "factor-1".into(),
    };
    for used in [code_of_step(1), checked] {
        let completion = test.completion("a", Some(used));
        assert_eq!(test.complete(completion).await, Completed::FactorSpent);
    }
}

#[tokio::test]
async fn setting_up_confirms_once_and_gives_codes_to_whoever_has_none() {
    let test = TestStore::new().await;
    let unconfirmed = Factor {
        confirmed_at: None,
        ..test.factor("factor-1")
    };
    let _ = test.store.insert_factor(unconfirmed, None).await.unwrap();
    let use_it = test.completion("a", Some(code_of_step(1)));
    assert_eq!(
        test.complete(use_it).await,
        Completed::FactorSpent,
        "an unconfirmed factor signs nobody in"
    );
    let enrol = |secret: &str, step| Completion {
        enrols: true,
        recovery_codes: vec![digest(&format!("{secret} 1")), digest(&format!("{secret} 2"))],
        ..test.completion(secret, Some(code_of_step(step)))
    };
    assert_eq!(test.complete(enrol("b", 1)).await, Completed::Begun);
    assert_eq!(test.store.unused_recovery_codes(&test.user.id).await, Ok(2));
    assert_eq!(
        test.complete(enrol("c", 2)).await,
        Completed::FactorSpent,
        "it is confirmed already"
    );
    let second = Factor {
        confirmed_at: None,
        ..test.factor("factor-2")
    };
    let _ = test.store.insert_factor(second, None).await.unwrap();
    let checked = FactorUse::Checked {
        factor_id: "factor-2".into(),
    };
    let more = Completion {
        used: Some(checked),
        ..enrol("d", 0)
    };
    assert_eq!(test.complete(more).await, Completed::Begun);
    assert_eq!(test.store.unused_recovery_codes(&test.user.id).await, Ok(2));
}

#[tokio::test]
async fn the_last_factor_stays_where_one_is_needed_and_takes_all_along_where_not() {
    let test = TestStore::new().await;
    test.add_factor("factor-1").await;
    test.add_factor("factor-2").await;
    let event = || audit(AuditAction::FactorRemoval);
    test.hold(digest("kept")).await;
    test.store
        .replace_recovery_codes(&test.user.id, vec![digest("code")], digest("kept"), None, event())
        .await
        .unwrap();
    test.remember("s", test.device("device-1", "cookie"), None).await;
    let remove = |id: &'static str, needs_one| {
        let (store, user_id) = (test.store.clone(), test.user.id.clone());
        async move {
            store
                .remove_factor(&user_id, id, needs_one, digest("kept"), None, event())
                .await
                .unwrap()
        }
    };
    assert_eq!(remove("factor-x", true).await, FactorRemoval::NotFound);
    let in_ended = test
        .store
        .remove_factor(&test.user.id, "factor-1", false, digest("ended"), None, event());
    assert_eq!(in_ended.await, Ok(FactorRemoval::NotFound), "its session is over");
    assert_eq!(remove("factor-1", true).await, FactorRemoval::Removed);
    assert_eq!(remove("factor-2", true).await, FactorRemoval::LastOne);
    assert_eq!(test.rows("recovery_codes"), 1);
    assert_eq!(test.rows("remembered_devices"), 0, "any removal forgets them");
    assert_eq!(remove("factor-2", false).await, FactorRemoval::Removed);
    assert_eq!(test.rows("recovery_codes") + test.rows("remembered_devices"), 0);
    let refused = test
        .store
        .remove_factor("user-x", "factor-2", false, digest("kept"), None, event())
        .await;
    assert_eq!(refused, Ok(FactorRemoval::NotFound));
}

#[tokio::test]
async fn a_factor_is_renamed_by_its_person() {
    let test = TestStore::new().await;
    test.add_factor("factor-1").await;
    let rename = |user_id: String| {
        let store = test.store.clone();
        let event = audit(AuditAction::FactorChange);
        async move { store.rename_factor(&user_id, "factor-1", "Phone", event).await }
    };
    assert_eq!(rename("user-x".into()).await, Ok(false));
    assert_eq!(rename(test.user.id.clone()).await, Ok(true));
    assert_eq!(test.store.factors(&test.user.id).await.unwrap()[0].name, "Phone");
    assert_eq!(test.count(AuditAction::FactorChange).await, 1);
}

#[tokio::test]
async fn a_reset_leaves_nothing_of_a_persons_factors() {
    let test = TestStore::new().await;
    test.add_factor("factor-1").await;
    test.store
        .begin_sign_in(test.sign_in("half"), None, None)
        .await
        .unwrap();
    test.store.decline_factor(&test.user.id, START).await.unwrap();
    assert_eq!(test.store.has_declined_factor(&test.user.id).await, Ok(true));
    test.remember("s", test.device("device-1", "cookie"), None).await;
    let reset = || {
        test.store
            .reset_factors(&test.user.id, None, None, audit(AuditAction::FactorReset))
    };
    assert_eq!(reset().await, Ok(Ok(1)));
    for table in ["factors", "recovery_codes", "remembered_devices", "sign_ins"] {
        assert_eq!(test.rows(table), 0, "{table}");
    }
    assert_eq!(test.store.has_declined_factor(&test.user.id).await, Ok(false));
    assert_eq!(reset().await, Ok(Ok(0)));
    assert_eq!(test.count(AuditAction::FactorReset).await, 2);
}

#[tokio::test]
async fn a_sign_in_ends_with_its_session_its_time_its_tries_or_its_persons_account() {
    let test = TestStore::new().await;
    let begin = |secret| test.store.begin_sign_in(test.sign_in(secret), None, None);
    let found = |secret: &'static str, seconds| {
        let store = test.store.clone();
        async move { store.sign_in(&digest(secret), later(seconds)).await.unwrap() }
    };
    begin("half").await.unwrap();
    let (sign_in, user) = found("half", 599).await.unwrap();
    assert_eq!((sign_in, user.id), (test.sign_in("half"), test.user.id.clone()));
    assert!(found("half", 600).await.is_none(), "too late");
    assert!(found("other", 0).await.is_none());

    let finish = || Completion {
        sign_in: Some(digest("half")),
        ..test.completion("whole", None)
    };
    assert_eq!(test.complete(finish()).await, Completed::Begun);
    assert!(found("half", 0).await.is_none());
    assert_eq!(test.complete(finish()).await, Completed::SignInGone);

    begin("guessed").await.unwrap();
    for _ in 0..MOST_TRIES {
        assert!(found("guessed", 0).await.is_some());
        test.store.count_wrong_answer(&digest("guessed")).await.unwrap();
    }
    assert!(found("guessed", 0).await.is_none());

    begin("given-up").await.unwrap();
    test.store.abandon_sign_in(&digest("given-up")).await.unwrap();
    assert!(found("given-up", 0).await.is_none());

    begin("old").await.unwrap();
    let replaces = Some(digest("old"));
    test.store
        .begin_sign_in(test.sign_in("new"), None, replaces)
        .await
        .unwrap();
    assert!(found("old", 0).await.is_none());
    let event = audit(AuditAction::UserDeactivation);
    assert!(
        test.store
            .deactivate_user(&test.user.id, None, event)
            .await
            .unwrap()
            .unwrap()
    );
    assert!(found("new", 0).await.is_none());
}

#[tokio::test]
async fn a_sign_in_of_one_person_gives_no_session_to_another() {
    let test = TestStore::new().await;
    test.store
        .begin_sign_in(test.sign_in("half"), None, None)
        .await
        .unwrap();
    let stolen = Completion {
        sign_in: Some(digest("half")),
        session: Session {
            user_id: "user-x".into(),
            ..test.session("whole")
        },
        ..test.completion("whole", None)
    };
    assert_eq!(test.complete(stolen).await, Completed::SignInGone);
}

#[tokio::test]
async fn a_session_of_nobody_consumes_nothing() {
    let test = TestStore::new().await;
    test.add_factor("factor-1").await;
    let mut completion = test.completion("a", Some(code_of_step(1)));
    completion.device = DeviceChange::Remember {
        device: test.device("device-1", "cookie"),
        before: None,
    };
    // A session's digest is never taken; this one is.
    test.store
        .begin_session(test.session("a"), None, audit(AuditAction::SignIn))
        .await
        .unwrap();
    test.hold(digest("held a")).await;
    let refused = test.store.complete_sign_in(completion, START).await;
    assert_eq!(refused, Err(StoreError::Conflict));
    let factor = test
        .store
        .factor(&test.user.id, "factor-1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(factor.last_step, None);
    assert_eq!(test.rows("remembered_devices"), 0);
}

#[tokio::test]
async fn a_browser_is_remembered_for_each_of_its_people_and_its_cookie_changes_for_all() {
    let test = TestStore::new().await;
    let other = user("grace@example.org");
    let _ = test
        .store
        .insert_user(other.clone(), audit(AuditAction::UserCreation))
        .await
        .unwrap();
    test.remember("a", test.device("device-1", "one"), None).await;
    let of_other = Completion {
        session: Session {
            user_id: other.id.clone(),
            ..test.session("b")
        },
        device: DeviceChange::Remember {
            device: test.device("device-2", "two"),
            before: Some(digest("one")),
        },
        ..test.completion("b", None)
    };
    assert_eq!(test.complete(of_other).await, Completed::Begun);
    let found = |secret: &'static str, user_id: &str, seconds| {
        let (store, user_id) = (test.store.clone(), String::from(user_id));
        async move {
            let device = store
                .remembered_device(&digest(secret), &user_id, later(seconds))
                .await;
            device.unwrap().map(|device| device.id)
        }
    };
    assert_eq!(
        found("one", &test.user.id, 0).await,
        None,
        "the old value is worth nothing"
    );
    assert_eq!(found("two", &test.user.id, 0).await.as_deref(), Some("device-1"));
    assert_eq!(found("two", &other.id, 0).await.as_deref(), Some("device-2"));
    assert_eq!(found("two", &other.id, IDLE).await, None);

    // The same person again: the same device.
    let again = RememberedDevice {
        last_factor_at: later(5),
        ..test.device("device-3", "three")
    };
    test.remember("c", again, Some("two")).await;
    let devices = test.store.remembered_devices(&test.user.id, START).await.unwrap();
    assert_eq!(devices.len(), 1);
    assert_eq!(
        (devices[0].id.as_str(), devices[0].last_factor_at),
        ("device-1", later(5))
    );
}

#[tokio::test]
async fn a_forgotten_browser_has_its_sessions_asked_again() {
    let test = TestStore::new().await;
    test.remember("a", test.device("device-1", "one"), None).await;
    let session = |seconds| {
        let store = test.store.clone();
        async move {
            store
                .session(&digest("a"), 3600, later(seconds))
                .await
                .unwrap()
                .unwrap()
                .0
        }
    };
    let begun = session(0).await;
    assert_eq!(
        (begun.device_id.as_deref(), begun.second_factor_at),
        (Some("device-1"), Some(START))
    );
    let forget = |user_id: String| {
        let (store, event) = (test.store.clone(), audit(AuditAction::DeviceRemoval));
        async move { store.forget_device(&user_id, "device-1", event).await.unwrap() }
    };
    assert!(!forget("user-x".into()).await);
    assert!(session(0).await.second_factor_at.is_some());
    assert!(forget(test.user.id.clone()).await);
    let asked = session(0).await;
    assert_eq!((asked.device_id, asked.second_factor_at), (None, None));
    assert!(!forget(test.user.id.clone()).await);
    assert_eq!(test.count(AuditAction::DeviceRemoval).await, 1);
}

#[tokio::test]
async fn being_seen_keeps_a_browser_active_and_a_long_absence_ends_its_factor() {
    let test = TestStore::new().await;
    test.remember("a", test.device("device-1", "one"), None).await;
    let cookie = digest("a");
    let touch = |seconds| test.store.touch_session(&cookie, 100_000, 1000, later(seconds));
    let seen = || async {
        let (session, _) = test
            .store
            .session(&digest("a"), 100_000, START)
            .await
            .unwrap()
            .unwrap();
        let devices = test.store.remembered_devices(&test.user.id, START).await.unwrap();
        (session.second_factor_at.is_some(), devices[0].last_seen_at)
    };
    touch(999).await.unwrap();
    assert_eq!(seen().await, (true, later(999)));
    touch(1999).await.unwrap();
    assert_eq!(seen().await, (false, later(999)), "the absence stays known");
}

#[tokio::test]
async fn what_goes_on_from_a_session_that_has_ended_stores_nothing() {
    let test = TestStore::new().await;
    test.add_factor("factor-1").await;
    let given = test.completion("a", Some(code_of_step(1)));
    assert_eq!(
        test.store.complete_sign_in(given, START).await,
        Ok(Completed::SignInGone)
    );
    let other = user("grace@example.org");
    let inserted = test
        .store
        .insert_user(other.clone(), audit(AuditAction::UserCreation));
    let _ = inserted.await.unwrap();
    let theirs = Session {
        user_id: other.id,
        ..test.session("theirs")
    };
    let event = audit(AuditAction::Consent);
    test.store.begin_session(theirs, None, event).await.unwrap();
    let stolen = Completion {
        replaces: Some(digest("theirs")),
        ..test.completion("a", Some(code_of_step(1)))
    };
    assert_eq!(
        test.store.complete_sign_in(stolen, START).await,
        Ok(Completed::SignInGone)
    );
    assert!(!test.has_session("a").await);
    assert_eq!(
        test.store.factors(&test.user.id).await.unwrap()[0].last_step,
        None
    );
}

#[tokio::test]
async fn nothing_begins_by_a_password_that_is_another_by_now() {
    let test = TestStore::new().await;
    let known = Secret::new(String::from("$argon2id$known"));
    let other = Some(Secret::new(String::from("$argon2id$other")));
    let grace = crate::domain::user::User {
        password_hash: Some(known.clone()),
        ..user("grace@example.org")
    };
    let inserted = test
        .store
        .insert_user(grace.clone(), audit(AuditAction::UserCreation));
    assert_eq!(inserted.await, Ok(Insertion::Inserted));
    let begin = |password| {
        let sign_in = SignInProgress {
            user_id: grace.id.clone(),
            ..test.sign_in("half")
        };
        test.store.begin_sign_in(sign_in, password, None)
    };
    assert_eq!(begin(other.clone()).await, Ok(false));
    assert_eq!(test.rows("sign_ins"), 0);
    assert_eq!(begin(Some(known.clone())).await, Ok(true));
    for (password, outcome) in [(other, Completed::SignInGone), (Some(known), Completed::Begun)] {
        let completion = Completion {
            password,
            session: Session {
                user_id: grace.id.clone(),
                ..test.session("whole")
            },
            ..test.completion("whole", None)
        };
        assert_eq!(test.complete(completion).await, outcome);
    }
}

#[tokio::test]
async fn a_password_alone_sets_up_no_second_factor_beside_one_that_is_there() {
    let test = TestStore::new().await;
    for secret in ["owner", "thief"] {
        let begun = test.store.begin_sign_in(test.sign_in(secret), None, None);
        assert_eq!(begun.await, Ok(true));
    }
    for id in ["factor-1", "factor-2"] {
        let unconfirmed = Factor {
            confirmed_at: None,
            kind: if id == "factor-1" {
                FactorKind::Totp
            } else {
                FactorKind::Passkey
            },
            ..test.factor(id)
        };
        let _ = test.store.insert_factor(unconfirmed, None).await.unwrap();
    }
    let enrol = |secret: &str, id: &str| Completion {
        sign_in: Some(digest(secret)),
        replaces: None,
        enrols: true,
        ..test.completion(
            &format!("{secret} whole"),
            Some(FactorUse::Checked { factor_id: id.into() }),
        )
    };
    assert_eq!(test.complete(enrol("owner", "factor-1")).await, Completed::Begun);
    assert_eq!(
        test.complete(enrol("thief", "factor-2")).await,
        Completed::SignInGone
    );
    assert_eq!(test.store.factors(&test.user.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_that_begins_ends_what_another_left_unfinished() {
    let test = TestStore::new().await;
    let begun = test.store.begin_sign_in(test.sign_in("left"), None, None);
    assert_eq!(begun.await, Ok(true));
    let completion = Completion {
        abandons: Some(digest("left")),
        ..test.completion("whole", None)
    };
    assert_eq!(test.complete(completion).await, Completed::Begun);
    assert_eq!(test.rows("sign_ins"), 0);
}
