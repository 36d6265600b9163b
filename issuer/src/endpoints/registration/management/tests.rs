//! What a client can do to its own registration, and nobody else.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::endpoints::registration::tests::{app, changed, open, registered, send};
use crate::web::testing::{Answer, Clinic, PATIENT, WEB, basic};

fn path(client: &Value) -> String {
    format!("/oauth2/register/{}", client["client_id"].as_str().unwrap())
}

fn token(client: &Value) -> &str {
    client["registration_access_token"].as_str().unwrap()
}

async fn put(clinic: &Clinic, client: &Value, body: &Value) -> Answer {
    send(clinic, Method::PUT, &path(client), token(client), body).await
}

/// The registration as an update sends it back: without what is not the client's to say.
fn sent_back(client: &Value) -> Value {
    changed(
        client.clone(),
        json!({
            "registration_access_token": null,
            "registration_client_uri": null,
            "client_id_issued_at": null,
            "client_secret_expires_at": null,
        }),
    )
}

/// The tokens of a client with a secret, and the answer of introspection about the access token.
async fn tokens(clinic: &Clinic, client: &Value) -> Value {
    let redirect_uri = "https://dyn.example/cb";
    let (id, secret) = (
        client["client_id"].as_str().unwrap(),
        client["client_secret"].as_str().unwrap(),
    );
    let query = [
        ("response_type", "code"),
        ("client_id", id),
        ("scope", "openid"),
        ("redirect_uri", redirect_uri),
    ];
    let code = clinic
        .browser()
        .authorize(&query, PATIENT)
        .await
        .sent("code")
        .unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", redirect_uri),
        ("client_id", id),
        ("client_secret", secret),
    ];
    let answer = clinic.token(&fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn a_client_sees_its_registration_again() {
    let clinic = Clinic::with_config(open).await;
    let client = registered(&clinic, &app()).await;
    let answer = send(&clinic, Method::GET, &path(&client), token(&client), &Value::Null).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    // The secret is stored as a digest only.
    let without_secret = json!({ "client_secret": null, "client_secret_expires_at": null });
    assert_eq!(answer.json(), changed(client, without_secret));
}

#[tokio::test]
async fn nobody_else_sees_or_touches_it() {
    let clinic = Clinic::with_config(open).await;
    let (client, other) = (
        registered(&clinic, &app()).await,
        registered(&clinic, &app()).await,
    );
    let of_the_operator = json!({ "client_id": WEB });
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        for (path, token) in [
            (path(&client), token(&other)),
            (path(&client), "x"),
            (path(&client), client["client_secret"].as_str().unwrap()),
            (path(&of_the_operator), token(&other)),
            ("/oauth2/register/unknown".into(), token(&client)),
            ("/oauth2/register/%ff".into(), token(&client)),
        ] {
            let answer = send(&clinic, method.clone(), &path, token, &sent_back(&client)).await;
            answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_token");
        }
        let answer = send(&clinic, method, &path(&client), "", &sent_back(&client)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            answer.header("www-authenticate"),
            Some(r#"Bearer realm="wardgate""#)
        );
    }
    assert_eq!(clinic.issuer.store().clients().await.unwrap().len(), 5);
    let answer = send(
        &clinic,
        Method::POST,
        &path(&client),
        token(&client),
        &Value::Null,
    )
    .await;
    answer.is_oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request");
}

#[tokio::test]
async fn an_update_replaces_everything_and_keeps_secret_and_token() {
    let clinic = Clinic::with_config(open).await;
    let client = registered(
        &clinic,
        &changed(app(), json!({ "logo_uri": "https://dyn.example/l" })),
    )
    .await;
    let wanted = changed(
        sent_back(&client),
        json!({ "client_name": "New", "logo_uri": null, "redirect_uris": ["https://dyn.example/cb", "https://dyn.example/2"] }),
    );
    let answer = put(&clinic, &client, &wanted).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let updated = answer.json();
    assert_eq!(updated["client_name"], "New");
    assert!(updated.get("logo_uri").is_none() && updated.get("client_secret").is_none());
    assert_eq!(
        updated["registration_access_token"],
        client["registration_access_token"]
    );
    assert_eq!(updated["client_id_issued_at"], client["client_id_issued_at"]);
    let audit = clinic.last_audit().await;
    assert_eq!(
        (audit.action, audit.outcome),
        (AuditAction::ClientUpdate, AuditOutcome::Success)
    );
    assert_eq!(audit.client_id.as_deref(), client["client_id"].as_str());
    // The secret is the old one.
    tokens(&clinic, &client).await;
}

#[tokio::test]
async fn an_update_may_change_how_the_client_proves_who_it_is() {
    let clinic = Clinic::with_config(open).await;
    let public = registered(
        &clinic,
        &changed(app(), json!({ "token_endpoint_auth_method": "none" })),
    )
    .await;
    let with_secret = changed(
        sent_back(&public),
        json!({ "token_endpoint_auth_method": "client_secret_post" }),
    );
    let answer = put(&clinic, &public, &with_secret).await.json();
    assert_eq!(answer["client_secret_expires_at"], 0);
    tokens(&clinic, &answer).await;
    let back = changed(
        sent_back(&answer),
        json!({ "token_endpoint_auth_method": "none" }),
    );
    let answer = put(&clinic, &public, &back).await.json();
    assert!(answer.get("client_secret").is_none());
    assert_eq!(answer["token_endpoint_auth_method"], "none");
}

#[tokio::test]
async fn an_update_of_somebody_else_or_beyond_the_ceiling_changes_nothing() {
    let clinic = Clinic::with_config(open).await;
    let client = registered(&clinic, &app()).await;
    for (members, code) in [
        (json!({ "client_id": "other" }), "invalid_client_metadata"),
        (json!({ "client_id": null }), "invalid_client_metadata"),
        (
            json!({ "client_secret": "wgsec_other" }),
            "invalid_client_metadata",
        ),
        (
            json!({ "grant_types": ["client_credentials"], "redirect_uris": null }),
            "invalid_client_metadata",
        ),
        (json!({ "scope": "system/*.rs" }), "invalid_client_metadata"),
        (
            json!({ "redirect_uris": ["http://dyn.example/cb"] }),
            "invalid_redirect_uri",
        ),
        (json!({ "registration_access_token": "x" }), "invalid_request"),
        (json!({ "client_secret_expires_at": 0 }), "invalid_request"),
    ] {
        let answer = put(&clinic, &client, &changed(sent_back(&client), members)).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, code);
        let audit = clinic.last_audit().await;
        assert_eq!(
            (audit.action, audit.outcome),
            (AuditAction::ClientUpdate, AuditOutcome::Failure)
        );
    }
    let answer = send(&clinic, Method::GET, &path(&client), token(&client), &Value::Null).await;
    assert_eq!(answer.json()["scope"], client["scope"]);
}

// OIDC-82
#[tokio::test]
async fn a_deleted_client_is_gone_with_everything_it_had() {
    let clinic = Clinic::with_config(open).await;
    let client = registered(&clinic, &app()).await;
    let access_token = tokens(&clinic, &client).await["access_token"].clone();
    assert!(clinic.is_live(&access_token).await);
    let answer = send(
        &clinic,
        Method::DELETE,
        &path(&client),
        token(&client),
        &Value::Null,
    )
    .await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::NO_CONTENT, "")
    );
    let audit = clinic.last_audit().await;
    assert_eq!(
        (audit.action, audit.outcome),
        (AuditAction::ClientDeletion, AuditOutcome::Success)
    );
    assert_eq!(audit.client_id.as_deref(), client["client_id"].as_str());

    assert!(!clinic.is_live(&access_token).await);
    let bearer = format!("Bearer {}", access_token.as_str().unwrap());
    let answer = clinic
        .browser()
        .post_with("/oauth2/userinfo", &[], &[("authorization", &bearer)])
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let introspected = clinic
        .browser()
        .post_with(
            "/oauth2/introspect",
            &[("token", access_token.as_str().unwrap())],
            &[("authorization", &basic(WEB, &clinic.web_secret))],
        )
        .await;
    assert_eq!(introspected.json(), json!({ "active": false }));
    let answer = send(
        &clinic,
        Method::DELETE,
        &path(&client),
        token(&client),
        &Value::Null,
    )
    .await;
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_token");
    let (id, secret) = (
        client["client_id"].as_str().unwrap(),
        client["client_secret"].as_str().unwrap(),
    );
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "wgr_x"),
        ("client_id", id),
        ("client_secret", secret),
    ];
    clinic
        .token(&fields)
        .await
        .is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
}

#[tokio::test]
async fn of_many_deletions_and_updates_at_once_none_brings_the_client_back() {
    let clinic = std::sync::Arc::new(Clinic::with_config(open).await);
    let client = std::sync::Arc::new(registered(&clinic, &app()).await);
    let mut attempts = tokio::task::JoinSet::new();
    for turn in 0..12 {
        let (clinic, client) = (clinic.clone(), client.clone());
        attempts.spawn(async move {
            if turn % 3 == 0 {
                let answer = send(
                    &clinic,
                    Method::DELETE,
                    &path(&client),
                    token(&client),
                    &Value::Null,
                )
                .await;
                answer.status == StatusCode::NO_CONTENT
            } else {
                put(&clinic, &client, &sent_back(&client)).await;
                false
            }
        });
    }
    let deletions = attempts.join_all().await;
    assert_eq!(deletions.iter().filter(|done| **done).count(), 1);
    let store = clinic.issuer.store();
    assert!(
        store
            .client(client["client_id"].as_str().unwrap())
            .await
            .unwrap()
            .is_none()
    );
}
