//! Which method and path is decided on, and that exactly those bytes are forwarded.

use wardgate_tests::edge::Edge;
use wardgate_tests::http::{raw_request, send};

use crate::expect::{assert_fhir_refusal, assert_nothing_forwarded, assert_problem};

#[tokio::test]
async fn forwards_below_the_upstreams_base_what_was_asked_for() {
    let edge = Edge::start().await;
    let token = edge.token();
    for (method, path, target) in [
        ("GET", "/fhir/Patient/1", "/Patient/1"),
        ("GET", "/fhir/Patient", "/Patient"),
        (
            "GET",
            "/fhir/Patient?name=a%20b&_count=5&name=%C3%A9",
            "/Patient?name=a%20b&_count=5&name=%C3%A9",
        ),
        ("GET", "/fhir/Patient/1/_history/2", "/Patient/1/_history/2"),
        ("POST", "/fhir/Patient", "/Patient"),
        ("POST", "/fhir/Patient/_search", "/Patient/_search"),
        ("PUT", "/fhir/Patient/1", "/Patient/1"),
        ("PATCH", "/fhir/Patient/1", "/Patient/1"),
        ("DELETE", "/fhir/Patient/1", "/Patient/1"),
    ] {
        edge.upstream.forget();
        let answer = send(edge.request(method, path).bearer_auth(&token)).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
        let request = edge.upstream.only_request();
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            (method, target)
        );
    }
}

/// `text` with its percent-encoding taken off.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| text[at] == b'%');
        let value = escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(value.unwrap_or(text[at]));
        at += if value.is_some() { 3 } else { 1 };
    }
    bytes
}

#[tokio::test]
async fn a_query_arrives_as_it_was_meant_or_is_refused() {
    let edge = Edge::start().await;
    let bearer = format!("Authorization: Bearer {}", edge.token());
    let mut values: Vec<Vec<u8>> = (0x21..0x7F).map(|byte| vec![b'a', byte, b'b']).collect();
    // A fragment is no part of a request target (RFC 9112 section 3.2); the runtime drops it before anyone judges.
    values.retain(|value| value != b"a#b");
    values.extend([
        "O'Brien<\"x\">".into(),
        "%2F%2e%00%0a%25".into(),
        "http://loinc.org|1234-5".into(),
        "{|}\\^`[]".into(),
        "%C3%A9+%e9".into(),
        "Zo\u{eb}".into(),
        vec![b'a', 0xFF],
    ]);
    let mut passed = 0;
    for value in values {
        edge.upstream.forget();
        let sent = [b"name=".as_slice(), &value].concat();
        let request = [
            b"GET /fhir/Patient?".as_slice(),
            &sent,
            b" HTTP/1.1\r\nHost: edge.example\r\n",
        ]
        .concat();
        let request = [
            &request,
            b"Connection: close\r\n".as_slice(),
            bearer.as_bytes(),
            b"\r\n\r\n",
        ]
        .concat();
        let answer = edge.raw(&request).await.expect("an answer");
        let shown = sent.escape_ascii();
        if answer.status != 200 {
            assert_eq!(answer.status, 400, "{shown}: {}", answer.text());
            assert_nothing_forwarded(&edge);
            continue;
        }
        passed += 1;
        let target = edge.upstream.only_request().target;
        let query = target
            .strip_prefix("/Patient?")
            .unwrap_or_else(|| panic!("{shown} became {target}"));
        assert_eq!(
            decoded(query.as_bytes()),
            decoded(&sent),
            "{shown} became {target}"
        );
    }
    assert!(passed > 80, "{passed} queries passed");
}

#[tokio::test]
async fn answers_head_like_get_without_a_body() {
    let edge = Edge::start().await;
    let answer = send(edge.request("HEAD", "/fhir/Patient/1").bearer_auth(edge.token())).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(edge.upstream.only_request().method, "HEAD");
}

#[tokio::test]
async fn refuses_verbs_that_the_fhir_api_does_not_have() {
    let edge = Edge::start().await;
    let bearer = format!("Authorization: Bearer {}", edge.token());
    for method in [
        "PROPFIND", "SEARCH", "PURGE", "TRACE", "COPY", "MOVE", "LOCK", "REPORT", "MKCOL", "OPTIONS",
    ] {
        let answer = edge
            .raw(&raw_request(method, "/fhir/Patient/1", &[bearer.as_bytes()]))
            .await
            .expect("an answer");
        assert_fhir_refusal(&answer, 405, "not-supported");
        let allowed = answer.header("allow").expect("an Allow header");
        for one in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            assert!(allowed.split(", ").any(|own| own == one), "{allowed}");
        }
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn no_invented_verb_becomes_a_get() {
    let edge = Edge::start().await;
    let bearer = format!("Authorization: Bearer {}", edge.token());
    for method in [
        "FOO", "get", "Get", "GETT", "G", "BREW", "PATCHY", "DELETE1", "PRI",
    ] {
        // The runtime may refuse what it does not know, or hang up; the Worker refuses the rest.
        if let Some(answer) = edge
            .raw(&raw_request(method, "/fhir/Patient/1", &[bearer.as_bytes()]))
            .await
        {
            assert!(
                [400, 405, 501].contains(&answer.status),
                "{method}: {} {}",
                answer.status,
                answer.text()
            );
        }
    }
    assert_nothing_forwarded(&edge);
}

/// Paths that another reader could take for something else.
const AMBIGUOUS: [&str; 22] = [
    "/fhir/Patient%2F1",
    "/fhir/Patient/..%2fObservation/1",
    "/fhir/Patient/..%2FObservation%2F1",
    "/fhir/Patient/%252e%252e/Observation/1",
    "/fhir/%50atient/1",
    "/fhir//Observation/1",
    "/fhir/Patient//1",
    "/fhir/Patient/1/",
    "/fhir/Patient;x=1/1",
    "/fhir/Patient/1;/../../Observation/1;",
    "/fhir/Patient/..;/Observation/1",
    "/fhir/Patient/1%00",
    "/fhir/Patient%00/1",
    "/fhir/Patient/1%0d%0aX-Wardgate-Subject:root",
    "/fhir/Patient/1%3f_include=x",
    "/fhir/Patient/1%23",
    "/fhir/Patient/%5c..%5cObservation/1",
    "/fhir/Patient/%c0%ae%c0%ae/Observation/1",
    "/fhir/Patient/%ef%bc%8e%ef%bc%8e/Observation/1",
    "/fhir/Patient/1%20",
    "/fhir/Patient/...",
    "/fhir/Patient/1/*",
];

#[tokio::test]
async fn tunnels_are_not_opened() {
    let edge = Edge::start().await;
    let bearer = format!("Authorization: Bearer {}", edge.token());
    let address = edge
        .upstream
        .url
        .strip_prefix("http://")
        .expect("an address")
        .to_owned();
    for target in [address.as_str(), "/fhir/Patient/1"] {
        // The runtime answers by itself: the Worker has no handler for tunnels.
        let answer = edge
            .raw(&raw_request("CONNECT", target, &[bearer.as_bytes()]))
            .await;
        assert!(answer.is_none_or(|answer| answer.status >= 400));
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn refuses_ambiguous_paths() {
    let edge = Edge::start().await;
    // A token that permits everything: it is the path that is refused, not the holder.
    let bearer = format!("Authorization: Bearer {}", edge.token());
    for path in &AMBIGUOUS[..20] {
        let answer = edge
            .raw(&raw_request("GET", path, &[bearer.as_bytes()]))
            .await
            .expect("an answer");
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert_fhir_refusal(&answer, 400, "invalid");
        assert_eq!(answer.header("www-authenticate"), None, "{path}");
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn knows_only_paths_that_fhir_defines() {
    let edge = Edge::start().await;
    let token = edge.token();
    for path in [
        "/fhir/patient/1",
        "/fhir/Unknown",
        "/fhir/Patient/1/2/3",
        "/fhir/Patient/under_score",
    ] {
        assert_fhir_refusal(&edge.get_with(path, &token).await, 404, "invalid");
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn no_spelling_of_a_path_reaches_more_than_the_scope_covers() {
    let edge = Edge::start().await;
    let bearer = format!(
        "Authorization: Bearer {}",
        edge.token_with_scope("system/Patient.r")
    );
    let more = [
        "/fhir/Patient/../Observation/1",
        "/fhir/Patient/%2e%2e/Observation/1",
        "/fhir/Patient/.%2e/Observation/1",
        "/fhir/Patient/%2E./Observation/1",
        "/fhir/Patient/1/../../Observation/1",
        "/fhir/./Observation/1",
        "/fhir/Patient/../../fhir/Observation/1",
        "/fhir/../Observation/1",
        "/fhir/Patient\\..\\Observation\\1",
        "/fhir\\Observation/1",
        "\\fhir\\Observation/1",
        "//fhir/Observation/1",
        "/fhir/observation/1",
        "/fhir/Observation./1",
        "/fhir/Observation%20/1",
        "/fhir/Patient/../Observation/1#/fhir/Patient/1",
        "/fhir/Observation/1?/fhir/Patient/1",
        "/fhir/Patient/1#/../../Observation/1",
        "http://other.example/fhir/Observation/1",
        "http://other.example/fhir/Patient/../Observation/1",
        "/fhir/Patient?_include=Patient:organization",
        "/fhir/Patient",
        "/fhir",
        "/fhir/",
        "/fhir?_type=Observation",
        "/fhir/Patient/1/Observation",
        "/fhir/Patient/1/$everything",
        "/fhir/$export",
        "*",
    ];
    for target in AMBIGUOUS.iter().chain(&more) {
        edge.upstream.forget();
        // The runtime itself may hang up on a request line that is none.
        let Some(answer) = edge.raw(&raw_request("GET", target, &[bearer.as_bytes()])).await else {
            continue;
        };
        assert!(
            answer.status < 500,
            "{target}: {} {}",
            answer.status,
            answer.text()
        );
        if answer.status == 200 {
            let forwarded = edge.upstream.only_request().target;
            let id = forwarded
                .strip_prefix("/Patient/")
                .unwrap_or_else(|| panic!("{target} became {forwarded}"));
            let id = id.split('?').next().unwrap_or_default();
            let plain = id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
            assert!(
                plain && !["", ".", ".."].contains(&id),
                "{target} became {forwarded}"
            );
        } else {
            assert_nothing_forwarded(&edge);
        }
    }
}

#[tokio::test]
async fn knows_nothing_outside_the_prefix() {
    let edge = Edge::start().await;
    let token = edge.token();
    for path in [
        "/",
        "/fhirx/Patient/1",
        "/Fhir/Patient/1",
        "/other",
        "/fhi",
        "/health/x",
        "/.well-known/other",
        "/fhir%2FPatient/1",
    ] {
        let answer = send(
            edge.request("GET", path)
                .bearer_auth(&token)
                .header("accept", "*/*"),
        )
        .await;
        assert_problem(&answer, 404);
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn another_prefix_and_a_base_below_the_upstream_are_configurable() {
    let edge = Edge::start().await;
    let below = format!("{}/r4/base/", edge.upstream.url);
    let edge_below = {
        let changes = [
            ("WARDGATE_PREFIX", "/api/v1"),
            ("WARDGATE_UPSTREAM", below.as_str()),
        ];
        let settings = wardgate_tests::edge::settings(&edge.issuer, &edge.upstream, &changes);
        wardgate_tests::worker::Worker::start(&settings).await
    };
    let get = async |path: &str| {
        let request = wardgate_tests::http::client().get(format!("{}{path}", edge_below.url()));
        send(request.bearer_auth(edge.token())).await
    };
    assert_eq!(get("/api/v1/Patient/1").await.status, 200);
    assert_eq!(edge.upstream.only_request().target, "/r4/base/Patient/1");
    assert_eq!(get("/fhir/Patient/1").await.status, 404);
}
