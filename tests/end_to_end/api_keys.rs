//! The life of an API key: made by an administrator, used at the edge, given a new secret, revoked.

use std::time::Duration;

use serde_json::{Value, json};
use wardgate_tests::http::Answer;
use wardgate_tests::pair::Pair;

/// How often the edge is asked; see `revocation.rs`.
const ATTEMPTS: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// Asks until the answer is no longer 200, and gives that.
async fn until_refused(pair: &Pair, key: &str, secret: &str) -> Answer {
    for _ in 0..ATTEMPTS {
        let answer = pair.call_with_key("/fhir/Patient", key, secret).await;
        if answer.status != 200 {
            return answer;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("it is still accepted");
}

fn text(document: &Value, member: &str) -> String {
    let text = document[member].as_str();
    text.unwrap_or_else(|| panic!("{member} in {document}"))
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_lives_from_its_making_to_its_revocation() {
    let pair = Pair::start_with("[tokens]\nstatus_list_seconds = 2\n").await;
    let scope = "__administration.read __administration.write system/Patient.rs";
    let service = pair.add_service("administration", scope);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "administration"),
        ("client_secret", &service),
    ];
    let administrator = text(&pair.token(&form).await.json(), "access_token");

    let new = json!({ "name": "EHR Integration", "scopes": ["patient/*.read", "system/Patient.rs"] });
    let made = pair.post_json("/v1/api-keys", &administrator, &new).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let (id, key, first) = (
        text(&made, "id"),
        text(&made, "api_key"),
        text(&made, "api_secret"),
    );
    let shown = async || {
        pair.ask("GET", &format!("/v1/api-keys/{id}"), &administrator)
            .await
            .json()
    };
    assert_eq!(shown().await["last_used_at"], Value::Null);

    let patients = pair.call_with_key("/fhir/Patient", &key, &first).await;
    assert_eq!(patients.status, 200, "{}", patients.text());
    assert_eq!(patients.json()["resourceType"], "Bundle");
    let beyond = pair.call_with_key("/fhir/Observation", &key, &first).await;
    assert_eq!(beyond.status, 403, "{}", beyond.text());
    assert!(shown().await["last_used_at"].is_string());
    let strange = wardgate_shared::api_key::ApiKeyPrefix::parse("zs").expect("a prefix");
    let wrong = pair
        .call_with_key("/fhir/Patient", &key, strange.secret(&[7; 32]).expose())
        .await;
    assert_eq!(wrong.status, 401, "{}", wrong.text());

    // With an overlap both secrets are taken.
    let rotate = format!("/v1/api-keys/{id}/rotate");
    let overlap = json!({ "overlap_seconds": 3600 });
    let rotated = pair.post_json(&rotate, &administrator, &overlap).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    let second = text(&rotated.json(), "api_secret");
    for secret in [&first, &second] {
        assert_eq!(
            pair.call_with_key("/fhir/Patient", &key, secret).await.status,
            200
        );
    }
    // Without one the secret of before ends, and so does an overlap that still ran.
    let at_once = json!({ "overlap_seconds": 0 });
    let rotated = pair.post_json(&rotate, &administrator, &at_once).await;
    let third = text(&rotated.json(), "api_secret");
    for secret in [&first, &second] {
        let refused = until_refused(&pair, &key, secret).await;
        assert_eq!(refused.status, 401, "{}", refused.text());
    }
    assert_eq!(
        pair.call_with_key("/fhir/Patient", &key, &third).await.status,
        200
    );

    let gone = pair
        .ask("DELETE", &format!("/v1/api-keys/{id}"), &administrator)
        .await;
    assert_eq!(gone.status, 204, "{}", gone.text());
    let refused = until_refused(&pair, &key, &third).await;
    assert_eq!(refused.status, 401, "{}", refused.text());
    assert!(
        refused
            .header("www-authenticate")
            .expect("a challenge")
            .contains("invalid_token")
    );
    assert_eq!(shown().await["state"], "revoked");
    let log = pair.worker.log();
    for secret in [&first, &second, &third] {
        assert!(!log.contains(secret.as_str()));
    }
}
