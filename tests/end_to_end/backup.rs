//! Copies of the database of a running issuer.

use serde_json::Value;
use wardgate_tests::pair::Pair;

#[tokio::test(flavor = "multi_thread")]
async fn a_running_issuer_is_backed_up_and_its_copy_checked_but_nothing_is_restored_beneath_it() {
    let pair = Pair::start().await;
    let secret = pair.add_service("reports", "system/Patient.rs");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "reports"),
        ("client_secret", secret.as_str()),
        ("scope", "system/Patient.rs"),
    ];
    assert_eq!(pair.token(&form).await.status, 200);
    let copy = pair.path("copy.db");
    let copy = copy.to_str().unwrap();
    pair.wardgate_ok(&["backup", "--to", copy], "");
    assert_eq!(pair.token(&form).await.status, 200, "nobody waits for it");

    let found = pair.wardgate_ok(&["restore", "--from", copy, "--check", "--json"], "");
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["restored"], false);
    assert_eq!(found["clients"], 1, "{found}");

    let refused = pair.wardgate(&["restore", "--from", copy], "");
    assert_eq!(refused.status.code(), Some(3));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("stop the server first"), "{said}");
    assert_eq!(pair.token(&form).await.status, 200);
}
