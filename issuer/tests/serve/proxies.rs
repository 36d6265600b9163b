//! What proxies say, and what only pretends to be one.

use tokio::io::AsyncWriteExt;

use crate::support::{Folder, Running, read_all};

const PROXY: &str = "127.0.0.2";
const STRANGER: &str = "127.0.0.3";
const BEHIND_A_PROXY: &str =
    "server.public_url = \"https://id.example.test\"\nserver.trusted_proxies = [\"127.0.0.2\"]";

async fn ask(server: &Running, from: &str, request: &str) -> String {
    let mut stream = server.connect_from(from).await;
    let request = format!("{request}host: id.example.test\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    read_all(&mut stream).await
}

#[tokio::test]
async fn what_a_proxy_took_by_http_is_sent_on_or_refused() {
    let server = Folder::new(BEHIND_A_PROXY).serve();
    let by_http = "x-forwarded-for: 198.51.100.1\r\nx-forwarded-proto: http\r\n";
    let get = format!("GET /login?a=b HTTP/1.1\r\n{by_http}");
    let answer = ask(&server, PROXY, &get).await;
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    assert!(
        answer.contains("location: https://id.example.test/login?a=b\r\n"),
        "{answer}"
    );
    assert!(!answer.contains("strict-transport-security"), "{answer}");
    let answer = ask(
        &server,
        PROXY,
        &format!("POST /oauth2/token HTTP/1.1\r\n{by_http}"),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    // Whoever is no proxy has come by the scheme that they came by.
    assert!(ask(&server, STRANGER, &get).await.starts_with("HTTP/1.1 200"));
    let by_https = get.replace("proto: http", "proto: https");
    assert!(ask(&server, PROXY, &by_https).await.starts_with("HTTP/1.1 200"));
}

/// The addresses in the newest lines of the audit trail.
fn audited(server: &Running) -> String {
    let output = server.folder.command(&["audit", "export"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_audit_trail_has_the_address_that_the_proxy_saw() {
    let server = Folder::new(&format!("{BEHIND_A_PROXY}\nserver.proxy_headers = \"forwarded\"")).serve();
    let request = |headers: &str| {
        format!(
            "POST /oauth2/revoke HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\nauthorization: Basic eDp5\r\n{headers}"
        )
    };
    let seen = request(
        "forwarded: for=192.0.2.66\r\nforwarded: for=198.51.100.1;proto=https\r\nx-forwarded-for: 192.0.2.67\r\n",
    );
    assert!(ask(&server, PROXY, &seen).await.starts_with("HTTP/1.1 401"));
    let spoofed = request("forwarded: for=192.0.2.68\r\nx-forwarded-for: 192.0.2.69\r\n");
    assert!(ask(&server, STRANGER, &spoofed).await.starts_with("HTTP/1.1 401"));
    let trail = audited(&server);
    assert!(
        trail.contains("198.51.100.1") && trail.contains(STRANGER),
        "{trail}"
    );
    assert!(!trail.contains("192.0.2."), "{trail}");
}
