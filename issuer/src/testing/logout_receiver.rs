//! A client's back-channel logout endpoint on this machine: it keeps what it is sent, and answers when and what a test says.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

pub(crate) struct LogoutReceiver {
    /// Where it takes logout tokens.
    pub(crate) url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    status: Mutex<StatusCode>,
    received: watch::Sender<Vec<Received>>,
    held: watch::Sender<bool>,
}

impl LogoutReceiver {
    /// One that answers 200 at once.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/logout", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            status: Mutex::new(StatusCode::OK),
            received: watch::Sender::new(Vec::new()),
            held: watch::Sender::new(false),
        });
        let router = Router::new().fallback(take).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, task }
    }

    /// Answers this from now on; redirects lead to itself.
    pub(crate) fn answer(&self, status: u16) {
        *self.shared.status.lock().unwrap() = StatusCode::from_u16(status).unwrap();
    }

    /// Keeps everybody waiting for an answer, or lets them go.
    pub(crate) fn hold(&self, held: bool) {
        self.shared.held.send_replace(held);
    }

    /// Everything that came so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// Waits until something came.
    pub(crate) async fn is_asked(&self) {
        let mut received = self.shared.received.subscribe();
        received.wait_for(|received| !received.is_empty()).await.unwrap();
    }
}

impl Drop for LogoutReceiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fields = form_urlencoded::parse(&body).into_owned().collect();
    shared.received.send_modify(|received| {
        received.push(Received {
            method,
            path: uri.path().into(),
            headers,
            fields,
            body,
        });
    });
    shared.held.subscribe().wait_for(|held| !held).await.unwrap();
    let status = *shared.status.lock().unwrap();
    (status, [(header::LOCATION, "/elsewhere")]).into_response()
}
