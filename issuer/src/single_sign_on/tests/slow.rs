//! Providers that take a question and never answer it.
//!
//! The time limit is the outbound client's own; the runtime's clock is moved past it once the provider was asked.

use std::time::Duration;

use http::StatusCode;
use tokio::time;

use super::{PATIENT, Realm};
use crate::domain::page::PageRequest;
use crate::domain::role::PATIENT as PATIENTS;
use crate::domain::single_sign_on::UnknownPeople;
use crate::testing::fake_provider::{DISCOVERY, KEYS, TOKEN};
use crate::web::testing::Answer;

/// The longest that a page waits for a provider.
const LONGEST: Duration = Duration::from_secs(5);

/// The answer to a request for which the provider is asked in vain.
async fn given_up(realm: &Realm, request: impl Future<Output = Answer>) -> Answer {
    tokio::pin!(request);
    tokio::select! {
        () = realm.provider.was_asked_in_vain() => {}
        answer = &mut request => panic!("the provider was not asked: {answer:?}"),
    }
    time::pause();
    time::advance(LONGEST).await;
    // The store answers from threads that do not go by that clock: it must not run ahead of them.
    time::resume();
    request.await
}

#[tokio::test]
async fn a_provider_that_never_answers_is_a_clear_page_and_leaves_nothing() {
    for silent in [TOKEN, KEYS] {
        let realm = Realm::with(|settings| {
            settings.unknown_people = UnknownPeople::Create;
            settings.default_role = Some(PATIENTS.into());
        })
        .await;
        let traveller = realm.travel("new@example.org").await;
        let claims = realm.claims(&traveller, "new@example.org");
        realm.provider.keep_silent(Some(silent));
        let answer = given_up(&realm, realm.arrive(&traveller, &claims)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{silent}");
        assert_eq!(answer.header("retry-after"), Some("60"));
        assert!(
            answer.body.contains("cannot be reached") && answer.body.contains("Example Clinic"),
            "{answer:?}"
        );
        let event = realm.clinic.last_audit().await;
        realm.is_refused(&traveller, &answer, &event, "sso_provider_unavailable");

        let (store, now) = (realm.clinic.issuer.store(), realm.clinic.issuer.now());
        assert!(store.user_by_email("new@example.org").await.unwrap().is_none());
        let page = PageRequest { size: 1, after: None };
        let sessions = store.sessions_page(None, 3600, now, page).await.unwrap();
        assert_eq!(sessions.entries, []);

        // That sign-in is over, although the provider is there again; a new one works.
        realm.provider.keep_silent(None);
        let late = realm.arrive(&traveller, &claims).await;
        let event = realm.clinic.last_audit().await;
        realm.is_refused(&traveller, &late, &event, "sso_attempt_unknown");
        realm.clinic.issuer.advance(11);
        let traveller = realm.travel("new@example.org").await;
        let claims = realm.claims(&traveller, "new@example.org");
        assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
    }
}

#[tokio::test]
async fn metadata_that_never_comes_holds_a_sign_in_up_once_a_minute_at_most() {
    let realm = Realm::open().await;
    realm.clinic.issuer.advance(3600);
    realm.provider.keep_silent(Some(DISCOVERY));
    let before = realm.provider.discoveries();
    let browser = realm.clinic.browser();
    let sent = given_up(&realm, realm.typed(&browser, "/login", PATIENT)).await;
    assert!(sent.location().contains("/authorize?"), "{sent:?}");
    realm.travel(PATIENT).await;
    assert_eq!(realm.provider.discoveries() - before, 1);

    // What was known of it serves for a day.
    realm.clinic.issuer.advance(86_400);
    let answer = given_up(&realm, realm.typed(&browser, "/login", PATIENT)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert!(answer.body.contains("cannot be reached"), "{answer:?}");
    let event = realm.clinic.last_audit().await;
    assert_eq!(event.reason.as_deref(), Some("sso_provider_unavailable"));

    // For the next one of that minute as well, who does not wait.
    let before = realm.provider.discoveries();
    let answer = realm.typed(&realm.clinic.browser(), "/login", PATIENT).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert_eq!(realm.provider.discoveries(), before);
    // Once it is there again, it is asked again.
    realm.provider.keep_silent(None);
    realm.clinic.issuer.advance(60);
    realm.travel(PATIENT).await;
}
