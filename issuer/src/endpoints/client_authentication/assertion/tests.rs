//! Assertions at the endpoints that take them: real router, real keys.

mod accepted;
mod key_urls;
mod properties;
mod refused;
mod single_use;

use http::StatusCode;
use serde_json::Value;
use wardgate_shared::jwt::SignatureAlgorithm;

use super::ASSERTION_TYPE;
use crate::domain::client::{Client, ClientAuthentication, ClientKeys, GrantType};
use crate::testing::{self, Signer, assertion_claims, key_set};
use crate::web::testing::{Answer, Clinic};

const BACKEND: &str = "backend";
const BACKEND_REDIRECT: &str = "https://backend.example/cb";
const SCOPE: &str = "system/*.read";

/// A clinic with a backend service that signs with one ES384 key of its own, registered inline.
struct Backend {
    clinic: Clinic,
    signer: Signer,
}

impl Backend {
    async fn open() -> Self {
        let signer = Signer::new(SignatureAlgorithm::ES384, Some("key-1"));
        let clinic = Clinic::open().await;
        clinic
            .issuer
            .add_client(backend(BACKEND, inline(&[&signer])))
            .await;
        Self { clinic, signer }
    }

    /// The claims of a good assertion.
    fn claims(&self) -> Value {
        assertion_claims(BACKEND, self.clinic.issuer.now())
    }

    /// A good assertion.
    fn assertion(&self) -> String {
        self.signer.assertion(BACKEND, self.clinic.issuer.now())
    }

    /// The answer to an assertion with a good header and these claims.
    async fn claiming(&self, claims: &Value) -> Answer {
        let assertion = self.signer.sign(&self.signer.header(), claims);
        present(&self.clinic, &assertion, &[]).await
    }
}

fn inline(signers: &[&Signer]) -> ClientKeys {
    ClientKeys::Inline(key_set(signers))
}

/// A client that may do everything, and authenticates with these keys.
fn backend(client_id: &str, keys: ClientKeys) -> Client {
    let mut client = testing::client(
        client_id,
        ClientAuthentication::PrivateKeyJwt { keys },
        &GrantType::ALL,
        &[BACKEND_REDIRECT],
        "openid patient/*.* offline_access system/*.*",
    );
    client.pkce_required = false;
    client
}

/// Asks for a token of the client's own, as SMART Backend Services do.
async fn present(clinic: &Clinic, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("scope", SCOPE),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ];
    fields.extend_from_slice(more);
    clinic.token(&fields).await
}

#[track_caller]
fn is_invalid_client(answer: &Answer) -> String {
    assert_eq!(answer.header("www-authenticate"), None);
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client")
}
