//! What an explanation says, what it leaves out, and who gets none.

use serde_json::{Value, json};

use super::{fhir_path, plain_path, query};
use crate::config::Config;
use crate::log::FetchFailure;
use crate::testing::{Reply, World, claims, config_with};

const ASKED: (&str, &str) = ("x-wardgate-explain", "1");

fn config() -> Config {
    config_with(&[
        ("WARDGATE_EXPLAIN", "on-public"),
        (
            "WARDGATE_APIS",
            r#"[{"name":"reports","prefix":"/reports","upstream":"https://reports.example","kind":"plain",
                 "audiences":["https://edge.example/reports"],"open":["/status"],
                 "require":[{"path":"/yearly","scopes":["reports.read"]}]}]"#,
        ),
    ])
}

/// The explanation of a GET.
fn explained(world: &World, target: &str, token: Option<&str>) -> Value {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![ASKED];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let Reply::Own(answer) = world.send("GET", target, &headers) else {
        panic!("forwarded")
    };
    assert_eq!(answer.status, 200);
    assert!(answer.headers.contains(&("cache-control", "no-store".to_owned())));
    serde_json::from_str(&answer.body).unwrap()
}

fn step<'a>(explanation: &'a Value, name: &str) -> &'a Value {
    let steps = explanation["steps"].as_array().unwrap();
    steps
        .iter()
        .find(|step| step["step"] == name)
        .unwrap_or(&Value::Null)
}

#[test]
fn tells_every_step_of_a_permitted_request_and_sends_nothing() {
    let world = World::with(config());
    let token = world.token(claims());
    let explanation = explained(
        &world,
        "/fhir/Patient/secret-1?_count=5&name=secret-2",
        Some(&token),
    );
    assert_eq!(explanation["decision"], "allow");
    let names: Vec<&Value> = explanation["steps"]
        .as_array()
        .unwrap()
        .iter()
        .inspect(|step| assert_eq!(step["verdict"], "passed", "{step}"))
        .map(|step| &step["step"])
        .collect();
    assert_eq!(
        json!(names),
        json!([
            "route",
            "credential",
            "issuer",
            "key",
            "token",
            "authorization",
            "forward"
        ])
    );
    assert_eq!(step(&explanation, "route")["api"], "fhir");
    assert_eq!(step(&explanation, "issuer")["issuer"], "https://issuer.example");
    assert_eq!(step(&explanation, "key")["algorithm"], "EdDSA");
    assert_eq!(
        step(&explanation, "authorization")["authorized_by"],
        "system/*.read"
    );
    let forward = step(&explanation, "forward");
    assert_eq!(forward["url"], "https://fhir.example/r4/Patient/{}?_count&name");
    assert_eq!(forward["limits"], "default");
    assert_eq!(forward["headers_removed"], "x-wardgate-explain, authorization");
    assert!(
        forward["headers_set"]
            .as_str()
            .unwrap()
            .contains("x-wardgate-subject")
    );
    assert!(world.forwarded().is_empty(), "nothing reaches the FHIR server");
    assert_eq!(world.last_line()["outcome"], "explained");
}

#[test]
fn holds_no_token_no_person_and_no_id() {
    let world = World::with(config());
    let mut claims = claims();
    claims.subject = "secret-person".into();
    claims.scope = "patient/*.read".into();
    claims.launch_context.patient_id = Some("secret-1".into());
    let token = world.token(claims);
    for target in [
        "/fhir/Patient/secret-1",
        "/fhir/Patient/secret-2",
        "/fhir/Patient/secret-1/_history/secret-3",
        "/fhir/Patient/secret-1/Observation?code=secret-4&secret-5=1",
        "/fhir/Practitioner/secret-6",
        "/reports/yearly/secret-7",
    ] {
        let text = explained(&world, target, Some(&token)).to_string();
        assert!(!text.contains("secret-"), "{target}: {text}");
        for part in token.split('.') {
            assert!(!text.contains(part), "{target}: {text}");
        }
    }
}

#[test]
fn tells_where_a_request_is_refused_and_why() {
    let world = World::with(config());
    let token = world.token(claims());
    for (target, token, refused_at, reason, status) in [
        ("/nothing", None, "route", "not_found", 404),
        ("/fhir/../x", None, "route", "request_path", 400),
        ("/fhir/Patient", None, "credential", "credential_missing", 401),
        ("/fhir/Patient", Some("x"), "issuer", "token_malformed", 401),
        (
            "/fhir/Patient/$everything",
            Some(token.as_str()),
            "authorization",
            "scope_operation",
            403,
        ),
        (
            "/reports/yearly",
            Some(token.as_str()),
            "token",
            "token_audience",
            401,
        ),
    ] {
        let explanation = explained(&world, target, token);
        assert_eq!(explanation["reason"], reason, "{target}");
        assert_eq!(explanation["status"], status, "{target}");
        assert_eq!(explanation["decision"], "deny", "{target}");
        let last = explanation["steps"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["step"], &last["verdict"]),
            (&json!(refused_at), &json!("refused"))
        );
    }
    let mut claims = claims();
    claims.audiences = wardgate_shared::jwt::Audiences::new(vec!["https://edge.example/reports".into()]);
    let explanation = explained(&world, "/reports/yearly", Some(&world.token(claims)));
    assert_eq!(step(&explanation, "route")["rule"], "require[0]");
    assert_eq!(
        step(&explanation, "authorization")["needed_scope"],
        "reports.read"
    );
}

#[test]
fn tells_that_nothing_can_be_decided() {
    let world = World::with(config());
    world.issuer_says(Err(FetchFailure::Unreachable));
    let explanation = explained(&world, "/fhir/Patient", Some(&world.token(claims())));
    assert_eq!(explanation["decision"], "undecided");
    assert_eq!(step(&explanation, "key")["verdict"], "refused");
}

#[test]
fn open_documents_are_explained_without_being_fetched() {
    let world = World::with(config());
    for target in [
        "/fhir/metadata",
        "/fhir/.well-known/smart-configuration",
        "/reports/status",
        "/health",
    ] {
        assert_eq!(explained(&world, target, None)["decision"], "open", "{target}");
    }
    assert!(world.forwarded().is_empty() && world.fetched().is_empty());
}

#[test]
fn nobody_is_told_anything_unless_the_configuration_says_so() {
    for value in ["off", "on"] {
        // `on` is for a public URL on this machine, and that is what the gateway then has.
        let mut settings = vec![("WARDGATE_EXPLAIN", value)];
        if value == "on" {
            settings.push(("WARDGATE_PUBLIC_URL", "http://localhost:8787"));
        }
        let world = World::with(config_with(&settings));
        let bearer = format!("Bearer {}", world.token(claims()));
        let reply = world.send("GET", "/fhir/Patient", &[ASKED, ("authorization", &bearer)]);
        assert_eq!(reply == Reply::Upstream(200), value == "off", "{reply:?}");
    }
    let world = World::new();
    let bearer = format!("Bearer {}", world.token(claims()));
    for asked in ["1", "true", "0"] {
        let headers = [("x-wardgate-explain", asked), ("authorization", bearer.as_str())];
        assert_eq!(world.send("GET", "/fhir/Patient", &headers), Reply::Upstream(200));
    }
    assert!(
        world.forwarded()[0]
            .removed
            .contains(&"x-wardgate-explain".to_owned())
    );
}

#[test]
fn only_the_value_1_asks() {
    let world = World::with(config());
    let bearer = format!("Bearer {}", world.token(claims()));
    for asked in ["", "0", "true", "1, 1", "on"] {
        let headers = [("x-wardgate-explain", asked), ("authorization", bearer.as_str())];
        assert_eq!(
            world.send("GET", "/fhir/Patient", &headers),
            Reply::Upstream(200),
            "{asked}"
        );
    }
}

#[test]
fn paths_and_queries_keep_the_words_of_the_api_alone() {
    for (path, shown) in [
        ("", ""),
        ("/Patient", "/Patient"),
        ("/Patient/a", "/Patient/{}"),
        ("/Patient/_search", "/Patient/_search"),
        ("/Patient/$match", "/Patient/$match"),
        ("/Patient/a/_history/3", "/Patient/{}/_history/{}"),
        (
            "/Patient/a/Observation/_search",
            "/Patient/{}/Observation/_search",
        ),
    ] {
        assert_eq!(fhir_path(path), shown);
    }
    assert_eq!(plain_path("/yearly", "/yearly"), "/yearly");
    assert_eq!(plain_path("/yearly", "/yearly/1"), "/yearly/{}");
    assert_eq!(
        query(Some("name=a&code:in=b&p1=c&_has:X:y:z=d&%61=e")),
        "?name&code:in&{}&_has:X:y:z&{}"
    );
    assert_eq!(query(None), "");
}
