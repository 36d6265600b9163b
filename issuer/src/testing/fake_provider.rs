//! Somebody else's OpenID Provider on this machine, which signs and serves whatever a test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

use super::{Signer, key_set};
use crate::rng;

const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/jwks";

pub(crate) struct FakeProvider {
    /// Its URL.
    pub(crate) issuer: String,
    /// The key that it publishes.
    pub(crate) signer: Signer,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<HashMap<&'static str, (StatusCode, HeaderMap, String)>>,
    asked: Mutex<Vec<String>>,
}

impl FakeProvider {
    /// A provider that behaves.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let signer = Signer::new(SignatureAlgorithm::ES256, Some("idp-1"));
        let provider = Self {
            issuer,
            signer,
            shared,
            task,
        };
        provider.recover();
        provider
    }

    /// Answers as it should from now on.
    pub(crate) fn recover(&self) {
        let document = json!({ "issuer": self.issuer, "jwks_uri": format!("{}{KEYS}", self.issuer) });
        self.discovery(200, &[], &document.to_string());
        self.keys(200, &[], &key_set(&[&self.signer]).to_json().to_string());
    }

    /// Answers so when asked for its metadata.
    pub(crate) fn discovery(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        self.set(DISCOVERY, status, headers, body);
    }

    /// Answers so when asked for its keys.
    pub(crate) fn keys(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        self.set(KEYS, status, headers, body);
    }

    fn set(&self, path: &'static str, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_bytes(name.as_bytes()).unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect();
        let answer = (StatusCode::from_u16(status).unwrap(), headers, String::from(body));
        self.shared.answers.lock().unwrap().insert(path, answer);
    }

    /// How often it was asked for its metadata.
    pub(crate) fn discoveries(&self) -> usize {
        let asked = self.shared.asked.lock().unwrap();
        asked.iter().filter(|path| *path == DISCOVERY).count()
    }

    /// How often it was asked for anything.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }

    /// The claims of an ID token for `audience` about the holder of this address, who signed in a minute ago.
    pub(crate) fn id_claims(&self, audience: &str, email: &str, now: Timestamp) -> Value {
        json!({
            "iss": self.issuer,
            "sub": "somebody-there",
            "aud": audience,
            "iat": now.seconds(),
            "exp": now.plus(3600).seconds(),
            "auth_time": now.minus(60).seconds(),
            "nonce": "n-0S6_WzA2Mj",
            "email": email,
            "email_verified": true,
        })
    }

    /// The claims of an assertion for `audience` about the same (RFC 7523 section 3).
    pub(crate) fn assertion_claims(&self, audience: &str, email: &str, now: Timestamp) -> Value {
        json!({
            "iss": self.issuer,
            "sub": "somebody-there",
            "aud": audience,
            "iat": now.seconds(),
            "exp": now.plus(300).seconds(),
            "jti": rng::identifier("").unwrap(),
            "email": email,
            "email_verified": true,
        })
    }

    /// A token of these claims, signed with the published key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.signer.sign(&self.signer.header(), claims)
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    shared.asked.lock().unwrap().push(uri.path().into());
    let answers = shared.answers.lock().unwrap();
    match answers.get(uri.path()) {
        Some(answer) => answer.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
