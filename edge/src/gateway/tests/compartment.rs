//! Requests that `patient/` scopes alone permit: what is asked, what is looked at, and what is given away.

use serde_json::{Value, json};

use crate::error::UpstreamFailure;
use crate::testing::{Reply, World, claims, config_with};

const JSON: (&str, &str) = ("content-type", "application/fhir+json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn with(world: World, scope: &str) -> (World, String) {
    let mut claims = claims();
    claims.subject = "person".into();
    claims.scope = scope.into();
    claims.launch_context.patient_id = Some("p-1".into());
    let bearer = format!("Bearer {}", world.token(claims));
    (world, bearer)
}

fn world(scope: &str) -> (World, String) {
    with(World::new(), scope)
}

fn of(patient: &str) -> Value {
    json!({ "resourceType": "Observation", "id": "1", "subject": { "reference": format!("Patient/{patient}") } })
}

fn bundle(kind: &str, resources: &[Value]) -> String {
    let entries: Vec<Value> = resources
        .iter()
        .map(|resource| json!({ "resource": resource }))
        .collect();
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries }).to_string()
}

/// What a client can tell refusals apart by: status and body.
fn told(reply: &Reply) -> (u16, &str) {
    match reply {
        Reply::Own(answer) => (answer.status, &answer.body),
        Reply::Upstream(status) => (*status, ""),
    }
}

fn send(world: &World, method: &str, target: &str, bearer: &str) -> Reply {
    world.send(method, target, &[("authorization", bearer), JSON])
}

#[test]
fn a_record_is_read_when_it_is_the_patient_s_and_is_unknown_when_it_is_not() {
    let (world, bearer) = world("patient/*.rs");
    let history = |patients: &[&str]| {
        let resources: Vec<Value> = patients.iter().map(|patient| of(patient)).collect();
        bundle("history", &resources)
    };
    for (target, mine, foreign) in [
        (
            "/fhir/Observation/1",
            of("p-1").to_string(),
            of("p-2").to_string(),
        ),
        (
            "/fhir/Observation/1/_history/2",
            of("p-1").to_string(),
            of("p-2").to_string(),
        ),
        (
            "/fhir/Observation/1/_history",
            history(&["p-1", "p-1"]),
            history(&["p-1", "p-2"]),
        ),
    ] {
        for method in ["GET", "HEAD"] {
            world.upstream_answers(&[(200, None, &mine)]);
            assert_eq!(
                send(&world, method, target, &bearer),
                Reply::Upstream(200),
                "{method} {target}"
            );
            let asked = world.forwarded().pop().unwrap();
            assert!(
                asked
                    .set
                    .contains(&("accept", "application/fhir+json".to_owned()))
            );
            assert_eq!(asked.method, Some("GET").filter(|_| method == "HEAD"));
            world.upstream_answers(&[(200, None, &foreign)]);
            let withheld = send(&world, method, target, &bearer);
            assert_eq!(world.last_line()["reason"], "compartment_not_theirs");
            for status in [404, 410] {
                world.upstream_answers(&[(status, None, "{}")]);
                let unknown = send(&world, method, target, &bearer);
                assert_eq!(told(&withheld), told(&unknown), "{method} {target}");
                assert_eq!(world.last_line()["reason"], "compartment_not_there");
            }
            assert_eq!(withheld.status(), 404);
        }
    }
    assert_eq!(world.discarded(), 18, "what is withheld is let go of");
}

#[test]
fn what_needs_no_look_passes_as_it_comes() {
    let (world, bearer) = world("patient/*.rs");
    world.upstream_writes(Ok(Some("no JSON at all")));
    for target in [
        "/fhir/Patient/p-1",
        "/fhir/Practitioner/1",
        "/fhir/Practitioner?name=a",
        "/fhir/metadata",
    ] {
        let headers = [("authorization", bearer.as_str()), ("if-none-match", "W/\"1\"")];
        assert_eq!(world.send("GET", target, &headers).status(), 200, "{target}");
        let asked = world.forwarded().pop().unwrap();
        if target != "/fhir/metadata" {
            assert!(!asked.removed.contains(&"if-none-match".to_owned()), "{target}");
        }
    }
}

#[test]
fn nothing_is_learned_from_a_condition_that_an_answer_meets() {
    let (world, bearer) = world("patient/*.rs");
    world.upstream_answers(&[(304, None, "")]);
    let headers = [
        ("authorization", bearer.as_str()),
        ("if-none-match", "W/\"1\""),
        ("range", "bytes=0-1"),
    ];
    let reply = world.send("GET", "/fhir/Observation/1", &headers);
    let asked = world.forwarded().remove(0);
    for name in ["if-none-match", "range"] {
        assert!(asked.removed.contains(&name.to_owned()), "{name}");
    }
    assert_eq!(reply.status(), 502);
    assert_eq!(world.last_line()["reason"], "compartment_unreadable");
}

#[test]
fn a_search_is_made_to_name_the_patient_in_its_query_or_its_form() {
    let (world, bearer) = world("patient/*.rs");
    world.upstream_writes(Ok(Some(&bundle("searchset", &[of("p-1")]))));
    for (target, url) in [
        (
            "/fhir/Observation?code=a",
            "https://fhir.example/r4/Observation?code=a&patient=Patient/p-1",
        ),
        (
            "/fhir/Observation?patient=p-1",
            "https://fhir.example/r4/Observation?patient=p-1",
        ),
        (
            "/fhir/Observation?subject=Patient/p-1",
            "https://fhir.example/r4/Observation?subject=Patient/p-1",
        ),
        (
            "/fhir/Patient/p-1/Observation",
            "https://fhir.example/r4/Patient/p-1/Observation",
        ),
    ] {
        assert_eq!(
            send(&world, "GET", target, &bearer),
            Reply::Upstream(200),
            "{target}"
        );
        assert_eq!(world.forwarded().pop().unwrap().url, url);
    }
    for (form, media_type, added, url) in [
        ("code=a", FORM, Some("patient=Patient/p-1"), ""),
        ("patient=p-1", FORM, None, ""),
        ("", ("x-none", ""), None, "?patient=Patient/p-1"),
    ] {
        world.clients_write(Ok(form));
        let headers = [("authorization", bearer.as_str()), media_type];
        let reply = world.send("POST", "/fhir/Observation/_search", &headers);
        assert_eq!(reply, Reply::Upstream(200), "{form}");
        let asked = world.forwarded().pop().unwrap();
        assert_eq!(asked.form.as_deref(), added, "{form}");
        assert_eq!(
            asked.url,
            format!("https://fhir.example/r4/Observation/_search{url}")
        );
    }
    send(&world, "GET", "/fhir/Observation?_summary=count", &bearer);
    let counting = world.forwarded().pop().unwrap();
    assert!(counting.set.contains(&("prefer", "handling=strict".to_owned())));
}

#[test]
fn a_search_that_finds_what_is_not_the_patient_s_is_answered_with_nothing_of_it() {
    let (world, bearer) = world("patient/*.rs");
    for (target, found) in [
        ("/fhir/Observation", vec![of("p-1"), of("p-2")]),
        (
            "/fhir/Observation",
            vec![json!({ "resourceType": "Condition", "subject": { "reference": "Patient/p-1" } })],
        ),
        (
            "/fhir/Observation?_include=*",
            vec![of("p-1"), json!({ "resourceType": "Patient", "id": "p-2" })],
        ),
        (
            "/fhir/Patient",
            vec![json!({ "resourceType": "Patient", "id": "p-2" })],
        ),
        (
            "/fhir/Practitioner?_revinclude=Observation:performer",
            vec![of("p-2")],
        ),
        ("/fhir?_getpages=a", vec![of("p-2")]),
    ] {
        world.upstream_answers(&[(200, None, &bundle("searchset", &found))]);
        assert_eq!(send(&world, "GET", target, &bearer).status(), 403, "{target}");
        assert_eq!(world.last_line()["reason"], "compartment_found_others");
        assert!(!world.log_text().contains("p-2"));
    }
    let included = [
        of("p-1"),
        json!({ "resourceType": "Practitioner" }),
        json!({ "resourceType": "Patient", "id": "p-1" }),
    ];
    world.upstream_answers(&[(200, None, &bundle("searchset", &included))]);
    assert_eq!(
        send(&world, "GET", "/fhir/Observation?_include=*", &bearer),
        Reply::Upstream(200)
    );
}

#[test]
fn everything_of_the_patient_is_judged_entry_by_entry() {
    let (world, bearer) = world("patient/*.rs");
    let patient = json!({ "resourceType": "Patient", "id": "p-1" });
    for (found, status) in [
        (
            vec![
                patient.clone(),
                of("p-1"),
                json!({ "resourceType": "Practitioner" }),
            ],
            200,
        ),
        (vec![patient, of("p-2")], 403),
    ] {
        world.upstream_answers(&[(200, None, &bundle("searchset", &found))]);
        let target = "/fhir/Patient/p-1/$everything?_count=50";
        assert_eq!(send(&world, "GET", target, &bearer).status(), status);
    }
    let (world, bearer) = with(
        World::with(config_with(&[("WARDGATE_PATIENT_COMPARTMENT", "server")])),
        "patient/*.rs",
    );
    assert_eq!(
        send(&world, "GET", "/fhir/Patient/p-1/$everything", &bearer).status(),
        403
    );
}

#[test]
fn an_answer_that_cannot_be_judged_is_not_given_away() {
    let (world, bearer) = world("patient/*.rs");
    for (body, status, reason) in [
        (Ok(None), 502, "compartment_unreadable"),
        (Ok(Some("<Observation/>")), 502, "compartment_unreadable"),
        (
            Ok(Some("{\"resourceType\":\"Condition\"}")),
            502,
            "compartment_unreadable",
        ),
        (Err(UpstreamFailure::Unreadable), 502, "upstream_unreadable"),
        (Err(UpstreamFailure::Timeout), 504, "upstream_timeout"),
    ] {
        world.upstream_writes(body);
        assert_eq!(
            send(&world, "GET", "/fhir/Observation/1", &bearer).status(),
            status
        );
        assert_eq!(world.last_line()["reason"], reason);
    }
    // Refusals of the server's own are its to say.
    for status in [400, 403, 500] {
        world.upstream_answers(&[(status, None, "no record")]);
        assert_eq!(
            send(&world, "GET", "/fhir/Observation/1", &bearer),
            Reply::Upstream(status)
        );
    }
}

#[test]
fn a_request_that_leaves_the_compartment_is_refused_with_a_reason() {
    let (world, bearer) = world("patient/*.cruds");
    for (method, target, status, reason) in [
        ("GET", "/fhir/Binary/1", 403, "compartment_type"),
        ("PUT", "/fhir/Practitioner/1", 403, "compartment_shared"),
        ("GET", "/fhir/_history", 403, "compartment_interaction"),
        ("GET", "/fhir?_type=Observation", 403, "compartment_interaction"),
        (
            "DELETE",
            "/fhir/Observation/1/_history",
            403,
            "compartment_interaction",
        ),
        (
            "GET",
            "/fhir/Observation?subject:Patient.name=a",
            403,
            "compartment_parameter",
        ),
        (
            "GET",
            "/fhir/Practitioner?_has:Observation:performer:patient=p-2",
            403,
            "compartment_parameter",
        ),
        (
            "GET",
            "/fhir/Observation?patient=p-2",
            403,
            "compartment_other_patient",
        ),
        (
            "GET",
            "/fhir/Observation/1?_elements=code",
            403,
            "compartment_elements",
        ),
        (
            "GET",
            "/fhir/Observation/1?_format=xml",
            406,
            "compartment_format",
        ),
        (
            "DELETE",
            "/fhir/Observation?patient=p-1",
            403,
            "compartment_conditional",
        ),
        ("GET", "/fhir/Patient/p-2", 403, "scope_other_patient"),
    ] {
        assert_eq!(
            send(&world, method, target, &bearer).status(),
            status,
            "{method} {target}"
        );
        assert_eq!(world.last_line()["reason"], reason, "{method} {target}");
    }
    assert!(world.forwarded().is_empty());
}

#[test]
fn a_wider_scope_needs_none_of_it_and_neither_does_an_api_that_leaves_it_to_its_server() {
    let (wide, bearer) = world("patient/*.rs user/Observation.rs");
    let leaves_it = World::with(config_with(&[("WARDGATE_PATIENT_COMPARTMENT", "server")]));
    for (world, bearer, target) in [(wide, bearer, "/fhir/Observation?patient=p-2"), {
        let (world, bearer) = with(leaves_it, "patient/*.rs");
        (world, bearer, "/fhir/Binary/1")
    }] {
        assert_eq!(
            send(&world, "GET", target, &bearer),
            Reply::Upstream(200),
            "{target}"
        );
        let asked = world.forwarded().pop().unwrap();
        assert!(asked.set.iter().all(|(name, _)| *name != "accept"), "{target}");
        assert!(asked.set.contains(&("x-wardgate-patient", "p-1".to_owned())));
    }
}

#[test]
fn a_scope_with_a_query_still_asks_for_its_query() {
    let (world, bearer) = world("patient/Observation.rs?category=laboratory");
    world.upstream_writes(Ok(Some(&bundle("searchset", &[of("p-1")]))));
    let target = "/fhir/Observation?category=laboratory";
    assert_eq!(send(&world, "GET", target, &bearer), Reply::Upstream(200));
    let asked = world.forwarded().pop().unwrap();
    assert_eq!(
        asked.url,
        "https://fhir.example/r4/Observation?category=laboratory&patient=Patient/p-1"
    );
    assert!(asked.set.contains(&("prefer", "handling=strict".to_owned())));
    for target in [
        "/fhir/Observation",
        "/fhir/Observation/1",
        "/fhir/Observation?category=a",
    ] {
        assert_eq!(send(&world, "GET", target, &bearer).status(), 403, "{target}");
    }
}

#[test]
fn what_is_sent_must_be_the_patient_s() {
    let (world, bearer) = world("patient/*.cruds");
    for (method, target, body, status, reason) in [
        ("POST", "/fhir/Observation", of("p-1"), 200, ""),
        (
            "POST",
            "/fhir/Observation",
            of("p-2"),
            403,
            "compartment_resource",
        ),
        (
            "POST",
            "/fhir/Observation",
            json!({ "resourceType": "Observation" }),
            403,
            "compartment_resource",
        ),
        ("POST", "/fhir/Condition", of("p-1"), 400, "compartment_body"),
        ("PUT", "/fhir/Observation/2", of("p-1"), 400, "compartment_body"),
        (
            "PUT",
            "/fhir/Observation/1",
            of("p-2"),
            403,
            "compartment_resource",
        ),
        (
            "PUT",
            "/fhir/Patient/p-1",
            json!({ "resourceType": "Patient", "id": "p-1" }),
            200,
            "",
        ),
        (
            "PUT",
            "/fhir/Patient/p-1",
            json!({ "resourceType": "Patient", "id": "p-2" }),
            400,
            "compartment_body",
        ),
    ] {
        world.clients_write(Ok(&body.to_string()));
        let before = world.forwarded().len();
        assert_eq!(
            send(&world, method, target, &bearer).status(),
            status,
            "{method} {target} {body}"
        );
        if status == 200 {
            assert_eq!(world.forwarded().len(), before + 1, "nothing else has to be read");
        } else {
            assert_eq!(world.last_line()["reason"], reason);
            assert_eq!(world.forwarded().len(), before);
        }
    }
    for (method, target, media_type) in [
        ("POST", "/fhir/Observation", "application/fhir+xml"),
        ("PUT", "/fhir/Observation/1", "text/json"),
        ("PATCH", "/fhir/Observation/1", "application/fhir+json"),
    ] {
        let headers = [("authorization", bearer.as_str()), ("content-type", media_type)];
        assert_eq!(
            world.send(method, target, &headers).status(),
            415,
            "{method} {media_type}"
        );
    }
}

#[test]
fn what_is_there_must_be_the_patient_s_and_stay_so_until_it_is_changed() {
    let (world, bearer) = world("patient/*.cruds");
    let patch = ("content-type", "application/merge-patch+json");
    for (method, media_type, sent) in [
        ("PUT", JSON, of("p-1").to_string()),
        ("PATCH", patch, "{\"status\":\"final\"}".to_owned()),
        ("DELETE", ("x-none", ""), String::new()),
    ] {
        let target = "/fhir/Observation/1?_pretty=true";
        world.clients_write(Ok(&sent));
        let mine = of("p-1").to_string();
        let write = |if_match: Option<&str>, current: (u16, Option<&str>, &str)| {
            world.upstream_answers(&[current, (200, None, "{}")]);
            let mut headers = vec![("authorization", bearer.as_str()), media_type];
            headers.extend(if_match.map(|tag| ("if-match", tag)));
            let before = world.forwarded().len();
            let reply = world.send(method, target, &headers);
            (reply, world.forwarded().split_off(before))
        };
        let version = Some("W/\"3\"");
        for if_match in [None, Some("W/\"3\""), Some("\"3\""), Some("*")] {
            let (reply, asked) = write(if_match, (200, version, &mine));
            assert_eq!(reply, Reply::Upstream(200), "{method}");
            let [reading, writing] = &asked[..] else {
                panic!("{asked:?}")
            };
            assert_eq!(
                (reading.method, reading.url.as_str()),
                (Some("GET"), "https://fhir.example/r4/Observation/1")
            );
            assert!(reading.set.iter().all(|(name, _)| *name != "if-match"));
            assert!(reading.set.contains(&("x-wardgate-patient", "p-1".to_owned())));
            assert_eq!(
                (writing.method, writing.url.as_str()),
                (None, "https://fhir.example/r4/Observation/1?_pretty=true")
            );
            assert!(
                writing.set.contains(&("if-match", "W/\"3\"".to_owned())),
                "{method}"
            );
        }
        for (if_match, current, status, reason) in [
            (
                None,
                (200, version, of("p-2").to_string()),
                404,
                "compartment_not_theirs",
            ),
            (None, (404, None, "{}".to_owned()), 404, "compartment_not_there"),
            (None, (410, None, "{}".to_owned()), 404, "compartment_not_there"),
            (None, (200, None, mine.clone()), 502, "compartment_no_version"),
            (
                Some("W/\"2\""),
                (200, version, mine.clone()),
                412,
                "compartment_other_version",
            ),
            (
                None,
                (200, version, "<Observation/>".to_owned()),
                502,
                "compartment_unreadable",
            ),
        ] {
            let (reply, asked) = write(if_match, (current.0, current.1, &current.2));
            assert_eq!(reply.status(), status, "{method} {reason}");
            assert_eq!(world.last_line()["reason"], reason, "{method}");
            assert_eq!(asked.len(), 1, "nothing is changed: {method} {reason}");
        }
        let (reply, asked) = write(None, (503, None, "{}"));
        assert_eq!((reply, asked.len()), (Reply::Upstream(503), 1), "{method}");
    }
    world.clients_write(Ok("{\"subject\":{\"reference\":\"Patient/p-2\"}}"));
    let headers = [("authorization", bearer.as_str()), patch];
    assert_eq!(world.send("PATCH", "/fhir/Observation/1", &headers).status(), 403);
    assert_eq!(world.last_line()["reason"], "compartment_patch");
}

#[test]
fn a_batch_stays_in_the_compartment_as_a_whole() {
    let (world, bearer) = world("patient/*.cruds");
    let entry = |method: &str, url: &str| json!({ "request": { "method": method, "url": url } });
    let create = |patient: &str| json!({ "request": { "method": "POST", "url": "Observation" }, "resource": of(patient) });
    let update = json!({ "request": { "method": "PUT", "url": "Observation/1" }, "resource": of("p-1") });
    let sent = |entries: &[Value]| {
        let body = json!({ "resourceType": "Bundle", "type": "batch", "entry": entries });
        world.clients_write(Ok(&body.to_string()));
        send(&world, "POST", "/fhir", &bearer)
    };
    for (second, status, reason) in [
        (update, 403, "compartment_entry_writes"),
        (entry("DELETE", "Observation/1"), 403, "compartment_entry_writes"),
        (create("p-1"), 403, "compartment_mixed"),
        (entry("GET", "Observation"), 403, "compartment_entry_search"),
        (
            entry("GET", "Observation?patient=p-2"),
            403,
            "compartment_other_patient",
        ),
        (entry("GET", "Binary/1"), 403, "compartment_type"),
    ] {
        let Reply::Own(reply) = sent(&[entry("GET", "Observation/1"), second.clone()]) else {
            panic!("{second}");
        };
        assert_eq!(reply.status, status, "{second}");
        assert!(reply.body.contains("Bundle.entry[1]: "), "{}", reply.body);
        assert_eq!(world.last_line()["reason"], reason);
    }
    assert_eq!(sent(&[create("p-1"), create("p-2")]).status(), 403);
    assert_eq!(world.last_line()["reason"], "compartment_resource");
    assert!(world.forwarded().is_empty());
    assert_eq!(sent(&[create("p-1"), create("p-1")]), Reply::Upstream(200));

    let reads = [
        entry("GET", "Practitioner/1"),
        entry("GET", "Observation/1"),
        entry("GET", "Observation?patient=p-1"),
    ];
    let answer = |read: Value, found: Value| {
        json!({ "resourceType": "Bundle", "type": "batch-response", "entry": [
            { "response": { "status": "200" } },
            read,
            { "response": { "status": "200" }, "resource": { "resourceType": "Bundle", "type": "searchset", "entry": [{ "resource": found }] } },
        ] })
        .to_string()
    };
    let read = |patient| json!({ "response": { "status": "200" }, "resource": of(patient) });
    for (body, status, reason) in [
        (answer(read("p-1"), of("p-1")), 200, ""),
        (answer(read("p-2"), of("p-1")), 404, "compartment_nothing_found"),
        (
            answer(json!({ "response": { "status": "404" } }), of("p-1")),
            404,
            "compartment_nothing_found",
        ),
        (answer(read("p-1"), of("p-2")), 403, "compartment_found_others"),
        (bundle("batch-response", &[]), 502, "compartment_unreadable"),
    ] {
        world.upstream_answers(&[(200, None, &body)]);
        assert_eq!(sent(&reads).status(), status, "{body}");
        if status != 200 {
            assert_eq!(world.last_line()["reason"], reason);
        }
    }
}
