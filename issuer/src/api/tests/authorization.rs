//! Who may administrate, and what people of a role are granted.

use http::{Method, StatusCode};
use serde_json::json;

use super::{Office, READ_AND_WRITE, ROOT, is_problem};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::role::{BUILDER_ADMIN, CARE_TEAM_USER};
use crate::web::testing::{PATIENT, PHYSICIAN};

#[tokio::test]
async fn refuses_whoever_has_no_token_of_the_scope() {
    let office = Office::open().await;
    let tokens = office.clinic.tokens("openid user/*.rs", PHYSICIAN).await;
    let no_scope = tokens["access_token"].as_str().unwrap();
    for (token, status, error) in [
        ("x", StatusCode::UNAUTHORIZED, "invalid_token"),
        (no_scope, StatusCode::FORBIDDEN, "insufficient_scope"),
    ] {
        for (method, path) in [
            (Method::GET, "/auth/users"),
            (Method::POST, "/auth/users"),
            (Method::PATCH, "/auth/users/user-1"),
            (Method::POST, "/auth/users/user-1/deactivate"),
            (Method::POST, "/auth/users/user-1/reactivate"),
            (Method::GET, "/auth/users/user-1/factors"),
            (Method::DELETE, "/auth/users/user-1/factors"),
            (Method::GET, "/auth/roles"),
            (Method::DELETE, "/auth/roles/role-patient"),
            (Method::GET, "/auth/organizations"),
            (Method::DELETE, "/auth/organizations/org-1"),
            (Method::GET, "/v1/sessions"),
            (Method::DELETE, "/v1/sessions"),
            (Method::DELETE, "/v1/sessions/session-1"),
        ] {
            let answer = office.call(token, method.clone(), path, Some(&json!({}))).await;
            is_problem(&answer, status);
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.contains(error), "{method} {path}: {challenge}");
        }
    }
    let event = office.clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::Administration, AuditOutcome::Failure)
    );
    assert_eq!(event.reason.as_deref(), Some("insufficient_scope"));
}

#[tokio::test]
async fn reading_and_changing_are_scopes_of_their_own() {
    let office = Office::open().await;
    let (_, secret) = office
        .clinic
        .issuer
        .add_service_client("reader", "__administration.read")
        .await;
    let reader = super::service_token(&office.clinic, "reader", &secret, "__administration.read").await;
    let answer = office.call(&reader, Method::GET, "/auth/users", None).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let answer = office
        .call(&reader, Method::POST, "/auth/users", Some(&json!({})))
        .await;
    is_problem(&answer, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn administration_is_granted_to_administrators_alone() {
    let office = Office::open().await;
    let scope = format!("openid {READ_AND_WRITE}");
    assert_eq!(office.tokens_of(ROOT, &scope).await["scope"], scope);
    office.person("nurse@example.org", CARE_TEAM_USER).await;
    for nobody in [PATIENT, PHYSICIAN, "nurse@example.org"] {
        assert_eq!(
            office.tokens_of(nobody, &scope).await["scope"],
            "openid",
            "{nobody}"
        );
    }
}

#[tokio::test]
async fn whoever_stops_being_an_administrator_stops_at_once() {
    let office = Office::open().await;
    let second = office.person("second@example.org", BUILDER_ADMIN).await;
    let token = office.token_of("second@example.org").await;
    let list = async || office.call(&token, Method::GET, "/auth/users", None).await.status;
    assert_eq!(list().await, StatusCode::OK);
    let path = format!("/auth/users/{}", second.id);
    let answer = office.patch(&path, &json!({ "roleId": CARE_TEAM_USER })).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(list().await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_role_that_loses_a_scope_takes_it_from_what_was_granted_before() {
    let office = Office::open().await;
    let role = office
        .role(
            "Auditor",
            &format!("openid offline_access user/*.rs {READ_AND_WRITE}"),
        )
        .await;
    office.person("auditor@example.org", &role).await;
    let scope = "openid offline_access user/*.rs __administration.read";
    let tokens = office.tokens_of("auditor@example.org", scope).await;
    assert_eq!(tokens["scope"], scope);
    let path = format!("/auth/roles/{role}");
    let answer = office
        .patch(&path, &json!({ "scope": "openid user/Patient.rs user/*.r" }))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let refresh = |token: String, scope: &'static str| {
        let clinic = &office.clinic;
        async move {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token.as_str()),
                ("client_id", super::DESK),
                ("scope", scope),
            ];
            clinic.token(&fields).await
        }
    };
    let first = tokens["refresh_token"].as_str().unwrap().to_owned();
    // Nothing of that is left, and the refresh token stays good.
    let answer = refresh(first.clone(), "__administration.read").await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_scope");
    let answer = refresh(first, "openid user/Patient.rs").await.json();
    assert_eq!(answer["scope"], "openid user/Patient.rs");
    let second = answer["refresh_token"].as_str().unwrap().to_owned();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", second.as_str()),
        ("client_id", super::DESK),
    ];
    assert_eq!(office.clinic.token(&fields).await.json()["scope"], "openid");
}

#[tokio::test]
async fn a_role_that_loses_a_scope_takes_it_from_a_code_that_is_under_way() {
    let office = Office::open().await;
    let role = office.role("Auditor", &format!("openid {READ_AND_WRITE}")).await;
    office.person("auditor@example.org", &role).await;
    let scope = format!("openid {READ_AND_WRITE}");
    let request = crate::web::testing::changed(
        crate::web::testing::app_request(&scope),
        &[("client_id", Some(super::DESK))],
    );
    let answer = office
        .clinic
        .browser()
        .authorize(&request, "auditor@example.org")
        .await;
    let code = answer.sent("code").unwrap();
    let path = format!("/auth/roles/{role}");
    office.patch(&path, &json!({ "scope": "openid" })).await;
    assert_eq!(office.redeem(&code).await.json()["scope"], "openid");
}

#[tokio::test]
async fn answers_another_method_with_those_that_are_allowed() {
    let office = Office::open().await;
    for path in ["/auth/users", "/auth/roles/role-patient", "/v1/sessions"] {
        let answer = office.call(&office.token, Method::PUT, path, None).await;
        is_problem(&answer, StatusCode::METHOD_NOT_ALLOWED);
        assert!(answer.header("allow").is_some(), "{answer:?}");
    }
}
