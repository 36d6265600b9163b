//! An issuer whose documents do what a test tells them, while it runs: its key set, its SMART configuration, its status
//! lists. They are served, slow, broken, lie, or are gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::keys::{SigningKey, jwk_set};

/// Where the key set lies.
pub const JWKS_PATH: &str = "/.well-known/jwks.json";

/// Where the SMART configuration lies.
pub const SMART_PATH: &str = "/.well-known/smart-configuration";

/// What a request for the key set, or for another document, is answered with.
#[derive(Clone, Debug)]
pub enum JwksAnswer {
    /// 200 and this document.
    Document(Value),
    /// 200 and these bytes, said to be JSON.
    Bytes(Vec<u8>),
    /// This status, with the document nonetheless: a body must not make up for a status.
    Status(u16),
    /// 302 to this address.
    Redirect(String),
    /// The document, after this delay.
    Late(Duration),
    /// Nothing within any time that a test waits.
    Silence,
}

#[derive(Default)]
struct Counters {
    by_path: BTreeMap<String, usize>,
}

struct Shared {
    /// What is served properly, by its path.
    documents: Mutex<BTreeMap<String, Vec<u8>>>,
    /// What is served instead.
    answers: Mutex<BTreeMap<String, JwksAnswer>>,
    counters: Mutex<Counters>,
}

/// A running fake issuer. Its listener closes when it is dropped.
pub struct FakeIssuer {
    /// The issuer's URL, without a slash at the end; also its `iss`.
    pub url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl FakeIssuer {
    /// Starts an issuer on a free loopback port that publishes these keys.
    pub async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            documents: Mutex::default(),
            answers: Mutex::default(),
            counters: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("the fake issuer serves");
        });
        let issuer = Self { url, shared, server };
        issuer.publish(keys);
        issuer.publish_at(
            SMART_PATH,
            issuer.smart_configuration("/oauth2/token").to_string(),
        );
        issuer
    }

    /// A SMART configuration whose tokens come from this path.
    pub fn smart_configuration(&self, token_path: &str) -> Value {
        json!({
            "issuer": self.url,
            "token_endpoint": format!("{}{token_path}", self.url),
            "capabilities": ["client-public"],
        })
    }

    /// The address of the key set.
    pub fn jwks_url(&self) -> String {
        format!("{}{JWKS_PATH}", self.url)
    }

    /// From now on publishes exactly these keys, and answers properly.
    pub fn publish(&self, keys: &[&SigningKey]) {
        self.publish_at(JWKS_PATH, jwk_set(keys).to_string());
    }

    /// From now on has this document at this path, and answers properly there.
    pub fn publish_at(&self, path: &str, document: impl Into<Vec<u8>>) {
        let mut documents = self.shared.documents.lock().expect("not poisoned");
        documents.insert(path.to_owned(), document.into());
        self.shared.answers.lock().expect("not poisoned").remove(path);
    }

    /// From now on answers requests for the key set like this.
    pub fn answer_keys_with(&self, answer: JwksAnswer) {
        self.answer_with(JWKS_PATH, answer);
    }

    /// The same for what is published at another path.
    pub fn answer_with(&self, path: &str, answer: JwksAnswer) {
        let mut answers = self.shared.answers.lock().expect("not poisoned");
        answers.insert(path.to_owned(), answer);
    }

    /// Closes the listener: connections are refused from now on. No connection is kept alive, so none is left.
    pub async fn go_down(&mut self) {
        self.server.abort();
        let stopped = (&mut self.server).await;
        assert!(
            stopped.is_err_and(|error| error.is_cancelled()),
            "the fake issuer was running until now"
        );
    }

    /// How often the key set was asked for.
    pub fn key_requests(&self) -> usize {
        self.requests_for(JWKS_PATH)
    }

    /// How often this path was asked for.
    pub fn requests_for(&self, path: &str) -> usize {
        self.shared
            .counters
            .lock()
            .expect("not poisoned")
            .by_path
            .get(path)
            .copied()
            .unwrap_or(0)
    }
}

impl Drop for FakeIssuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    *shared
        .counters
        .lock()
        .expect("not poisoned")
        .by_path
        .entry(path.clone())
        .or_default() += 1;
    // What a redirect leads to is a key set that would do.
    let lies_at = if path == "/elsewhere.json" {
        JWKS_PATH
    } else {
        &path
    };
    let published = shared
        .documents
        .lock()
        .expect("not poisoned")
        .get(lies_at)
        .cloned();
    let Some(published) = published else {
        return json_response(StatusCode::NOT_FOUND, b"{}".to_vec());
    };
    let programmed = shared.answers.lock().expect("not poisoned").get(&path).cloned();
    match programmed {
        None => json_response(StatusCode::OK, published),
        Some(JwksAnswer::Document(document)) => {
            json_response(StatusCode::OK, document.to_string().into_bytes())
        }
        Some(JwksAnswer::Bytes(bytes)) => json_response(StatusCode::OK, bytes),
        Some(JwksAnswer::Status(status)) => {
            json_response(StatusCode::from_u16(status).expect("a status"), published)
        }
        Some(JwksAnswer::Redirect(target)) => {
            let mut response = json_response(StatusCode::FOUND, published);
            response
                .headers_mut()
                .insert(header::LOCATION, target.parse().expect("a header value"));
            response
        }
        Some(JwksAnswer::Late(delay)) => {
            tokio::time::sleep(delay).await;
            json_response(StatusCode::OK, published)
        }
        Some(JwksAnswer::Silence) => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            json_response(StatusCode::OK, published)
        }
    }
}

fn json_response(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .body(Body::from(body))
        .expect("a response")
}
