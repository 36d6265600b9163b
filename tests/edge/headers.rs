//! Header hygiene on the way to the upstream and back (RFC 9110 section 7.6.1).

use wardgate_tests::edge::Edge;
use wardgate_tests::http::{raw_request, send};
use wardgate_tests::upstream::{BUNDLE, Upstream, UpstreamAnswer};

use crate::expect::{assert_fhir_refusal, assert_nothing_forwarded};

const PATH: &str = "/fhir/Patient/1";

#[tokio::test]
async fn credentials_stay_at_the_edge() {
    let edge = Edge::start().await;
    let request = edge
        .request("GET", PATH)
        .bearer_auth(edge.token())
        .header("cookie", "session=1")
        .header("proxy-authorization", "Basic dXNlcjpwYXNz");
    assert_eq!(send(request).await.status, 200);
    let request = edge.upstream.only_request();
    for name in ["authorization", "cookie", "proxy-authorization"] {
        assert_eq!(request.header(name), None, "{name} reached the upstream");
    }
}

#[tokio::test]
async fn hop_by_hop_headers_end_at_the_edge() {
    let edge = Edge::start().await;
    let bearer = format!("Authorization: Bearer {}", edge.token());
    // No `Connection: close` of the helper's here, since the header itself is under test.
    let request = format!(
        "GET {PATH} HTTP/1.1\r\nHost: edge.example\r\n{bearer}\r\nConnection: close, X-Named, x-other\r\nX-Named: 1\r\n\
         X-Other: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nTrailer: X-After\r\nProxy-Connection: keep-alive\r\n\
         X-Stays: 1\r\n\r\n"
    );
    let answer = edge.raw(request.as_bytes()).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = edge.upstream.only_request();
    for name in [
        "x-named",
        "x-other",
        "keep-alive",
        "te",
        "trailer",
        "proxy-connection",
        "upgrade",
    ] {
        assert_eq!(request.header(name), None, "{name} reached the upstream");
    }
    assert_eq!(request.header("x-stays"), Some("1"));
}

#[tokio::test]
async fn connection_cannot_name_away_what_the_edge_says() {
    let edge = Edge::start().await;
    let token = edge.token();
    let request = format!(
        "GET {PATH} HTTP/1.1\r\nHost: edge.example\r\nAuthorization: Bearer {token}\r\n\
         Connection: close, x-wardgate-subject, x-wardgate-access-level, authorization\r\n\r\n"
    );
    let answer = edge.raw(request.as_bytes()).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = edge.upstream.only_request();
    assert_eq!(request.header("x-wardgate-subject"), Some("test_service"));
    assert_eq!(request.header("x-wardgate-access-level"), Some("system"));
}

#[tokio::test]
async fn headers_of_fhir_clients_pass() {
    let edge = Edge::start().await;
    let headers = [
        ("accept", "application/fhir+json;fhirVersion=4.0"),
        ("content-type", "application/fhir+json"),
        ("if-match", "W/\"3\""),
        ("prefer", "return=minimal"),
        ("accept-language", "de, en;q=0.5"),
    ];
    let mut request = edge.request("PUT", PATH).bearer_auth(edge.token()).body("{}");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    assert_eq!(send(request).await.status, 200);
    let request = edge.upstream.only_request();
    for (name, value) in headers {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn refuses_a_header_that_replaces_method_or_path() {
    let edge = Edge::start().await;
    for name in [
        "X-HTTP-Method-Override",
        "x-http-method",
        "X-Method-Override",
        "X-Original-URL",
        "x-rewrite-url",
    ] {
        let request = edge
            .request("GET", PATH)
            .bearer_auth(edge.token())
            .header(name, "DELETE");
        assert_fhir_refusal(&send(request).await, 400, "invalid");
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn refuses_a_header_that_adds_to_what_a_request_does() {
    let edge = Edge::start().await;
    for (name, value) in [
        ("X-Cascade", "delete"),
        ("x-provenance", "{}"),
        ("X-Rewrite-History", "true"),
    ] {
        let request = edge
            .request("DELETE", PATH)
            .bearer_auth(edge.token())
            .header(name, value);
        assert_fhir_refusal(&send(request).await, 400, "invalid");
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn underscores_make_no_other_header_of_it() {
    let edge = Edge::start().await;
    let bearer = format!("Authorization: Bearer {}", edge.token());
    let lines: [&[u8]; 8] = [
        bearer.as_bytes(),
        b"X_HTTP_Method_Override: DELETE",
        b"x_cascade: delete",
        b"X_Provenance: {}",
        b"x_anything: 1",
        b"x_forwarded_for: 203.0.113.9",
        b"x_api_key: key-1",
        b"X_Real_IP: 203.0.113.9",
    ];
    let answer = edge
        .raw(&raw_request("GET", PATH, &lines))
        .await
        .expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = edge.upstream.only_request();
    for name in request.headers.names() {
        assert!(!name.contains('_'), "{name} reached the upstream");
    }
}

#[tokio::test]
async fn forwarding_headers_are_the_edges_own() {
    let edge = Edge::start().await;
    let bearer = format!("Authorization: Bearer {}", edge.token());
    let lines: [&[u8]; 13] = [
        bearer.as_bytes(),
        b"CF-Connecting-IP: 203.0.113.9",
        b"CF-IPCountry: 203.0.113.9",
        b"True-Client-IP: 203.0.113.9",
        b"X-Forwarded-User: evil.example",
        b"X-Remote-User: evil.example",
        b"Remote-User: evil.example",
        b"X-Auth-Request-User: evil.example",
        b"X-Forwarded-For: 203.0.113.9",
        b"X-Forwarded-Host: evil.example",
        b"X-Forwarded-Proto: https",
        b"Forwarded: for=203.0.113.9",
        b"X-Real-IP: 203.0.113.9",
    ];
    let answer = edge
        .raw(&raw_request("GET", PATH, &lines))
        .await
        .expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = edge.upstream.only_request();
    assert_eq!(request.header("x-forwarded-host"), Some("edge.example"));
    assert_eq!(request.header("x-forwarded-proto"), Some("http"));
    for (name, value) in &request.headers.0 {
        let value = String::from_utf8_lossy(value);
        assert!(
            !value.contains("203.0.113.9") && !value.contains("evil.example"),
            "{name}: {value}"
        );
    }
}

#[tokio::test]
async fn the_client_s_address_is_cloudflare_s_word_where_cloudflare_is_in_front() {
    let edge = Edge::start_with(&[("WARDGATE_CLIENT_ADDRESS", "cloudflare")]).await;
    let request = edge
        .request("GET", PATH)
        .bearer_auth(edge.token())
        .header("cf-connecting-ip", "192.0.2.1")
        .header("x-forwarded-for", "203.0.113.9");
    assert_eq!(send(request).await.status, 200);
    let request = edge.upstream.only_request();
    assert_eq!(request.header("x-forwarded-for"), Some("192.0.2.1"));
    assert_eq!(request.header("cf-connecting-ip"), None);
}

#[tokio::test]
async fn no_cache_on_the_way_is_asked_and_the_client_s_own_word_passes() {
    let edge = Edge::start().await;
    for (own, expected) in [(None, "no-cache"), (Some("max-age=0"), "max-age=0")] {
        edge.upstream.forget();
        let mut request = edge.request("GET", PATH).bearer_auth(edge.token());
        if let Some(own) = own {
            request = request
                .header("cache-control", own)
                .header("if-none-match", "W/\"3\"");
        }
        assert_eq!(send(request).await.status, 200);
        let request = edge.upstream.only_request();
        assert_eq!(request.header("cache-control"), Some(expected));
        assert_eq!(request.header("pragma"), Some("no-cache"));
        assert_eq!(request.header("if-none-match"), own.map(|_| "W/\"3\""));
    }
}

#[tokio::test]
async fn a_request_keeps_its_name_or_gets_one() {
    let edge = Edge::start().await;
    let request = edge
        .request("GET", PATH)
        .bearer_auth(edge.token())
        .header("x-request-id", "req-1");
    let answer = send(request).await;
    assert_eq!(answer.header("x-request-id"), Some("req-1"));
    assert_eq!(edge.upstream.only_request().header("x-request-id"), Some("req-1"));

    let first = edge
        .get(PATH)
        .await
        .header("x-request-id")
        .expect("a name")
        .to_owned();
    let second = edge
        .get(PATH)
        .await
        .header("x-request-id")
        .expect("a name")
        .to_owned();
    assert!(first.len() >= 16 && first != second, "{first} {second}");
}

#[tokio::test]
async fn headers_of_the_upstreams_answer_pass_but_for_cookies_and_connections() {
    let edge = Edge::start().await;
    edge.upstream.answer_with(
        UpstreamAnswer::new(200, BUNDLE)
            .with_header("etag", "W/\"7\"")
            .with_header("last-modified", "Sun, 22 Nov 2026 10:00:00 GMT")
            .with_header("x-custom", "1")
            .with_header("set-cookie", "session=1")
            .with_header("keep-alive", "timeout=9"),
    );
    let answer = edge.get_with(PATH, &edge.token()).await;
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("content-type", "application/fhir+json"),
        ("etag", "W/\"7\""),
        ("last-modified", "Sun, 22 Nov 2026 10:00:00 GMT"),
        ("x-custom", "1"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    for name in ["set-cookie", "keep-alive"] {
        assert_eq!(answer.header(name), None, "{name} came back");
    }
}

#[tokio::test]
async fn an_upstreams_demand_for_credentials_is_not_passed_on() {
    let edge = Edge::start().await;
    for status in [401, 407] {
        edge.upstream.answer_with(
            UpstreamAnswer::new(status, "{}").with_header("www-authenticate", "Basic realm=\"internal\""),
        );
        // The token was good: whatever the upstream misses, it is nothing that the client could bring.
        let answer = edge.get_with(PATH, &edge.token()).await;
        assert_fhir_refusal(&answer, 502, "transient");
        assert_eq!(answer.header("www-authenticate"), None);
    }
}

#[tokio::test]
async fn answers_say_where_the_resource_is_by_the_edges_own_address() {
    let edge = Edge::start().await;
    let location = format!("{}/Patient/7/_history/1", edge.upstream.url);
    edge.upstream.answer_with(
        UpstreamAnswer::new(201, "{}")
            .with_header("location", &location)
            .with_header("content-location", &location),
    );
    let answer = send(
        edge.request("POST", "/fhir/Patient")
            .bearer_auth(edge.token())
            .body("{}"),
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let public = "https://edge.example/fhir/Patient/7/_history/1";
    assert_eq!(answer.header("location"), Some(public));
    assert_eq!(answer.header("content-location"), Some(public));
}

#[tokio::test]
async fn a_location_is_resolved_and_never_leads_past_the_edge() {
    let upstream = Upstream::start().await;
    let base = format!("{}/r4", upstream.url);
    let edge = Edge::start_with(&[("WARDGATE_UPSTREAM", &base)]).await;
    let host = &upstream.url;
    let public = |path: &str| Some(format!("https://edge.example/fhir{path}"));
    let elsewhere = "https://other.example/r4/Patient/7";
    for (location, expected) in [
        (format!("{base}/Patient/7"), public("/Patient/7")),
        (format!("{base}?_page=2"), public("?_page=2")),
        ("Patient/7/_history/1".to_owned(), public("/Patient/7/_history/1")),
        ("/r4/Patient/7".to_owned(), public("/Patient/7")),
        (format!("{base}/x/../Patient/7"), public("/Patient/7")),
        (
            "https://edge.example/fhir/Patient/7".to_owned(),
            public("/Patient/7"),
        ),
        (elsewhere.to_owned(), Some(elsewhere.to_owned())),
        ("/admin".to_owned(), None),
        (format!("{base}/../admin"), None),
        (format!("{base}-other/Patient/7"), None),
        (format!("{host}/"), None),
        ("http://[".to_owned(), None),
    ] {
        upstream.answer_with(
            UpstreamAnswer::new(201, "{}")
                .with_header("location", &location)
                .with_header("content-location", &location),
        );
        let request = edge
            .request("POST", "/fhir/Patient")
            .bearer_auth(edge.token())
            .body("{}");
        let answer = send(request).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        for name in ["location", "content-location"] {
            assert_eq!(answer.header(name), expected.as_deref(), "{name}: {location}");
        }
    }
}

#[tokio::test]
async fn a_trace_passes_as_it_came_and_a_malformed_one_not_at_all() {
    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const STATE: &str = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE";
    let edge = Edge::start().await;
    for (parent, state, passes) in [
        (Some(PARENT), STATE, (true, true)),
        (Some(PARENT), "no state", (true, false)),
        (Some("00-nonsense-01"), STATE, (false, false)),
        (None, STATE, (false, false)),
    ] {
        edge.upstream.forget();
        let mut request = edge.request("GET", PATH).bearer_auth(edge.token());
        if let Some(parent) = parent {
            request = request.header("traceparent", parent);
        }
        assert_eq!(send(request.header("tracestate", state)).await.status, 200);
        let request = edge.upstream.only_request();
        let passed = (request.header("traceparent"), request.header("tracestate"));
        let expected = (passes.0.then_some(PARENT), passes.1.then_some(STATE));
        assert_eq!(passed, expected, "{parent:?}, {state}");
        assert!(request.header("x-request-id").is_some());
    }
    // Twice is no parent.
    edge.upstream.forget();
    let bearer = format!("Authorization: Bearer {}", edge.token());
    let parent = format!("traceparent: {PARENT}");
    let lines = [bearer.as_bytes(), parent.as_bytes(), parent.as_bytes()];
    let answer = edge
        .raw(&raw_request("GET", PATH, &lines))
        .await
        .expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(edge.upstream.only_request().header("traceparent"), None);
    assert!(
        edge.worker
            .log()
            .contains("\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"")
    );
}
