//! What is fetched, and what never is.

use wardgate_shared::secret::Secret;

use super::{FetchError, Outbound, UrlRefusal, check_url};
use crate::config::{IpNetwork, OutboundConfig};
use crate::testing::{DocumentServer, LogoutReceiver};

/// As in development.
fn local() -> OutboundConfig {
    OutboundConfig {
        allow_loopback_http: true,
        private_networks: Vec::new(),
    }
}

// OIDC-92
#[test]
fn only_https_is_fetched_and_http_from_this_machine_where_that_is_allowed() {
    let strict = OutboundConfig::default();
    assert!(check_url("https://client.example/jwks.json?a=b", &strict).is_ok());
    for (url, refusal) in [
        ("http://client.example/jwks.json", UrlRefusal::NotHttps),
        ("http://localhost/jwks.json", UrlRefusal::NotHttps),
        ("file:///etc/passwd", UrlRefusal::Malformed),
        ("ftp://client.example/", UrlRefusal::NotHttps),
        ("client.example/jwks.json", UrlRefusal::Malformed),
        ("/jwks.json", UrlRefusal::Malformed),
        ("", UrlRefusal::Malformed),
        ("https://", UrlRefusal::Malformed),
        ("https://client.example/a b", UrlRefusal::Malformed),
        ("https://user@client.example/", UrlRefusal::Extras),
        ("https://:secret@client.example/", UrlRefusal::Extras),
        ("https://client.example/#keys", UrlRefusal::Extras),
    ] {
        assert_eq!(check_url(url, &strict), Err(refusal), "{url}");
    }
    let long = format!("https://client.example/{}", "a".repeat(2048));
    assert_eq!(check_url(&long, &strict), Err(UrlRefusal::Malformed));
    for url in [
        "http://localhost:8080/",
        "http://127.0.0.1/",
        "http://[::1]:1/",
        "https://127.0.0.1/",
    ] {
        assert!(check_url(url, &local()).is_ok(), "{url}");
    }
    for url in [
        "http://client.example/",
        "http://localhost.example/",
        "http://10.0.0.1/",
    ] {
        assert_eq!(check_url(url, &local()), Err(UrlRefusal::NotHttps), "{url}");
    }
}

#[test]
fn addresses_that_are_not_public_are_refused_in_every_spelling() {
    for url in [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fe80::1]/",
        "https://0/",
    ] {
        let refused = check_url(url, &OutboundConfig::default());
        assert_eq!(refused, Err(UrlRefusal::Address), "{url}");
    }
    let config = OutboundConfig {
        allow_loopback_http: false,
        private_networks: vec![IpNetwork::parse("10.0.0.0/8").unwrap()],
    };
    assert!(check_url("https://10.0.0.1/", &config).is_ok());
    assert_eq!(check_url("http://10.0.0.1/", &config), Err(UrlRefusal::NotHttps));
}

#[tokio::test]
async fn a_name_that_leads_to_an_address_that_is_not_public_is_refused() {
    let error = Outbound::new(OutboundConfig::default())
        .fetch_json("https://localhost:1/jwks.json")
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Unreachable(_)));
    assert!(error.to_string().contains("not public"), "{error}");
}

#[tokio::test]
async fn what_is_said_of_a_failed_fetch_names_the_host_and_no_patient() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let url = format!("http://{host}/fhir/Patient/p-17?name=Jane");
    let error = Outbound::new(local())
        .fetch_fhir(&url, &Secret::new(String::from("token")))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Unreachable(_)), "{error}");
    let said = error.to_string();
    assert!(said.contains(&host), "{said}");
    assert!(!said.contains("p-17") && !said.contains("Jane"), "{said}");
}

#[tokio::test]
async fn a_document_is_fetched_with_its_headers() {
    let server = DocumentServer::start().await;
    server.answer(200, &[("cache-control", "max-age=7")], "{}");
    let fetched = Outbound::new(local()).fetch_json(&server.url).await.unwrap();
    assert_eq!(fetched.body, b"{}");
    assert_eq!(fetched.headers["cache-control"], "max-age=7");
}

#[tokio::test]
async fn redirects_and_errors_are_no_documents() {
    let server = DocumentServer::start().await;
    let outbound = Outbound::new(local());
    for status in [201, 204, 301, 302, 307, 308, 404, 500] {
        server.answer(status, &[("location", "/elsewhere")], "{}");
        let before = server.asked();
        match outbound.fetch_json(&server.url).await.unwrap_err() {
            FetchError::Status(answered) => assert_eq!(answered.as_u16(), status),
            other => panic!("{other}"),
        }
        assert_eq!(server.asked(), before + 1, "{status} was not followed");
    }
}

#[tokio::test]
async fn a_huge_document_is_not_read_to_its_end() {
    let server = DocumentServer::start().await;
    let outbound = Outbound::new(local());
    server.answer(200, &[], vec![b' '; 128 * 1024]);
    assert!(outbound.fetch_json(&server.url).await.is_ok());
    server.answer(200, &[], vec![b' '; 128 * 1024 + 1]);
    assert!(matches!(
        outbound.fetch_json(&server.url).await,
        Err(FetchError::TooLarge)
    ));
}

/// The clock of the runtime is moved by hand, or rather moves itself when nothing else is left to happen.
#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let error = Outbound::new(local()).fetch_json(&url).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn a_form_is_posted_and_taken_with_200_or_204() {
    let receiver = LogoutReceiver::start().await;
    let outbound = Outbound::new(local());
    for status in [200, 204] {
        receiver.answer(status);
        let fields = [("logout_token", "a.b-c_d"), ("x", "1 & 2")];
        outbound.post_form(&receiver.url, &fields).await.unwrap();
        let request = receiver.received().pop().unwrap();
        assert_eq!(request.method, "POST");
        assert_eq!(
            request.headers["content-type"],
            "application/x-www-form-urlencoded"
        );
        let sent = fields.map(|(name, value)| (String::from(name), String::from(value)));
        assert_eq!(request.fields, sent);
    }
}

#[tokio::test]
async fn a_form_is_not_taken_with_any_other_answer_and_follows_no_redirect() {
    let receiver = LogoutReceiver::start().await;
    let outbound = Outbound::new(local());
    for (count, status) in (1..).zip([201, 202, 301, 302, 303, 307, 308, 400, 404, 500, 503]) {
        receiver.answer(status);
        match outbound.post_form(&receiver.url, &[]).await.unwrap_err() {
            FetchError::Status(answered) => assert_eq!(answered.as_u16(), status),
            other => panic!("{other}"),
        }
        assert_eq!(receiver.received().len(), count, "{status} was not followed");
    }
}

#[tokio::test]
async fn a_form_goes_nowhere_that_a_fetch_would_not() {
    let receiver = LogoutReceiver::start().await;
    let strict = Outbound::new(OutboundConfig::default());
    for url in [
        &*receiver.url,
        "https://127.0.0.1/",
        "https://169.254.169.254/",
        "file:///etc/passwd",
    ] {
        let refused = strict.post_form(url, &[]).await.unwrap_err();
        assert!(matches!(refused, FetchError::Url(_)), "{url}: {refused}");
    }
    assert!(receiver.received().is_empty());
}

// OUT-14
#[tokio::test]
async fn calls_offer_tls_1_3_and_of_tls_1_2_nothing_that_is_weak() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let offered = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut acceptor = rustls::server::Acceptor::default();
        loop {
            let mut bytes = [0; 4096];
            let read = tokio::io::AsyncReadExt::read(&mut stream, &mut bytes)
                .await
                .unwrap();
            acceptor.read_tls(&mut &bytes[..read]).unwrap();
            if let Some(accepted) = acceptor.accept().ok().unwrap() {
                return accepted.client_hello().cipher_suites().to_vec();
            }
        }
    });
    // Nobody answers.
    let outcome = Outbound::new(local()).fetch_json(&url).await;
    assert!(outcome.is_err());
    let names: Vec<String> = offered
        .await
        .unwrap()
        .into_iter()
        .map(|suite| format!("{suite:?}"))
        // Says that renegotiation is safe, and is no suite (RFC 5746 section 3.3).
        .filter(|name| name != "TLS_EMPTY_RENEGOTIATION_INFO_SCSV")
        .collect();
    assert!(names.iter().any(|name| name.starts_with("TLS13_")), "{names:?}");
    for name in &names {
        let is_of_1_3 = name.starts_with("TLS13_");
        let keeps_secrets = name.starts_with("TLS_ECDHE_");
        let is_authenticated = ["_GCM_SHA256", "_GCM_SHA384", "_CHACHA20_POLY1305_SHA256"]
            .iter()
            .any(|end| name.ends_with(end));
        assert!(is_authenticated && (is_of_1_3 || keeps_secrets), "{name}");
    }
}
