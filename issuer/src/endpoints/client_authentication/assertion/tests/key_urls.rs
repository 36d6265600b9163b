//! Clients whose keys are at a URL.

use http::StatusCode;
use wardgate_shared::jwt::SignatureAlgorithm;

use super::{BACKEND, backend, is_invalid_client, present};
use crate::domain::client::ClientKeys;
use crate::testing::{DocumentServer, START, Signer, assertion_claims, key_set};
use crate::web::testing::{Answer, Clinic};

/// A clinic, and a client that publishes its key.
struct Published {
    clinic: Clinic,
    server: DocumentServer,
    signer: Signer,
}

impl Published {
    async fn open() -> Self {
        let clinic = Clinic::with_config(|config| config.outbound.allow_loopback_http = true).await;
        let server = DocumentServer::start().await;
        clinic
            .issuer
            .add_client(backend(BACKEND, ClientKeys::Url(server.url.clone())))
            .await;
        let signer = Signer::new(SignatureAlgorithm::ES384, Some("key-1"));
        let published = Self {
            clinic,
            server,
            signer,
        };
        published.publish(&[&published.signer]);
        published
    }

    fn publish(&self, signers: &[&Signer]) {
        let body = key_set(signers).to_json().to_string();
        self.server
            .answer(200, &[("cache-control", "max-age=3600")], body);
    }

    async fn present(&self, signer: &Signer) -> Answer {
        let assertion = signer.assertion(BACKEND, self.clinic.issuer.now());
        present(&self.clinic, &assertion, &[]).await
    }
}

// SMART-34
#[tokio::test]
async fn keys_at_a_url_work_as_inline_ones_do() {
    let published = Published::open().await;
    for _ in 0..3 {
        let answer = published.present(&published.signer).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    assert_eq!(published.server.asked(), 1);
}

// OIDC-87
#[tokio::test]
async fn a_rotated_key_works_a_minute_later() {
    let published = Published::open().await;
    assert_eq!(published.present(&published.signer).await.status, StatusCode::OK);
    let second = Signer::new(SignatureAlgorithm::ES384, Some("key-2"));
    published.publish(&[&second]);
    published.clinic.issuer.advance(60);
    let answer = published.present(&second).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    is_invalid_client(&published.present(&published.signer).await);
}

// SMART-33
#[tokio::test]
async fn a_key_set_url_in_the_header_must_be_the_registered_one_and_is_never_fetched() {
    let published = Published::open().await;
    let elsewhere = DocumentServer::start().await;
    elsewhere.answer(200, &[], key_set(&[&published.signer]).to_json().to_string());
    let upper = published.server.url.to_uppercase();
    for (url, status) in [
        (published.server.url.as_str(), 200),
        (elsewhere.url.as_str(), 401),
        (upper.as_str(), 401),
        ("", 401),
    ] {
        let mut header = published.signer.header();
        header["jku"] = url.into();
        let assertion = published.signer.sign(&header, &assertion_claims(BACKEND, START));
        let answer = present(&published.clinic, &assertion, &[]).await;
        assert_eq!(answer.status, status, "{url}: {answer:?}");
    }
    assert_eq!((published.server.asked(), elsewhere.asked()), (1, 0));
}

#[tokio::test]
async fn a_key_set_that_cannot_be_had_lets_nobody_in() {
    let published = Published::open().await;
    published.server.answer(500, &[], "");
    is_invalid_client(&published.present(&published.signer).await);
    let event = published.clinic.last_audit().await;
    assert_eq!(event.reason.as_deref(), Some("client_keys_unavailable"));
    published.publish(&[&published.signer]);
    published.clinic.issuer.advance(10);
    assert_eq!(published.present(&published.signer).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_registered_url_that_the_configuration_no_longer_allows_is_not_fetched() {
    let clinic = Clinic::open().await;
    let server = DocumentServer::start().await;
    let signer = Signer::new(SignatureAlgorithm::ES384, Some("key-1"));
    server.answer(200, &[], key_set(&[&signer]).to_json().to_string());
    clinic
        .issuer
        .add_client(backend(BACKEND, ClientKeys::Url(server.url.clone())))
        .await;
    is_invalid_client(&present(&clinic, &signer.assertion(BACKEND, START), &[]).await);
    assert_eq!(server.asked(), 0);
}
