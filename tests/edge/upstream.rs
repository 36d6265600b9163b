//! What passes between the edge and the upstream: bodies as they are, redirects not followed, failures said plainly.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wardgate_tests::clock::now;
use wardgate_tests::edge::Edge;
use wardgate_tests::http::{raw_request, send};
use wardgate_tests::upstream::UpstreamAnswer;

use crate::expect::{assert_fhir_refusal, assert_nothing_forwarded};

const PATH: &str = "/fhir/Patient/1";

/// Bytes without a pattern that a coding could shorten, the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[tokio::test]
async fn large_bodies_pass_unchanged_in_both_directions() {
    let edge = Edge::start().await;
    let (up, down) = (noise(4 << 20), noise(6 << 20));
    edge.upstream.answer_with(UpstreamAnswer::new(200, down.clone()));
    let request = edge.request("PUT", "/fhir/Binary/1").bearer_auth(edge.token());
    let answer = send(
        request
            .header("content-type", "application/octet-stream")
            .body(up.clone()),
    )
    .await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == down, "the answer's body changed");
    let received = edge.upstream.only_request();
    assert!(received.body == up, "the request's body changed");
    assert_eq!(
        received.header("content-length"),
        Some(up.len().to_string().as_str())
    );
}

#[tokio::test]
async fn a_chunked_body_passes() {
    let edge = Edge::start().await;
    let request = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: edge.example\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\n",
        edge.token()
    );
    let answer = edge.raw(request.as_bytes()).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(edge.upstream.only_request().body, "hello, world");
}

#[tokio::test]
async fn a_body_has_one_length_however_many_the_client_says() {
    let edge = Edge::start().await;
    let head = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: edge.example\r\nConnection: close\r\nAuthorization: Bearer {}\r\n",
        edge.token()
    );
    let chunked = "5\r\nhello\r\n0\r\n\r\n";
    for lengths in [
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Content-Length: 3\r\nContent-Length: 5",
        "Content-Length: 3, 5",
        "Transfer-Encoding: identity\r\nContent-Length: 3",
        "Transfer-Encoding: chunked, identity\r\nContent-Length: 3",
    ] {
        edge.upstream.forget();
        let answer = edge
            .raw(format!("{head}{lengths}\r\n\r\n{chunked}").as_bytes())
            .await;
        // RFC 9112 section 6.3: refused, or read by the transfer coding alone and forwarded as one request.
        match answer.map_or(400, |answer| answer.status) {
            200 => {
                let request = edge.upstream.only_request();
                assert_eq!(
                    (&request.body[..], request.header("content-length")),
                    (&b"hello"[..], None),
                    "{lengths}"
                );
            }
            status => {
                assert_eq!(status, 400, "{lengths}");
                assert_nothing_forwarded(&edge);
            }
        }
    }
}

#[tokio::test]
async fn a_get_that_says_it_has_no_body_passes() {
    let edge = Edge::start().await;
    let bearer = format!("Authorization: Bearer {}", edge.token());
    let lines: [&[u8]; 2] = [bearer.as_bytes(), b"Content-Length: 0"];
    let answer = edge
        .raw(&raw_request("GET", PATH, &lines))
        .await
        .expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_body_of_a_get_ends_at_the_edge_and_is_no_fault_of_the_upstreams() {
    let edge = Edge::start().await;
    for (method, path) in [("GET", PATH), ("HEAD", PATH), ("GET", "/fhir/metadata")] {
        edge.upstream.forget();
        let answer = send(edge.request(method, path).bearer_auth(edge.token()).body("hello")).await;
        // It has no meaning (RFC 9110 section 9.3.1), so it is refused or left out.
        match answer.status {
            200 => {
                let request = edge.upstream.only_request();
                assert!(request.body.is_empty());
                assert!([None, Some("0")].contains(&request.header("content-length")));
            }
            status => {
                assert_eq!(status, 400, "{method} {path}: {}", answer.text());
                assert_nothing_forwarded(&edge);
            }
        }
    }
}

#[tokio::test]
async fn statuses_and_empty_bodies_pass() {
    let edge = Edge::start().await;
    for status in [201, 204, 304, 400, 404, 409, 410, 412, 422, 500, 503] {
        edge.upstream.answer_with(UpstreamAnswer::new(status, ""));
        let answer = edge.get_with(PATH, &edge.token()).await;
        assert_eq!((answer.status, answer.body.len()), (status, 0));
    }
}

#[tokio::test]
async fn a_compressed_answer_passes_as_it_is() {
    let edge = Edge::start().await;
    // gzip of "hello".
    let packed = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36, 5,
        0, 0, 0,
    ];
    edge.upstream
        .answer_with(UpstreamAnswer::new(200, packed.to_vec()).with_header("content-encoding", "gzip"));
    let request = edge
        .request("GET", PATH)
        .bearer_auth(edge.token())
        .header("accept-encoding", "gzip");
    let answer = send(request).await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(answer.body, packed);
}

#[tokio::test]
async fn redirects_of_the_upstream_are_not_followed() {
    let edge = Edge::start().await;
    for (status, target) in [
        (301, format!("{}/elsewhere", edge.issuer.url)),
        (302, format!("{}/elsewhere", edge.upstream.url)),
        (307, "/elsewhere".to_owned()),
        (308, format!("{}/elsewhere", edge.issuer.url)),
    ] {
        edge.upstream.forget();
        edge.upstream
            .answer_with(UpstreamAnswer::new(status, "").with_header("location", &target));
        let answer = edge.get_with(PATH, &edge.token()).await;
        // Passed on, it would send the client past the edge.
        assert_fhir_refusal(&answer, 502, "transient");
        assert_eq!(answer.header("location"), None);
        assert_eq!(edge.upstream.only_request().target, "/Patient/1");
        assert_eq!(edge.issuer.requests_for("/elsewhere"), 0);
    }
}

#[tokio::test]
async fn answers_502_when_the_upstream_cannot_be_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let edge = Edge::start_with(&[("WARDGATE_UPSTREAM", &url)]).await;
    let answer = edge.get_with(PATH, &edge.token()).await;
    assert_fhir_refusal(&answer, 502, "transient");
    assert!(
        !answer.text().contains(&url),
        "the upstream's address is nobody's business"
    );
}

#[tokio::test]
async fn answers_502_when_the_upstream_hangs_up_or_talks_nonsense() {
    for said in ["", "nonsense\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                read_head(&mut stream).await;
                stream.write_all(said.as_bytes()).await.expect("written");
            }
        });
        let edge = Edge::start_with(&[("WARDGATE_UPSTREAM", &url)]).await;
        let answer = edge.get_with(PATH, &edge.token()).await;
        assert_fhir_refusal(&answer, 502, "transient");
        server.abort();
    }
}

#[tokio::test]
async fn answers_504_when_the_upstream_is_too_slow() {
    let edge = Edge::start_with(&[("WARDGATE_UPSTREAM_TIMEOUT_MILLISECONDS", "200")]).await;
    edge.upstream
        .answer_with(UpstreamAnswer::new(200, "late").after(Duration::from_secs(30)));
    let before = now();
    let answer = edge.get_with(PATH, &edge.token()).await;
    assert_fhir_refusal(&answer, 504, "transient");
    assert!(
        now() - before < 10,
        "the edge waits no longer than it was told to"
    );
}

#[tokio::test]
async fn an_answer_is_streamed_before_it_ends() {
    // An upstream whose answer comes in two parts; the second only once the client has the first.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let edge = Edge::start_with(&[("WARDGATE_UPSTREAM", &url)]).await;

    let mut client = TcpStream::connect(&edge.worker.address)
        .await
        .expect("a connection");
    let request = format!(
        "GET {PATH} HTTP/1.1\r\nHost: edge.example\r\nAuthorization: Bearer {}\r\n\r\n",
        edge.token()
    );
    client.write_all(request.as_bytes()).await.expect("written");

    let (mut upstream, _) = listener.accept().await.expect("a connection");
    read_head(&mut upstream).await;
    upstream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nfirst")
        .await
        .expect("written");
    read_until(&mut client, b"first").await;
    upstream.write_all(b"second").await.expect("written");
    read_until(&mut client, b"second").await;
}

#[tokio::test]
async fn a_request_body_is_streamed_before_it_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let edge = Edge::start_with(&[("WARDGATE_UPSTREAM", &url)]).await;

    let mut client = TcpStream::connect(&edge.worker.address)
        .await
        .expect("a connection");
    let request = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: edge.example\r\nAuthorization: Bearer {}\r\nContent-Length: 11\r\n\r\nfirst",
        edge.token()
    );
    client.write_all(request.as_bytes()).await.expect("written");
    let (mut upstream, _) = listener.accept().await.expect("a connection");
    read_until(&mut upstream, b"first").await;
    client.write_all(b"second").await.expect("written");
    read_until(&mut upstream, b"second").await;
    upstream
        .write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        .await
        .expect("written");
    read_until(&mut client, b"HTTP/1.1 201").await;
}

async fn read_head(stream: &mut TcpStream) {
    read_until(stream, b"\r\n\r\n").await;
}

/// Reads until `end` has come.
async fn read_until(stream: &mut TcpStream, end: &[u8]) {
    let whole = async {
        let mut received = Vec::new();
        let mut chunk = [0; 4096];
        while !received.windows(end.len()).any(|window| window == end) {
            let count = stream.read(&mut chunk).await.expect("the connection holds");
            assert_ne!(count, 0, "the connection ended after {}", received.escape_ascii());
            received.extend_from_slice(&chunk[..count]);
        }
    };
    tokio::time::timeout(Duration::from_secs(10), whole)
        .await
        .unwrap_or_else(|_| panic!("{} did not come", end.escape_ascii()));
}
