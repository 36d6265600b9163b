//! Signing out at the provider too.

use http::StatusCode;

use super::{CLIENT_ID, PATIENT, Realm, Traveller};
use crate::domain::single_sign_on::Preset;
use crate::testing::{FakeProvider, ISSUER};
use crate::web::testing::Answer;

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
