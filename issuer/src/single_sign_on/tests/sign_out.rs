//! Signing out at the provider too.

use http::StatusCode;

use super::{CLIENT_ID, PATIENT, Realm, Traveller};
use crate::domain::audit_event::AuditAction;
use crate::domain::single_sign_on::Preset;
use crate::store::ClientUpdate;
use crate::testing::{FakeProvider, ISSUER};
use crate::web::testing::{Answer, PHYSICIAN, WEB, WEB_REDIRECT, WEB_SIGNED_OUT, changed, form, web_request};

/// Signs in by the provider, and out here; the page that follows.
async fn signed_out(realm: &Realm) -> (Traveller, Answer) {
    let traveller = realm.travel(PATIENT).await;
    let claims = realm.claims(&traveller, PATIENT);
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
    let token = traveller.browser.get("/logout").await.field("form_token");
    let answer = traveller.browser.post("/logout", &[("form_token", &token)]).await;
    assert_eq!(answer.location(), "/logout");
    let page = traveller.browser.get("/logout").await;
    (traveller, page)
}

#[tokio::test]
async fn who_signed_in_by_a_provider_can_sign_out_there_once() {
    let realm = Realm::open().await;
    let (traveller, page) = signed_out(&realm).await;
    assert!(
        page.body.contains("action=\"/logout/provider\"") && page.body.contains("Example Clinic"),
        "{page:?}"
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains(&format!("form-action 'self' {}", realm.provider.issuer)),
        "{policy}"
    );
    let sent = traveller.browser.post("/logout/provider", &[]).await;
    assert!(
        sent.location()
            .starts_with(&format!("{}/end?", realm.provider.issuer)),
        "{sent:?}"
    );
    assert_eq!(sent.sent("client_id").as_deref(), Some(CLIENT_ID));
    assert_eq!(
        sent.sent("post_logout_redirect_uri"),
        Some(format!("{ISSUER}/logout"))
    );
    assert_eq!(sent.sent("id_token_hint").unwrap().split('.').count(), 3);
    let again = traveller.browser.post("/logout/provider", &[]).await;
    assert_eq!(again.location(), "/logout");
    assert!(
        !traveller
            .browser
            .get("/logout")
            .await
            .body
            .contains("/logout/provider")
    );
}

#[tokio::test]
async fn another_site_cannot_sign_anybody_out_there() {
    let realm = Realm::open().await;
    let (traveller, _) = signed_out(&realm).await;
    let headers = [("origin", "https://evil.example")];
    let answer = traveller
        .browser
        .post_with("/logout/provider", &[], &headers)
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
}

#[tokio::test]
async fn cognito_is_signed_out_of_in_its_own_way() {
    let clinic = crate::web::testing::Clinic::with_config(super::allow_loopback).await;
    let provider = FakeProvider::start().await;
    let mut document = provider.document();
    document["authorization_endpoint"] = format!("{}/oauth2/authorize", provider.issuer).into();
    provider.discovery(200, &[], &document.to_string());
    let mut settings = super::settings(&provider.issuer);
    settings.preset = Preset::Cognito;
    let id = super::connect(&clinic, settings, super::DOMAIN).await;
    let realm = Realm { clinic, provider, id };
    let (traveller, _) = signed_out(&realm).await;
    let sent = traveller.browser.post("/logout/provider", &[]).await;
    assert!(
        sent.location()
            .starts_with(&format!("{}/logout?", realm.provider.issuer)),
        "{sent:?}"
    );
    assert_eq!(sent.sent("logout_uri"), Some(format!("{ISSUER}/logout")));
    assert_eq!(sent.sent("id_token_hint"), None);
}

#[tokio::test]
async fn who_signed_in_with_a_password_is_not_asked() {
    let realm = Realm::open().await;
    let browser = realm.clinic.browser();
    assert!(!browser.get("/logout").await.body.contains("/logout/provider"));
}

/// Signs in by the provider, then in to the web application; the logout request that it makes.
async fn asked_by_an_app(realm: &Realm) -> (Traveller, String) {
    let traveller = realm.travel(PATIENT).await;
    let claims = realm.claims(&traveller, PATIENT);
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
    let came = traveller.browser.authorize(&web_request("openid"), PATIENT).await;
    let code = came.sent("code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &*realm.clinic.web_secret),
    ];
    let tokens = realm.clinic.token(&fields).await.json();
    let request = form(&[
        ("id_token_hint", tokens["id_token"].as_str().unwrap()),
        ("post_logout_redirect_uri", WEB_SIGNED_OUT),
        ("state", "a b&c"),
    ]);
    (traveller, format!("/oauth2/logout?{request}"))
}

const BACK_AT_THE_APP: &str = "https://web.example/signed-out?state=a%20b%26c";

#[tokio::test]
async fn an_apps_logout_offers_the_provider_and_leads_on_to_the_app_by_it() {
    let realm = Realm::open().await;
    let (traveller, request) = asked_by_an_app(&realm).await;
    // Loading it again shows the same.
    for _ in 0..2 {
        let page = traveller.browser.get(&request).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        assert!(
            page.body.contains("Example Clinic") && page.body.contains("You are signed out"),
            "{page:?}"
        );
        let escaped = BACK_AT_THE_APP.replace('&', "&#38;");
        assert!(page.body.contains(&format!("href=\"{escaped}\"")), "{page:?}");
        let policy = page.header("content-security-policy").unwrap();
        let targets = format!(
            "form-action 'self' {} https://web.example;",
            realm.provider.issuer
        );
        assert!(policy.contains(&targets), "{policy}");
        assert_eq!(traveller.browser.cookie("__Host-wardgate_session"), None);
    }
    let onward = traveller.browser.get(&request).await.field("onward");
    let sent = traveller
        .browser
        .post("/logout/provider", &[("onward", &onward)])
        .await;
    assert!(
        sent.location()
            .starts_with(&format!("{}/end?", realm.provider.issuer)),
        "{sent:?}"
    );
    let state = sent.sent("state").unwrap();
    let back = traveller
        .browser
        .get(&format!("/logout?{}", form(&[("state", &state)])))
        .await;
    assert_eq!(back.location(), BACK_AT_THE_APP);
    // Once is enough: nothing is offered, and the app's own request leads back to it.
    assert_eq!(traveller.browser.get(&request).await.location(), BACK_AT_THE_APP);
    let again = traveller
        .browser
        .post("/logout/provider", &[("onward", &onward)])
        .await;
    assert!(again.location().starts_with("/logout?state="), "{again:?}");
}

#[tokio::test]
async fn whoever_confirms_an_apps_logout_is_offered_the_provider_too() {
    let realm = Realm::open().await;
    let (traveller, request) = asked_by_an_app(&realm).await;
    let query = request.split_once('?').unwrap().1;
    let fields: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let token = traveller.browser.get("/logout").await.field("form_token");
    let confirmed = changed(fields, &[("form_token", Some(&token))]);
    let answer = traveller.browser.post("/oauth2/logout/confirm", &confirmed).await;
    assert!(
        answer.location().starts_with("/oauth2/logout?id_token_hint="),
        "{answer:?}"
    );
    let page = traveller.browser.get(answer.location()).await;
    assert!(page.body.contains("action=\"/logout/provider\""), "{page:?}");
}

#[tokio::test]
async fn an_apps_logout_of_somebody_else_offers_nothing_of_this_browsers_provider() {
    let realm = Realm::open().await;
    let (_, request) = asked_by_an_app(&realm).await;
    // Another person of the same provider, in another browser.
    let other = realm.travel(PHYSICIAN).await;
    let claims = realm.claims(&other, PHYSICIAN);
    assert_eq!(realm.arrive(&other, &claims).await.location(), "/");
    let token = other.browser.get("/logout").await.field("form_token");
    other.browser.post("/logout", &[("form_token", &token)]).await;
    assert_eq!(other.browser.get(&request).await.location(), BACK_AT_THE_APP);
}

#[tokio::test]
async fn a_made_up_way_on_leads_nowhere() {
    let realm = Realm::open().await;
    let (traveller, request) = asked_by_an_app(&realm).await;
    let onward = traveller.browser.get(&request).await.field("onward");
    let mut cut = onward.clone();
    cut.truncate(onward.len() - 4);
    for made_up in [&*cut, "https://evil.example/", "x"] {
        let page = traveller
            .browser
            .get(&format!("/logout?{}", form(&[("state", made_up)])))
            .await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
    }
    let sent = traveller
        .browser
        .post("/logout/provider", &[("onward", &cut)])
        .await;
    assert_eq!(sent.sent("state"), None);
    // Whoever is signed in is asked, whatever the address says.
    let signed_in = realm.travel(PATIENT).await;
    let claims = realm.claims(&signed_in, PATIENT);
    assert_eq!(realm.arrive(&signed_in, &claims).await.location(), "/");
    let page = signed_in
        .browser
        .get(&format!("/logout?{}", form(&[("state", &onward)])))
        .await;
    assert!(page.body.contains("Sign out?"), "{page:?}");
    // A URI that is not registered any more is not gone to.
    let store = realm.clinic.issuer.store();
    let before = store.client(WEB).await.unwrap().unwrap();
    let mut client = before.clone();
    client.post_logout_redirect_uris.clear();
    let audit = realm.audit(AuditAction::ClientUpdate);
    let updated = store.update_client(before, client, audit).await.unwrap();
    assert_eq!(updated, ClientUpdate::Done);
    let page = traveller
        .browser
        .get(&format!("/logout?{}", form(&[("state", &onward)])))
        .await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
}
