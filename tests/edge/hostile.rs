//! Requests that no honest client sends, while honest ones run beside them in the same isolate: none of the honest ones
//! may fail, and none may be taken for another's, whatever the others hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinSet;
use wardgate_tests::edge::Edge;
use wardgate_tests::http::{exchange, raw_request, send};
use wardgate_tests::upstream::Received;

const PATH: &str = "/fhir/Patient/1";
/// Who strangers say they are.
const SPOOFED: &str = "somebody-else";
/// Who the bystanders are.
const BYSTANDER: &str = "bystander";

/// Header lines as bytes, most of them wrong in some way.
fn corpus(token: &str) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let names = [
        "Authorization",
        "Accept",
        "Origin",
        "X-Request-Id",
        "X-Api-Key",
        "Content-Type",
        "Prefer",
        "X-Other",
        "X-Wardgate-Subject",
        "Connection",
        "X-Forwarded-For",
        "If-None-Exist",
        "Access-Control-Request-Method",
    ];
    let values: [&[u8]; 19] = [
        b"",
        b" ",
        b"\t",
        b"\x80",
        b"\xff\xfe\xfd",
        b"\xc3\x28",
        b"\xe2\x82",
        "Zoë".as_bytes(),
        "\u{feff}\u{202e}".as_bytes(),
        b"\x7f\x01\x02",
        b"\"",
        b"\\",
        b"%00%0a",
        b",,,,;;;;====",
        b"Bearer",
        b"Bearer \xff",
        b"Bearer ....",
        b"Bearer e30.e30.",
        b"bearer \xc3\xa9.\xc3\xa9.\xc3\xa9",
    ];
    for name in names {
        for value in values {
            lines.push([name.as_bytes(), b": ", value].concat());
        }
    }
    // Identities that only the edge may tell, in the spellings that servers take for one another.
    for name in [
        "X-Wardgate-Subject",
        "x-wardgate-subject",
        "X-WARDGATE-SUBJECT",
        "x_wardgate_subject",
        "X-Wardgate_Subject",
        "X-Wardgate-Client",
        "X-Wardgate-Patient",
        "X_Wardgate_Patient",
        "X-Wardgate-Fhir-User",
        "X-Wardgate-Access-Level",
        "X-Wardgate-Anything-New",
        "Remote-User",
        "X-Remote-User",
        "X-User",
        "X-Auth-Request-User",
        "X-Authenticated-Userid",
        "X-Forwarded-User",
        "X-SSL-Client-S-Dn",
        "Forwarded",
        "CF-Connecting-IP",
    ] {
        lines.push(format!("{name}: {SPOOFED}").into_bytes());
        lines.push(format!("{name}: {SPOOFED}\r\nConnection: {name}").into_bytes());
    }
    // Credentials of both kinds, and of each several.
    let bearer = format!("Authorization: Bearer {token}");
    for further in [
        "X-Api-Key: zs_api_live_x",
        "X-Api-Secret: s",
        "X-Api-Key: zs_api_live_x\r\nX-Api-Secret: s",
        "X-Api-Key: \u{e9}\r\nX-Api-Secret: \u{e9}",
        "X-Api-Key: a\r\nX-Api-Key: b\r\nX-Api-Secret: c\r\nX-Api-Secret: d",
        "DPoP: x.y.z",
        "DPoP: x.y.z\r\nDPoP: x.y.z",
        "Authorization: Basic dXNlcjpwYXNz",
        "Authorization: DPoP x.y.z",
        "Authorization:",
        "Cookie: session=1",
    ] {
        lines.push(further.as_bytes().to_vec());
        lines.push(format!("{further}\r\n{bearer}").into_bytes());
        lines.push(format!("{bearer}, Bearer x.y.z\r\n{further}").into_bytes());
    }
    // The same again and again.
    for line in [
        bearer.as_str(),
        "X-Api-Key: a",
        "Accept: text/html",
        "X-Request-Id: bystander-0",
        "Connection: close",
    ] {
        lines.push(vec![line; 64].join("\r\n").into_bytes());
    }
    lines.push(
        (0..400)
            .map(|number| format!("X-Many-{number}: 1"))
            .collect::<Vec<_>>()
            .join("\r\n")
            .into_bytes(),
    );
    lines.push([b"X-Long: ".as_slice(), &vec![b'a'; 16 * 1024]].concat());
    lines.push([b"X-Longer: ".as_slice(), &vec![b'a'; 120 * 1024]].concat());
    lines.push([&vec![b'n'; 16 * 1024], b": 1".as_slice()].concat());
    lines.push([b"Accept: ".as_slice(), &b"application/fhir+json;q=".repeat(600)].concat());
    lines.push([b"Authorization: Bearer ".as_slice(), &vec![b'.'; 8 * 1024]].concat());
    lines.push([b"Authorization: Bearer ".as_slice(), &vec![b'A'; 12 * 1024]].concat());
    lines.push([b"Authorization: Bearer ".as_slice(), token.as_bytes(), b"\xff"].concat());
    lines.push(b"X-Empty-Name-Follows: 1\r\n: empty".to_vec());
    lines.push(b"Bad Name: 1".to_vec());
    lines.push(b"X\xffName: 1".to_vec());
    lines.push(b"No-Colon".to_vec());
    lines.push(b"Content-Length: 5\r\nContent-Length: 6".to_vec());
    lines.push(b"Content-Length: -1".to_vec());
    lines.push(b"Transfer-Encoding: chunked\r\nContent-Length: 3".to_vec());
    lines.push(b"Host: second.example".to_vec());
    lines.push(b"Host: \xff".to_vec());
    lines.push(
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13"
            .to_vec(),
    );
    lines.push(b"Expect: 100-continue".to_vec());
    lines.push(b"Range: bytes=0-".to_vec());
    lines
}

#[tokio::test]
async fn no_header_however_strange_disturbs_a_bystander() {
    // Bystanders ask as often as they can.
    let edge = Edge::start_with(&[("WARDGATE_LIMITED_BY", "none")]).await;
    let token = edge.token();
    assert_eq!(edge.get_with(PATH, &token).await.status, 200);
    let finished = Arc::new(AtomicBool::new(false));

    let own = edge.claims().with("sub", BYSTANDER).with("client_id", BYSTANDER);
    let own = own.sign(&edge.key);
    let mut bystanders = JoinSet::new();
    for number in 0..4 {
        let (url, own, finished) = (
            format!("{}{PATH}", edge.worker.url()),
            own.clone(),
            Arc::clone(&finished),
        );
        let client = wardgate_tests::http::client();
        bystanders.spawn(async move {
            let mut served = 0_usize;
            while !finished.load(Ordering::Relaxed) {
                let id = format!("{BYSTANDER}-{number}-{served}");
                let request = client.get(&url).bearer_auth(&own).header("x-request-id", &id);
                let answer = send(request).await;
                assert_eq!(answer.status, 200, "a bystander was disturbed: {}", answer.text());
                assert_eq!(
                    answer.header("x-request-id"),
                    Some(id.as_str()),
                    "another's answer"
                );
                served += 1;
            }
            served
        });
    }

    let bearer = format!("Authorization: Bearer {token}").into_bytes();
    let mut hostile = JoinSet::new();
    let mut requests: Vec<Vec<u8>> = Vec::new();
    for line in corpus(&token) {
        // Once without a token, once beside a good one, so that the line meets every stage of the pipeline.
        requests.push(raw_request("GET", PATH, &[&line]));
        requests.push(raw_request("GET", PATH, &[&line, &bearer]));
    }
    for target in [
        "/fhir/Patient/\u{e9}",
        "/fhir/%ff%fe",
        "/fhir/Patient?%ff=%fe&\u{e9}=",
        "/fhir/Patient?name=%",
        "/%",
        "/fhir/%",
    ] {
        requests.push(raw_request("GET", target, &[&bearer]));
    }
    requests.push(raw_request(
        "GET",
        &format!("/fhir/Patient?{}", "a=b&".repeat(4000)),
        &[&bearer],
    ));
    requests.push(raw_request(
        "GET",
        &format!("/fhir/{}", "a/".repeat(4000)),
        &[&bearer],
    ));

    let count = requests.len();
    let mut answered = 0;
    for request in requests {
        while hostile.len() >= 8 {
            answered += check(hostile.join_next().await.expect("a task").expect("no panic"));
        }
        let address = edge.worker.address.clone();
        hostile.spawn(async move { (request.clone(), exchange(&address, &request).await) });
    }
    while let Some(done) = hostile.join_next().await {
        answered += check(done.expect("no panic"));
    }
    finished.store(true, Ordering::Relaxed);
    let served: usize = bystanders.join_all().await.into_iter().sum();
    assert!(served > 4, "bystanders were served meanwhile: {served}");
    assert!(
        answered > count / 2,
        "most requests were answered and not hung up on: {answered} of {count}"
    );

    let received = edge.upstream.received();
    let is_bystanders = |request: &Received| {
        let id = request.header("x-request-id").expect("a name");
        id.strip_prefix(BYSTANDER)
            .is_some_and(|rest| rest.matches('-').count() == 2)
    };
    let own = received.iter().filter(|request| is_bystanders(request));
    assert_eq!(own.count(), served, "each of a bystander's requests arrived once");
    for request in &received {
        let subject = if is_bystanders(request) {
            BYSTANDER
        } else {
            "test_service"
        };
        for name in ["x-wardgate-subject", "x-wardgate-client"] {
            assert_eq!(request.header(name), Some(subject), "{request:#?}");
        }
        let spoofed = |(_, value): &&(String, Vec<u8>)| {
            value
                .windows(SPOOFED.len())
                .any(|part| part == SPOOFED.as_bytes())
        };
        let passed = request.headers.0.iter().find(spoofed);
        assert!(passed.is_none(), "an identity from outside passed: {request:#?}");
    }

    let log = edge.worker.log();
    for trace in [
        "panicked",
        "unreachable",
        "RuntimeError",
        "Reinitializing",
        "Critical",
    ] {
        assert!(!log.contains(trace), "the Worker's log says {trace}");
    }
}

/// A hostile request gets a decision, or the runtime hangs up on it; it never ends in an error of ours.
#[track_caller]
fn check((request, answer): (Vec<u8>, Option<wardgate_tests::http::Answer>)) -> usize {
    let Some(answer) = answer else { return 0 };
    let expected = answer.status == 200 || (400..500).contains(&answer.status) || answer.status == 501;
    assert!(
        expected,
        "{} {} for {}",
        answer.status,
        answer.text(),
        request.escape_ascii()
    );
    1
}
