//! Refresh tokens: rotation, replay, lifetime, scope.

use http::StatusCode;
use serde_json::Value;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::client::Client;
use crate::domain::digest::SecretDigest;
use crate::testing::AUDIENCE;
use crate::web::testing::{
    APP, Answer, Clinic, PATIENT, PHYSICIAN, WEB, WEB_REDIRECT, app_request, web_request,
};

const OFFLINE: &str = "openid offline_access patient/*.read launch/patient";

fn refresh_token(body: &Value) -> &str {
    body["refresh_token"].as_str().unwrap()
}

#[track_caller]
fn is_invalid_grant(answer: &Answer) {
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
}

// OIDC-60, OIDC-61, SMART-56, SMART-58, SMART-59
#[tokio::test]
async fn a_refresh_token_gives_a_new_pair() {
    let clinic = Clinic::open().await;
    let first = clinic.tokens(OFFLINE, PATIENT).await;
    clinic.issuer.advance(3000);
    let answer = clinic.refresh(refresh_token(&first)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let second = answer.json();
    assert_eq!(second["scope"], OFFLINE);
    assert_eq!(second["expires_in"], 3600);
    assert_eq!(second["patient"], "7");
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert!(
        second.get("id_token").is_none(),
        "none, so that none can differ from the first"
    );
    let before = clinic.access_claims(&first["access_token"]).await.into_claims();
    let after = clinic.access_claims(&second["access_token"]).await.into_claims();
    assert_ne!(after.token_id, before.token_id);
    assert_eq!(
        (after.subject, after.authenticated_at),
        (before.subject, before.authenticated_at)
    );
    assert!(
        clinic.is_live(&first["access_token"]).await,
        "a refresh does not end the access token before it"
    );
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.method.as_deref()),
        (AuditAction::TokenRequest, Some("refresh_token"))
    );
}

#[tokio::test]
async fn an_app_need_not_name_itself_beside_its_refresh_token() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens(OFFLINE, PATIENT).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token(&tokens)),
    ];
    let answer = clinic.token(&form).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(clinic.last_audit().await.client_id.as_deref(), Some(APP));
}

#[tokio::test]
async fn without_a_name_only_a_public_clients_refresh_token_says_who_calls() {
    let clinic = Clinic::open().await;
    let confidential = web_tokens(&clinic).await;
    for form in [
        vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token(&confidential)),
        ],
        vec![("grant_type", "refresh_token"), ("refresh_token", "unknown")],
        vec![("grant_type", "refresh_token")],
        vec![
            ("grant_type", "client_credentials"),
            ("refresh_token", refresh_token(&confidential)),
        ],
    ] {
        let answer = clinic.token(&form).await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
}

#[tokio::test]
async fn a_client_that_lost_the_answer_may_ask_again_until_the_successor_is_used() {
    let clinic = Clinic::open().await;
    let first = clinic.tokens(OFFLINE, PATIENT).await;
    let lost = clinic.refresh(refresh_token(&first)).await.json();
    clinic.issuer.advance(600);
    let answer = clinic.refresh(refresh_token(&first)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.reason.as_deref()),
        (
            AuditAction::TokenRequest,
            AuditOutcome::Success,
            Some("refresh_token_retried")
        )
    );
    assert!(!clinic.is_live(&lost["access_token"]).await);
    let second = answer.json();
    assert!(clinic.is_live(&second["access_token"]).await);
    let third = clinic.refresh(refresh_token(&second)).await;
    assert_eq!(third.status, StatusCode::OK, "{third:?}");
    is_invalid_grant(&clinic.refresh(refresh_token(&first)).await);
    is_invalid_grant(&clinic.refresh(refresh_token(&third.json())).await);
}

#[tokio::test]
async fn a_replay_ends_the_family() {
    let clinic = Clinic::open().await;
    let first = clinic.tokens(OFFLINE, PATIENT).await;
    let second = clinic.refresh(refresh_token(&first)).await.json();
    let third = clinic.refresh(refresh_token(&second)).await.json();
    is_invalid_grant(&clinic.refresh(refresh_token(&first)).await);
    assert_eq!(clinic.last_audit().await.action, AuditAction::Replay);
    is_invalid_grant(&clinic.refresh(refresh_token(&third)).await);
    for tokens in [&first, &second, &third] {
        assert!(!clinic.is_live(&tokens["access_token"]).await);
    }
    is_invalid_grant(&clinic.refresh(refresh_token(&first)).await);
    assert_eq!(
        clinic.last_audit().await.action,
        AuditAction::TokenRequest,
        "a family ends once"
    );
}

#[tokio::test]
async fn a_replay_with_a_wrong_scope_ends_the_family_too() {
    let clinic = Clinic::open().await;
    let first = clinic.tokens(OFFLINE, PATIENT).await;
    let second = clinic.refresh(refresh_token(&first)).await.json();
    let third = clinic.refresh(refresh_token(&second)).await.json();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token(&first)),
        ("client_id", APP),
        ("scope", "user/*.*"),
    ];
    is_invalid_grant(&clinic.token(&fields).await);
    is_invalid_grant(&clinic.refresh(refresh_token(&third)).await);
}

#[tokio::test]
async fn of_many_refreshes_at_once_all_are_answered_and_one_answer_counts() {
    let clinic = std::sync::Arc::new(Clinic::open().await);
    let first = clinic.tokens(OFFLINE, PATIENT).await;
    let token = String::from(refresh_token(&first));
    let tasks: Vec<_> = (0..24)
        .map(|_| {
            let (clinic, token) = (clinic.clone(), token.clone());
            tokio::spawn(async move { clinic.refresh(&token).await })
        })
        .collect();
    let mut living = Vec::new();
    for task in tasks {
        let answer = task.await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        living.push(answer.json());
    }
    let store = clinic.issuer.store();
    let mut survivors = 0;
    for answer in &living {
        let digest = SecretDigest::of(refresh_token(answer));
        let counts = store.is_refresh_token_live(&digest, clinic.issuer.now()).await;
        let access_lives = clinic.is_live(&answer["access_token"]).await;
        assert_eq!(counts, Ok(access_lives), "an answer counts as a whole");
        survivors += usize::from(access_lives);
    }
    assert_eq!(survivors, 1);
}

/// Tokens of the confidential client.
async fn web_tokens(clinic: &Clinic) -> Value {
    let answer = clinic
        .browser()
        .authorize(&web_request("offline_access patient/*.read"), PATIENT)
        .await;
    let code = answer.sent("code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &clinic.web_secret),
    ];
    clinic.token(&fields).await.json()
}

async fn web_refresh(clinic: &Clinic, token: &str) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", WEB),
        ("client_secret", &clinic.web_secret),
    ];
    clinic.token(&fields).await
}

// FAPI-41
#[tokio::test]
async fn a_client_with_a_grace_may_come_with_the_old_token_for_that_long() {
    let with_grace = |client: &mut Client| {
        client.metadata.refresh_token_grace_seconds = 45;
    };
    let clinic = Clinic::with_web_client(with_grace).await;
    let first = web_tokens(&clinic).await;
    let second = web_refresh(&clinic, refresh_token(&first)).await.json();
    let third = web_refresh(&clinic, refresh_token(&second)).await.json();
    clinic.issuer.advance(44);
    let answer = web_refresh(&clinic, refresh_token(&first)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert!(clinic.is_live(&third["access_token"]).await);
    let fourth = web_refresh(&clinic, refresh_token(&answer.json())).await.json();
    clinic.issuer.advance(1);
    is_invalid_grant(&web_refresh(&clinic, refresh_token(&first)).await);
    is_invalid_grant(&web_refresh(&clinic, refresh_token(&fourth)).await);
}

// OIDC-62, SMART-60
#[tokio::test]
async fn another_client_cannot_use_it_and_does_no_harm() {
    let clinic = Clinic::open().await;
    let first = clinic.tokens(OFFLINE, PATIENT).await;
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token(&first)),
        ("client_id", WEB),
        ("client_secret", &clinic.web_secret),
    ];
    is_invalid_grant(&clinic.token(&fields).await);
    assert_eq!(clinic.refresh(refresh_token(&first)).await.status, StatusCode::OK);
}

// OIDC-60, SMART-57, SMART-60
#[tokio::test]
async fn scope_may_be_repeated_or_narrowed_but_not_widened() {
    let clinic = Clinic::open().await;
    let mut current = clinic.tokens(OFFLINE, PATIENT).await;
    for (scope, expected) in [
        (OFFLINE, Ok(())),
        ("patient/*.read openid", Ok(())),
        ("patient/Observation.rs", Ok(())),
        ("patient/*.*", Err(())),
        ("openid fhirUser", Err(())),
        ("user/*.read", Err(())),
        (OFFLINE, Ok(())),
    ] {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token(&current)),
            ("client_id", APP),
            ("scope", scope),
        ];
        let answer = clinic.token(&fields).await;
        if expected.is_ok() {
            assert_eq!(answer.status, StatusCode::OK, "{scope}: {answer:?}");
            current = answer.json();
            assert_eq!(current["scope"], scope);
            assert_eq!(
                clinic
                    .access_claims(&current["access_token"])
                    .await
                    .into_claims()
                    .scope,
                scope
            );
        } else {
            answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_scope");
        }
    }
}

#[tokio::test]
async fn an_offline_token_outlives_the_session_and_dies_unused() {
    let clinic = Clinic::open().await;
    let first = clinic.tokens(OFFLINE, PATIENT).await;
    clinic.issuer.advance(20 * 86_400);
    let second = clinic.refresh(refresh_token(&first)).await.json();
    clinic.issuer.advance(29 * 86_400);
    let third = clinic.refresh(refresh_token(&second)).await.json();
    clinic.issuer.advance(30 * 86_400);
    is_invalid_grant(&clinic.refresh(refresh_token(&third)).await);
}

// SMART-60
#[tokio::test]
async fn without_offline_access_it_ends_with_the_session() {
    let clinic = Clinic::open().await;
    for scope in ["patient/*.read", "patient/*.read online_access"] {
        let first = clinic.tokens(scope, PATIENT).await;
        // The person is at the app and not seen at the issuer: idleness there does not count.
        clinic.issuer.advance(7200);
        let answer = clinic.refresh(refresh_token(&first)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        clinic.issuer.advance(43_200 - 7200);
        is_invalid_grant(&clinic.refresh(refresh_token(&answer.json())).await);
    }
}

#[tokio::test]
async fn signing_out_ends_online_tokens_and_not_offline_ones() {
    let clinic = Clinic::open().await;
    for (scope, survives) in [
        ("patient/*.read", false),
        ("patient/*.read online_access", false),
        ("patient/*.read offline_access", true),
    ] {
        let browser = clinic.browser();
        let code = browser
            .authorize(&app_request(scope), PATIENT)
            .await
            .sent("code")
            .unwrap();
        let tokens = clinic.redeem(&code).await.json();
        let token = browser.get("/logout").await.field("form_token");
        assert_eq!(
            browser
                .post("/logout", &[("form_token", &token)])
                .await
                .location(),
            "/logout"
        );
        let answer = clinic.refresh(refresh_token(&tokens)).await;
        assert_eq!(answer.status == StatusCode::OK, survives, "{scope}: {answer:?}");
    }
}

// SMART-60
#[tokio::test]
async fn unknown_and_foreign_tokens_are_refused() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens(OFFLINE, PHYSICIAN).await;
    for token in ["wgr_unknown", "x", tokens["access_token"].as_str().unwrap()] {
        is_invalid_grant(&clinic.refresh(token).await);
    }
}

#[tokio::test]
async fn a_resource_beyond_the_grant_is_refused() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens(OFFLINE, PATIENT).await;
    for (resource, status) in [
        ("https://elsewhere.example", StatusCode::BAD_REQUEST),
        (AUDIENCE, StatusCode::OK),
    ] {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token(&tokens)),
            ("client_id", APP),
            ("resource", resource),
        ];
        assert_eq!(clinic.token(&fields).await.status, status);
    }
}
