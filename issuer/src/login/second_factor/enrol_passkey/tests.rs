use http::StatusCode;
use serde_json::Value;

use super::super::tests::SESSION;
use super::PATH;
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::factor::FactorKind;
use crate::domain::passkey::CEREMONY_SECONDS;
use crate::testing::{Authenticator, PRESENT};
use crate::web::testing::{Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN};

async fn signed_in(clinic: &Clinic, email: &str) -> Browser {
    let browser = clinic.browser();
    browser.sign_in("/login", email, PASSWORD).await;
    browser
}

/// Sends the answer of an authenticator from the page that asked for it.
async fn send(browser: &Browser, page: &Answer, credential: &str) -> Answer {
    let (token, ceremony) = (page.passkey_field("form_token"), page.passkey_field("ceremony"));
    let fields = [
        ("form_token", token.as_str()),
        ("name", "My telephone"),
        ("ceremony", &ceremony),
        ("credential", credential),
    ];
    browser.post(PATH, &fields).await
}

async fn kept(clinic: &Clinic, email: &str) -> usize {
    let user = clinic.issuer.store().user_by_email(email).await.unwrap().unwrap();
    clinic.issuer.store().passkeys_of(&user.id).await.unwrap().len()
}

#[track_caller]
fn is_refused(answer: &Answer, words: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    assert!(answer.body.contains("<title>Error: Add a passkey"), "{answer:?}");
    assert!(answer.body.contains(words), "{words}: {answer:?}");
}

#[tokio::test]
async fn a_passkey_is_added_and_is_a_factor() {
    let clinic = Clinic::open().await;
    let browser = signed_in(&clinic, PATIENT).await;
    let page = browser.get(PATH).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("script-src 'self'; form-action 'self'"),
        "{policy}"
    );
    let options = page.passkey_options();
    assert_eq!(options["rp"]["id"], "id.example.org");
    assert_eq!(options["user"]["name"], PATIENT);
    let selection = &options["authenticatorSelection"];
    assert_eq!(selection["residentKey"], "required");
    assert_eq!(selection["userVerification"], "required");
    assert_eq!(options["attestation"], "none");

    let mut authenticator = Authenticator::new();
    let credential = authenticator.make(&options);
    let before = browser.cookie(SESSION).unwrap();
    let added = send(&browser, &page, &credential).await;
    assert!(added.body.contains("Your recovery codes"), "{added:?}");
    assert_ne!(
        browser.cookie(SESSION).unwrap(),
        before,
        "more is open to the session: a new secret"
    );
    let events = clinic.issuer.store().audit_events(2).await.unwrap();
    let event = events
        .into_iter()
        .find(|event| event.action == AuditAction::FactorEnrolment)
        .unwrap();
    assert_eq!(
        (event.action, event.outcome, event.method.as_deref()),
        (
            AuditAction::FactorEnrolment,
            AuditOutcome::Success,
            Some("passkey")
        )
    );
    let user_id = event.user_id.unwrap();
    let factors = clinic.issuer.store().factors(&user_id).await.unwrap();
    assert_eq!(factors.len(), 1);
    assert_eq!(
        (factors[0].kind, factors[0].name.as_str()),
        (FactorKind::Passkey, "My telephone")
    );

    // The next one is for the same person, by the same random name, on another authenticator.
    let again = browser.get(PATH).await.passkey_options();
    assert_eq!(again["user"]["id"], options["user"]["id"]);
    assert!(!user_id.contains(options["user"]["id"].as_str().unwrap()));
    let named: Value = serde_json::from_str(&credential).unwrap();
    assert_eq!(again["excludeCredentials"][0]["id"], named["id"]);
    let other = signed_in(&clinic, PHYSICIAN)
        .await
        .get(PATH)
        .await
        .passkey_options();
    assert_ne!(other["user"]["id"], options["user"]["id"]);
}

#[tokio::test]
async fn an_answer_counts_once_and_a_credential_once() {
    let clinic = Clinic::open().await;
    let browser = signed_in(&clinic, PATIENT).await;
    let page = browser.get(PATH).await;
    let mut authenticator = Authenticator::new();
    let credential = authenticator.make(&page.passkey_options());
    let (first, second) = tokio::join!(
        send(&browser, &page, &credential),
        send(&browser, &page, &credential)
    );
    let won = [&first, &second].map(|answer| answer.body.contains("Your recovery codes"));
    assert!(won[0] != won[1], "{first:?} {second:?}");
    assert_eq!(kept(&clinic, PATIENT).await, 1);

    let page = browser.get(PATH).await;
    let again = authenticator.make(&page.passkey_options());
    is_refused(&send(&browser, &page, &again).await, "could not be used");
    let other = signed_in(&clinic, PHYSICIAN).await;
    let page = other.get(PATH).await;
    let stolen = authenticator.make(&page.passkey_options());
    is_refused(&send(&other, &page, &stolen).await, "is known already");
    assert_eq!(kept(&clinic, PATIENT).await, 1);
    assert_eq!(kept(&clinic, PHYSICIAN).await, 0);
}

#[tokio::test]
async fn refuses_old_ceremonies_and_those_of_other_sessions() {
    let clinic = Clinic::open().await;
    let browser = signed_in(&clinic, PATIENT).await;
    let page = browser.get(PATH).await;
    let credential = Authenticator::new().make(&page.passkey_options());
    // Of another session of the same person: with that one's own form token.
    let other = signed_in(&clinic, PATIENT).await;
    let token = other.get(PATH).await.passkey_field("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("name", "x"),
        ("ceremony", &page.passkey_field("ceremony")),
        ("credential", &credential),
    ];
    is_refused(&other.post(PATH, &fields).await, "That took too long.");
    assert_eq!(
        clinic.last_audit().await.reason.as_deref(),
        Some("foreign_ceremony")
    );
    clinic.issuer.advance(CEREMONY_SECONDS);
    is_refused(&send(&browser, &page, &credential).await, "That took too long.");
    assert_eq!(
        clinic.last_audit().await.reason.as_deref(),
        Some("expired_ceremony")
    );
    assert_eq!(kept(&clinic, PATIENT).await, 0);
}

#[tokio::test]
async fn refuses_what_an_authenticator_says_wrongly() {
    let clinic = Clinic::open().await;
    let browser = signed_in(&clinic, PATIENT).await;
    let wrong: [fn(&mut Authenticator, &mut Value); 4] = [
        |authenticator, _| authenticator.flags = PRESENT,
        |authenticator, _| authenticator.origin = "https://id.example.org.evil.example".into(),
        |authenticator, _| authenticator.origin = "https://id.example.org:8443".into(),
        |_, options| options["challenge"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into(),
    ];
    for change in wrong {
        let page = browser.get(PATH).await;
        let (mut authenticator, mut options) = (Authenticator::new(), page.passkey_options());
        change(&mut authenticator, &mut options);
        let credential = authenticator.make(&options);
        is_refused(&send(&browser, &page, &credential).await, "could not be used");
    }
    for credential in ["{}", "null", "[", "\"x\""] {
        let page = browser.get(PATH).await;
        is_refused(&send(&browser, &page, credential).await, "could not be used");
        assert_eq!(
            clinic.last_audit().await.reason.as_deref(),
            Some("unreadable_passkey")
        );
    }
    assert_eq!(kept(&clinic, PATIENT).await, 0);
}

#[tokio::test]
async fn refuses_forged_forms_and_whoever_is_not_signed_in() {
    let clinic = Clinic::open().await;
    let nobody = clinic.browser().get(PATH).await;
    assert_eq!(nobody.location(), "/login");
    let browser = signed_in(&clinic, PATIENT).await;
    let page = browser.get(PATH).await;
    let credential = Authenticator::new().make(&page.passkey_options());
    let (token, ceremony) = (page.passkey_field("form_token"), page.passkey_field("ceremony"));
    let fields = |token| {
        [
            ("form_token", token),
            ("name", "x"),
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
    assert_eq!(kept(&clinic, PATIENT).await, 0);
}

#[tokio::test]
async fn where_a_factor_is_required_a_passkey_is_one() {
    let clinic = Clinic::with_config(|config| config.second_factor.required = true).await;
    let browser = clinic.browser();
    let answer = browser.sign_in("/login", PATIENT, PASSWORD).await;
    assert_eq!(answer.location(), "/login/mfa/enrol");
    let choice = browser.get(answer.location()).await;
    let token = choice.field("form_token");
    let chosen = [("form_token", token.as_str()), ("kind", "passkey")];
    assert_eq!(browser.post("/login/mfa/enrol", &chosen).await.location(), PATH);
    let page = browser.get(PATH).await;
    let credential = Authenticator::new().make(&page.passkey_options());
    let added = send(&browser, &page, &credential).await;
    assert!(added.body.contains("Your recovery codes"), "{added:?}");
    assert!(browser.get("/").await.body.contains("Pat Patient"));
}

#[tokio::test]
async fn a_passkey_that_was_made_is_kept_whatever_its_name() {
    for (typed, kept) in [
        ("", "Passkey"),
        (&*"x".repeat(61), "Passkey"),
        ("a\u{7}", "Passkey"),
        ("Телефон на посту медсестры", "Телефон на посту медсестры"),
    ] {
        let clinic = Clinic::open().await;
        let browser = signed_in(&clinic, PATIENT).await;
        let page = browser.get(PATH).await;
        let credential = Authenticator::new().make(&page.passkey_options());
        let (token, ceremony) = (page.passkey_field("form_token"), page.passkey_field("ceremony"));
        let fields = [
            ("form_token", token.as_str()),
            ("name", typed),
            ("ceremony", ceremony.as_str()),
            ("credential", credential.as_str()),
        ];
        let added = browser.post(PATH, &fields).await;
        assert!(added.body.contains("Your recovery codes"), "{added:?}");
        let user = clinic
            .issuer
            .store()
            .user_by_email(PATIENT)
            .await
            .unwrap()
            .unwrap();
        let factors = clinic.issuer.store().factors(&user.id).await.unwrap();
        assert_eq!(factors[0].name, kept, "{typed:?}");
    }
}
