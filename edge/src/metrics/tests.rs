//! Data points and counters, in a world that writes them down.

use serde_json::{Value, json};

use super::MOST;
use crate::testing::{World, claims, config_with};

const COUNTERS: &str = "/internal/counters";

fn local(variable: &str, value: &str) -> World {
    World::with(config_with(&[
        ("WARDGATE_PUBLIC_URL", "http://localhost:8787"),
        (variable, value),
    ]))
}

fn page(world: &World) -> Value {
    let reply = world.send("GET", COUNTERS, &[]);
    assert_eq!(reply.status(), 200);
    serde_json::from_str(reply.body()).unwrap()
}

#[test]
fn decisions_are_counted_by_route_outcome_reason_and_status() {
    let world = local("WARDGATE_COUNTERS", COUNTERS);
    let token = world.token(claims());
    for _ in 0..3 {
        assert_eq!(world.get("/fhir/Patient/1", &token).status(), 200);
    }
    assert_eq!(world.send("GET", "/fhir/Patient/1", &[]).status(), 401);
    assert_eq!(world.send("GET", "/elsewhere", &[]).status(), 404);
    assert_eq!(
        page(&world),
        json!({
            "decisions": [
                { "route": "fhir", "outcome": "allow", "status": 200, "count": 3 },
                { "route": "fhir", "outcome": "deny", "reason": "credential_missing", "status": 401, "count": 1 },
                { "outcome": "deny", "reason": "not_found", "status": 404, "count": 1 },
            ],
            "others": 0,
        })
    );
    let again = page(&world);
    let own = json!({ "route": "counters", "outcome": "open", "status": 200, "count": 1 });
    assert_eq!(again["decisions"][3], own, "the page is a request as well");
    assert_eq!(world.send("POST", COUNTERS, &[]).status(), 405);
}

#[test]
fn whatever_the_server_behind_answers_there_are_so_many_counters() {
    let world = local("WARDGATE_COUNTERS", COUNTERS);
    let token = world.token(claims());
    let statuses = (200..300).chain(402..407).chain(408..1000);
    let mut sent = 0;
    for status in statuses {
        world.upstream_says(Ok(status));
        let _ = world.get("/fhir/Patient/1", &token);
        sent += 1;
    }
    let page = page(&world);
    let decisions = page["decisions"].as_array().unwrap();
    assert_eq!(decisions.len(), MOST);
    let counted: u64 = decisions.iter().map(|one| one["count"].as_u64().unwrap()).sum();
    assert_eq!(counted + page["others"].as_u64().unwrap(), sent);
}

#[test]
fn there_is_no_page_unless_it_is_configured() {
    assert_eq!(World::new().send("GET", COUNTERS, &[]).status(), 404);
}

#[test]
fn a_data_point_has_words_of_fixed_lists_and_nothing_of_anybody() {
    let world = local("WARDGATE_METRICS", "METRICS");
    let mut claims = claims();
    claims.subject = "alice".into();
    claims.client_id = "alice".into();
    assert_eq!(world.get("/fhir/Patient/p-1", &world.token(claims)).status(), 200);
    assert_eq!(
        world.send("GET", "/fhir/Patient/p-1?name=alice", &[]).status(),
        401
    );
    assert_eq!(world.send("GET", "/alice", &[]).status(), 404);
    assert_eq!(
        world.data_points(),
        [
            "METRICS fhir fhir allow  0",
            "METRICS fhir fhir deny credential_missing 0",
            "METRICS   deny not_found 0",
        ]
    );
}

#[test]
fn nothing_is_written_where_no_dataset_is_named() {
    let world = World::new();
    let _ = world.send("GET", "/health", &[]);
    assert!(world.data_points().is_empty());
}
