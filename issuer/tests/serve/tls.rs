//! TLS: versions, suites, protocols above it, certificates that are replaced, and what is said of bad ones.

use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::support::{
    Authority, Folder, HOST, LIVE, Running, TLS, read_all, read_head, server_name, until, write_file,
    write_pair,
};

fn serve(more: &str) -> (Authority, Running) {
    let authority = Authority::new();
    let folder = Folder::new(&format!("{TLS}\n{more}"));
    authority.install(&folder);
    (authority, folder.serve())
}

/// The certificate that a connection was shown.
fn shown(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    let certificates = stream.get_ref().1.peer_certificates().unwrap();
    certificates[0].to_vec()
}

// FAPI-02, SMART-11
#[tokio::test]
async fn the_newest_version_is_chosen_and_every_suite_has_forward_secrecy() {
    let (authority, server) = serve("");
    for (versions, expected) in [
        (&[&TLS13, &TLS12][..], ProtocolVersion::TLSv1_3),
        (&[&TLS13], ProtocolVersion::TLSv1_3),
        (&[&TLS12], ProtocolVersion::TLSv1_2),
    ] {
        for (protocols, chosen) in [
            (&[&b"h2"[..], b"http/1.1"][..], Some(&b"h2"[..])),
            (&[b"http/1.1", b"h2"], Some(b"h2")),
            (&[b"http/1.1"], Some(b"http/1.1")),
            (&[], None),
        ] {
            let connector = authority.client(versions, protocols);
            let stream = connector
                .connect(server_name(), server.connect().await)
                .await
                .unwrap();
            let (_, tls) = stream.get_ref();
            assert_eq!(tls.protocol_version(), Some(expected));
            assert_eq!(tls.alpn_protocol(), chosen);
            let suite = tls.negotiated_cipher_suite().unwrap().suite();
            let name = suite.as_str().unwrap();
            if expected == ProtocolVersion::TLSv1_2 {
                assert!(name.starts_with("TLS_ECDHE_ECDSA_WITH_"), "{name}");
            }
            assert!(
                name.contains("_GCM_") || name.contains("_CHACHA20_POLY1305_"),
                "{name}"
            );
        }
    }
}

/// The bytes of a ClientHello that offers `version` and these suites, and P-256, by which the server could go on.
fn client_hello(version: [u8; 2], suites: &[CipherSuite]) -> Vec<u8> {
    let extensions: &[u8] = &[
        0, 10, 0, 4, 0, 2, 0, 23, // the group P-256
        0, 11, 0, 2, 1, 0, // uncompressed points
        0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 4, 1, // ECDSA and RSA with SHA-256
    ];
    let mut hello = [&version[..], &[7; 32], &[0]].concat();
    let length = |bytes: usize| u16::try_from(bytes).unwrap().to_be_bytes();
    hello.extend(length(suites.len() * 2));
    hello.extend(suites.iter().flat_map(|suite| u16::from(*suite).to_be_bytes()));
    hello.extend([1, 0]);
    hello.extend(length(extensions.len()));
    hello.extend(extensions);
    let handshake = [&[1, 0][..], &length(hello.len()), &hello].concat();
    [&[22, 3, 1][..], &length(handshake.len()), &handshake].concat()
}

/// The first byte of the first record that is answered, and the alert's number where it is an alert.
async fn first_record(server: &Running, hello: &[u8]) -> (u8, u8) {
    let mut stream = server.connect().await;
    stream.write_all(hello).await.unwrap();
    let mut record = [0; 7];
    stream.read_exact(&mut record).await.unwrap();
    (record[0], record[6])
}

// FAPI-02, SMART-11
#[tokio::test]
async fn older_versions_and_weak_suites_are_refused() {
    const ALERT: u8 = 21;
    const HANDSHAKE: u8 = 22;
    let (_authority, server) = serve("");
    let strong = [CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
    // The same hello is answered where the version is good.
    assert_eq!(
        first_record(&server, &client_hello([3, 3], &strong)).await.0,
        HANDSHAKE
    );
    let older = [
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
        CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA,
    ];
    for version in [[3, 0], [3, 1], [3, 2]] {
        for suites in [&strong[..], &older] {
            let (kind, alert) = first_record(&server, &client_hello(version, suites)).await;
            assert_eq!((kind, alert), (ALERT, 70), "protocol_version for {version:?}");
        }
    }
    for weak in [
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
        CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_RSA_WITH_3DES_EDE_CBC_SHA,
    ] {
        let (kind, alert) = first_record(&server, &client_hello([3, 3], &[weak])).await;
        assert_eq!((kind, alert), (ALERT, 40), "handshake_failure for {weak:?}");
    }
    // Plain HTTP is no handshake.
    let mut plain = server.connect().await;
    plain.write_all(LIVE.as_bytes()).await.unwrap();
    assert!(!read_all(&mut plain).await.contains("HTTP/1.1 200"));
}

#[tokio::test]
async fn answers_go_over_both_protocols_and_keep_browsers_at_https() {
    let (authority, server) = serve("");
    let mut stream = authority.connect(&server).await;
    stream.write_all(LIVE.as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(
        head.starts_with("HTTP/1.1 200") && head.contains("strict-transport-security: max-age=31536000"),
        "{head}"
    );

    let connector = authority.client(rustls::ALL_VERSIONS, &[b"h2"]);
    let stream = connector
        .connect(server_name(), server.connect().await)
        .await
        .unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get(format!("https://{HOST}/.well-known/openid-configuration"))
        .body(())
        .unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["strict-transport-security"],
        "max-age=31536000"
    );
}

#[tokio::test]
async fn a_new_certificate_is_taken_while_connections_go_on() {
    let (authority, server) = serve("tls.reload_seconds = 86400");
    let mut old = authority.connect(&server).await;
    let first = shown(&old);

    authority.install(&server.folder);
    server.signal("-HUP");
    until(|| async { shown(&authority.connect(&server).await) != first }).await;
    server.logs("the TLS certificate was replaced").await;
    // What was there before is answered.
    old.write_all(LIVE.as_bytes()).await.unwrap();
    assert!(read_head(&mut old).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn changed_files_are_noticed_without_a_signal() {
    let (authority, server) = serve("tls.reload_seconds = 1");
    let first = shown(&authority.connect(&server).await);
    authority.install(&server.folder);
    until(|| async { shown(&authority.connect(&server).await) != first }).await;
}

#[tokio::test]
async fn a_bad_new_pair_is_said_once_and_the_old_one_stays() {
    let (authority, server) = serve("tls.reload_seconds = 1");
    let first = shown(&authority.connect(&server).await);
    // A renewal that is half done: the certificate is new, the key is not.
    let (certificate, key) = authority.issue(HOST, |_| ());
    write_file(&server.folder.path("certificate.pem"), &certificate, 0o644);
    server
        .logs("key.pem is not the private key of the certificate in")
        .await;
    server.signal("-HUP");
    assert_eq!(shown(&authority.connect(&server).await), first);

    let expired = authority.issue(HOST, |parameters| {
        parameters.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    write_pair(&server.folder, &expired.0, &expired.1);
    server.logs("expired at 2020-01-01T00:00:01Z").await;
    assert_eq!(shown(&authority.connect(&server).await), first);

    write_pair(&server.folder, &certificate, &key);
    server.logs("the TLS certificate was replaced").await;
    assert_ne!(shown(&authority.connect(&server).await), first);
    assert_eq!(
        server.log().matches("is not the private key").count(),
        1,
        "{}",
        server.log()
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_pair_is_said_before_anything_is_served() {
    let (authority, folder) = (Authority::new(), Folder::new(TLS));
    let (certificate, key) = authority.issue(HOST, |_| ());
    let (_, other_key) = authority.issue(HOST, |_| ());
    let (expired, expired_key) = authority.issue(HOST, |parameters| {
        parameters.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let (future, future_key) = authority.issue(HOST, |parameters| {
        parameters.not_before = rcgen::date_time_ymd(2999, 1, 1);
    });
    let refused = |certificate: &str, key: &str, said: &str| {
        write_pair(&folder, certificate, key);
        for command in [&["check-config"][..], &["serve"]] {
            let (code, sentence) = folder.refusal(command);
            assert!(code == 5 && sentence.contains(said), "{code} {sentence}");
        }
    };
    refused(
        &certificate,
        &other_key,
        "is not the private key of the certificate in",
    );
    refused(&expired, &expired_key, "expired at 2020-01-01T00:00:01Z");
    refused(&future, &future_key, "is not valid before 2999-01-01T00:00:00Z");
    refused("", &key, "certificate.pem holds no certificate in PEM form");
    refused(&key, &key, "certificate.pem holds no certificate in PEM form");
    refused(
        &certificate,
        &certificate,
        "key.pem holds no private key in PEM form",
    );
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    refused(
        no_certificate,
        &key,
        "certificate.pem holds a certificate that cannot be used",
    );
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    refused(
        &certificate,
        no_key,
        "key.pem holds a private key that cannot be used",
    );

    write_pair(&folder, &certificate, &key);
    assert!(folder.command(&["check-config"]).status().unwrap().success());
    write_file(&folder.path("key.pem"), &key, 0o644);
    for command in [&["check-config"][..], &["serve"]] {
        let (code, sentence) = folder.refusal(command);
        assert!(
            code == 5 && sentence.contains("key.pem can be read by every user of this machine"),
            "{sentence}"
        );
    }
    std::fs::remove_file(folder.path("key.pem")).unwrap();
    assert!(
        folder
            .refusal(&["serve"])
            .1
            .contains("key.pem cannot be read: entity not found")
    );
}

#[tokio::test]
async fn a_certificate_for_another_name_is_spoken_of() {
    let (authority, folder) = (Authority::new(), Folder::new(TLS));
    let (certificate, key) = authority.issue("other.example.test", |_| ());
    write_pair(&folder, &certificate, &key);
    let output = folder.command(&["check-config"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("is not for the host id.example.test"),
        "{said}"
    );
    folder
        .serve()
        .logs("the TLS certificate is not for the host of server.public_url")
        .await;
}

#[tokio::test]
async fn browsers_that_come_by_http_are_sent_on_and_posts_are_refused() {
    // The port is free a moment before.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (_authority, server) = serve(&format!("tls.redirect_listen = \"{port}\""));
    let ask = async |request: &str| {
        let mut stream = TcpStream::connect(port).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        read_head(&mut stream).await
    };
    let head = ask("GET /login?next=1 HTTP/1.1\r\nhost: evil.example\r\n\r\n").await;
    assert!(
        head.starts_with("HTTP/1.1 308")
            && head.contains("location: https://id.example.test/login?next=1\r\n"),
        "{head}"
    );
    assert!(
        !head.contains("strict-transport-security"),
        "RFC 6797 section 7.2"
    );
    let head = ask("POST /oauth2/token HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").await;
    assert!(
        head.starts_with("HTTP/1.1 403") && !head.contains("location"),
        "{head}"
    );
    server.signal("-TERM");
    assert!(server.ended().await.0.success());
}

#[tokio::test]
async fn what_proves_the_name_is_served_by_http_and_nothing_beside_it() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let webroot = tempfile::tempdir().unwrap();
    let challenges = webroot.path().join(".well-known/acme-challenge");
    std::fs::create_dir_all(&challenges).unwrap();
    std::fs::write(challenges.join("token-1_A"), "token-1_A.thumbprint").unwrap();
    std::fs::write(webroot.path().join("secret"), "secret").unwrap();
    let (_authority, server) = serve(&format!(
        "tls.redirect_listen = \"{port}\"\ntls.acme_webroot = \"{}\"",
        webroot.path().display()
    ));
    let ask = async |method: &str, path: &str| {
        let mut stream = TcpStream::connect(port).await.unwrap();
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    };
    let path = "/.well-known/acme-challenge/token-1_A";
    let answer = ask("GET", path).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\ntoken-1_A.thumbprint"),
        "{answer}"
    );
    for (method, path, status) in [
        ("GET", "/.well-known/acme-challenge/missing", "404"),
        ("GET", "/.well-known/acme-challenge/..%2F..%2Fsecret", "404"),
        ("GET", "/.well-known/acme-challenge/../../secret", "308"),
        ("GET", "/.well-known/acme-challenge/", "308"),
        ("GET", "/.well-known/openid-configuration", "308"),
        ("POST", path, "403"),
    ] {
        let answer = ask(method, path).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {answer}"
        );
        assert!(!answer.ends_with("secret"), "{path}: {answer}");
    }
    server.signal("-TERM");
    assert!(server.ended().await.0.success());
}
