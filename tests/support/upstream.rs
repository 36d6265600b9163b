//! An API behind the edge that remembers every request as it came in and answers as a test tells it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::Response;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::http::Headers;

/// A request as it arrived upstream.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// Path and query, not decoded.
    pub target: String,
    /// The header fields.
    pub headers: Headers,
    /// The whole body.
    pub body: Bytes,
}

impl Received {
    /// The only value of this header, as text; see [`Headers::one`].
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.one(name)
    }
}

/// What a request is answered with.
#[derive(Clone, Debug)]
pub struct UpstreamAnswer {
    /// The status.
    pub status: u16,
    /// Headers, in this order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Bytes,
    /// How long to wait first.
    pub delay: Duration,
}

impl UpstreamAnswer {
    /// An answer with this status and body, of a FHIR resource's type.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), b"application/fhir+json".to_vec())];
        Self {
            status,
            headers,
            body: body.into(),
            delay: Duration::ZERO,
        }
    }

    /// With one header more.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// After this delay.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// What the upstream says unless told otherwise.
pub const BUNDLE: &str = r#"{"resourceType":"Bundle","type":"searchset","total":0}"#;

struct Shared {
    answer: Mutex<UpstreamAnswer>,
    received: Mutex<Vec<Received>>,
}

/// A running upstream. Its listener closes when it is dropped.
pub struct Upstream {
    /// Its URL, without a slash at the end.
    pub url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Upstream {
    /// Starts an upstream on a free loopback port that answers 200 with [`BUNDLE`].
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            answer: Mutex::new(UpstreamAnswer::new(200, BUNDLE)),
            received: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the upstream serves");
        });
        Self { url, shared, server }
    }

    /// From now on answers every request like this.
    pub fn answer_with(&self, answer: UpstreamAnswer) {
        *self.shared.answer.lock().expect("not poisoned") = answer;
    }

    /// Every request so far, in order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("not poisoned").clone()
    }

    /// The one request so far.
    ///
    /// # Panics
    /// When there was none, or more than one.
    #[track_caller]
    pub fn only_request(&self) -> Received {
        let mut received = self.received();
        assert_eq!(
            received.len(),
            1,
            "requests that reached the upstream: {received:#?}"
        );
        received.remove(0)
    }

    /// Closes the listener: new connections are refused from now on. Those that are open stay.
    pub async fn go_down(&mut self) {
        self.server.abort();
        let stopped = (&mut self.server).await;
        assert!(
            stopped.is_err_and(|error| error.is_cancelled()),
            "the upstream was running until now"
        );
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.shared.received.lock().expect("not poisoned").clear();
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 64 << 20).await.expect("the whole body arrives");
    let answer = shared.answer.lock().expect("not poisoned").clone();
    let target = parts
        .uri
        .path_and_query()
        .map_or_else(|| parts.uri.to_string(), ToString::to_string);
    shared.received.lock().expect("not poisoned").push(Received {
        method: parts.method.to_string(),
        target,
        headers: Headers::from(&parts.headers),
        body,
    });
    tokio::time::sleep(answer.delay).await;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).expect("a response")
}
