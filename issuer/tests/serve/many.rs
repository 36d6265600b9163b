//! More connections than there may be.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Authority, Folder, LIVE, TLS, read_all, read_head, until};

#[tokio::test]
async fn one_address_cannot_have_all_connections() {
    let server = Folder::new("connections.maximum_per_address = 5").serve();
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(server.connect_from("127.0.0.1").await);
    }
    let mut refused = server.connect_from("127.0.0.1").await;
    refused.write_all(LIVE.as_bytes()).await.unwrap();
    let answer = read_all(&mut refused).await;
    assert!(
        answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after"),
        "{answer}"
    );
    assert!(
        answer.contains("There are too many from this address"),
        "{answer}"
    );
    assert!(server.answers("127.0.0.2").await);
    // Who goes makes place.
    held.pop();
    until(|| server.answers("127.0.0.1")).await;
}

#[tokio::test]
async fn trusted_proxies_may_have_as_many_as_there_are() {
    let server = Folder::new("connections.maximum_per_address = 2\nconnections.maximum = 9\nserver.trusted_proxies = [\"127.0.0.2\"]").serve();
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(server.connect_from("127.0.0.2").await);
    }
    assert!(server.answers("127.0.0.2").await);
    // The ninth place is free as soon as the server has seen that its visitor went.
    loop {
        let mut last = server.connect_from("127.0.0.1").await;
        last.write_all(LIVE.as_bytes()).await.unwrap();
        if read_head(&mut last).await.starts_with("HTTP/1.1 200") {
            held.push(last);
            break;
        }
    }
    let mut refused = server.connect_from("127.0.0.2").await;
    refused.write_all(LIVE.as_bytes()).await.unwrap();
    let answer = read_all(&mut refused).await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("There is no place for another"),
        "{answer}"
    );
    server.logs("connections were refused").await;
}

#[tokio::test]
async fn where_tls_is_spoken_the_refusal_is_an_alert() {
    let (authority, folder) = (
        Authority::new(),
        Folder::new(&format!("{TLS}\nconnections.maximum_per_address = 1")),
    );
    authority.install(&folder);
    let server = folder.serve();
    let _held = authority.connect(&server).await;
    let mut refused = server.connect().await;
    let mut alert = [0; 7];
    refused.read_exact(&mut alert).await.unwrap();
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 80]);
    let connector = authority.client(rustls::ALL_VERSIONS, &[]);
    let error = connector
        .connect(crate::support::server_name(), server.connect().await)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("InternalError"), "{error}");
}

/// As many as this machine lets a process have open, and no more than ten thousand.
fn room() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    )
    .unwrap();
    let files = maximum.map_or(usize::MAX, |files| usize::try_from(files).unwrap());
    files.saturating_sub(1000).min(10_000)
}

#[tokio::test]
async fn thousands_of_idle_connections_keep_nobody_from_being_answered() {
    let count = room();
    let server = Folder::new("connections.maximum = 20000\nconnections.maximum_per_address = 2000\nconnections.header_seconds = 3600").serve();
    let mut idle: Vec<TcpStream> = Vec::with_capacity(count);
    for number in 0..count {
        // A thousand from each address.
        let address = format!("127.0.1.{}", 1 + number / 1000);
        idle.push(server.connect_from(&address).await);
    }
    assert!(server.answers("127.0.0.2").await);
    // All of them are there: each is answered now.
    for stream in idle.iter_mut().step_by(count / 50 + 1) {
        stream.write_all(LIVE.as_bytes()).await.unwrap();
        assert!(read_head(stream).await.starts_with("HTTP/1.1 200"));
    }
    println!("{count} connections");
}
