//! A collector behind TLS that asks for a certificate, and one that never answers.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use wardgate_shared::secret::Secret;

use super::{settings, traced};
use crate::config::CollectorTls;
use crate::telemetry::spans;

/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

struct Authority(Issuer<'static, KeyPair>, CertificateDer<'static>);

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = parameters.self_signed(&key).unwrap().der().clone();
        Self(Issuer::new(parameters, key), own)
    }

    /// A certificate for this machine, and its key.
    fn issue(&self) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
        (parameters.signed_by(&key, &self.0).unwrap(), key)
    }

    fn identity(&self) -> Secret<String> {
        let (certificate, key) = self.issue();
        Secret::new(format!("{}\n{}", certificate.pem(), key.serialize_pem()))
    }
}

/// A collector with a certificate of `authority`, which asks for one of the same authority; what it received, or why it did not.
async fn collector(authority: &Authority) -> (String, mpsc::UnboundedReceiver<Result<String, String>>) {
    let (certificate, key) = authority.issue();
    let mut trusted = RootCertStore::empty();
    trusted.add(authority.1.clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(trusted)).build().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let (heard, hearing) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((connection, _)) = listener.accept().await {
            let outcome = async {
                let mut stream = acceptor.accept(connection).await?;
                let mut bytes = vec![0; 16 * 1024];
                let length = stream.read(&mut bytes).await?;
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
                    .await?;
                bytes.truncate(length);
                Ok::<_, std::io::Error>(String::from_utf8_lossy(&bytes).into_owned())
            };
            let _ = heard.send(outcome.await.map_err(|error| error.to_string()));
        }
    });
    (url, hearing)
}

/// What the collector at `url` hears when a span ends.
async fn heard(
    url: &str,
    hearing: &mut mpsc::UnboundedReceiver<Result<String, String>>,
    tls: CollectorTls,
) -> Result<String, String> {
    let mut config = settings(url);
    config.tls = tls;
    let (exporter, guard) = traced(&config);
    drop(spans::outbound("document"));
    drop(guard);
    exporter.finish().await;
    tokio::time::timeout(PATIENCE, hearing.recv())
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_collector_is_believed_by_its_authority_and_shown_our_certificate() {
    let authority = Authority::new();
    let (url, mut hearing) = collector(&authority).await;
    let own = CollectorTls {
        authorities: vec![authority.1.clone()],
        identity: Some(authority.identity()),
    };
    let request = heard(&url, &mut hearing, own.clone()).await.unwrap();
    assert!(
        request.starts_with("POST /v1/traces HTTP/1.1\r\n")
            && request.contains("authorization: Bearer collect-me\r\n"),
        "{request}"
    );
    let stranger = Authority::new();
    let not_ours = CollectorTls {
        authorities: vec![stranger.1.clone()],
        identity: own.identity.clone(),
    };
    let of_the_machine = CollectorTls {
        authorities: Vec::new(),
        identity: own.identity.clone(),
    };
    let unknown = CollectorTls {
        authorities: own.authorities.clone(),
        identity: Some(stranger.identity()),
    };
    let nothing_shown = CollectorTls {
        authorities: own.authorities,
        identity: None,
    };
    for wrong in [not_ours, of_the_machine, unknown, nothing_shown] {
        let outcome = heard(&url, &mut hearing, wrong).await;
        assert!(outcome.is_err(), "{outcome:?}");
    }
}

#[tokio::test]
async fn what_a_collector_does_not_answer_in_time_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = settings(&format!("http://{}", listener.local_addr().unwrap()));
    config.timeout = Duration::from_millis(100);
    let (exporter, guard) = traced(&config);
    drop(spans::outbound("document"));
    let (mut connection, _) = listener.accept().await.unwrap();
    // Ends only because the exporter, which goes on, hangs up.
    let mut request = Vec::new();
    let ending = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut request)).await;
    assert!(ending.is_ok() && request.starts_with(b"POST /v1/traces"));
    drop(guard);
    exporter.finish().await;
}
