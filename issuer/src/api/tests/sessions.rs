//! Sessions by the API.

use http::{Method, StatusCode};
use serde_json::Value;

use super::{Office, READ_AND_WRITE, is_problem, service_token};
use crate::domain::audit_event::AuditAction;
use crate::web::testing::{PASSWORD, PATIENT, PHYSICIAN};

async fn sessions(office: &Office, query: &str) -> Vec<Value> {
    let answer = office.get(&format!("/v1/sessions?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let office = Office::open().await;
    let store = office.clinic.issuer.store();
    let patient = store.user_by_email(PATIENT).await.unwrap().unwrap();
    let browsers = [
        office.clinic.browser(),
        office.clinic.browser(),
        office.clinic.browser(),
    ];
    for browser in &browsers {
        browser.sign_in("/login", PATIENT, PASSWORD).await;
    }
    office
        .clinic
        .browser()
        .sign_in("/login", PHYSICIAN, PASSWORD)
        .await;
    assert_eq!(sessions(&office, "").await.len(), 4);
    let of_patient = format!("filter[userId]={}", patient.id);
    let listed = sessions(&office, &of_patient).await;
    assert_eq!(listed.len(), 3);
    for session in &listed {
        assert_eq!(session["userId"], patient.id);
        assert_eq!(session["methods"], serde_json::json!(["pwd"]));
        assert_eq!(session["authenticatedAt"], "2027-01-15T08:00:00Z");
    }
    let id = listed[0]["id"].as_str().unwrap();
    let path = format!("/v1/sessions/{id}");
    assert_eq!(office.delete(&path).await.status, StatusCode::NO_CONTENT);
    let event = office.clinic.last_audit().await;
    assert_eq!(event.action, AuditAction::SessionRevocation);
    assert_eq!(event.user_id.as_deref(), Some(patient.id.as_str()));
    is_problem(&office.delete(&path).await, StatusCode::NOT_FOUND);
    assert_eq!(sessions(&office, &of_patient).await.len(), 2);
    let answer = office.delete(&format!("/v1/sessions?{of_patient}")).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(sessions(&office, &of_patient).await.is_empty());
    assert_eq!(sessions(&office, "").await.len(), 1, "other people's go on");
}

#[tokio::test]
async fn refuses_to_end_sessions_of_nobody_in_particular() {
    let office = Office::open().await;
    office.clinic.browser().sign_in("/login", PATIENT, PASSWORD).await;
    for query in ["", "?filter[userId]=", "?filter[userid]=x", "?page[size]=1"] {
        is_problem(
            &office.delete(&format!("/v1/sessions{query}")).await,
            StatusCode::BAD_REQUEST,
        );
    }
    is_problem(
        &office.delete("/v1/sessions?filter[userId]=user-nobody").await,
        StatusCode::NOT_FOUND,
    );
    is_problem(
        &office.delete("/v1/sessions/session-x").await,
        StatusCode::NOT_FOUND,
    );
    assert_eq!(sessions(&office, "").await.len(), 1);
}

#[tokio::test]
async fn a_session_that_is_over_is_not_listed() {
    let office = Office::open().await;
    office.clinic.browser().sign_in("/login", PATIENT, PASSWORD).await;
    assert_eq!(sessions(&office, "").await.len(), 1);
    let idle_seconds = office.clinic.issuer.state.config().sessions.idle_seconds;
    office.clinic.issuer.advance(idle_seconds);
    let token = service_token(&office.clinic, "program", &office.secret, READ_AND_WRITE).await;
    let answer = office.call(&token, Method::GET, "/v1/sessions", None).await;
    assert_eq!(answer.json()["data"], serde_json::json!([]));
}
