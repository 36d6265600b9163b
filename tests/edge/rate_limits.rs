//! Limits in the real `workerd`, with real Durable Objects on disk. The runtime's clock cannot be moved, so windows are
//! either so long that none ends during a test, or so short that polling sees one end.

use serde_json::json;
use wardgate_tests::clock::{eventually, now};
use wardgate_tests::edge::Edge;
use wardgate_tests::http::{Answer, send};
use wardgate_tests::worker::Coordinators;

use crate::expect::assert_nothing_forwarded;

const PATH: &str = "/fhir/Patient/1";
const DAY: i64 = 86_400;

/// One limit named `default`, with these members beside its name.
fn limits(members: &serde_json::Value) -> String {
    let mut limit = json!({ "name": "default", "window_seconds": DAY });
    for (name, value) in members.as_object().expect("an object") {
        limit[name.as_str()] = value.clone();
    }
    json!([limit]).to_string()
}

async fn start(members: &serde_json::Value) -> Edge {
    Edge::start_with(&[("WARDGATE_LIMITS", &limits(members))]).await
}

fn number(answer: &Answer, name: &str) -> i64 {
    let value = answer
        .header(name)
        .unwrap_or_else(|| panic!("{name} in {answer:?}"));
    value.parse().expect("a number")
}

#[tokio::test]
async fn remaining_counts_down_exactly_and_the_request_above_the_limit_is_refused() {
    let edge = start(&json!({ "limit": 40 })).await;
    let token = edge.token();
    for remaining in (0..40).rev() {
        let answer = edge.get_with(PATH, &token).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(number(&answer, "x-ratelimit-remaining"), remaining);
        assert_eq!(number(&answer, "x-ratelimit-limit"), 40);
        let reset = number(&answer, "x-ratelimit-reset");
        assert!(
            reset % DAY == 0 && reset > now() && reset <= now() + DAY,
            "{reset}"
        );
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"default\";q=40;w=86400")
        );
        let told = answer.header("ratelimit").expect("told");
        assert!(
            told.starts_with(&format!("\"default\";r={remaining};t=")),
            "{told}"
        );
        assert_eq!(answer.header("retry-after"), None);
    }
    let forwarded = edge.upstream.received().len();
    let refused = send(
        edge.request("GET", PATH)
            .bearer_auth(&token)
            .header("origin", "https://app.example"),
    )
    .await;
    assert_eq!(refused.status, 429);
    assert_eq!(number(&refused, "x-ratelimit-remaining"), 0);
    let wait = number(&refused, "retry-after");
    assert!(
        (wait - (number(&refused, "x-ratelimit-reset") - now())).abs() <= 2,
        "{wait}"
    );
    let outcome: serde_json::Value = serde_json::from_slice(&refused.body).expect("JSON");
    assert_eq!(outcome["issue"][0]["code"], "throttled");
    let exposed = refused.header("access-control-expose-headers").expect("exposed");
    for name in [
        "RateLimit",
        "RateLimit-Policy",
        "X-RateLimit-Remaining",
        "Retry-After",
    ] {
        assert!(exposed.split(", ").any(|own| own == name), "{exposed}");
    }
    assert_eq!(edge.upstream.received().len(), forwarded);
    let problem = send(
        edge.request("GET", PATH)
            .bearer_auth(&token)
            .header("accept", "application/json"),
    )
    .await;
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    assert_eq!(problem.status, 429);
}

#[tokio::test]
async fn everybody_has_a_count_of_their_own_and_what_is_refused_costs_nobody_anything() {
    let edge = start(&json!({ "limit": 2 })).await;
    let of = |subject: &str| {
        let claims = edge.claims().with("sub", subject).with("client_id", subject);
        claims.sign(&edge.key)
    };
    let refused = edge.get_with(PATH, &edge.token_with_scope("launch")).await;
    assert_eq!((refused.status, refused.header("x-ratelimit-limit")), (403, None));
    for subject in ["alice", "bob"] {
        assert_eq!(
            number(&edge.get_with(PATH, &of(subject)).await, "x-ratelimit-remaining"),
            1
        );
        assert_eq!(
            number(&edge.get_with(PATH, &of(subject)).await, "x-ratelimit-remaining"),
            0
        );
        assert_eq!(edge.get_with(PATH, &of(subject)).await.status, 429, "{subject}");
    }
}

#[tokio::test]
async fn a_new_window_admits_again() {
    let edge = start(&json!({ "limit": 1, "window_seconds": 2 })).await;
    let token = edge.token();
    let first = edge.get_with(PATH, &token).await;
    assert_eq!(first.status, 200);
    let reset = number(&first, "x-ratelimit-reset");
    eventually("the window ends", async || {
        let answer = edge.get_with(PATH, &token).await;
        let (status, own) = (answer.status, number(&answer, "x-ratelimit-reset"));
        // Never a second one in the same window.
        assert!(status == 429 || own > reset, "{answer:?}");
        status == 200
    })
    .await;
}

#[tokio::test]
async fn a_stop_without_warning_admits_nobody_twice() {
    let mut edge = start(&json!({ "limit": 30 })).await;
    let token = edge.token();
    let mut admitted = 0;
    for _ in 0..4 {
        for _ in 0..9 {
            admitted += u32::from(edge.get_with(PATH, &token).await.status == 200);
        }
        edge = edge.restarted().await;
    }
    while edge.get_with(PATH, &token).await.status == 200 {
        admitted += 1;
    }
    assert!((9..=30).contains(&admitted), "{admitted}");
}

#[tokio::test]
async fn undecided_when_the_coordinator_is_silent_or_absent_and_the_limit_is_closed() {
    for coordinators in [Coordinators::Silent, Coordinators::Absent] {
        let settings = limits(&json!({ "limit": 30, "timeout_milliseconds": 50 }));
        let edge = Edge::start_with_coordinators(&[("WARDGATE_LIMITS", &settings)], coordinators).await;
        for _ in 0..5 {
            let answer = edge.get_with(PATH, &edge.token()).await;
            assert_eq!(answer.status, 503, "{coordinators:?}");
            assert!(number(&answer, "retry-after") >= 1);
        }
        assert_nothing_forwarded(&edge);
    }
}

#[tokio::test]
async fn a_local_share_is_admitted_while_the_coordinator_is_silent_or_absent() {
    for coordinators in [Coordinators::Silent, Coordinators::Absent] {
        let members =
            json!({ "limit": 30, "timeout_milliseconds": 50, "on_failure": "local", "local_share": 7 });
        let settings = [("WARDGATE_LIMITS", limits(&members))];
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        let edge = Edge::start_with_coordinators(&settings, coordinators).await;
        let token = edge.token();
        for remaining in (0..7).rev() {
            let answer = edge.get_with(PATH, &token).await;
            assert_eq!(answer.status, 200, "{coordinators:?}");
            assert_eq!(number(&answer, "x-ratelimit-remaining"), remaining);
        }
        assert_eq!(edge.get_with(PATH, &token).await.status, 429);
    }
}

#[tokio::test]
async fn many_requests_at_once_are_admitted_up_to_the_limit_and_no_further() {
    let edge = start(&json!({ "limit": 25 })).await;
    let token = edge.token();
    let requests = (0..60).map(|_| {
        let request = edge.request("GET", PATH).bearer_auth(&token);
        tokio::spawn(async move { send(request).await.status })
    });
    let mut admitted = 0;
    for request in requests.collect::<Vec<_>>() {
        admitted += u32::from(request.await.expect("answered") == 200);
    }
    assert_eq!(admitted, 25);
}
