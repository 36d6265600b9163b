//! Somebody else's OpenID Provider on this machine, which signs and serves whatever a test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

use super::{Signer, key_set};
use crate::rng;

/// Where its metadata is.
pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";
/// Where its keys are.
pub(crate) const KEYS: &str = "/jwks";
/// Where codes are redeemed.
pub(crate) const TOKEN: &str = "/token";

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
    /// What was posted: the header `Authorization` and the form.
    posted: Mutex<Vec<(Option<String>, String)>>,
    /// Where questions are taken and not answered.
    silent: Mutex<Option<&'static str>>,
    /// One was.
    asked_in_vain: Notify,
}

impl FakeProvider {
    /// A provider that behaves.
    pub(crate) async fn start() -> Self {
        Self::start_at("").await
    }

    /// The same, with this path in its issuer's URL.
    pub(crate) async fn start_at(path: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}{path}", listener.local_addr().unwrap());
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
        self.discovery(200, &[], &self.document().to_string());
        self.keys(200, &[], &key_set(&[&self.signer]).to_json().to_string());
    }

    /// What it says of itself.
    pub(crate) fn document(&self) -> Value {
        json!({
            "issuer": self.issuer,
            "jwks_uri": format!("{}{KEYS}", self.issuer),
            "authorization_endpoint": format!("{}/authorize", self.issuer),
            "token_endpoint": format!("{}{TOKEN}", self.issuer),
            "end_session_endpoint": format!("{}/end", self.issuer),
            "response_types_supported": ["code", "id_token"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "id_token_signing_alg_values_supported": ["ES256", "HS256"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    /// Answers so when a code is redeemed.
    pub(crate) fn token(&self, status: u16, body: &str) {
        self.set(TOKEN, status, &[], body);
    }

    /// What was posted last: the header `Authorization` and the form.
    pub(crate) fn last_posted(&self) -> (Option<String>, String) {
        self.shared.posted.lock().unwrap().last().unwrap().clone()
    }

    /// How often a code was redeemed.
    pub(crate) fn redemptions(&self) -> usize {
        self.shared.posted.lock().unwrap().len()
    }

    /// Answers nobody from now on.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }

    /// Takes questions and never answers them at this path from now on; with none, answers again.
    pub(crate) fn keep_silent(&self, path: Option<&'static str>) {
        *self.shared.silent.lock().unwrap() = path;
    }

    /// Waits until a question was taken that is never answered.
    pub(crate) async fn was_asked_in_vain(&self) {
        self.shared.asked_in_vain.notified().await;
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

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    // Whatever path the issuer's URL has.
    let known = [DISCOVERY, KEYS, TOKEN];
    let path = known
        .into_iter()
        .find(|path| uri.path().ends_with(path))
        .unwrap_or_else(|| uri.path());
    shared.asked.lock().unwrap().push(path.into());
    if path == TOKEN {
        let authorization = headers
            .get("authorization")
            .map(|value| value.to_str().unwrap().into());
        shared.posted.lock().unwrap().push((authorization, body));
    }
    let is_silent = *shared.silent.lock().unwrap() == Some(path);
    if is_silent {
        shared.asked_in_vain.notify_one();
        return std::future::pending().await;
    }
    let answers = shared.answers.lock().unwrap();
    match answers.get(path) {
        Some(answer) => answer.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
