use http::StatusCode;
use serde_json::Value;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::passkey::CEREMONY_SECONDS;
use crate::passkeys::PasskeyRefusal;
use crate::single_sign_on::tests as single_sign_on;
use crate::testing::{Authenticator, FakeProvider, PRESENT};
use crate::web::testing::{APP, Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, app_request, form};

use super::{PATH, REFUSED};

const SESSION: &str = "__Host-wardgate_session";

/// What is done wrongly: by whom, in imitation of whom, in answer to what.
type Change = fn(&mut Authenticator, &Authenticator, &mut Value);

/// A clinic in which this person has a passkey.
async fn with_passkey(email: &str) -> (Clinic, Authenticator) {
    let clinic = Clinic::open().await;
    let authenticator = add_passkey(&clinic, email).await;
    (clinic, authenticator)
}

async fn add_passkey(clinic: &Clinic, email: &str) -> Authenticator {
    let browser = clinic.browser();
    browser.sign_in("/login", email, PASSWORD).await;
    let page = browser.get("/login/mfa/enrol/passkey").await;
    let mut authenticator = Authenticator::new();
    let credential = authenticator.make(&page.passkey_options());
    let (token, ceremony) = (page.passkey_field("form_token"), page.passkey_field("ceremony"));
    let fields = [
        ("form_token", token.as_str()),
        ("name", "My telephone"),
        ("ceremony", &ceremony),
        ("credential", &credential),
    ];
    let added = browser.post("/login/mfa/enrol/passkey", &fields).await;
    assert!(added.body.contains("Your recovery codes"), "{added:?}");
    authenticator
}

/// Sends an answer from the sign-in page that asked for it.
async fn send(browser: &Browser, page: &Answer, credential: &str) -> Answer {
    let (token, ceremony) = (page.passkey_field("form_token"), page.passkey_field("ceremony"));
    let mut fields = vec![
        ("form_token", token.as_str()),
        ("ceremony", &ceremony),
        ("credential", credential),
    ];
    let request = page
        .body
        .contains("name=\"request\"")
        .then(|| page.field("request"));
    fields.extend(request.as_deref().map(|request| ("request", request)));
    browser.post(PATH, &fields).await
}

async fn sign_in(clinic: &Clinic, authenticator: &mut Authenticator) -> (Browser, Answer) {
    let browser = clinic.browser();
    let page = browser.get("/login").await;
    let credential = authenticator.answer(&page.passkey_options());
    let answer = send(&browser, &page, &credential).await;
    (browser, answer)
}

#[track_caller]
fn is_refused(browser: &Browser, answer: &Answer, words: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    assert!(answer.body.contains("<title>Error: Sign in"), "{answer:?}");
    assert!(answer.body.contains(words), "{words}: {answer:?}");
    assert_eq!(browser.cookie(SESSION), None);
}

async fn reason(clinic: &Clinic) -> String {
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::SignIn, AuditOutcome::Failure)
    );
    event.reason.unwrap().into_owned()
}

#[tokio::test]
async fn a_passkey_signs_in_without_address_and_password() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    let (browser, answer) = sign_in(&clinic, &mut authenticator).await;
    assert_eq!(answer.location(), "/");
    assert!(browser.get("/").await.body.contains("Pat Patient"));
    assert!(browser.get("/account").await.body.contains("by passkey"));
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.method.as_deref()),
        (AuditAction::SignIn, AuditOutcome::Success, Some("passkey"))
    );
}

#[tokio::test]
async fn a_sign_in_by_passkey_says_so_in_the_id_token() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    let browser = clinic.browser();
    let query = form(&app_request("openid"));
    let answer = browser.get(&format!("/oauth2/authorize?{query}")).await;
    let page = browser.get(answer.location()).await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("script-src 'self'; form-action 'self' https://app.example"),
        "{policy}"
    );
    let credential = authenticator.answer(&page.passkey_options());
    let answer = send(&browser, &page, &credential).await;
    assert!(
        answer.location().starts_with("/oauth2/authorize/continue?"),
        "{answer:?}"
    );
    let answer = browser.get(answer.location()).await;
    let answer = browser.decide(answer.location(), "allow").await;
    let tokens = clinic.redeem(&answer.sent("code").unwrap()).await.json();
    let claims = clinic.id_claims(&tokens["id_token"], APP).await.into_claims();
    let claims = serde_json::to_value(&claims).unwrap();
    assert_eq!(claims["acr"], "phr");
    assert_eq!(claims["amr"], serde_json::json!(["pop", "user", "mfa"]));
}

#[tokio::test]
async fn the_page_tells_of_no_credential() {
    let (clinic, _) = with_passkey(PATIENT).await;
    for path in ["/login", "/login?next=account"] {
        let options = clinic.browser().get(path).await.passkey_options();
        assert_eq!(options["allowCredentials"], serde_json::json!([]));
    }
    let browser = clinic.browser();
    let token = browser.get("/login").await.field("form_token");
    let fields = [("form_token", token.as_str()), ("email", PATIENT)];
    let page = browser.post("/login", &fields).await;
    assert!(!page.body.contains("data-options"), "{page:?}");
    assert!(!page.body.contains("<script"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(!policy.contains("script-src"), "{policy}");
}

#[tokio::test]
async fn refuses_a_ceremony_answered_before() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    let browser = clinic.browser();
    let page = browser.get("/login").await;
    let credential = authenticator.answer(&page.passkey_options());
    assert_eq!(send(&browser, &page, &credential).await.location(), "/");
    browser.set_cookie(SESSION, "wgs_x");
    let replayed = send(&browser, &page, &credential).await;
    // The counter tells it too; what is looked at first makes no difference to anybody.
    assert_eq!(replayed.status, StatusCode::BAD_REQUEST);
    let higher = authenticator.answer(&page.passkey_options());
    let again = send(&browser, &page, &higher).await;
    assert!(again.body.contains("That took too long."), "{again:?}");
    assert_eq!(reason(&clinic).await, "replayed_ceremony");
}

#[tokio::test]
async fn refuses_old_ceremonies_and_those_of_other_browsers() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    let browser = clinic.browser();
    let page = browser.get("/login").await;
    let credential = authenticator.answer(&page.passkey_options());
    let thief = clinic.browser();
    let token = thief.get("/login").await.field("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("ceremony", &page.passkey_field("ceremony")),
        ("credential", &credential),
    ];
    is_refused(&thief, &thief.post(PATH, &fields).await, "That took too long.");
    assert_eq!(reason(&clinic).await, "foreign_ceremony");
    clinic.issuer.advance(CEREMONY_SECONDS);
    is_refused(
        &browser,
        &send(&browser, &page, &credential).await,
        "That took too long.",
    );
    assert_eq!(reason(&clinic).await, "expired_ceremony");
}

#[tokio::test]
async fn refuses_a_key_whose_counter_does_not_rise() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    let before = authenticator.counter;
    sign_in(&clinic, &mut authenticator).await.1.location();
    let last_used = async || {
        let store = clinic.issuer.store();
        let user = store.user_by_email(PATIENT).await.unwrap().unwrap();
        store.factors(&user.id).await.unwrap()[0].last_used_at
    };
    let used = last_used().await;
    clinic.issuer.advance(60);
    // A copy of the key, made before that.
    authenticator.counter = before;
    let (browser, answer) = sign_in(&clinic, &mut authenticator).await;
    is_refused(&browser, &answer, "That passkey cannot be used here.");
    assert_eq!(reason(&clinic).await, "passkey_counter_fell_back");
    assert_eq!(last_used().await, used, "what was refused was not used");
    authenticator.counter = 0;
    let (browser, answer) = sign_in(&clinic, &mut authenticator).await;
    is_refused(&browser, &answer, "That passkey cannot be used here.");
    authenticator.counter = 1000;
    sign_in(&clinic, &mut authenticator).await.1.location();
}

#[tokio::test]
async fn a_key_without_a_counter_is_used_again_and_again() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let mut authenticator = Authenticator::new();
    authenticator.counter = 0;
    let page = browser.get("/login/mfa/enrol/passkey").await;
    let credential = authenticator.make(&page.passkey_options());
    let (token, ceremony) = (page.passkey_field("form_token"), page.passkey_field("ceremony"));
    let fields = [
        ("form_token", token.as_str()),
        ("name", "x"),
        ("ceremony", &ceremony),
        ("credential", &credential),
    ];
    let added = browser.post("/login/mfa/enrol/passkey", &fields).await;
    assert!(added.body.contains("Your recovery codes"), "{added:?}");
    for _ in 0..3 {
        sign_in(&clinic, &mut authenticator).await.1.location();
    }
}

#[tokio::test]
async fn refuses_what_an_authenticator_says_wrongly() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    let other = add_passkey(&clinic, PHYSICIAN).await;
    let wrong: [(Change, &str); 6] = [
        (|own, _, _| own.flags = PRESENT, "person_not_verified"),
        (
            |own, _, _| own.origin = "https://evil.example".into(),
            "wrong_passkey",
        ),
        (
            |_, _, options| options["challenge"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into(),
            "wrong_passkey",
        ),
        (
            |_, _, options| options["rpId"] = "evil.example".into(),
            "wrong_passkey",
        ),
        (
            |own, other, _| own.user_handle = other.user_handle.clone(),
            "passkey_of_another_person",
        ),
        // Somebody else's credential, signed with the own key.
        (
            |own, other, _| {
                own.credential_id = other.credential_id.clone();
                own.user_handle = other.user_handle.clone();
            },
            "wrong_passkey",
        ),
    ];
    let (own_id, own_handle) = (
        authenticator.credential_id.clone(),
        authenticator.user_handle.clone(),
    );
    for (change, expected) in wrong {
        let browser = clinic.browser();
        let page = browser.get("/login").await;
        let mut options = page.passkey_options();
        change(&mut authenticator, &other, &mut options);
        let credential = authenticator.answer(&options);
        let answer = send(&browser, &page, &credential).await;
        is_refused(&browser, &answer, "That passkey cannot be used here.");
        assert_eq!(reason(&clinic).await, expected);
        let sound = Authenticator::new();
        (authenticator.flags, authenticator.origin) = (sound.flags, sound.origin);
        authenticator.credential_id.clone_from(&own_id);
        authenticator.user_handle.clone_from(&own_handle);
        // So that the brake on many wrong answers is not what is tested.
        clinic.issuer.advance(60);
    }
    assert_eq!(sign_in(&clinic, &mut authenticator).await.1.location(), "/");
}

#[tokio::test]
async fn refuses_an_unknown_key_and_one_of_a_closed_account_alike() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    let mut stranger = Authenticator::new();
    stranger.user_handle = Some(vec![7; 16]);
    let (browser, unknown) = sign_in(&clinic, &mut stranger).await;
    is_refused(&browser, &unknown, "That passkey cannot be used here.");
    assert_eq!(reason(&clinic).await, "unknown_passkey");
    let store = clinic.issuer.store();
    let user = store.user_by_email(PATIENT).await.unwrap().unwrap();
    let audit = AuditEvent::new(
        clinic.issuer.now(),
        AuditAction::UserDeactivation,
        AuditOutcome::Success,
    );
    store
        .deactivate_user(&user.id, None, audit)
        .await
        .unwrap()
        .unwrap();
    let (browser, closed) = sign_in(&clinic, &mut authenticator).await;
    is_refused(&browser, &closed, "That passkey cannot be used here.");
    assert_eq!(reason(&clinic).await, "unknown_passkey");
}

#[tokio::test]
async fn many_wrong_answers_are_slowed_down() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    authenticator.origin = "https://evil.example".into();
    let mut waits = Vec::new();
    for _ in 0..8 {
        let (_, answer) = sign_in(&clinic, &mut authenticator).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            waits.push(answer.header("retry-after").unwrap().parse::<u32>().unwrap());
        }
    }
    assert!(waits.len() > 1 && waits.iter().all(|wait| *wait > 0), "{waits:?}");
    let events = clinic.issuer.store().audit_events(20).await.unwrap();
    let told = events
        .iter()
        .filter(|event| event.reason.as_deref() == Some("throttled"));
    assert_eq!(told.count(), 1, "one line stands for all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_answers_to_one_ceremony_one_signs_in() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    let browser = std::sync::Arc::new(clinic.browser());
    let page = browser.get("/login").await;
    let options = page.passkey_options();
    let (token, ceremony) = (page.passkey_field("form_token"), page.passkey_field("ceremony"));
    let mut racers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (browser, credential) = (browser.clone(), authenticator.answer(&options));
        let (token, ceremony) = (token.clone(), ceremony.clone());
        racers.spawn(async move {
            let fields = [
                ("form_token", token.as_str()),
                ("ceremony", &ceremony),
                ("credential", &credential),
            ];
            browser.post(PATH, &fields).await.status
        });
    }
    let statuses = racers.join_all().await;
    let winners = statuses.iter().filter(|status| **status == StatusCode::SEE_OTHER);
    assert_eq!(winners.count(), 1, "{statuses:?}");
}

#[tokio::test]
async fn refuses_forged_forms() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    let browser = clinic.browser();
    let page = browser.get("/login").await;
    let credential = authenticator.answer(&page.passkey_options());
    let (token, ceremony) = (page.passkey_field("form_token"), page.passkey_field("ceremony"));
    let fields = |token| {
        [
            ("form_token", token),
            ("ceremony", ceremony.as_str()),
            ("credential", credential.as_str()),
        ]
    };
    browser
        .post(PATH, &fields("x"))
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    let site = [("sec-fetch-site", "cross-site")];
    let foreign = browser.post_with(PATH, &fields(&token), &site).await;
    foreign.is_error_page(StatusCode::FORBIDDEN);
    let without_cookie = clinic.browser().post(PATH, &fields(&token)).await;
    without_cookie.is_error_page(StatusCode::BAD_REQUEST);
    let incomplete = browser.post(PATH, &fields(&token)[..2]).await;
    incomplete.is_error_page(StatusCode::BAD_REQUEST);
    assert_eq!(send(&browser, &page, &credential).await.location(), "/");
}

/// The page of the second factor, for somebody who has given their password.
async fn second_step(clinic: &Clinic, email: &str) -> (Browser, Answer) {
    let browser = clinic.browser();
    let answer = browser.sign_in("/login", email, PASSWORD).await;
    assert_eq!(answer.location(), "/login/mfa");
    let page = browser.get("/login/mfa").await;
    (browser, page)
}

async fn give(browser: &Browser, page: &Answer, ceremony: &str, credential: &str) -> Answer {
    let (token, named) = (page.passkey_field("form_token"), page.passkey_field("use"));
    let fields = [
        ("form_token", token.as_str()),
        ("use", &named),
        ("ceremony", ceremony),
        ("credential", credential),
    ];
    browser.post("/login/mfa", &fields).await
}

#[tokio::test]
async fn a_passkey_is_the_second_factor_after_the_password() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    let (browser, page) = second_step(&clinic, PATIENT).await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'"), "{policy}");
    let options = page.passkey_options();
    let allowed = options["allowCredentials"].as_array().unwrap();
    assert_eq!(
        allowed.len(),
        1,
        "after the password the browser may know: {options}"
    );
    let credential = authenticator.answer(&options);
    let answer = give(&browser, &page, &page.passkey_field("ceremony"), &credential).await;
    assert_eq!(answer.location(), "/");
    assert!(
        browser
            .get("/account")
            .await
            .body
            .contains("by password and passkey")
    );
}

#[tokio::test]
async fn refuses_somebody_elses_passkey_as_second_factor() {
    let (clinic, _) = with_passkey(PATIENT).await;
    let mut other = add_passkey(&clinic, PHYSICIAN).await;
    let (browser, page) = second_step(&clinic, PATIENT).await;
    let credential = other.answer(&page.passkey_options());
    let answer = give(&browser, &page, &page.passkey_field("ceremony"), &credential).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.body.contains("That passkey cannot be used here."),
        "{answer:?}"
    );
    assert_eq!(browser.cookie(SESSION), None);
    let event = clinic.last_audit().await;
    assert_eq!(event.action, AuditAction::SecondFactor);
    assert_eq!(event.reason.as_deref(), Some("passkey_of_another_person"));
}

#[tokio::test]
async fn refuses_a_ceremony_of_another_step() {
    let (clinic, mut authenticator) = with_passkey(PATIENT).await;
    let (browser, page) = second_step(&clinic, PATIENT).await;
    let first = browser.get("/login").await;
    let credential = authenticator.answer(&first.passkey_options());
    let answer = give(&browser, &page, &first.passkey_field("ceremony"), &credential).await;
    assert!(answer.body.contains("That took too long."), "{answer:?}");
    let (_, theirs) = second_step(&clinic, PATIENT).await;
    let credential = authenticator.answer(&theirs.passkey_options());
    let answer = give(&browser, &page, &theirs.passkey_field("ceremony"), &credential).await;
    assert!(answer.body.contains("That took too long."), "{answer:?}");
    assert_eq!(
        clinic.last_audit().await.reason.as_deref(),
        Some("foreign_ceremony")
    );
    assert_eq!(browser.cookie(SESSION), None);
}

#[tokio::test]
async fn where_people_sign_in_by_a_provider_a_passkey_opens_what_a_password_would() {
    let clinic = Clinic::with_config(|config| config.outbound.allow_loopback_http = true).await;
    let mut authenticator = add_passkey(&clinic, PATIENT).await;
    let provider = FakeProvider::start().await;
    single_sign_on::connect(&clinic, single_sign_on::settings(&provider.issuer), "example.org").await;
    let (browser, answer) = sign_in(&clinic, &mut authenticator).await;
    is_refused(&browser, &answer, REFUSED);
    assert_eq!(reason(&clinic).await, PasskeyRefusal::SignsInElsewhere.reason());

    let store = clinic.issuer.store();
    let person = store.user_by_email(PATIENT).await.unwrap().unwrap();
    let audit = AuditEvent::new(
        clinic.issuer.now(),
        AuditAction::UserChange,
        AuditOutcome::Success,
    );
    assert!(store.set_local_sign_in(&person.id, true, audit).await.unwrap());
    let (browser, _) = sign_in(&clinic, &mut authenticator).await;
    assert!(browser.cookie(SESSION).is_some());
}
