//! Signing keys by the API.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Office, is_problem};
use crate::domain::audit_event::AuditAction;

const PATH: &str = "/v1/signing-keys";

async fn keys(office: &Office) -> Vec<Value> {
    let answer = office.get(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["data"].as_array().unwrap().clone()
}

fn id(key: &Value) -> &str {
    key["id"].as_str().unwrap()
}

#[tokio::test]
async fn keys_are_listed_without_what_is_private() {
    let office = Office::open().await;
    let listed = keys(&office).await;
    assert_eq!(listed.len(), 4);
    for key in &listed {
        assert_eq!(key["phase"], "signing");
        assert_eq!(key["signsUntil"], Value::Null);
        // Ninety days after the start of every test, and an hour before.
        assert_eq!(key["successorDueAt"], "2027-04-15T07:00:00Z");
        assert!(
            key.as_object()
                .unwrap()
                .keys()
                .all(|name| !name.to_lowercase().contains("private"))
        );
        let shown = office.get(&format!("{PATH}/{}", id(key))).await;
        assert_eq!(&shown.json(), key);
    }
}

#[tokio::test]
async fn a_successor_waits_and_is_recorded_with_who_asked_for_it() {
    let office = Office::open().await;
    let made = office.post(PATH, &json!({ "algorithm": "RS256" })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let key = made.json();
    assert_eq!(made.header("location"), Some(&*format!("{PATH}/{}", id(&key))));
    assert_eq!(
        (&key["algorithm"], &key["phase"]),
        (&json!("RS256"), &json!("waiting"))
    );
    let event = office.clinic.last_audit().await;
    assert_eq!(event.action, AuditAction::KeyRotation);
    assert_eq!(event.object_id.as_deref(), Some(id(&key)));
    assert_eq!(event.client_id.as_deref(), Some("program"));
    assert_eq!(keys(&office).await.len(), 5);
    // Without a word, the one of access tokens.
    let made = office.post(PATH, &json!({})).await;
    assert_eq!(made.json()["algorithm"], "ES256");
}

#[tokio::test]
async fn what_is_not_in_use_or_not_understood_is_refused_and_makes_nothing() {
    let office = Office::open().await;
    for body in [
        json!({ "algorithm": "ES384" }),
        json!({ "algorithm": "none" }),
        json!({ "algorithm": 1 }),
        json!({ "alg": "ES256" }),
    ] {
        is_problem(&office.post(PATH, &body).await, StatusCode::UNPROCESSABLE_ENTITY);
    }
    is_problem(
        &office.get(&format!("{PATH}?page[size]=1")).await,
        StatusCode::BAD_REQUEST,
    );
    assert_eq!(keys(&office).await.len(), 4);
}

#[tokio::test]
async fn a_revoked_key_ends_with_the_token_that_revoked_it() {
    let office = Office::open().await;
    let listed = keys(&office).await;
    let rs256 = listed.iter().find(|key| key["algorithm"] == "RS256").unwrap();
    let path = format!("{PATH}/{}", id(rs256));
    assert_eq!(office.delete(&path).await.status, StatusCode::NO_CONTENT);
    let event = office.clinic.last_audit().await;
    assert_eq!(event.action, AuditAction::KeyRevocation);
    assert_eq!(event.object_id.as_deref(), Some(id(rs256)));
    assert_eq!(event.client_id.as_deref(), Some("program"));
    is_problem(&office.delete(&path).await, StatusCode::NOT_FOUND);
    is_problem(
        &office.delete(&format!("{PATH}/nobody")).await,
        StatusCode::NOT_FOUND,
    );
    let after = keys(&office).await;
    let signing = after.iter().filter(|key| key["phase"] == "signing");
    assert_eq!(signing.count(), 4, "another signs in its place");
    // The key of the caller's own token.
    let es256 = after.iter().find(|key| key["algorithm"] == "ES256").unwrap();
    let answer = office.delete(&format!("{PATH}/{}", id(es256))).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    is_problem(&office.get(PATH).await, StatusCode::UNAUTHORIZED);
}
