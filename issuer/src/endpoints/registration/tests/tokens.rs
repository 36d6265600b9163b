//! Initial access tokens.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use wardgate_shared::scope::ScopeSet;

use super::{app, changed, open, send};
use crate::config::RegistrationMode;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::GrantType;
use crate::domain::registration::{Ceiling, RegistrationToken};
use crate::store::Insertion;
use crate::tokens::opaque::OpaqueSecret;
use crate::web::testing::{Answer, Clinic};

/// A token for services and apps, good for `uses` clients and an hour.
async fn token(clinic: &Clinic, uses: u32) -> String {
    let secret = OpaqueSecret::InitialAccessToken.generate().unwrap();
    let now = clinic.issuer.now();
    let token = RegistrationToken {
        id: crate::rng::identifier("regtoken-").unwrap(),
        digest: secret.digest,
        description: "for tests".into(),
        ceiling: Ceiling {
            scope: ScopeSet::parse("openid system/*.rs").unwrap(),
            grant_types: vec![GrantType::AuthorizationCode, GrantType::ClientCredentials],
        },
        uses_left: uses,
        created_at: now,
        expires_at: now.plus(3600),
    };
    let audit = AuditEvent::new(now, AuditAction::RegistrationTokenCreation, AuditOutcome::Success);
    let store = clinic.issuer.store();
    assert_eq!(
        store
            .insert_registration_token(token.clone(), audit)
            .await
            .unwrap(),
        Insertion::Inserted
    );
    assert!(store.registration_tokens().await.unwrap().contains(&token));
    secret.value.expose().clone()
}

fn service() -> Value {
    json!({ "grant_types": ["client_credentials"], "client_name": "Service" })
}

async fn register(clinic: &Clinic, token: &str, body: &Value) -> Answer {
    send(clinic, Method::POST, "/oauth2/register", token, body).await
}

async fn guarded() -> Clinic {
    Clinic::with_config(|config| config.registration.mode = RegistrationMode::Token).await
}

#[tokio::test]
async fn without_a_good_token_nobody_registers() {
    let clinic = guarded().await;
    let answer = register(&clinic, "", &app()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.header("www-authenticate"),
        Some(r#"Bearer realm="wardgate""#)
    );
    let made_up = OpaqueSecret::InitialAccessToken.generate().unwrap();
    let expired = token(&clinic, 5).await;
    clinic.issuer.advance(3600);
    let access_token = clinic.tokens("openid", crate::web::testing::PATIENT).await;
    for bad in [
        made_up.value.expose(),
        "x",
        expired.as_str(),
        access_token["access_token"].as_str().unwrap(),
    ] {
        let answer = register(&clinic, bad, &app()).await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_token");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer ") && challenge.contains("invalid_token"));
    }
    assert_eq!(clinic.last_audit().await.reason.as_deref(), Some("invalid_token"));
}

#[tokio::test]
async fn a_token_lets_in_what_it_says_and_no_more() {
    let clinic = guarded().await;
    let token = token(&clinic, 10).await;
    let answer = register(&clinic, &token, &service()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!(answer.json()["scope"], "openid system/*.rs");
    let audit = clinic.last_audit().await;
    assert_eq!(audit.method.as_deref(), Some("registration_token"));
    let wide = changed(service(), json!({ "scope": "system/*.cruds system/Patient.r" }));
    assert_eq!(
        register(&clinic, &token, &wide).await.json()["scope"],
        "system/Patient.r"
    );
    let other = changed(
        app(),
        json!({ "grant_types": ["authorization_code", "refresh_token"] }),
    );
    let answer = register(&clinic, &token, &other).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_client_metadata");
}

#[tokio::test]
async fn a_token_lets_in_more_than_strangers_get_where_they_may_come_too() {
    let clinic = Clinic::with_config(open).await;
    let token = token(&clinic, 1).await;
    assert_eq!(
        register(&clinic, &token, &service()).await.status,
        StatusCode::CREATED
    );
    // Used up: it does not make a stranger of who shows it.
    let answer = register(&clinic, &token, &app()).await;
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_token");
}

#[tokio::test]
async fn a_refused_registration_uses_up_nothing() {
    let clinic = guarded().await;
    let token = token(&clinic, 1).await;
    let bad = json!({ "redirect_uris": ["https://dyn.example/#x"] });
    let answer = register(&clinic, &token, &bad).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_redirect_uri");
    assert_eq!(
        register(&clinic, &token, &app()).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn of_many_registrations_by_a_token_for_one_client_one_succeeds() {
    let clinic = guarded().await;
    let token = token(&clinic, 1).await;
    let clinic = Arc::new(clinic);
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (clinic, token) = (clinic.clone(), token.clone());
        attempts.spawn(async move { register(&clinic, &token, &service()).await.status });
    }
    let statuses = attempts.join_all().await;
    let count = |wanted: StatusCode| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!(
        (count(StatusCode::CREATED), count(StatusCode::UNAUTHORIZED)),
        (1, 15),
        "{statuses:?}"
    );
    assert_eq!(clinic.issuer.store().clients().await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_revoked_token_lets_nobody_in_and_an_expired_one_is_forgotten() {
    let clinic = guarded().await;
    let (revoked, _expired) = (token(&clinic, 5).await, token(&clinic, 5).await);
    let store = clinic.issuer.store();
    let id = store.registration_tokens().await.unwrap();
    let digest = crate::domain::digest::SecretDigest::of(&revoked);
    let id = id.into_iter().find(|token| token.digest == digest).unwrap().id;
    let audit = || {
        AuditEvent::new(
            clinic.issuer.now(),
            AuditAction::RegistrationTokenRevocation,
            AuditOutcome::Success,
        )
    };
    assert!(store.revoke_registration_token(&id, audit()).await.unwrap());
    assert_eq!(
        clinic.last_audit().await.action,
        AuditAction::RegistrationTokenRevocation
    );
    assert!(!store.revoke_registration_token(&id, audit()).await.unwrap());
    let answer = register(&clinic, &revoked, &app()).await;
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_token");
    clinic.issuer.advance(3600);
    store.purge_expired(clinic.issuer.now()).await.unwrap();
    assert!(store.registration_tokens().await.unwrap().is_empty());
}
