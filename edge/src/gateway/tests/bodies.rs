//! Requests that say in their body what they ask for.

use serde_json::json;

use crate::body::BodyError;
use crate::testing::{Reply, World, claims};

const JSON: (&str, &str) = ("content-type", "application/fhir+json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn world(scope: &str) -> (World, String) {
    let world = World::new();
    let mut claims = claims();
    claims.scope = scope.into();
    let bearer = format!("Bearer {}", world.token(claims));
    (world, bearer)
}

fn entry(method: &str, url: &str, resource_type: Option<&str>) -> serde_json::Value {
    let mut entry = json!({ "request": { "method": method, "url": url } });
    if let Some(resource_type) = resource_type {
        entry["resource"] = json!({ "resourceType": resource_type });
    }
    entry
}

fn bundle(kind: &str, entries: &[serde_json::Value]) -> String {
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries }).to_string()
}

fn post(world: &World, target: &str, bearer: &str, media_type: (&str, &str)) -> Reply {
    world.send("POST", target, &[("authorization", bearer), media_type])
}

fn text(reply: &Reply) -> &str {
    match reply {
        Reply::Own(answer) => &answer.body,
        Reply::Upstream(_) => "",
    }
}

// SMART-77
#[test]
fn a_batch_passes_when_every_entry_is_permitted() {
    let (world, bearer) = world("system/Observation.cr system/Patient.s");
    for kind in ["batch", "transaction"] {
        let body = bundle(
            kind,
            &[
                entry("GET", "Observation/1", None),
                entry("POST", "Observation", Some("Observation")),
                entry("GET", "Patient?name=a", None),
                entry("GET", "metadata", None),
            ],
        );
        world.clients_write(Ok(&body));
        assert_eq!(
            post(&world, "/fhir", &bearer, JSON),
            Reply::Upstream(200),
            "{kind}"
        );
    }
    let forwarded = world.forwarded().remove(0);
    assert_eq!(forwarded.url, "https://fhir.example/r4");
    for (name, value) in [
        ("x-wardgate-access-level", "system"),
        (
            "x-wardgate-authorized-by",
            "system/Observation.cr system/Patient.s",
        ),
    ] {
        assert!(forwarded.set.contains(&(name, value.to_owned())), "{name}");
    }
}

// SMART-77, SMART-78
#[test]
fn one_entry_that_is_not_permitted_refuses_the_batch_and_is_named_by_its_place_alone() {
    let (world, bearer) = world("system/Observation.cruds");
    world.clients_write(Ok(&bundle(
        "batch",
        &[
            entry("GET", "Observation/1", None),
            entry("GET", "Patient/secret-id", None),
            entry("DELETE", "Patient/secret-id", None),
        ],
    )));
    let reply = post(&world, "/fhir", &bearer, JSON);
    assert_eq!(reply.status(), 403);
    assert!(text(&reply).contains("Bundle.entry[1]: "), "{}", text(&reply));
    assert!(!text(&reply).contains("secret-id"));
    let challenge = reply.header("www-authenticate").unwrap();
    assert!(challenge.contains("scope=\"system/Patient.r\""), "{challenge}");
    assert_eq!(world.last_line()["reason"], "scope_insufficient");
    assert!(!world.log_text().contains("secret-id"));
    assert!(world.forwarded().is_empty());
}

#[test]
fn an_entry_that_could_never_be_permitted_refuses_the_batch() {
    let (world, bearer) = world("system/*.cruds");
    for (refused, status) in [
        (json!({}), 400),
        (entry("GET", "https://fhir.example/r4/Patient/1", None), 400),
        (entry("GET", "../admin", None), 400),
        (entry("PURGE", "Patient/1", None), 400),
        (entry("POST", "Observation", Some("Patient")), 400),
        (entry("POST", "", Some("Bundle")), 403),
        (entry("POST", "Patient/1/$everything", None), 403),
    ] {
        let entries = [entry("GET", "Patient/1", None), refused.clone()];
        world.clients_write(Ok(&bundle("transaction", &entries)));
        let reply = post(&world, "/fhir/", &bearer, JSON);
        assert_eq!(reply.status(), status, "{refused}");
        assert!(text(&reply).contains("Bundle.entry[1]: "), "{}", text(&reply));
    }
    assert!(world.forwarded().is_empty());
}

#[test]
fn a_body_that_cannot_be_decided_on_is_refused_with_what_is_wrong() {
    let (world, bearer) = world("system/*.cruds");
    let large = bundle("batch", &[json!({ "fullUrl": "a".repeat(1_048_577) })]);
    for (body, media_type, status, reason) in [
        (Ok("{}"), JSON, 400, "body_bundle"),
        (
            Ok("{}"),
            ("content-type", "application/fhir+xml"),
            415,
            "body_media_type",
        ),
        (Ok("{}"), ("x-none", ""), 415, "body_media_type"),
        (Ok(large.as_str()), JSON, 413, "body_too_large"),
        (Err(BodyError::TooSlow), JSON, 408, "body_too_slow"),
        (Err(BodyError::Unreadable), JSON, 400, "body_unreadable"),
    ] {
        world.clients_write(body);
        assert_eq!(
            post(&world, "/fhir", &bearer, media_type).status(),
            status,
            "{reason}"
        );
        assert_eq!(world.last_line()["reason"], reason);
    }
    assert!(world.forwarded().is_empty());
}

#[test]
fn a_search_form_is_decided_like_the_same_query() {
    let (world, bearer) = world("system/Patient.rs system/Observation.rs?category=a");
    for (target, form, status) in [
        ("/fhir/Patient/_search", "name=a&birthdate=2000", 200),
        ("/fhir/Patient/_search", "", 200),
        ("/fhir/Patient/_search", "_include=Patient:organization", 403),
        ("/fhir/Patient/_search", "name=%zz", 400),
        ("/fhir/Patient/_search", "name=a b", 400),
        ("/fhir/Patient/_search", "access_token=a", 400),
        ("/fhir/Observation/_search", "category=a", 200),
        ("/fhir/Observation/_search", "category=b", 403),
        ("/fhir/Observation/_search", "", 403),
        ("/fhir/Observation/_search?category=a", "category=b", 403),
        ("/fhir/Condition/_search", "code=a", 403),
    ] {
        world.clients_write(Ok(form));
        assert_eq!(
            post(&world, target, &bearer, FORM).status(),
            status,
            "{target} {form}"
        );
    }
    let restricted = &world.forwarded()[2];
    assert!(restricted.set.contains(&("prefer", "handling=strict".to_owned())));
}

#[test]
fn a_search_by_post_may_have_no_form_but_none_of_an_unknown_type() {
    let (world, bearer) = world("system/Patient.rs");
    for (form, status) in [("", 200), ("name=a", 415)] {
        world.clients_write(Ok(form));
        let reply = post(&world, "/fhir/Patient/_search?name=a", &bearer, ("x-none", ""));
        assert_eq!(reply.status(), status, "{form}");
    }
}

#[test]
fn nobody_s_body_is_read_before_the_token_holds_nor_where_it_does_not_decide() {
    let (world, bearer) = world("system/*.cruds");
    for bearer in ["Bearer x", "Basic x"] {
        assert_ne!(post(&world, "/fhir", bearer, JSON).status(), 200);
    }
    for (method, target) in [
        ("POST", "/fhir/Patient"),
        ("PUT", "/fhir/Patient/1"),
        ("GET", "/fhir/Patient"),
    ] {
        let reply = world.send(method, target, &[("authorization", &bearer), JSON]);
        assert_eq!(reply, Reply::Upstream(200), "{method} {target}");
    }
    assert_eq!(world.bodies_read(), 0);
}
