//! The pipeline as a whole: what is forwarded, what is not, and what is written down.

mod apis;
mod bodies;
mod compartment;

use serde_json::json;

use super::handle_misconfigured;
use crate::config::ConfigFault;
use crate::error::UpstreamFailure;
use crate::log::FetchFailure;
use crate::testing::{Reply, World, claims, incoming};

/// A world and a token of the service that may read everything.
fn world() -> (World, String) {
    let world = World::new();
    let token = world.token(claims());
    (world, token)
}

#[test]
fn forwards_a_permitted_request_with_who_and_why() {
    let (world, token) = world();
    assert_eq!(world.get("/fhir/Patient?name=a", &token), Reply::Upstream(200));
    let forwarded = world.forwarded();
    assert_eq!(forwarded.len(), 1);
    assert_eq!(forwarded[0].url, "https://fhir.example/r4/Patient?name=a");
    assert_eq!(forwarded[0].removed, ["authorization"]);
    for (name, value) in [
        ("x-wardgate-subject", "service"),
        ("x-wardgate-access-level", "system"),
        ("x-request-id", &"ab".repeat(16)),
    ] {
        assert!(forwarded[0].set.contains(&(name, value.to_owned())), "{name}");
    }
    assert!(
        forwarded[0]
            .set_on_answer
            .contains(&("access-control-allow-origin", "*".to_owned()))
    );
    assert!(
        forwarded[0]
            .set_on_answer
            .contains(&("x-request-id", "ab".repeat(16)))
    );
}

#[test]
fn nothing_refused_reaches_the_fhir_server() {
    let (world, token) = world();
    let bearer = format!("Bearer {token}");
    let with_token: &[(&str, &str)] = &[("authorization", &bearer)];
    for (method, target, headers, status) in [
        ("GET", "/fhir/Patient", &[][..], 401),
        ("GET", "/fhir/Patient", &[("authorization", "Bearer x")][..], 401),
        (
            "GET",
            "/fhir/Patient",
            &[("authorization", "Bearer x, Bearer y")][..],
            400,
        ),
        ("GET", "/fhir/Patient?access_token=x", with_token, 400),
        ("DELETE", "/fhir/Patient/1", with_token, 403),
        ("POST", "/fhir", with_token, 415),
        ("GET", "/fhir/Patient/1/$everything", with_token, 403),
        ("GET", "/fhir/../admin", with_token, 400),
        ("GET", "/fhir/Nothing", with_token, 404),
        ("GET", "/elsewhere", with_token, 404),
        ("PURGE", "/fhir/Patient", with_token, 405),
        ("POST", "/health", with_token, 405),
    ] {
        assert_eq!(
            world.send(method, target, headers).status(),
            status,
            "{method} {target}"
        );
    }
    assert!(world.forwarded().is_empty());
}

#[test]
fn every_answer_of_its_own_carries_cors_and_the_request_s_name() {
    let (world, _) = world();
    for (method, target) in [("GET", "/fhir/Patient"), ("GET", "/health"), ("GET", "/nothing")] {
        let reply = world.send(
            method,
            target,
            &[("x-request-id", "r-1"), ("origin", "https://app.example")],
        );
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{target}");
        assert_eq!(reply.header("x-request-id"), Some("r-1"), "{target}");
    }
}

#[test]
fn open_documents_need_no_token_and_no_issuer() {
    let (world, _) = world();
    world.issuer_says(Err(FetchFailure::Unreachable));
    assert_eq!(world.send("GET", "/health", &[]).status(), 200);
    let Reply::Own(metadata) = world.send("GET", "/.well-known/oauth-protected-resource/fhir", &[]) else {
        panic!("forwarded")
    };
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&metadata.body).unwrap(),
        json!({
            "resource": "https://edge.example/fhir",
            "authorization_servers": ["https://issuer.example"],
            "bearer_methods_supported": ["header"]
        })
    );
    assert_eq!(world.send("GET", "/fhir/metadata", &[]), Reply::Upstream(200));
    assert!(
        world.forwarded()[0]
            .set
            .iter()
            .all(|(name, _)| !name.starts_with("x-wardgate-"))
    );
    let preflight = world.send(
        "OPTIONS",
        "/fhir/Patient",
        &[("origin", "a"), ("access-control-request-method", "GET")],
    );
    assert_eq!(preflight.status(), 204);
    assert!(world.fetched().is_empty());
}

#[test]
fn the_smart_configuration_is_the_issuer_s_and_is_kept() {
    let (world, _) = world();
    world.issuer_says(Ok(b"{\"issuer\":\"https://issuer.example\"}"));
    let get = || world.send("GET", "/fhir/.well-known/smart-configuration", &[]);
    for _ in 0..3 {
        let Reply::Own(answer) = get() else {
            panic!("forwarded")
        };
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "{\"issuer\":\"https://issuer.example\"}")
        );
    }
    assert_eq!(
        world.fetched(),
        ["https://issuer.example/.well-known/smart-configuration"]
    );
    world.issuer_says(Err(FetchFailure::Timeout));
    world.advance(301);
    assert_eq!(get().status(), 200, "kept while it cannot be fetched");
    world.run_background();
    assert_eq!(world.fetched().len(), 2);
    world.advance(4_000);
    assert_eq!(get().status(), 503, "but not for ever");
}

#[test]
fn a_smart_configuration_that_is_none_is_not_shown() {
    for document in [&b"[]"[..], b"{\"a\":1,\"a\":2}", b"<html>", b"\xff"] {
        let (world, _) = world();
        world.issuer_says(Ok(document));
        let reply = world.send("GET", "/fhir/.well-known/smart-configuration", &[]);
        assert_eq!((reply.status(), reply.header("retry-after")), (503, Some("30")));
    }
}

#[test]
fn capabilities_name_the_issuers_addresses() {
    let (world, _) = world();
    world.issuer_says(Ok(
        b"{\"token_endpoint\":\"https://issuer.example/oauth2/token\"}",
    ));
    let statement = r#"{"resourceType":"CapabilityStatement","rest":[{"mode":"server"}]}"#;
    world.upstream_writes(Ok(Some(statement)));
    let headers: &[(&str, &str)] = &[("if-none-match", "\"1\""), ("range", "bytes=0-9")];
    let Reply::Own(answer) = world.send("GET", "/fhir/metadata", headers) else {
        panic!("not written")
    };
    let written: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        written["rest"][0]["security"]["extension"][0]["extension"],
        json!([{ "url": "token", "valueUri": "https://issuer.example/oauth2/token" }])
    );
    let forwarded = world.forwarded();
    for name in ["if-none-match", "range"] {
        assert!(forwarded[0].removed.contains(&name.to_owned()), "{name}");
    }
    assert!(
        forwarded[0]
            .set
            .contains(&("accept-encoding", "identity".to_owned()))
    );
}

#[test]
fn capabilities_are_shown_without_addresses_while_the_issuer_is_down() {
    let (world, _) = world();
    world.issuer_says(Err(FetchFailure::Unreachable));
    world.upstream_writes(Ok(Some(
        r#"{"resourceType":"CapabilityStatement","rest":[{"mode":"server"}]}"#,
    )));
    let Reply::Own(answer) = world.send("GET", "/fhir/metadata", &[]) else {
        panic!("not written")
    };
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("oauth-uris"), "{}", answer.body);
}

#[test]
fn capabilities_that_are_no_statement_pass_as_they_are() {
    let (world, _) = world();
    let body = r#"{"resourceType":"TerminologyCapabilities"}"#;
    world.upstream_writes(Ok(Some(body)));
    let Reply::Own(answer) = world.send("GET", "/fhir/metadata?mode=terminology", &[]) else {
        panic!("not passed")
    };
    assert_eq!(answer.body, body);
    for (method, status) in [("HEAD", 200), ("GET", 404), ("GET", 500)] {
        world.upstream_says(Ok(status));
        assert_eq!(world.send(method, "/fhir/metadata", &[]), Reply::Upstream(status));
    }
}

#[test]
fn capabilities_that_cannot_be_read_are_a_failure_of_the_fhir_server() {
    for (failure, status) in [
        (UpstreamFailure::Unreadable, 502),
        (UpstreamFailure::Timeout, 504),
    ] {
        let (world, _) = world();
        world.upstream_writes(Err(failure));
        assert_eq!(world.send("GET", "/fhir/metadata", &[]).status(), status);
    }
}

#[test]
fn failures_of_the_fhir_server_are_told_apart() {
    for (answer, status, reason) in [
        (Err(UpstreamFailure::Unreachable), 502, "upstream_unreachable"),
        (Err(UpstreamFailure::Timeout), 504, "upstream_timeout"),
        (Ok(302), 502, "upstream_redirect"),
        (Ok(401), 502, "upstream_unauthorized"),
    ] {
        let (world, token) = world();
        world.upstream_says(answer);
        assert_eq!(world.get("/fhir/Patient/1", &token).status(), status);
        assert_eq!(world.last_line()["reason"], reason);
        assert_eq!(world.last_line()["outcome"], "failed");
        assert_eq!(
            world.discarded(),
            u32::from(answer.is_ok()),
            "an answer that is not passed on is let go of"
        );
    }
}

#[test]
fn statuses_of_the_fhir_server_pass() {
    for status in [201, 304, 404, 412, 422, 500] {
        let (world, token) = world();
        world.upstream_says(Ok(status));
        assert_eq!(world.get("/fhir/Patient/1", &token), Reply::Upstream(status));
        assert_eq!(
            (&world.last_line()["status"], &world.last_line()["outcome"]),
            (&json!(status), &json!("allow"))
        );
    }
}

#[test]
fn a_line_is_written_for_each_decision_without_ids_and_tokens() {
    let (world, token) = world();
    world.get("/fhir/Patient/secret-id?name=secret-name", &token);
    let line = world.last_line();
    assert_eq!(line["outcome"], "allow");
    assert_eq!(line["access_level"], "system");
    assert_eq!(line["subject"].as_str().map(str::len), Some(16));
    world.get("/fhir/Observation/secret-id", "secret-token");
    assert_eq!(world.last_line()["reason"], "token_malformed");
    let log = world.log_text();
    for secret in [
        "secret-id",
        "secret-name",
        "secret-token",
        &token,
        "service",
        "Patient",
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn a_worker_with_a_wrong_configuration_answers_503_to_everything() {
    let world = World::new();
    let faults = [ConfigFault {
        place: "WARDGATE_ISSUER".into(),
        problem: "is not set".into(),
    }];
    for (method, target) in [
        ("GET", "/health"),
        ("GET", "/fhir/metadata"),
        ("GET", "/fhir/Patient"),
        ("OPTIONS", "/fhir/Patient"),
        ("GET", "/"),
    ] {
        let reply = handle_misconfigured(&faults, &world, &incoming(method, target, &[])).unwrap();
        assert_eq!(reply.status(), 503, "{method} {target}");
        assert_eq!(reply.header("retry-after"), Some("60"), "{method} {target}");
        assert_eq!(
            reply.header("cache-control"),
            Some("no-store"),
            "{method} {target}"
        );
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert!(reply.header("x-request-id").is_some());
        let Reply::Own(answer) = reply else {
            panic!("forwarded")
        };
        assert_eq!(
            answer.body.contains("WARDGATE_ISSUER"),
            target != "/health",
            "{target}"
        );
    }
    let asks = [("origin", "a"), ("access-control-request-method", "GET")];
    let preflight =
        handle_misconfigured(&faults, &world, &incoming("OPTIONS", "/fhir/Patient", &asks)).unwrap();
    assert_eq!(preflight.status(), 204, "or no page could read the refusal");
}
