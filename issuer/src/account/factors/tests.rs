use http::StatusCode;

use super::PATH;
use crate::domain::audit_event::AuditAction;
use crate::domain::factor::{Factor, FactorKind};
use crate::login::second_factor::totp::Seed;
use crate::web::testing::{Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN};

/// Gives the person an authenticator app; gives its seed and its id.
async fn add_app(clinic: &Clinic, email: &str, name: &str) -> (Seed, String) {
    let seed = Seed::generate().unwrap();
    let id = crate::rng::identifier("factor-").unwrap();
    let factor = Factor {
        user_id: user_id(clinic, email).await,
        kind: FactorKind::Totp,
        name: name.into(),
        sealed: Some(seed.seal(clinic.issuer.state.sealer(), &id).unwrap()),
        detail: None,
        created_at: clinic.issuer.now(),
        confirmed_at: Some(clinic.issuer.now()),
        last_used_at: None,
        last_step: None,
        id: id.clone(),
    };
    let inserted = clinic.issuer.store().insert_factor(factor, None).await.unwrap();
    assert_eq!(inserted, crate::store::Insertion::Inserted);
    (seed, id)
}

async fn user_id(clinic: &Clinic, email: &str) -> String {
    let user = clinic.issuer.store().user_by_email(email).await;
    user.unwrap().unwrap().id
}

async fn factors(clinic: &Clinic, email: &str) -> Vec<Factor> {
    let user_id = user_id(clinic, email).await;
    clinic.issuer.store().factors(&user_id).await.unwrap()
}

async fn recovery_codes(clinic: &Clinic, email: &str) -> u32 {
    let user_id = user_id(clinic, email).await;
    let codes = clinic.issuer.store().unused_recovery_codes(&user_id).await;
    codes.unwrap()
}

async fn devices(clinic: &Clinic, email: &str) -> usize {
    let user_id = user_id(clinic, email).await;
    let store = clinic.issuer.store();
    let devices = store.remembered_devices(&user_id, clinic.issuer.now()).await;
    devices.unwrap().len()
}

/// A browser in which the person has given password and code.
async fn signed_in(clinic: &Clinic, email: &str, seed: &Seed) -> Browser {
    let browser = clinic.browser();
    let answer = browser.sign_in("/login", email, PASSWORD).await;
    let page = browser.get(answer.location()).await;
    let (token, way) = (page.field("form_token"), page.field("use"));
    let code = seed.code(clinic.issuer.now());
    let fields = [
        ("form_token", token.as_str()),
        ("use", way.as_str()),
        ("code", &code),
        ("remember", "yes"),
    ];
    assert_eq!(browser.post("/login/mfa", &fields).await.location(), "/");
    browser
}

async fn press(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let token = browser.get(path).await.field("form_token");
    let all: Vec<(&str, &str)> = [("form_token", token.as_str())]
        .into_iter()
        .chain(fields.iter().copied())
        .collect();
    browser.post(path, &all).await
}

#[tokio::test]
async fn whoever_was_not_asked_lately_is_asked_first() {
    let clinic = Clinic::open().await;
    assert_eq!(
        clinic.browser().get(PATH).await.location(),
        "/login?next=account%2Ffactors"
    );
    let (seed, id) = add_app(&clinic, PATIENT, "Phone").await;
    let browser = signed_in(&clinic, PATIENT, &seed).await;
    let token = browser.get(PATH).await.field("form_token");
    let short = clinic.issuer.state.config().second_factor.reauthenticate_seconds;
    clinic.issuer.advance(short + 1);
    assert_eq!(
        browser.get(PATH).await.location(),
        "/login?next=account%2Ffactors"
    );
    // A form from before does not help.
    let answer = browser
        .post(PATH, &[("form_token", &token), ("remove", &id)])
        .await;
    assert_eq!(answer.location(), "/login?next=account%2Ffactors");
    assert_eq!(factors(&clinic, PATIENT).await.len(), 1);
}

#[tokio::test]
async fn a_factor_is_listed_renamed_and_removed() {
    let clinic = Clinic::open().await;
    let (seed, id) = add_app(&clinic, PATIENT, "Old phone").await;
    let browser = signed_in(&clinic, PATIENT, &seed).await;
    let page = browser.get(PATH).await;
    for text in ["Old phone", "Authenticator app, added on", "Last used on"] {
        assert!(page.body.contains(text), "{text}: {page:?}");
    }
    for name in ["", " ", &"x".repeat(61), "a\u{7}"] {
        let answer = press(&browser, PATH, &[("rename", &id), ("name", name)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        assert!(answer.body.contains("<title>Error: Second factors"), "{answer:?}");
    }
    let answer = press(&browser, PATH, &[("rename", &id), ("name", " New phone ")]).await;
    assert_eq!(answer.location(), "/account/factors?done=renamed");
    assert_eq!(factors(&clinic, PATIENT).await[0].name, "New phone");
    let event = clinic.last_audit().await;
    assert_eq!(event.action, AuditAction::FactorChange);
    assert_eq!(
        (event.method.as_deref(), event.object_id.as_deref()),
        (Some("otp"), Some(&*id))
    );

    assert_eq!(devices(&clinic, PATIENT).await, 1);
    let answer = press(&browser, PATH, &[("remove", &id)]).await;
    assert_eq!(answer.location(), "/account/factors?done=removed");
    let event = clinic.last_audit().await;
    assert_eq!(event.action, AuditAction::FactorRemoval);
    assert_eq!(
        (event.method.as_deref(), event.object_id.as_deref()),
        (Some("otp"), Some(&*id))
    );
    assert!(factors(&clinic, PATIENT).await.is_empty());
    assert_eq!(devices(&clinic, PATIENT).await, 0);
    let page = browser.get(answer.location()).await;
    assert!(page.body.contains("You have no second factor."), "{page:?}");
}

#[tokio::test]
async fn a_removed_factor_is_asked_for_again_everywhere_else() {
    let clinic = Clinic::open().await;
    let (seed, _) = add_app(&clinic, PATIENT, "Kept").await;
    let other = signed_in(&clinic, PATIENT, &seed).await;
    clinic.issuer.advance(30);
    let browser = signed_in(&clinic, PATIENT, &seed).await;
    let (_, lost) = add_app(&clinic, PATIENT, "Lost").await;
    assert_eq!(other.get(PATH).await.status, StatusCode::OK);
    press(&browser, PATH, &[("remove", &lost)]).await;
    assert_eq!(devices(&clinic, PATIENT).await, 0);
    assert_eq!(browser.get(PATH).await.status, StatusCode::OK);
    assert!(other.get(PATH).await.location().starts_with("/login/mfa?"));
}

#[tokio::test]
async fn the_last_factor_stays_where_one_is_required_even_in_a_race() {
    let clinic = Clinic::with_config(|config| config.second_factor.required = true).await;
    let (seed, first) = add_app(&clinic, PATIENT, "One").await;
    let (_, second) = add_app(&clinic, PATIENT, "Two").await;
    let browser = clinic.browser();
    let answer = browser.sign_in("/login", PATIENT, PASSWORD).await;
    let page = browser.get(answer.location()).await;
    let token = page.field("form_token");
    let code = seed.code(clinic.issuer.now());
    let fields = [("form_token", token.as_str()), ("use", &first), ("code", &code)];
    assert_eq!(browser.post("/login/mfa", &fields).await.location(), "/");
    let token = browser.get(PATH).await.field("form_token");
    let (one, two) = (
        [("form_token", token.as_str()), ("remove", &first)],
        [("form_token", token.as_str()), ("remove", &second)],
    );
    let (one, two) = tokio::join!(browser.post(PATH, &one), browser.post(PATH, &two));
    let refused = [&one, &two].map(|answer| answer.status == StatusCode::BAD_REQUEST);
    assert!(refused[0] != refused[1], "{one:?} {two:?}");
    assert_eq!(factors(&clinic, PATIENT).await.len(), 1);
    let page = browser.get(PATH).await;
    assert!(page.body.contains("Add another before you remove this one"));
    assert!(!page.body.contains("name=\"remove\""));
}

#[tokio::test]
async fn another_persons_factor_is_as_unknown_as_one_that_never_was() {
    let clinic = Clinic::open().await;
    let (seed, _) = add_app(&clinic, PATIENT, "Mine").await;
    let (_, foreign) = add_app(&clinic, PHYSICIAN, "Theirs").await;
    let browser = signed_in(&clinic, PATIENT, &seed).await;
    for id in [foreign.as_str(), "factor-x"] {
        let answer = press(&browser, PATH, &[("remove", id)]).await;
        assert_eq!(answer.location(), "/account/factors?done=none");
        let answer = press(&browser, PATH, &[("rename", id), ("name", "Ours")]).await;
        assert_eq!(answer.location(), "/account/factors?done=none");
    }
    assert_eq!(factors(&clinic, PHYSICIAN).await[0].name, "Theirs");
}

#[tokio::test]
async fn a_form_of_another_session_or_with_two_wishes_is_refused() {
    let clinic = Clinic::open().await;
    let (seed, id) = add_app(&clinic, PATIENT, "Phone").await;
    let browser = signed_in(&clinic, PATIENT, &seed).await;
    for token in ["", "x"] {
        let answer = browser
            .post(PATH, &[("form_token", token), ("remove", &id)])
            .await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
    }
    let devices = browser.get("/account/devices").await.field("form_token");
    let answer = browser
        .post(PATH, &[("form_token", &devices), ("remove", &id)])
        .await;
    answer.is_error_page(StatusCode::BAD_REQUEST);
    for fields in [
        vec![("remove", id.as_str()), ("codes", "new")],
        vec![("codes", "old")],
        vec![("kind", "carrier-pigeon")],
        vec![],
    ] {
        let answer = press(&browser, PATH, &fields).await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
    }
    assert_eq!(factors(&clinic, PATIENT).await.len(), 1);
}

#[tokio::test]
async fn new_recovery_codes_are_shown_once_and_end_the_old() {
    let clinic = Clinic::open().await;
    let (seed, _) = add_app(&clinic, PATIENT, "Phone").await;
    let browser = signed_in(&clinic, PATIENT, &seed).await;
    let page = browser.get(PATH).await;
    assert!(page.body.contains("You have no recovery codes."), "{page:?}");
    let shown = press(&browser, PATH, &[("codes", "new")]).await;
    assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
    let code = |page: &Answer| -> String {
        let (_, rest) = page.body.split_once("<li><code>").unwrap();
        rest.split_once('<').unwrap().0.into()
    };
    let first = code(&shown);
    assert_eq!(clinic.last_audit().await.action, AuditAction::RecoveryCodes);
    let count = recovery_codes(&clinic, PATIENT).await;
    let page = browser.get(PATH).await;
    assert!(page.body.contains(&format!("{count} recovery codes are left")));
    assert!(!page.body.contains(&first));
    let second = code(&press(&browser, PATH, &[("codes", "new")]).await);
    assert_ne!(first, second);
    assert_eq!(recovery_codes(&clinic, PATIENT).await, count);
    let user_id = user_id(&clinic, PATIENT).await;
    for (code, counts) in [(first, false), (second, true)] {
        let digest = crate::domain::recovery_code::digest(&code).unwrap();
        let found = clinic.issuer.store().has_recovery_code(&user_id, &digest).await;
        assert_eq!(found.unwrap(), counts);
    }
}

#[tokio::test]
async fn there_are_no_recovery_codes_without_a_factor() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let answer = press(&browser, PATH, &[("codes", "new")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    assert_eq!(recovery_codes(&clinic, PATIENT).await, 0);
}

#[tokio::test]
async fn an_app_is_added_from_here_and_leads_back() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let passkey = press(&browser, PATH, &[("kind", "passkey")]).await;
    assert_eq!(
        passkey.location(),
        "/login/mfa/enrol/passkey?next=account%2Ffactors"
    );
    let answer = press(&browser, PATH, &[("kind", "totp")]).await;
    let page = browser.get(answer.location()).await;
    let (_, rest) = page.body.split_once("<code class=\"secret\">").unwrap();
    let seed = Seed::parse(rest.split_once('<').unwrap().0).unwrap();
    let fields = ["form_token", "factor", "next"].map(|name| (name, page.field(name)));
    let code = seed.code(clinic.issuer.now());
    let mut fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    fields.push(("code", &code));
    let answer = browser.post("/login/mfa/enrol/totp", &fields).await;
    assert!(answer.body.contains("href=\"/account/factors\""), "{answer:?}");
    assert_eq!(browser.get(PATH).await.status, StatusCode::OK);
    assert_eq!(factors(&clinic, PATIENT).await.len(), 1);
}

#[tokio::test]
async fn devices_are_listed_and_forgotten_by_their_person_only() {
    let clinic = Clinic::open().await;
    let (seed, _) = add_app(&clinic, PATIENT, "Phone").await;
    let (other_seed, _) = add_app(&clinic, PHYSICIAN, "Phone").await;
    let browser = signed_in(&clinic, PATIENT, &seed).await;
    let foreign = signed_in(&clinic, PHYSICIAN, &other_seed).await;
    let path = "/account/devices";
    let device = |page: &Answer| -> String {
        let (_, rest) = page.body.split_once("name=\"device\" value=\"").unwrap();
        rest.split_once('"').unwrap().0.into()
    };
    let page = browser.get(path).await;
    assert!(page.body.contains("this one"), "{page:?}");
    let own = device(&page);
    let theirs = device(&foreign.get(path).await);
    for id in [theirs.as_str(), "device-x"] {
        let answer = press(&browser, path, &[("device", id)]).await;
        assert_eq!(answer.location(), "/account/devices?done=none");
    }
    assert_eq!(devices(&clinic, PHYSICIAN).await, 1);
    let answer = press(&browser, path, &[("device", &own)]).await;
    assert_eq!(answer.location(), "/account/devices?done=forgotten");
    let event = clinic.last_audit().await;
    assert_eq!(event.action, AuditAction::DeviceRemoval);
    assert_eq!(event.object_id.as_deref(), Some(&*own));
    assert_eq!(devices(&clinic, PATIENT).await, 0);
    assert!(
        browser.get(PATH).await.location().starts_with("/login/mfa?"),
        "the session lacks its factor"
    );

    let answer = press(&foreign, path, &[("forget", "all")]).await;
    assert_eq!(answer.location(), "/account/devices?done=all");
    assert_eq!(devices(&clinic, PHYSICIAN).await, 0);
    let page = foreign.get(answer.location()).await;
    assert!(page.body.contains("No device is remembered"), "{page:?}");
    assert_eq!(
        foreign.get(PATH).await.status,
        StatusCode::OK,
        "this session keeps it"
    );
}

/// What a mail says that was sent, newest first.
async fn news(clinic: &Clinic) -> Vec<String> {
    let state = &clinic.issuer.state;
    let mut deliveries = crate::messages::Deliveries::new(state.clone());
    deliveries.deliver_due().await.unwrap();
    let messages = state.messages().outbox().unwrap().messages();
    messages.into_iter().map(|message| message.text).collect()
}

#[tokio::test]
async fn whatever_changes_what_protects_an_account_is_told_by_mail() {
    let clinic = Clinic::with_config(|config| config.development.outbox = true).await;
    let (seed, id) = add_app(&clinic, PATIENT, "Phone").await;
    let browser = signed_in(&clinic, PATIENT, &seed).await;
    assert!(news(&clinic).await.is_empty(), "nothing changed yet");
    let shown = press(&browser, PATH, &[("codes", "new")]).await;
    assert!(news(&clinic).await[0].contains("new recovery codes were made"));
    let (_, rest) = shown.body.split_once("<li><code>").unwrap();
    let code = rest.split_once('<').unwrap().0;
    let other = clinic.browser();
    other.sign_in("/login", PATIENT, PASSWORD).await;
    let page = other.get("/login/mfa?use=recovery").await;
    let token = page.field("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("use", "recovery"),
        ("code", code),
    ];
    assert_eq!(other.post("/login/mfa", &fields).await.location(), "/");
    assert!(news(&clinic).await[0].contains("one of your recovery codes"));
    press(&browser, PATH, &[("remove", &id)]).await;
    assert!(news(&clinic).await[0].contains("an authenticator app was removed"));
    let told = news(&clinic).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told.iter()
            .all(|text| text.contains("https://id.example.org/password/forgot"))
    );
    let actor = crate::administration::Actor::operator();
    let state = &clinic.issuer.state;
    let user_id = user_id(&clinic, PATIENT).await;
    crate::administration::factors::reset(
        state.store(),
        state.notices(),
        &actor,
        &user_id,
        clinic.issuer.now(),
    )
    .await
    .unwrap();
    assert!(news(&clinic).await[0].contains("an administrator removed every second factor"));
}
