//! What the platform offers beside: its own rate limit, its datasets. `workerd` has neither, so that bindings of the same shape
//! stand for them; the counters of an isolate are the Worker's own.

use serde_json::{Value, json};
use wardgate_tests::clock::eventually;
use wardgate_tests::edge::Edge;
use wardgate_tests::http::{Answer, send};

use crate::expect::{assert_fhir_refusal, assert_nothing_forwarded, assert_problem};

const PATH: &str = "/fhir/Patient/1";
const COUNTERS: &str = "/internal/counters";
const BEHIND_CLOUDFLARE: (&str, &str) = ("WARDGATE_CLIENT_ADDRESS", "cloudflare");

async fn limited_by(binding: &str) -> Edge {
    Edge::start_with(&[("WARDGATE_UNVERIFIED_LIMIT", binding), BEHIND_CLOUDFLARE]).await
}

async fn get(edge: &Edge, address: &str, token: Option<&str>) -> Answer {
    let mut request = edge.request("GET", PATH).header("cf-connecting-ip", address);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    send(request).await
}

#[tokio::test]
async fn a_flood_ends_at_the_platform_before_anything_is_verified() {
    let edge = limited_by("THREE_EACH").await;
    for number in 0..3 {
        let token = format!("x.y.{number}");
        assert_eq!(get(&edge, "192.0.2.7", Some(&token)).await.status, 401);
    }
    for token in [None, Some("x.y.z"), Some(edge.token().as_str())] {
        let refused = get(&edge, "192.0.2.7", token).await;
        assert_fhir_refusal(&refused, 429, "throttled");
        assert_eq!(refused.header("retry-after"), Some("60"));
        assert_eq!(refused.header("www-authenticate"), None);
        assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    }
    assert_eq!(edge.issuer.key_requests(), 0, "no key was needed");
    assert_nothing_forwarded(&edge);
    assert_eq!(get(&edge, "192.0.2.8", Some(&edge.token())).await.status, 200);
}

#[tokio::test]
async fn a_known_token_passes_while_its_network_floods() {
    let edge = limited_by("THREE_EACH").await;
    let token = edge.token();
    assert_eq!(get(&edge, "2001:db8::1", Some(&token)).await.status, 200);
    for status in [401, 401, 429, 429] {
        assert_eq!(get(&edge, "2001:db8::2", None).await.status, status);
    }
    for _ in 0..5 {
        assert_eq!(get(&edge, "2001:db8::1", Some(&token)).await.status, 200);
    }
}

#[tokio::test]
async fn a_dataset_that_breaks_hinders_nobody() {
    let edge = Edge::start_with(&[("WARDGATE_METRICS", "BROKEN_DATASET")]).await;
    assert_eq!(edge.get_with(PATH, &edge.token()).await.status, 200);
    assert_eq!(edge.get(PATH).await.status, 401);
}

#[tokio::test]
async fn a_binding_that_is_named_and_not_there_is_a_fault() {
    for (variable, name) in [
        ("WARDGATE_UNVERIFIED_LIMIT", "NOT_THERE"),
        ("WARDGATE_UNVERIFIED_LIMIT", "DATASET"),
        ("WARDGATE_UNVERIFIED_LIMIT", "RATE_LIMITS"),
        ("WARDGATE_METRICS", "NOT_THERE"),
        ("WARDGATE_METRICS", "THREE_EACH"),
    ] {
        let edge = Edge::start_with(&[(variable, name), BEHIND_CLOUDFLARE]).await;
        let answer = edge.get(PATH).await;
        assert_problem(&answer, 503);
        assert!(answer.text().contains(variable), "{}", answer.text());
        assert!(!answer.text().contains(name), "{}", answer.text());
    }
}

#[tokio::test]
async fn each_decision_is_a_data_point_without_anybody_in_it() {
    let edge = Edge::start_with(&[("WARDGATE_METRICS", "DATASET")]).await;
    assert_eq!(edge.get_with(PATH, &edge.token()).await.status, 200);
    assert_eq!(edge.get_with(PATH, "x.y.z").await.status, 401);
    assert_eq!(edge.get("/elsewhere").await.status, 404);
    let points = || -> Vec<Value> {
        let log = edge.worker.log();
        log.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            // The Worker was asked for its health when it started.
            .filter(|line| line["event"] == "data_point" && line["blobs"][0] != "health")
            .collect()
    };
    eventually("the points are written", async || points().len() == 3).await;
    for (point, blobs) in points().iter().zip([
        json!(["fhir", "fhir", "allow", ""]),
        json!(["fhir", "fhir", "deny", "token_malformed"]),
        json!(["", "", "deny", "not_found"]),
    ]) {
        assert_eq!(point["blobs"], blobs);
        assert_eq!(point["indexes"], json!([blobs[1]]));
        assert_eq!(point["doubles"][0], 1);
        let took = point["doubles"][1].as_u64().expect("milliseconds");
        assert!(took < 20_000, "{took}");
        assert_eq!(point.as_object().expect("an object").len(), 4, "{point}");
    }
}

#[tokio::test]
async fn the_counters_are_shown_on_this_machine_alone() {
    let edge = Edge::start_with(&[
        ("WARDGATE_COUNTERS", COUNTERS),
        ("WARDGATE_PUBLIC_URL", "http://localhost:8787"),
    ])
    .await;
    for _ in 0..3 {
        assert_eq!(edge.get_with(PATH, &edge.token()).await.status, 200);
    }
    assert_eq!(edge.get(PATH).await.status, 401);
    let page = edge.get(COUNTERS).await;
    assert_eq!(page.status, 200);
    let page = page.json();
    let decisions = page["decisions"].as_array().expect("a list");
    for expected in [
        json!({ "route": "fhir", "outcome": "allow", "status": 200, "count": 3 }),
        json!({ "route": "fhir", "outcome": "deny", "reason": "credential_missing", "status": 401, "count": 1 }),
    ] {
        assert!(decisions.contains(&expected), "{page}");
    }

    let elsewhere = Edge::start_with(&[("WARDGATE_COUNTERS", COUNTERS)]).await;
    let refused = elsewhere.get(PATH).await;
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("WARDGATE_COUNTERS"), "{}", refused.text());
}
