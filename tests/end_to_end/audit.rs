//! The audit trail of a running issuer: what was done is in it, it can be checked beside the server, and taken out in both forms.

use serde_json::Value;
use wardgate_tests::pair::Pair;

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_of_a_running_issuer_is_checked_and_exported_beside_it() {
    let pair = Pair::start().await;
    let secret = pair.add_service("reports", "system/Patient.rs");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "reports"),
        ("client_secret", secret.as_str()),
        ("scope", "system/Patient.rs"),
    ];
    assert_eq!(pair.token(&form).await.status, 200);
    let refused = [
        ("grant_type", "client_credentials"),
        ("client_id", "reports"),
        ("client_secret", "no"),
    ];
    assert_eq!(pair.token(&refused).await.status, 401);

    let report: Value = serde_json::from_str(&pair.wardgate_ok(&["audit", "verify", "--json"], "")).unwrap();
    assert_eq!(report["faults"], serde_json::json!([]));
    let head = report["head"].as_str().unwrap().to_owned();

    let lines = |arguments: &[&str]| -> Vec<Value> {
        let text = pair.wardgate_ok(arguments, "");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let trail = lines(&["audit", "export"]);
    assert_eq!(u64::try_from(trail.len()).ok(), report["lines"].as_u64());
    let registration = trail
        .iter()
        .find(|line| line["action"] == "client_registration" && line["changes"][0]["id"] == "reports")
        .expect("the client that was registered");
    assert_eq!(registration["changes"][0]["after"]["scope"], "system/Patient.rs");
    assert!(!registration.to_string().contains(&secret));
    let outcomes: Vec<&Value> = trail
        .iter()
        .filter(|line| line["action"] == "token_request" && line["clientId"] == "reports")
        .map(|line| &line["outcome"])
        .collect();
    assert_eq!(outcomes, ["success", "failure"]);

    let resources = lines(&["audit", "export", "--format", "fhir"]);
    assert_eq!(resources.len(), trail.len());
    for resource in &resources {
        assert_eq!(resource["resourceType"], "AuditEvent");
        assert!(resource["agent"][0]["requestor"].as_bool().unwrap(), "{resource}");
        for member in ["type", "recorded", "source"] {
            assert!(!resource[member].is_null(), "{resource}");
        }
    }
    assert_eq!(
        lines(&["audit", "export", "--until", "2020-01-01T00:00:00Z"]),
        Vec::<Value>::new()
    );

    // The server goes on, and the head of before is still there.
    assert_eq!(pair.token(&form).await.status, 200);
    pair.wardgate_ok(&["audit", "verify", "--expect", &head], "");
}
