//! Peers that are slow, large or quick to change their mind, and the neighbour who is answered all the while.

use std::time::Duration;

use h2::client::SendRequest;
use h2::{Reason, SendStream};
use rustls::ALL_VERSIONS;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    Authority, Folder, HOST, LIVE, PATIENCE, Running, TLS, read_all, read_head, server_name,
};

const NEIGHBOUR: &str = "127.0.0.2";

fn serve(more: &str) -> Running {
    Folder::new(more).serve()
}

type Client = (
    SendRequest<bytes::Bytes>,
    tokio::task::JoinHandle<Result<(), h2::Error>>,
);

/// An HTTP/2 client on a plain connection.
async fn http2(server: &Running, builder: &h2::client::Builder) -> Client {
    let (client, connection) = builder.handshake(server.connect().await).await.unwrap();
    (client, tokio::spawn(connection))
}

fn get(path: &str) -> http::Request<()> {
    http::Request::get(format!("http://{HOST}{path}"))
        .body(())
        .unwrap()
}

#[tokio::test]
async fn headers_that_do_not_end_take_a_connection_for_its_time_only() {
    let server = serve("connections.header_seconds = 1");
    let mut slow = Vec::new();
    for beginning in [
        "",
        "G",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\ncookie: a",
    ]
    .repeat(20)
    {
        let mut stream = server.connect().await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    assert!(server.answers(NEIGHBOUR).await);
    // A header a tenth of a second is no better than none.
    let mut dripping = server.connect().await;
    dripping.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let mut drip = tokio::time::interval(Duration::from_millis(100));
    let (mut reader, mut writer) = dripping.split();
    let ended = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            _ = reader.read_u8() => {}
            () = async { while writer.write_all(b"x: y\r\n").await.is_ok() { drip.tick().await; } } => {}
        }
    });
    assert!(ended.await.is_ok());
    for mut stream in slow {
        assert_eq!(read_all(&mut stream).await, "");
    }
    assert!(server.answers(NEIGHBOUR).await);
}

#[tokio::test]
async fn a_second_request_has_no_more_time_for_its_headers_than_the_first() {
    let server = serve("connections.header_seconds = 1\nconnections.idle_seconds = 3600");
    let mut stream = server.connect().await;
    stream.write_all(LIVE.as_bytes()).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 200"));
    let mut body = [0; 15];
    stream.read_exact(&mut body).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    assert_eq!(read_all(&mut stream).await, "");
}

#[tokio::test]
async fn connections_without_a_request_end() {
    let server = serve("connections.idle_seconds = 1");
    let mut stream = server.connect().await;
    stream.write_all(LIVE.as_bytes()).await.unwrap();
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 200"));

    let (mut client, connection) = http2(&server, &h2::client::Builder::new()).await;
    let (response, _) = client.send_request(get("/health/live"), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    // A polite end: GOAWAY without an error.
    tokio::time::timeout(PATIENCE, connection)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_body_that_is_too_slow_is_answered_408_in_the_form_of_the_endpoint() {
    let server = serve("connections.body_seconds = 1");
    let send = async |path: &str, rest: &str| {
        let mut stream = server.connect().await;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/x-www-form-urlencoded\r\n{rest}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.write_all(b"5\r\ngrant").await.unwrap();
        stream
    };
    let mut slow = Vec::new();
    for length in ["content-length: 100", "transfer-encoding: chunked"] {
        for (path, form) in [
            ("/oauth2/token", "\"error\":\"invalid_request\""),
            ("/oauth2/revoke", "\"error\":\"invalid_request\""),
            ("/oauth2/authorize", "<title>Error"),
        ] {
            slow.push((send(path, length).await, path, form));
        }
    }
    assert!(server.answers(NEIGHBOUR).await);
    for (mut stream, path, form) in slow {
        let answer = read_all(&mut stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 408") && answer.contains("connection: close"),
            "{path} {answer}"
        );
        assert!(answer.contains(form), "{path} {answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_while_it_is_sent() {
    let server = serve("");
    for path in [
        "/oauth2/token",
        "/oauth2/introspect",
        "/oauth2/register",
        "/v1/users",
        "/login",
    ] {
        let mut stream = server.connect().await;
        let head = format!("POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: 900000\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // The answer is there to be read, although nobody took the body.
        stream.write_all(&vec![b'x'; 900_000]).await.unwrap();
        let answer = read_all(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{path} {answer}");
    }
    let mut stream = server.connect().await;
    let head = format!(
        "POST /oauth2/token HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: 900000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; 900_000]).await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 413") && answer.contains("\"error\":\"invalid_request\""),
        "{answer}"
    );
}

#[tokio::test]
async fn too_many_headers_and_too_long_ones_are_answered_431() {
    let server = serve("connections.header_count = 20\nconnections.header_bytes = 8192");
    let many = "x: y\r\n".repeat(20);
    let long = format!("x: {}\r\n", "y".repeat(9000));
    for headers in [&many, &long] {
        let mut stream = server.connect().await;
        let request = format!("GET /health/live HTTP/1.1\r\nhost: {HOST}\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 431"));
    }

    let (mut client, _connection) = http2(&server, &h2::client::Builder::new()).await;
    let ask = async |client: &mut SendRequest<_>, headers: usize, length: usize| {
        let mut request = get("/health/live");
        for number in 0..headers {
            let name = http::HeaderName::try_from(format!("x-{number}")).unwrap();
            request
                .headers_mut()
                .insert(name, "y".repeat(length).try_into().unwrap());
        }
        let (response, _) = client.send_request(request, true).unwrap();
        response.await.unwrap().status()
    };
    assert_eq!(ask(&mut client, 20, 1).await, 200);
    assert_eq!(ask(&mut client, 21, 1).await, 431);
    assert_eq!(ask(&mut client, 10, 1000).await, 431);
}

#[tokio::test]
async fn a_handshake_that_stands_still_ends() {
    let (authority, folder) = (
        Authority::new(),
        Folder::new(&format!("{TLS}\nconnections.handshake_seconds = 1")),
    );
    authority.install(&folder);
    let server = folder.serve();
    let mut half_open = Vec::new();
    for beginning in [
        &[][..],
        &[22],
        &[22, 3, 1, 2, 0],
        &[22, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3],
    ]
    .repeat(10)
    {
        let mut stream = server.connect().await;
        stream.write_all(beginning).await.unwrap();
        half_open.push(stream);
    }
    let mut neighbour = authority.connect(&server).await;
    neighbour.write_all(LIVE.as_bytes()).await.unwrap();
    assert!(read_head(&mut neighbour).await.starts_with("HTTP/1.1 200"));
    for mut stream in half_open {
        assert_eq!(read_all(&mut stream).await, "");
    }
}

#[tokio::test]
async fn a_finished_handshake_without_a_request_ends_too() {
    let (authority, folder) = (
        Authority::new(),
        Folder::new(&format!("{TLS}\nconnections.header_seconds = 1")),
    );
    authority.install(&folder);
    let server = folder.serve();
    for protocol in [&b"http/1.1"[..], b"h2"] {
        let connector = authority.client(ALL_VERSIONS, &[protocol]);
        let mut stream = connector
            .connect(server_name(), server.connect().await)
            .await
            .unwrap();
        assert!(!read_all(&mut stream).await.contains("HTTP/1.1"));
    }
}

/// Begins requests whose bodies do not come, and gives them when the server has all of them.
async fn begin(
    client: &mut SendRequest<bytes::Bytes>,
    count: usize,
) -> Result<Vec<SendStream<bytes::Bytes>>, h2::Error> {
    let mut begun = Vec::new();
    for _ in 0..count {
        let request = http::Request::post(format!("http://{HOST}/oauth2/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(())
            .unwrap();
        begun.push(client.send_request(request, false)?.1);
    }
    // Answered only after those before it were taken.
    let (response, _) = client.send_request(get("/health/live"), true)?;
    response.await?;
    Ok(begun)
}

#[tokio::test]
async fn whoever_takes_requests_back_again_and_again_loses_the_connection() {
    let server = serve("connections.resets = 10");
    let (mut client, connection) = http2(&server, &h2::client::Builder::new()).await;
    let attack = async {
        loop {
            for mut stream in begin(&mut client, 4).await? {
                stream.send_reset(Reason::CANCEL);
            }
        }
    };
    let ended: Result<(), h2::Error> = tokio::time::timeout(PATIENCE, attack).await.unwrap();
    assert!(ended.is_err());
    // However it came to an end.
    let _ = tokio::time::timeout(PATIENCE, connection).await.unwrap();
    server.logs("a connection took back too many requests").await;
    assert!(server.answers(NEIGHBOUR).await);
}

/// A frame of HTTP/2 (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test]
async fn requests_that_are_taken_back_before_they_are_looked_at_count_too() {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    const END_OF_BOTH: u8 = 5;
    const ENHANCE_YOUR_CALM: u8 = 11;
    let server = serve("");
    // GET, http, / and the host, by numbers of HPACK's table (RFC 7541).
    let request = [&[0x82, 0x86, 0x84, 0x41, 15][..], HOST.as_bytes()].concat();
    let mut attack = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    attack.extend(frame(SETTINGS, 0, 0, &[]));
    for stream in (1..4000).step_by(2) {
        attack.extend(frame(HEADERS, END_OF_BOTH, stream, &request));
        attack.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
    }
    let mut stream = server.connect().await;
    // The server may be gone before it has all.
    let _ = stream.write_all(&attack).await;
    let mut said = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said))
        .await
        .unwrap();
    let calm = [&[0, 0][..], &[ENHANCE_YOUR_CALM]].concat();
    assert!(
        said.windows(3).any(|bytes| bytes == calm) && said.contains(&GOAWAY),
        "{said:?}"
    );
    assert!(server.answers(NEIGHBOUR).await);
}

#[tokio::test]
async fn no_more_requests_at_once_than_the_configuration_has() {
    let server = serve("connections.streams = 3");
    let (mut client, _connection) = http2(&server, &h2::client::Builder::new()).await;
    // The settings have come when something was answered.
    drop(begin(&mut client, 0).await.unwrap());
    assert_eq!(client.current_max_send_streams(), 3);
}

#[tokio::test]
async fn whoever_does_not_take_an_answer_loses_the_connection() {
    let server = serve("connections.request_seconds = 1");
    let mut builder = h2::client::Builder::new();
    // No byte of a body may be sent.
    builder.initial_window_size(0);
    let (mut client, connection) = http2(&server, &builder).await;
    let (response, _) = client.send_request(get("/static/wardgate.css"), true).unwrap();
    let mut response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    let never = tokio::time::timeout(PATIENCE, response.body_mut().data())
        .await
        .unwrap();
    assert!(never.is_none_or(|data| data.is_err()));
    let _ = tokio::time::timeout(PATIENCE, connection).await.unwrap();
    server.logs("SlowRequest").await;
}

#[tokio::test]
async fn bytes_that_are_no_request_are_answered_and_forgotten() {
    let server = serve("");
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        &[0; 64],
    ] {
        let mut stream: TcpStream = server.connect().await;
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = read_all(&mut stream).await;
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    assert!(server.answers(NEIGHBOUR).await);
}
