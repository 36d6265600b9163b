//! What each way through says of itself, and what it leaves behind.

use super::{DEVICE, SESSION, SIGN_IN};
use wardgate_shared::secret::Secret;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::keys::MasterKey;
use crate::web::testing::{
    Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, WEB, WEB_REDIRECT, form, web_request,
};

const MULTI_FACTOR: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";
const PASSWORD_CONTEXT: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";

/// `acr`, `amr` and `auth_time` of the ID token that the web client gets in this browser.
async fn told(clinic: &Clinic, browser: &Browser) -> (String, Vec<String>, i64) {
    let query = form(&web_request("openid"));
    let mut answer = browser.get(&format!("/oauth2/authorize?{query}")).await;
    if answer.location().starts_with("/consent") {
        let page = String::from(answer.location());
        answer = browser.decide(&page, "allow").await;
    }
    let code = answer
        .sent("code")
        .unwrap_or_else(|| panic!("no code: {answer:?}"));
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &clinic.web_secret),
    ];
    let body = clinic.token(&fields).await.json();
    let claims = clinic.id_claims(&body["id_token"], WEB).await.into_claims();
    (
        claims.authentication_context.unwrap(),
        claims.authentication_methods,
        claims.authenticated_at.unwrap().seconds(),
    )
}

#[tokio::test]
async fn nothing_is_open_between_password_and_second_factor() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let (browser, page) = clinic.half_way(PATIENT).await;
    assert_eq!(browser.cookie(SESSION), None);
    assert!(!browser.is_signed_in().await);
    for protected in ["/account", "/account/sessions", "/device"] {
        assert!(
            browser.get(protected).await.location().starts_with("/login"),
            "{protected}"
        );
    }
    let half = browser.cookie(SIGN_IN).unwrap();
    let answer = browser.give(&page, &seed.code(clinic.issuer.now()), false).await;
    assert_eq!(answer.location(), "/");
    assert!(browser.is_signed_in().await);
    assert_eq!((browser.cookie(SIGN_IN), browser.cookie(DEVICE)), (None, None));
    let events = clinic.issuer.store().audit_events(2).await.unwrap();
    assert_eq!(
        events
            .iter()
            .map(|event| (event.action, event.outcome))
            .collect::<Vec<_>>(),
        [
            (AuditAction::SignIn, AuditOutcome::Success),
            (AuditAction::SecondFactor, AuditOutcome::Success)
        ]
    );
    assert!(events.iter().all(|event| event.method.as_deref() == Some("otp")));

    // The cookie from before is worth nothing now, and never was a session.
    let thief = clinic.browser();
    thief.set_cookie(SESSION, &half);
    thief.set_cookie(SIGN_IN, &half);
    assert!(!thief.is_signed_in().await);
    assert_eq!(thief.get(&page).await.location(), "/login");
}

#[tokio::test]
async fn tokens_say_of_every_path_what_was_done_on_it() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let recovery = clinic.add_recovery_code(PATIENT).await;
    let start = clinic.issuer.now().seconds();

    let physician = clinic.browser();
    physician.sign_in("/login", PHYSICIAN, PASSWORD).await;
    assert_eq!(
        told(&clinic, &physician).await,
        (PASSWORD_CONTEXT.into(), vec!["pwd".into()], start)
    );

    let app = clinic.browser();
    app.sign_in_with(&clinic, &seed, true).await;
    let strong = (
        String::from(MULTI_FACTOR),
        ["pwd", "otp", "mfa"].map(String::from).to_vec(),
    );
    assert_eq!(
        told(&clinic, &app).await,
        (strong.0.clone(), strong.1.clone(), start)
    );

    // A remembered browser adds nothing to what is done in it.
    clinic.issuer.advance(100);
    assert_eq!(app.sign_in("/login", PATIENT, PASSWORD).await.location(), "/");
    assert_eq!(
        told(&clinic, &app).await,
        (PASSWORD_CONTEXT.into(), vec!["pwd".into()], start + 100)
    );

    let (recovered, page) = clinic.half_way(PATIENT).await;
    let way = format!("{page}?use=recovery");
    assert_eq!(recovered.give(&way, &recovery, false).await.location(), "/");
    assert_eq!(told(&clinic, &recovered).await, (strong.0, strong.1, start + 100));
}

#[tokio::test]
async fn a_factor_leads_on_to_the_app_that_asked() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = clinic.browser();
    let asked = browser
        .get(&format!("/oauth2/authorize?{}", form(&web_request("openid"))))
        .await;
    let answer = browser.sign_in(asked.location(), PATIENT, PASSWORD).await;
    assert!(answer.location().starts_with("/login/mfa?request="), "{answer:?}");
    let page = browser.get(answer.location()).await;
    assert!(page.body.contains("The app web"), "{page:?}");
    let answer = browser
        .give_on(&page, &seed.code(clinic.issuer.now()), true)
        .await;
    assert!(
        answer.location().starts_with("/oauth2/authorize/continue?"),
        "{answer:?}"
    );
    let consent = browser.get(answer.location()).await;
    assert!(consent.location().starts_with("/consent"), "{consent:?}");
}

#[tokio::test]
async fn the_session_before_ends_with_a_new_sign_in_and_its_cookie_is_worth_nothing() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let browser = clinic.browser();
    browser.sign_in("/login", PHYSICIAN, PASSWORD).await;
    let before = browser.cookie(SESSION).unwrap();
    browser.sign_in_with(&clinic, &seed, false).await;
    assert_ne!(browser.cookie(SESSION).unwrap(), before);
    let old = clinic.browser();
    old.set_cookie(SESSION, &before);
    assert!(!old.get("/").await.body.contains("Ada Physician"));
}

#[tokio::test]
async fn an_authenticator_app_a_session_and_a_refresh_token_outlive_the_master_key() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens("openid offline_access", PHYSICIAN).await;
    let seed = clinic.add_app(PATIENT).await;
    let (before, page) = clinic.half_way(PATIENT).await;
    before.give(&page, &seed.code(clinic.issuer.now()), false).await;
    let session = before.cookie(SESSION).unwrap();
    assert!(before.is_signed_in().await);
    // It holds on to the issuer.
    drop(before);

    let clinic = clinic
        .under_master_key(MasterKey::new(Secret::new([9; 32])))
        .await;
    clinic.issuer.advance(60);
    let (browser, page) = clinic.half_way(PATIENT).await;
    browser.give(&page, &seed.code(clinic.issuer.now()), false).await;
    assert!(browser.is_signed_in().await);
    let signed_in_before = clinic.browser();
    signed_in_before.set_cookie(SESSION, &session);
    assert!(signed_in_before.is_signed_in().await);
    let renewed = clinic.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(renewed.status, http::StatusCode::OK, "{renewed:?}");
}
