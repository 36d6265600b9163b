//! What is particular about the providers that many organizations have.

use serde_json::json;

use super::{CLIENT_ID, DOMAIN, PATIENT, Realm, Traveller, connect, settings};
use crate::domain::single_sign_on::Preset;
use crate::testing::FakeProvider;
use crate::web::testing::Clinic;

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/// A realm of Microsoft Entra ID: its issuer says the tenant.
async fn entra() -> Realm {
    let clinic = Clinic::with_config(super::allow_loopback).await;
    let provider = FakeProvider::start_at(&format!("/{TENANT}/v2.0")).await;
    let mut settings = settings(&provider.issuer);
    settings.preset = Preset::EntraId;
    let id = connect(&clinic, settings, DOMAIN).await;
    Realm { clinic, provider, id }
}

fn entra_claims(realm: &Realm, traveller: &Traveller, email: &str) -> serde_json::Value {
    let mut claims = realm.claims(traveller, email);
    claims.as_object_mut().unwrap().remove("email_verified");
    claims["tid"] = TENANT.into();
    claims
}

#[tokio::test]
async fn entra_says_nothing_of_verified_addresses_and_the_domain_speaks_for_them() {
    let realm = entra().await;
    let traveller = realm.travel(PATIENT).await;
    let claims = entra_claims(&realm, &traveller, PATIENT);
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
    // Without `email`, the sign-in name of the tenant's own domain.
    let traveller = realm.travel(PATIENT).await;
    let mut claims = entra_claims(&realm, &traveller, PATIENT);
    claims.as_object_mut().unwrap().remove("email");
    claims["preferred_username"] = "Pat@Example.Org".into();
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
}

#[tokio::test]
async fn an_address_typed_into_a_strangers_tenant_opens_nothing() {
    // The victim's organization has no connection; the attacker's own tenant has one, for the attacker's domain.
    let clinic = Clinic::with_config(super::allow_loopback).await;
    let provider = FakeProvider::start_at(&format!("/{TENANT}/v2.0")).await;
    let mut attackers = settings(&provider.issuer);
    attackers.preset = Preset::EntraId;
    let id = connect(&clinic, attackers, "evil.example").await;
    let realm = Realm { clinic, provider, id };
    for claim in ["email", "preferred_username"] {
        let traveller = realm.travel("mallory@evil.example").await;
        let mut claims = entra_claims(&realm, &traveller, PATIENT);
        claims.as_object_mut().unwrap().remove("email");
        claims[claim] = PATIENT.into();
        claims["email_verified"] = true.into();
        claims["xms_edov"] = true.into();
        let answer = realm.arrive(&traveller, &claims).await;
        realm.is_refused(
            &traveller,
            &answer,
            &realm.clinic.last_audit().await,
            "sso_email_domain",
        );
    }
}

#[tokio::test]
async fn another_tenant_and_guests_of_this_one_are_refused() {
    let realm = entra().await;
    for (claim, value, reason) in [
        (
            "tid",
            json!("9188040d-6c67-4c5b-b112-36a304b66dad"),
            "sso_another_tenant",
        ),
        ("tid", json!(null), "sso_another_tenant"),
        ("acct", json!(1), "sso_guest"),
        ("acct", json!("1"), "sso_guest"),
        (
            "preferred_username",
            json!("pat_example.org#EXT#@clinic.onmicrosoft.com"),
            "sso_guest",
        ),
    ] {
        let traveller = realm.travel(PATIENT).await;
        let mut claims = entra_claims(&realm, &traveller, PATIENT);
        claims[claim] = value;
        let answer = realm.arrive(&traveller, &claims).await;
        realm.is_refused(&traveller, &answer, &realm.clinic.last_audit().await, reason);
    }
}

#[tokio::test]
async fn google_has_to_say_whose_workspace_it_is() {
    let realm = Realm::with(|settings| settings.preset = Preset::Google).await;
    realm.refuses(|_| (), "sso_hosted_domain").await;
    realm
        .refuses(|claims| claims["hd"] = "evil.example".into(), "sso_hosted_domain")
        .await;
    realm
        .refuses(
            |claims| {
                claims["hd"] = DOMAIN.into();
                claims["email_verified"] = false.into();
            },
            "sso_email_not_verified",
        )
        .await;
    let traveller = realm.travel(PATIENT).await;
    let mut claims = realm.claims(&traveller, PATIENT);
    claims["hd"] = "Example.org".into();
    claims["azp"] = CLIENT_ID.into();
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
}

#[tokio::test]
async fn cognito_may_write_that_an_address_is_verified_as_a_text() {
    let realm = Realm::with(|settings| settings.preset = Preset::Cognito).await;
    realm
        .refuses(
            |claims| claims["email_verified"] = "false".into(),
            "sso_email_not_verified",
        )
        .await;
    let traveller = realm.travel(PATIENT).await;
    let mut claims = realm.claims(&traveller, PATIENT);
    claims["email_verified"] = "true".into();
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
}
