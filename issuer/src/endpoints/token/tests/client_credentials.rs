//! Tokens for clients that act for themselves.

use http::StatusCode;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::testing::{AUDIENCE, START};
use crate::web::testing::{APP, Clinic, SERVICE};

#[tokio::test]
async fn a_service_gets_a_token_as_in_the_documentation() {
    let clinic = Clinic::open().await;
    let answer = clinic
        .token(&[
            ("grant_type", "client_credentials"),
            ("client_id", SERVICE),
            ("client_secret", &clinic.service_secret),
            ("scope", "system/*.read system/*.write"),
        ])
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 300);
    assert_eq!(body["scope"], "system/*.read system/*.write");
    assert!(body.get("refresh_token").is_none());
    assert!(body.get("id_token").is_none());
    let claims = clinic.access_claims(&body["access_token"]).await;
    assert_eq!(claims.expires_at(), START.plus(300));
    let claims = claims.into_claims();
    assert!(claims.is_client_itself());
    assert_eq!(claims.audiences.iter().collect::<Vec<_>>(), [AUDIENCE]);
    assert!(claims.launch_context.is_empty());
    assert!(
        claims.authenticated_at.is_none() && claims.practitioner_id.is_none() && claims.fhir_user.is_none()
    );
    assert!(clinic.is_live(&body["access_token"]).await);
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::TokenRequest, AuditOutcome::Success)
    );
    assert_eq!(event.client_id.as_deref(), Some(SERVICE));
    assert_eq!(event.method.as_deref(), Some("client_credentials"));
}

async fn granted(clinic: &Clinic, scope: Option<&str>) -> crate::web::testing::Answer {
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", SERVICE),
        ("client_secret", clinic.service_secret.as_str()),
    ];
    fields.extend(scope.map(|scope| ("scope", scope)));
    clinic.token(&fields).await
}

#[tokio::test]
async fn what_belongs_to_people_is_left_out() {
    let clinic = Clinic::open().await;
    let answer = granted(
        &clinic,
        Some("openid patient/*.read system/Patient.rs user/*.rs observation.read"),
    )
    .await;
    assert_eq!(answer.json()["scope"], "system/Patient.rs observation.read");
    let answer = granted(&clinic, None).await;
    assert_eq!(answer.json()["scope"], "system/*.* observation.read");
}

#[tokio::test]
async fn nothing_left_to_grant_is_refused() {
    let clinic = Clinic::open().await;
    for scope in [
        "openid",
        "patient/*.read",
        "system/Nonsense.read",
        "observation.write",
    ] {
        granted(&clinic, Some(scope))
            .await
            .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_scope");
        assert_eq!(clinic.last_audit().await.reason.as_deref(), Some("invalid_scope"));
    }
}

#[tokio::test]
async fn a_malformed_scope_is_refused() {
    let clinic = Clinic::open().await;
    for scope in [
        " system/*.read",
        "system/*.read  openid",
        "system/*.read\topenid",
        "a\"b",
        "ä",
    ] {
        granted(&clinic, Some(scope))
            .await
            .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_scope");
    }
}

#[tokio::test]
async fn an_unknown_resource_is_refused() {
    let clinic = Clinic::open().await;
    for name in ["resource", "audience", "aud"] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", SERVICE),
            ("client_secret", clinic.service_secret.as_str()),
            (name, "https://elsewhere.example"),
        ];
        clinic
            .token(&fields)
            .await
            .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_target");
    }
}

#[tokio::test]
async fn a_client_that_may_not_is_refused() {
    let clinic = Clinic::open().await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", APP),
        ("scope", "patient/*.read"),
    ];
    clinic
        .token(&fields)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "unauthorized_client");
    let mistaken = crate::testing::client(
        "mistaken",
        ClientAuthentication::Public,
        &[GrantType::ClientCredentials],
        &[],
        "system/*.read",
    );
    clinic.issuer.add_client(mistaken).await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "mistaken"),
        ("scope", "system/*.read"),
    ];
    clinic
        .token(&fields)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "unauthorized_client");
}

#[tokio::test]
async fn scopes_that_no_token_has_room_for_are_refused() {
    let clinic = Clinic::open().await;
    let scopes = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("api:{number:0>60}")).collect();
        names.join(" ")
    };
    let (_, secret) = clinic.issuer.add_service_client("greedy", &scopes(100)).await;
    for (count, fits) in [(63, true), (64, false)] {
        let scope = scopes(count);
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", "greedy"),
            ("client_secret", secret.as_str()),
            ("scope", scope.as_str()),
        ];
        let answer = clinic.token(&fields).await;
        if fits {
            // `access_claims` reads no more than what the edge reads.
            clinic.access_claims(&answer.json()["access_token"]).await;
        } else {
            answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_scope");
        }
    }
}
