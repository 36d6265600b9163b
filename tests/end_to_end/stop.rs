//! An issuer that is asked to stop: what was begun is answered, and what was answered stays.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wardgate_tests::clock::Deadline;
use wardgate_tests::crash::Site;
use wardgate_tests::http::{client, send};
use wardgate_tests::worker::from_environment;

/// Requests that are under way when the signal comes.
const UNDER_WAY: usize = 20;
const PATIENCE: Duration = Duration::from_secs(20);

/// A registration whose head was sent, and for whose body the server has asked.
async fn begin(address: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /oauth2/register HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("the head is sent");
    let mut go_on = [0; 25];
    let said = tokio::time::timeout(PATIENCE, stream.read_exact(&mut go_on)).await;
    said.expect("in time").expect("the server asks for the body");
    assert_eq!(go_on, *b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_answers_what_was_begun_and_keeps_it() {
    let mut site = Site::prepare(from_environment("WARDGATE_ISSUER"));
    site.serve().await;
    let address = site.url().trim_start_matches("http://localhost").to_owned();
    let address = format!("127.0.0.1{address}");
    let bodies: Vec<String> = (0..UNDER_WAY)
        .map(|number| {
            format!(r#"{{"client_name":"Client {number}","redirect_uris":["https://app.example/cb"],"token_endpoint_auth_method":"none"}}"#)
        })
        .collect();
    let mut begun = Vec::new();
    for body in &bodies {
        begun.push(begin(&address, body).await);
    }
    site.terminate();
    // Whoever comes after the signal is not let in.
    let deadline = Deadline::after(PATIENCE);
    while TcpStream::connect(&address).await.is_ok() {
        assert!(!deadline.passed(), "the server still takes connections");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut registered = Vec::new();
    for (stream, body) in begun.iter_mut().zip(&bodies) {
        stream.write_all(body.as_bytes()).await.expect("the body is sent");
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        read.expect("in time")
            .expect("an answer and the end of the connection");
        let answer = String::from_utf8(answer).expect("text");
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        let (_, document) = answer.split_once("\r\n\r\n").expect("a body");
        let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
        registered.push(document);
    }
    assert!(site.wait().success());

    site.serve().await;
    for document in registered {
        let uri = document["registration_client_uri"].as_str().expect("an address");
        let token = document["registration_access_token"].as_str().expect("a token");
        let answer = send(client().get(uri).bearer_auth(token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["client_name"], document["client_name"]);
    }
}
