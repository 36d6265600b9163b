//! Coming back: once, in the browser that left, from where it was sent.

use http::StatusCode;

use super::{CALLBACK, CLIENT_ID, CLIENT_SECRET, PATIENT, Realm, Traveller, connect, settings};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::single_sign_on::ClientCredential;
use crate::extract::Parameters;
use crate::testing::{FakeProvider, ISSUER};
use crate::web::testing::{APP_REDIRECT, app_request, basic, changed, form};

#[tokio::test]
async fn a_known_person_is_signed_in_and_linked() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    let claims = realm.claims(&traveller, "PAT@Example.org");
    let answer = realm.arrive(&traveller, &claims).await;
    assert_eq!(answer.location(), "/");
    assert!(traveller.browser.get("/").await.body.contains("Pat Patient"));
    let event = realm.clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.method.as_deref()),
        (AuditAction::SignIn, AuditOutcome::Success, Some("sso"))
    );
    let (authorization, posted) = realm.provider.last_posted();
    let secret = CLIENT_SECRET.replace('+', "%2B").replace(" / ", "+%2F+");
    assert_eq!(authorization, Some(basic(CLIENT_ID, &secret)));
    let posted = Parameters::parse(posted.as_bytes()).unwrap();
    assert_eq!(posted.single("code").unwrap(), Some(super::CODE));
    assert_eq!(
        posted.single("redirect_uri").unwrap(),
        Some(format!("{ISSUER}{CALLBACK}").as_str())
    );
    assert_eq!(posted.single("client_secret").unwrap(), None);

    // By the subject alone from now on: the address there may change within the domain.
    let again = realm.travel(PATIENT).await;
    let mut claims = realm.claims(&again, "pat.married@example.org");
    claims["sub"] = format!("sub of {}", "PAT@Example.org").into();
    assert_eq!(realm.arrive(&again, &claims).await.location(), "/");
    assert!(again.browser.get("/").await.body.contains("Pat Patient"));
}

#[tokio::test]
async fn the_other_ways_to_authenticate_at_the_provider_work() {
    for (credential, id, secret) in [
        (
            ClientCredential::Post(Vec::new()),
            Some(CLIENT_ID),
            Some(CLIENT_SECRET),
        ),
        (ClientCredential::None, Some(CLIENT_ID), None),
    ] {
        let realm = Realm::with(|settings| settings.credential = credential).await;
        let traveller = realm.travel(PATIENT).await;
        let claims = realm.claims(&traveller, PATIENT);
        assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
        let (authorization, posted) = realm.provider.last_posted();
        let posted = Parameters::parse(posted.as_bytes()).unwrap();
        assert_eq!(authorization, None);
        assert_eq!(posted.single("client_id").unwrap(), id);
        assert_eq!(posted.single("client_secret").unwrap(), secret);
    }
}

#[tokio::test]
async fn an_authorization_request_goes_on_where_it_was() {
    let realm = Realm::open().await;
    let browser = realm.clinic.browser();
    let start = browser
        .get(&format!("/oauth2/authorize?{}", form(&app_request("openid"))))
        .await;
    let sent = realm.typed(&browser, start.location(), PATIENT).await;
    let traveller = Traveller::of(browser, sent);
    let claims = realm.claims(&traveller, PATIENT);
    let answer = realm.arrive(&traveller, &claims).await;
    assert!(
        answer
            .location()
            .starts_with("/oauth2/authorize/continue?request=wga_")
    );
    let consent = traveller.browser.get(answer.location()).await;
    let given = traveller.browser.decide(consent.location(), "allow").await;
    assert!(given.location().starts_with(APP_REDIRECT), "{given:?}");
    let tokens = realm.clinic.redeem(&given.sent("code").unwrap()).await.json();
    let id = realm
        .clinic
        .id_claims(&tokens["id_token"], "app")
        .await
        .into_claims();
    assert_eq!(id.authentication_methods, ["fed"]);
    assert_eq!(
        id.authentication_context.as_deref(),
        Some("urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified")
    );
    // When the provider authenticated them, not when they came here.
    assert_eq!(id.authenticated_at, Some(realm.clinic.issuer.now().minus(60)));
}

#[tokio::test]
async fn what_the_provider_says_of_factors_is_told_on() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    let mut claims = realm.claims(&traveller, PATIENT);
    claims["amr"] = serde_json::json!(["pwd", "mfa"]);
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
    assert_eq!(realm.clinic.last_audit().await.method.as_deref(), Some("sso_mfa"));
}

#[tokio::test]
async fn a_session_at_the_provider_may_be_older_than_sessions_here_may_be() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    let mut claims = realm.claims(&traveller, PATIENT);
    claims["auth_time"] = realm.clinic.issuer.now().minus(30 * 86_400).seconds().into();
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
    assert!(traveller.browser.get("/").await.body.contains("Pat Patient"));
}

#[tokio::test]
async fn an_answer_works_once() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    let claims = realm.claims(&traveller, PATIENT);
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
    let answer = realm.come_back(&traveller, &[]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let event = realm.clinic.last_audit().await;
    assert_eq!(event.reason.as_deref(), Some("sso_attempt_unknown"));
    assert_eq!(realm.provider.redemptions(), 1, "the code was not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_answers_at_once_one_is_taken() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    realm.gives(&realm.provider.sign(&realm.claims(&traveller, PATIENT)));
    let attempts = (0..8).map(|_| realm.come_back(&traveller, &[]));
    let mut taken = 0;
    for answer in join_all(attempts).await {
        taken += usize::from(answer.status == StatusCode::SEE_OTHER);
    }
    assert_eq!((taken, realm.provider.redemptions()), (1, 1));
}

/// Runs futures at once on this task.
async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut done = true;
        for (future, value) in &mut waiting {
            if value.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(ready) => *value = Some(ready),
                    std::task::Poll::Pending => done = false,
                }
            }
        }
        if done {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().map(|(_, value)| value.unwrap()).collect()
}

#[tokio::test]
async fn another_browser_cannot_bring_the_answer() {
    let realm = Realm::open().await;
    let victim = realm.travel(PATIENT).await;
    let mut attacker = realm.travel("mallory@example.org").await;
    realm.gives(&realm.provider.sign(&realm.claims(&victim, PATIENT)));
    // The attacker's browser with the victim's state, and a browser without any cookie of ours.
    attacker.state = victim.state.clone();
    let answer = realm.come_back(&attacker, &[]).await;
    realm.is_refused(
        &attacker,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_attempt_unknown",
    );
    let stranger = Traveller {
        browser: realm.clinic.browser(),
        state: victim.state.clone(),
        nonce: victim.nonce.clone(),
        sent: realm.travel(PATIENT).await.sent,
    };
    let answer = realm.come_back(&stranger, &[]).await;
    realm.is_refused(
        &stranger,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_attempt_unknown",
    );
    assert_eq!(realm.provider.redemptions(), 0);
    // The victim is not disturbed.
    assert_eq!(realm.come_back(&victim, &[]).await.location(), "/");
}

#[tokio::test]
async fn where_it_leads_cannot_be_changed_on_the_way() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    realm.gives(&realm.provider.sign(&realm.claims(&traveller, PATIENT)));
    let name = "__Host-wardgate_provider";
    let cookie = traveller.browser.cookie(name).unwrap();
    traveller
        .browser
        .set_cookie(name, &format!("{cookie}&next=account"));
    let answer = realm.come_back(&traveller, &[]).await;
    realm.is_refused(
        &traveller,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_attempt_unknown",
    );
}

#[tokio::test]
async fn unknown_malformed_and_old_states_are_refused() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    realm.gives(&realm.provider.sign(&realm.claims(&traveller, PATIENT)));
    let unknown = format!("wgq_{}", "A".repeat(43));
    for state in [None, Some("x"), Some(unknown.as_str()), Some("wgq_' OR 1=1")] {
        let answer = realm.come_back(&traveller, &[("state", state)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{state:?}");
        realm.is_refused(
            &traveller,
            &answer,
            &realm.clinic.last_audit().await,
            "sso_attempt_unknown",
        );
    }
    realm.clinic.issuer.advance(600);
    let answer = realm.come_back(&traveller, &[]).await;
    realm.is_refused(
        &traveller,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_attempt_unknown",
    );
    assert_eq!(realm.provider.redemptions(), 0);
}

// RFC 9207 section 2.4
#[tokio::test]
async fn an_answer_of_another_provider_is_refused() {
    let realm = Realm::open().await;
    let other = FakeProvider::start().await;
    let mut second = settings(&other.issuer);
    second.name = "Another".into();
    connect(&realm.clinic, second, "other.example").await;
    for issuer in [Some(other.issuer.as_str()), Some("https://evil.example"), None] {
        let traveller = realm.travel(PATIENT).await;
        realm.gives(&realm.provider.sign(&realm.claims(&traveller, PATIENT)));
        let answer = realm.come_back(&traveller, &[("iss", issuer)]).await;
        realm.is_refused(
            &traveller,
            &answer,
            &realm.clinic.last_audit().await,
            "sso_provider_mixed_up",
        );
    }
    assert_eq!(realm.provider.redemptions() + other.redemptions(), 0);
}

#[tokio::test]
async fn a_provider_that_does_not_name_itself_need_not() {
    let clinic = crate::web::testing::Clinic::with_config(super::allow_loopback).await;
    let provider = FakeProvider::start().await;
    let mut document = provider.document();
    document["authorization_response_iss_parameter_supported"] = false.into();
    provider.discovery(200, &[], &document.to_string());
    let id = connect(&clinic, settings(&provider.issuer), super::DOMAIN).await;
    let realm = Realm { clinic, provider, id };
    let traveller = realm.travel(PATIENT).await;
    realm.gives(&realm.provider.sign(&realm.claims(&traveller, PATIENT)));
    assert_eq!(
        realm.come_back(&traveller, &[("iss", None)]).await.location(),
        "/"
    );
    // What it says must be true all the same.
    let traveller = realm.travel(PATIENT).await;
    let answer = realm
        .come_back(&traveller, &[("iss", Some("https://evil.example"))])
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_error_of_the_provider_is_a_page_with_a_way_back() {
    let realm = Realm::open().await;
    for (error, reason, status) in [
        ("access_denied", "sso_declined", StatusCode::FORBIDDEN),
        ("login_required", "sso_provider_error", StatusCode::BAD_REQUEST),
        ("<script>", "sso_provider_error", StatusCode::BAD_REQUEST),
        (
            "temporarily_unavailable",
            "sso_provider_unavailable",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
    ] {
        let browser = realm.clinic.browser();
        let request = changed(app_request("openid"), &[]);
        let start = browser
            .get(&format!("/oauth2/authorize?{}", form(&request)))
            .await;
        let sent = realm.typed(&browser, start.location(), PATIENT).await;
        let traveller = Traveller::of(browser, sent);
        let changes = [
            ("code", None),
            ("error", Some(error)),
            ("error_description", Some("what others write is not shown")),
        ];
        let answer = realm.come_back(&traveller, &changes).await;
        assert_eq!(answer.status, status, "{error}");
        assert!(answer.body.contains("href=\"/login?request=wga_"), "{answer:?}");
        assert!(!answer.body.contains("what others write") && !answer.body.contains("<script>"));
        realm.is_refused(&traveller, &answer, &realm.clinic.last_audit().await, reason);
    }
    assert_eq!(realm.provider.redemptions(), 0);
}

#[tokio::test]
async fn an_answer_without_a_code_or_with_two_is_refused() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    let answer = realm.come_back(&traveller, &[("code", None)]).await;
    realm.is_refused(
        &traveller,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_answer_malformed",
    );
    let traveller = realm.travel(PATIENT).await;
    let query = form(&[
        ("code", "one"),
        ("code", "two"),
        ("state", &traveller.state),
        ("iss", &realm.provider.issuer),
    ]);
    let answer = traveller.browser.get(&format!("{CALLBACK}?{query}")).await;
    realm.is_refused(
        &traveller,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_answer_malformed",
    );
}
