//! Who is sent where.

use http::StatusCode;
use wardgate_shared::pkce::CodeChallenge;

use super::{CLIENT_ID, PATIENT, Realm, connect, settings};
use crate::domain::audit_event::AuditAction;
use crate::domain::single_sign_on::{ConnectionDomain, DomainName, Preset};
use crate::extract::Parameters;
use crate::store::Insertion;
use crate::testing::{FakeProvider, ISSUER, user};
use crate::web::testing::{PASSWORD, app_request, changed, form};

#[tokio::test]
async fn the_domain_of_the_address_decides_where_its_person_signs_in() {
    let realm = Realm::open().await;
    let sent = realm.travel(PATIENT).await.sent;
    let endpoint = format!("{}/authorize?", realm.provider.issuer);
    assert!(sent.location().starts_with(&endpoint), "{sent:?}");
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", &format!("{ISSUER}/login/sso/callback")),
        ("scope", "openid email profile"),
        ("code_challenge_method", "S256"),
        ("login_hint", PATIENT),
    ] {
        assert_eq!(sent.sent(name).as_deref(), Some(value), "{name}");
    }
    for absent in ["prompt", "max_age", "acr_values"] {
        assert_eq!(sent.sent(absent), None, "{absent}");
    }
    let cookie = sent.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-wardgate_provider=browser=wgx_"),
        "{cookie}"
    );
    assert!(cookie.contains("HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    // Everybody else signs in here.
    for email in [
        "pat@example.com",
        "pat@sub.example.org",
        "pat@notexample.org",
        "pat",
    ] {
        let answer = realm.typed(&realm.clinic.browser(), "/login", email).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(answer.body.contains("name=\"password\""));
    }
}

#[tokio::test]
async fn an_address_without_an_account_is_sent_the_same_way() {
    let realm = Realm::open().await;
    let gone = crate::domain::user::User {
        deactivated_at: Some(crate::testing::START),
        ..user("gone@example.org")
    };
    realm.clinic.issuer.insert_user(gone).await;
    let mut answers = Vec::new();
    for email in [
        PATIENT,
        "nobody@example.org",
        "gone@example.org",
        "NOBODY@EXAMPLE.ORG ",
    ] {
        let sent = realm.travel(email).await.sent;
        let (address, query) = sent.location().split_once('?').unwrap();
        let parameters = Parameters::parse(query.as_bytes()).unwrap();
        let names: Vec<&str> = query
            .split('&')
            .map(|pair| pair.split('=').next().unwrap())
            .collect();
        assert_eq!(parameters.single("login_hint").unwrap(), Some(email.trim()));
        answers.push((sent.status, String::from(address), format!("{names:?}")));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn every_departure_has_a_state_a_nonce_and_a_challenge_of_its_own() {
    let realm = Realm::open().await;
    let (one, other) = (realm.travel(PATIENT).await, realm.travel(PATIENT).await);
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(one.sent.sent(name), other.sent.sent(name), "{name}");
    }
    let claims = realm.claims(&one, PATIENT);
    assert_eq!(realm.arrive(&one, &claims).await.location(), "/");
    let (_, form) = realm.provider.last_posted();
    let form = Parameters::parse(form.as_bytes()).unwrap();
    let verifier = form.single("code_verifier").unwrap().unwrap();
    let challenge = CodeChallenge::parse(&one.sent.sent("code_challenge").unwrap(), Some("S256")).unwrap();
    assert_eq!(challenge.verify(verifier), Ok(()));
}

#[tokio::test]
async fn two_organizations_go_to_two_providers() {
    let realm = Realm::open().await;
    let second = FakeProvider::start().await;
    let mut other = settings(&second.issuer);
    other.name = "Another".into();
    connect(&realm.clinic, other, "other.example").await;
    let first = realm.travel(PATIENT).await.sent;
    assert!(first.location().starts_with(&realm.provider.issuer), "{first:?}");
    let second_sent = realm.travel("who@other.example").await.sent;
    assert!(
        second_sent.location().starts_with(&second.issuer),
        "{second_sent:?}"
    );
}

#[tokio::test]
async fn a_domain_that_is_not_verified_sends_nobody_anywhere() {
    let realm = Realm::open().await;
    let claimed = ConnectionDomain {
        connection_id: realm.id.clone(),
        domain: DomainName::parse("claimed.example").unwrap(),
        token: "token".into(),
        verified: None,
        created_at: realm.clinic.issuer.now(),
    };
    let audit = realm.audit(AuditAction::SsoDomainChange);
    let inserted = realm
        .clinic
        .issuer
        .store()
        .insert_sso_domain(claimed, audit)
        .await;
    assert_eq!(inserted, Ok(Insertion::Inserted));
    let answer = realm
        .typed(&realm.clinic.browser(), "/login", "ada@claimed.example")
        .await;
    assert!(answer.body.contains("name=\"password\""), "{answer:?}");
}

#[tokio::test]
async fn a_disabled_connection_sends_nobody_and_takes_no_answer() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    let audit = realm.audit(AuditAction::SsoConnectionChange);
    let store = realm.clinic.issuer.store();
    let _ = store.disable_sso_connection(&realm.id, audit).await.unwrap();
    let claims = realm.claims(&traveller, PATIENT);
    let answer = realm.arrive(&traveller, &claims).await;
    realm.is_refused(
        &traveller,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_attempt_unknown",
    );
    let answer = realm.clinic.browser().sign_in("/login", PATIENT, PASSWORD).await;
    assert_eq!(answer.location(), "/");
}

#[tokio::test]
async fn the_form_for_the_address_may_lead_to_a_provider_and_the_one_for_the_password_may_not() {
    let realm = Realm::open().await;
    let browser = realm.clinic.browser();
    let policy = |answer: &crate::web::testing::Answer| {
        String::from(answer.header("content-security-policy").unwrap())
    };
    let first = browser.get("/login").await;
    assert!(
        policy(&first).contains("form-action 'self' https: http://localhost:*"),
        "{first:?}"
    );
    let second = realm.typed(&browser, "/login?local=1", PATIENT).await;
    assert!(policy(&second).contains("form-action 'self';"), "{second:?}");
    let without = crate::web::testing::Clinic::open().await;
    let answer = without.browser().get("/login").await;
    assert!(policy(&answer).contains("form-action 'self';"), "{answer:?}");
}

#[tokio::test]
async fn wanting_a_fresh_sign_in_is_passed_on() {
    let realm = Realm::open().await;
    let page = |change: (&'static str, &'static str)| {
        let request = changed(app_request("openid"), &[(change.0, Some(change.1))]);
        format!("/oauth2/authorize?{}", form(&request))
    };
    for (change, prompt, age) in [
        (("prompt", "login"), Some("login"), Some("0")),
        (("max_age", "0"), Some("login"), Some("0")),
        (("max_age", "600"), None, Some("600")),
        (("state", "x"), None, None),
    ] {
        let browser = realm.clinic.browser();
        let login = String::from(browser.get(&page(change)).await.location());
        let sent = realm.typed(&browser, &login, PATIENT).await;
        assert_eq!(sent.sent("prompt").as_deref(), prompt, "{change:?}");
        assert_eq!(sent.sent("max_age").as_deref(), age, "{change:?}");
    }
}

#[tokio::test]
async fn pages_that_want_a_recent_sign_in_ask_the_provider_for_one() {
    let realm = Realm::open().await;
    let config = realm.clinic.issuer.state.config();
    let console = config.console.reauthenticate_seconds.to_string();
    let factors = config.second_factor.reauthenticate_seconds.to_string();
    for (page, age) in [
        ("admin", Some(console.as_str())),
        ("admin%2Fusers", Some(console.as_str())),
        ("account%2Ffactors", Some(factors.as_str())),
        ("account", None),
        ("account%2Fsessions", None),
    ] {
        let sent = realm
            .travel_from(&format!("/login?next={page}"), PATIENT)
            .await
            .sent;
        assert_eq!(sent.sent("max_age").as_deref(), age, "{page}");
        assert_eq!(sent.sent("prompt"), None, "{page}");
    }
}

#[tokio::test]
async fn google_is_not_asked_for_a_prompt_that_it_does_not_know() {
    let realm = Realm::with(|settings| settings.preset = Preset::Google).await;
    let request = changed(app_request("openid"), &[("prompt", Some("login"))]);
    let browser = realm.clinic.browser();
    let start = browser
        .get(&format!("/oauth2/authorize?{}", form(&request)))
        .await;
    let sent = realm.typed(&browser, start.location(), PATIENT).await;
    assert_eq!(sent.sent("prompt").as_deref(), Some("select_account"));
}

#[tokio::test]
async fn what_the_connection_requires_is_asked_for() {
    let realm = Realm::with(|settings| settings.required_acr = vec!["gold".into(), "silver".into()]).await;
    let sent = realm.travel(PATIENT).await.sent;
    assert_eq!(sent.sent("acr_values").as_deref(), Some("gold silver"));
}
