//! Setting up a second factor: offered, required, and by whom.

use http::StatusCode;

use super::super::totp::Seed;
use super::{DEVICE, SESSION, SIGN_IN, wrong_code};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::recovery_code;
use crate::web::testing::{Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, form, web_request};

async fn clinic(offer: bool, required: bool) -> Clinic {
    Clinic::with_config(|config| {
        config.second_factor.offer = offer;
        config.second_factor.required = required;
    })
    .await
}

impl Browser {
    /// Chooses an authenticator app; gives the page that shows its seed, and where that is.
    async fn choose_app(&self, page: &str) -> (Answer, String) {
        let page = self.get(page).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        let token = page.field("form_token");
        let mut fields = vec![("form_token", token.as_str()), ("kind", "totp")];
        let request = page
            .body
            .contains("name=\"request\"")
            .then(|| page.field("request"));
        fields.extend(request.as_deref().map(|request| ("request", request)));
        let answer = self.post("/login/mfa/enrol", &fields).await;
        let path = String::from(answer.location());
        assert!(path.starts_with("/login/mfa/enrol/totp?"), "{answer:?}");
        (self.get(&path).await, path)
    }

    async fn confirm(&self, shown: &Answer, code: &str) -> Answer {
        let (token, factor) = (shown.field("form_token"), shown.field("factor"));
        let mut fields = vec![
            ("form_token", token.as_str()),
            ("factor", factor.as_str()),
            ("code", code),
            ("name", "Work phone"),
            ("remember", "yes"),
        ];
        let request = shown
            .body
            .contains("name=\"request\"")
            .then(|| shown.field("request"));
        fields.extend(request.as_deref().map(|request| ("request", request)));
        self.post("/login/mfa/enrol/totp", &fields).await
    }
}

/// The seed that the page shows in text.
#[track_caller]
fn seed_on(page: &Answer) -> Seed {
    let (_, rest) = page.body.split_once("<code class=\"secret\">").unwrap();
    Seed::parse(rest.split_once('<').unwrap().0).unwrap()
}

fn codes_on(page: &Answer) -> Vec<String> {
    let items = page.body.split("<li><code>").skip(1);
    items.map(|item| item.split_once('<').unwrap().0.into()).collect()
}

#[tokio::test]
async fn the_first_sign_in_offers_one_and_not_now_is_remembered() {
    let clinic = clinic(true, false).await;
    let browser = clinic.browser();
    let answer = browser.sign_in("/login", PATIENT, PASSWORD).await;
    assert_eq!(answer.location(), "/login/mfa/enrol");
    let page = browser.get(answer.location()).await;
    assert!(page.body.contains("Not now"), "{page:?}");
    let token = page.field("form_token");
    let later = [("form_token", token.as_str()), ("decision", "later")];
    assert_eq!(browser.post("/login/mfa/enrol", &later).await.location(), "/");
    assert!(browser.is_signed_in().await);
    let another = clinic.browser();
    assert_eq!(another.sign_in("/login", PATIENT, PASSWORD).await.location(), "/");
    let other = clinic.browser().sign_in("/login", PHYSICIAN, PASSWORD).await;
    assert_eq!(
        other.location(),
        "/login/mfa/enrol",
        "each person answers for themselves"
    );
}

#[tokio::test]
async fn setting_one_up_shows_the_seed_takes_a_code_and_gives_recovery_codes_once() {
    let clinic = clinic(true, false).await;
    let browser = clinic.browser();
    let answer = browser.sign_in("/login", PATIENT, PASSWORD).await;
    let before = browser.cookie(SESSION).unwrap();
    let (shown, path) = browser.choose_app(answer.location()).await;
    assert!(
        shown.body.contains("<svg")
            && shown
                .body
                .contains("otpauth://totp/id.example.org:pat%40example.org")
    );
    let policy = shown.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("script-src"),
        "{policy}"
    );
    let seed = seed_on(&shown);
    let wrong = browser.confirm(&shown, &wrong_code(&clinic, &seed)).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.body.contains("role=\"alert\""));

    let done = browser.confirm(&shown, &seed.code(clinic.issuer.now())).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    let codes = codes_on(&done);
    assert_eq!(codes.len(), 10);
    assert!(
        codes.iter().all(|code| recovery_code::digest(code).is_some()),
        "{codes:?}"
    );
    assert_ne!(
        browser.cookie(SESSION).unwrap(),
        before,
        "more is open to the session: a new secret"
    );
    assert!(browser.cookie(DEVICE).is_some());
    let actions: Vec<AuditAction> = (clinic.issuer.store().audit_events(3).await.unwrap().iter())
        .map(|event| event.action)
        .collect();
    assert!(actions.contains(&AuditAction::FactorEnrolment) && actions.contains(&AuditAction::RecoveryCodes));

    // Sent once more, the form sets up nothing and shows nothing again.
    let again = browser.confirm(&shown, &seed.code(clinic.issuer.now())).await;
    assert!(codes_on(&again).is_empty(), "{again:?}");
    assert!(
        browser
            .get(&path)
            .await
            .location()
            .starts_with("/login/mfa/enrol")
    );
    let user = clinic.user(PATIENT).await;
    let factors = clinic.issuer.store().factors(&user.id).await.unwrap();
    assert_eq!(
        factors
            .iter()
            .map(|factor| factor.name.as_str())
            .collect::<Vec<_>>(),
        ["Work phone"]
    );

    // From now on it is asked for, and the code that confirmed it does not count again.
    let (other, page) = clinic.half_way(PATIENT).await;
    let answer = other.give(&page, &seed.code(clinic.issuer.now()), false).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let recovery = other.give("/login/mfa?use=recovery", &codes[0], false).await;
    assert_eq!(recovery.location(), "/");
}

#[tokio::test]
async fn a_seed_is_sealed_where_it_is_stored() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let user = clinic.user(PATIENT).await;
    let factor = clinic.issuer.store().factors(&user.id).await.unwrap().remove(0);
    let stored = factor.sealed.clone().unwrap();
    let plain = seed.text();
    assert!(!String::from_utf8_lossy(&stored).contains(plain.as_str()));
    let sealer = clinic.issuer.state.sealer();
    assert_eq!(Seed::open(sealer, &factor).unwrap().text(), plain);
    let moved = crate::domain::factor::Factor {
        id: "factor-other".into(),
        ..factor
    };
    assert!(Seed::open(sealer, &moved).is_err());
}

#[tokio::test]
async fn where_one_is_required_there_is_no_session_before_it_is_set_up() {
    let clinic = clinic(true, true).await;
    let browser = clinic.browser();
    let asked = browser
        .get(&format!("/oauth2/authorize?{}", form(&web_request("openid"))))
        .await;
    let answer = browser.sign_in(asked.location(), PATIENT, PASSWORD).await;
    let page = String::from(answer.location());
    assert!(page.starts_with("/login/mfa/enrol?request="), "{answer:?}");
    assert_eq!(browser.cookie(SESSION), None);
    let choice = browser.get(&page).await;
    assert!(!choice.body.contains("Not now"), "{choice:?}");
    let token = choice.field("form_token");
    let later = [("form_token", token.as_str()), ("decision", "later")];
    let refused = browser.post("/login/mfa/enrol", &later).await;
    refused.is_error_page(StatusCode::BAD_REQUEST);

    let (shown, _) = browser.choose_app(&page).await;
    let done = browser
        .confirm(&shown, &seed_on(&shown).code(clinic.issuer.now()))
        .await;
    assert_eq!(codes_on(&done).len(), 10, "{done:?}");
    assert!(
        done.body.contains("href=\"/oauth2/authorize/continue?request="),
        "{done:?}"
    );
    assert!(browser.is_signed_in().await);
    assert_eq!(browser.cookie(SIGN_IN), None);
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::SignIn, AuditOutcome::Success)
    );
}

#[tokio::test]
async fn a_living_session_has_to_set_one_up_once_it_is_required() {
    let clinic = clinic(false, true).await;
    let browser = clinic.browser();
    let (store, now) = (clinic.issuer.store(), clinic.issuer.now());
    let user = clinic.user(PATIENT).await;
    let secret = crate::tokens::opaque::OpaqueSecret::Session.generate().unwrap();
    let session = crate::domain::session::Session {
        digest: secret.digest,
        id: "session-1".into(),
        user_id: user.id,
        authenticated_at: now,
        methods: vec![crate::domain::session::AuthenticationMethod::Password],
        last_seen_at: now,
        request: None,
        user_agent: None,
        ip_address: None,
        second_factor_at: None,
        factor_request: None,
        device_id: None,
        expires_at: now.plus(1000),
    };
    let event = crate::domain::audit_event::AuditEvent::new(now, AuditAction::SignIn, AuditOutcome::Success);
    store.begin_session(session, None, event).await.unwrap();
    browser.set_cookie(SESSION, secret.value.expose());
    let answer = browser
        .get(&format!("/oauth2/authorize?{}", form(&web_request("openid"))))
        .await;
    assert!(
        answer.location().starts_with("/login/mfa/enrol?request="),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_password_alone_adds_no_factor_beside_one_that_is_there() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let (thief, _) = clinic.half_way(PATIENT).await;
    assert_eq!(thief.get("/login/mfa/enrol").await.location(), "/login/mfa");
    // Nor does a remembered browser with the password.
    let browser = clinic.browser();
    browser.sign_in_with(&clinic, &seed, true).await;
    clinic.issuer.advance(3600);
    assert_eq!(browser.sign_in("/login", PATIENT, PASSWORD).await.location(), "/");
    assert_eq!(browser.get("/login/mfa/enrol").await.location(), "/login/mfa");
    // Nor a session from a while ago.
    clinic.issuer.advance(901);
    assert_eq!(browser.get("/login/mfa/enrol").await.location(), "/login");
    assert_eq!(
        clinic.browser().get("/login/mfa/enrol").await.location(),
        "/login"
    );
}

#[tokio::test]
async fn forms_of_others_and_factors_of_others_set_up_nothing() {
    let clinic = clinic(true, false).await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let (shown, _) = browser.choose_app("/login/mfa/enrol").await;
    let (seed, factor) = (seed_on(&shown), shown.field("factor"));
    let other = clinic.browser();
    other.sign_in("/login", PHYSICIAN, PASSWORD).await;
    let own = other.get("/login/mfa/enrol").await.field("form_token");
    let code = seed.code(clinic.issuer.now());
    let foreign = [
        ("form_token", own.as_str()),
        ("factor", factor.as_str()),
        ("code", &code),
    ];
    let answer = other.post("/login/mfa/enrol/totp", &foreign).await;
    assert_eq!(answer.location(), "/login/mfa/enrol", "it is not theirs");
    for token in ["", &own] {
        let fields = [("form_token", token), ("factor", &factor), ("code", &code)];
        let answer = browser.post("/login/mfa/enrol/totp", &fields).await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
        let fields = [("form_token", token), ("kind", "totp")];
        let answer = browser.post("/login/mfa/enrol", &fields).await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
    }
    let user = clinic.user(PATIENT).await;
    assert!(clinic.issuer.store().factors(&user.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn failed_codes_of_a_new_app_are_recorded_and_throttling_once() {
    let clinic = clinic(true, false).await;
    let browser = clinic.browser();
    let answer = browser.sign_in("/login", PATIENT, PASSWORD).await;
    let (shown, _) = browser.choose_app(answer.location()).await;
    let wrong = wrong_code(&clinic, &seed_on(&shown));
    for _ in 0..8 {
        browser.confirm(&shown, &wrong).await;
    }
    let events = clinic.issuer.store().audit_events(50).await.unwrap();
    let failures: Vec<_> = (events.iter())
        .filter(|event| event.outcome == AuditOutcome::Failure)
        .collect();
    for event in &failures {
        assert_eq!(event.action, AuditAction::FactorEnrolment);
        assert_eq!(event.method.as_deref(), Some("otp"), "{event:?}");
    }
    let reasons = |reason| {
        failures
            .iter()
            .filter(|event| event.reason.as_deref() == Some(reason))
            .count()
    };
    assert_eq!(
        (reasons("wrong_code"), reasons("throttled")),
        (5, 1),
        "{failures:?}"
    );
}

#[tokio::test]
async fn a_name_that_cannot_be_is_said_of_the_name_and_a_wrong_code_of_the_code() {
    let clinic = clinic(true, false).await;
    let browser = clinic.browser();
    let answer = browser.sign_in("/login", PATIENT, PASSWORD).await;
    let (shown, _) = browser.choose_app(answer.location()).await;
    let input = |page: &Answer, name: &str| {
        let (_, rest) = page.body.split_once(&format!("<input id=\"{name}\"")).unwrap();
        String::from(rest.split_once('>').unwrap().0)
    };
    let is_marked = |page: &Answer, name| {
        let input = input(page, name);
        input.contains("aria-invalid=\"true\"") && input.contains("aria-describedby=\"problem\"")
    };
    let (token, factor) = (shown.field("form_token"), shown.field("factor"));
    let long = "x".repeat(61);
    let fields = [
        ("form_token", token.as_str()),
        ("factor", factor.as_str()),
        ("code", "123456"),
        ("name", long.as_str()),
    ];
    let page = browser.post("/login/mfa/enrol/totp", &fields).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(is_marked(&page, "name") && !is_marked(&page, "code"), "{page:?}");
    let page = browser
        .confirm(&shown, &wrong_code(&clinic, &seed_on(&shown)))
        .await;
    assert!(is_marked(&page, "code") && !is_marked(&page, "name"), "{page:?}");
}
