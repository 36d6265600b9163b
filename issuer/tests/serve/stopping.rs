//! The end of a server: what was begun is finished, what is new is sent away, and nobody waits for ever.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Folder, HOST, LIVE, PATIENCE, Running, read_all, read_head, until};

const FORM: &str = "grant_type=client_credentials";

/// A request for a token whose body has come by half.
async fn half_a_request(server: &Running) -> TcpStream {
    let mut stream = server.connect().await;
    let head = format!(
        "POST /oauth2/token HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        FORM.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: it is at work.
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 100"));
    stream.write_all(&FORM.as_bytes()[..10]).await.unwrap();
    stream
}

async fn is_refused(server: &Running) -> bool {
    TcpStream::connect(server.address).await.is_err()
}

#[tokio::test]
async fn what_was_begun_is_answered_and_nothing_new_is_taken() {
    let server = Folder::new("").serve();
    let mut slow = half_a_request(&server).await;
    let mut idle = server.connect().await;
    idle.write_all(LIVE.as_bytes()).await.unwrap();
    assert!(read_head(&mut idle).await.starts_with("HTTP/1.1 200"));

    server.signal("-TERM");
    until(|| is_refused(&server)).await;
    // Nobody waits for a connection that asks nothing.
    assert!(!read_all(&mut idle).await.contains("HTTP/1.1"));
    slow.write_all(&FORM.as_bytes()[10..]).await.unwrap();
    let answer = read_all(&mut slow).await;
    assert!(
        answer.starts_with("HTTP/1.1 401") && answer.contains("invalid_client"),
        "{answer}"
    );
    let wal = server.folder.path("wardgate.db-wal");
    let (status, log) = server.ended().await;
    assert!(status.success() && log.contains("stopped"), "{log}");
    assert!(!log.contains("still under way"), "{log}");
    // A database that is closed cleanly has nothing left beside it.
    assert!(!wal.exists());
}

#[tokio::test]
async fn a_request_that_does_not_end_is_waited_for_as_long_as_configured() {
    let server = Folder::new("server.shutdown_seconds = 1").serve();
    let mut stuck = half_a_request(&server).await;
    server.signal("-TERM");
    assert!(!read_all(&mut stuck).await.contains("HTTP/1.1"));
    let (status, log) = server.ended().await;
    assert!(
        status.success() && log.contains("requests were still under way"),
        "{log}"
    );
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let server = Folder::new(
        "server.shutdown_seconds = 3600\nserver.drain_seconds = 3600\nconnections.body_seconds = 3600",
    )
    .serve();
    let mut stuck = half_a_request(&server).await;
    server.signal("-INT");
    server.logs("stopping").await;
    server.signal("-TERM");
    until(|| is_refused(&server)).await;
    server.signal("-TERM");
    assert!(!read_all(&mut stuck).await.contains("HTTP/1.1"));
    let (status, log) = server.ended().await;
    assert!(status.success() && log.contains("stopped"), "{log}");
}

#[tokio::test]
async fn balancers_are_told_before_anything_is_refused() {
    let server = Folder::new("server.drain_seconds = 3600").serve();
    let get = async |path: &str| {
        let mut stream = server.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    };
    assert!(get("/health/ready").await.starts_with("HTTP/1.1 200"));
    server.signal("-TERM");
    until(async || get("/health/ready").await.starts_with("HTTP/1.1 503")).await;
    assert!(get("/health/live").await.starts_with("HTTP/1.1 200"));
    assert!(
        get("/.well-known/openid-configuration")
            .await
            .starts_with("HTTP/1.1 200")
    );
}

#[tokio::test]
async fn a_service_manager_hears_of_start_and_stop() {
    let folder = Folder::new("");
    let path = folder.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = folder.command(&["serve"]);
    command.env("NOTIFY_SOCKET", &path);
    let server = Running::start(folder, command);
    let hear = || {
        let mut said = [0; 64];
        let length = socket.recv(&mut said).unwrap();
        String::from_utf8(said[..length].to_vec()).unwrap()
    };
    assert_eq!(hear(), "READY=1");
    server.signal("-TERM");
    assert_eq!(hear(), "STOPPING=1");
    assert!(server.ended().await.0.success());
}

#[tokio::test]
async fn a_signal_to_reload_stops_nothing() {
    let server = Folder::new("").serve();
    server.signal("-HUP");
    server.logs("there is no certificate to reload").await;
    assert!(server.answers("127.0.0.1").await);
}

#[tokio::test]
async fn an_address_that_is_taken_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new("");
    let address = taken.local_addr().unwrap();
    let mut command = folder.command(&["serve"]);
    command.env("WARDGATE_SERVER__LISTEN", address.to_string());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(6) && said.contains(&format!("{address} is taken")),
        "{said}"
    );
    command.env("WARDGATE_SERVER__LISTEN", "192.0.2.1:0");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(6) && said.contains("this machine has no such address"),
        "{said}"
    );
}

#[tokio::test]
async fn a_connection_that_is_being_opened_does_not_hold_up_the_end() {
    let server = Folder::new("server.shutdown_seconds = 3600").serve();
    let mut half = server.connect().await;
    half.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    // So that the server has seen the half.
    assert!(server.answers("127.0.0.2").await);
    server.signal("-TERM");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), half.read_to_end(&mut rest));
    assert!(ended.await.is_ok());
    assert!(server.ended().await.0.success());
}

#[test]
fn a_server_whose_log_nobody_reads_stops_all_the_same() {
    let folder = Folder::new("");
    let mut server = folder.command(&["serve"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    drop(server.stderr.take());
    let id = server.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    let ended = wait_timeout(&mut server);
    let _killed = server.kill();
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
}

/// Waits for a process, but not for ever.
fn wait_timeout(process: &mut Child) -> Option<ExitStatus> {
    for _ in 0..PATIENCE.as_millis() / 20 {
        if let Some(status) = process.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}
