//! When a second factor is asked for again: 72 hours after the last one, and after 7 days without activity.

use super::{DEVICE, HOUR, SESSION};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::web::testing::{Browser, Clinic, PASSWORD, PATIENT, WEB_REDIRECT, form, web_request};

const DAY: i64 = 24 * HOUR;

async fn is_asked(browser: &Browser) -> bool {
    let answer = browser.sign_in("/login", PATIENT, PASSWORD).await;
    match answer.location() {
        "/login/mfa" => true,
        "/" => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn in_a_remembered_browser_it_is_asked_72_hours_after_the_last_one_however_active_its_person() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = clinic.browser();
    browser.sign_in_with(&clinic, &seed, true).await;
    for _ in 0..71 {
        clinic.issuer.advance(HOUR);
        assert!(!is_asked(&browser).await, "{:?}", clinic.issuer.now());
    }
    clinic.issuer.advance(HOUR - 1);
    assert!(!is_asked(&browser).await, "a second before");
    clinic.issuer.advance(1);
    assert!(is_asked(&browser).await, "72 hours");
    let code = seed.code(clinic.issuer.now());
    assert_eq!(browser.give("/login/mfa", &code, true).await.location(), "/");
    clinic.issuer.advance(71 * HOUR);
    assert!(!is_asked(&browser).await, "it counts from the last one");
    let user = clinic.user(PATIENT).await;
    let devices = clinic
        .issuer
        .store()
        .remembered_devices(&user.id, clinic.issuer.now())
        .await;
    assert_eq!(devices.unwrap().len(), 1, "it is one device all the while");
}

#[tokio::test]
async fn in_a_remembered_browser_it_is_asked_after_7_days_without_activity() {
    // A longer interval, so that only the absence counts.
    let clinic = Clinic::with_config(|config| {
        config.second_factor.lifetime.interval_seconds = 90 * DAY;
    })
    .await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = clinic.browser();
    browser.sign_in_with(&clinic, &seed, true).await;
    clinic.issuer.advance(7 * DAY - 1);
    assert!(!is_asked(&browser).await);
    clinic.issuer.advance(7 * DAY - 1);
    assert!(!is_asked(&browser).await, "being there counts");
    clinic.issuer.advance(7 * DAY);
    assert!(is_asked(&browser).await);
}

#[tokio::test]
async fn pages_seen_in_a_session_are_activity_in_its_browser() {
    let clinic = Clinic::with_config(|config| {
        config.second_factor.lifetime.interval_seconds = 90 * DAY;
        config.sessions.idle_seconds = 30 * DAY;
        config.sessions.absolute_seconds = 30 * DAY;
    })
    .await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = clinic.browser();
    browser.sign_in_with(&clinic, &seed, true).await;
    clinic.issuer.advance(6 * DAY);
    assert!(browser.is_signed_in().await);
    clinic.issuer.advance(6 * DAY);
    assert!(!is_asked(&browser).await);
}

#[tokio::test]
async fn in_a_browser_that_is_not_remembered_it_is_asked_each_time() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = clinic.browser();
    browser.sign_in_with(&clinic, &seed, false).await;
    assert_eq!(browser.cookie(DEVICE), None);
    assert!(is_asked(&browser).await);
    // Nor when it was remembered before.
    clinic.issuer.advance(30);
    browser.sign_in_with(&clinic, &seed, true).await;
    assert!(!is_asked(&browser).await);
    clinic.issuer.advance(72 * HOUR);
    browser.sign_in_with(&clinic, &seed, false).await;
    assert!(is_asked(&browser).await);
}

#[tokio::test]
async fn a_forgotten_browser_is_asked_again_in_its_living_session_too() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = clinic.browser();
    browser.sign_in_with(&clinic, &seed, true).await;
    let user = clinic.user(PATIENT).await;
    let (store, now) = (clinic.issuer.store(), clinic.issuer.now());
    let devices = store.remembered_devices(&user.id, now).await.unwrap();
    let event = AuditEvent::new(now, AuditAction::DeviceRemoval, AuditOutcome::Success);
    assert!(
        store
            .forget_device(&user.id, &devices[0].id, event)
            .await
            .unwrap()
    );
    let answer = browser
        .get(&format!("/oauth2/authorize?{}", form(&web_request("openid"))))
        .await;
    assert!(answer.location().starts_with("/login/mfa?request="), "{answer:?}");
    assert!(is_asked(&browser).await);
}

/// A clinic whose sessions live for a month.
async fn clinic_with_long_sessions(interval_seconds: i64) -> Clinic {
    Clinic::with_config(|config| {
        config.sessions.idle_seconds = 30 * DAY;
        config.sessions.absolute_seconds = 30 * DAY;
        config.second_factor.lifetime.interval_seconds = interval_seconds;
    })
    .await
}

#[tokio::test]
async fn in_a_living_session_the_next_request_asks_again_after_72_hours() {
    let clinic = clinic_with_long_sessions(72 * HOUR).await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = clinic.browser();
    browser.sign_in_with(&clinic, &seed, false).await;
    let request = format!("/oauth2/authorize?{}", form(&web_request("openid")));
    let consent = browser.get(&request).await;
    browser.decide(consent.location(), "allow").await;
    clinic.issuer.advance(72 * HOUR - 1);
    let in_time = browser.get(&request).await;
    assert!(in_time.location().starts_with(WEB_REDIRECT), "{in_time:?}");
    clinic.issuer.advance(1);
    let silent = browser.get(&format!("{request}&prompt=none")).await;
    silent.is_error_redirect(WEB_REDIRECT, "login_required", Some("xyz123"));
    let asked = browser.get(&request).await;
    let page = String::from(asked.location());
    assert!(page.starts_with("/login/mfa?request="), "{asked:?}");
    // The pages of the request cannot be reached past it.
    let id = page.split_once('=').unwrap().1;
    let past = browser.get(&format!("/consent?request={id}")).await;
    assert!(
        past.location().starts_with("/oauth2/authorize/continue"),
        "{past:?}"
    );

    let before = browser.cookie(SESSION).unwrap();
    let answer = browser.give(&page, &seed.code(clinic.issuer.now()), false).await;
    assert!(
        answer.location().starts_with("/oauth2/authorize/continue"),
        "{answer:?}"
    );
    assert_ne!(
        browser.cookie(SESSION).unwrap(),
        before,
        "the session's secret is a new one"
    );
    let old = clinic.browser();
    old.set_cookie(SESSION, &before);
    assert!(!old.is_signed_in().await, "the old one is worth nothing");
    let answer = browser.get(answer.location()).await;
    assert!(answer.location().starts_with(WEB_REDIRECT), "{answer:?}");
}

#[tokio::test]
async fn in_a_living_session_it_is_asked_after_7_days_without_activity() {
    let clinic = clinic_with_long_sessions(90 * DAY).await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = clinic.browser();
    browser.sign_in_with(&clinic, &seed, false).await;
    clinic.issuer.advance(7 * DAY - 1);
    let request = format!("/oauth2/authorize?{}", form(&web_request("openid")));
    let answer = browser.get(&request).await;
    assert!(answer.location().starts_with("/consent"), "{answer:?}");
    clinic.issuer.advance(7 * DAY);
    assert!(browser.is_signed_in().await, "this page asks for nothing");
    let answer = browser.get(&request).await;
    assert!(answer.location().starts_with("/login/mfa"), "{answer:?}");
}

#[tokio::test]
async fn a_device_is_answered_only_with_a_factor_that_counts() {
    let clinic = clinic_with_long_sessions(72 * HOUR).await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = clinic.browser();
    browser.sign_in_with(&clinic, &seed, false).await;
    let token = browser.get("/device").await.field("form_token");
    clinic.issuer.advance(72 * HOUR);
    let asked = browser.get("/device").await;
    assert_eq!(asked.location(), "/login/mfa?device=any");
    let fields = [("form_token", token.as_str()), ("user_code", "BCDF-GHJK")];
    let asked = browser.post("/device", &fields).await;
    assert!(
        asked.location().starts_with("/login/mfa?device=BCDF"),
        "{asked:?}"
    );
}
