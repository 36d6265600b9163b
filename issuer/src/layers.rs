//! What is done around every request, one function a layer. The router says in which order.

use std::any::Any;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::extract::Origin;
use crate::rng;
use crate::server::redirect::send_to_https;
use crate::state::AppState;

/// The longest request body, in bytes. The largest lawful form is an authorization request with long opaque values.
pub const MAXIMUM_BODY_BYTES: usize = 64 * 1024;
/// The longest time for an answer; longer than a sign-in may wait for its turn at the password hash.
pub const LONGEST_ANSWER: Duration = Duration::from_secs(30);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Sends those on to https whom a trusted proxy took in by http, or refuses what they posted. Of the issuer's own connections a request by
/// http never comes this far.
pub async fn https_only(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let server = &state.config().server;
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_http = server.public_url.is_https()
        && peer.is_some_and(|ConnectInfo(peer)| Origin::of(peer.ip(), request.headers(), server).is_http);
    if is_http {
        return send_to_https(&server.public_url, request.method(), request.uri());
    }
    next.run(request).await
}

/// Names every request by random characters of our own, in the log and in the answer. A name that the request brings is
/// dropped: the log is not to be written by strangers.
pub async fn request_id(mut request: Request, next: Next) -> Response {
    let id = rng::identifier("req-")
        .ok()
        .and_then(|id| HeaderValue::from_str(&id).ok());
    match &id {
        Some(id) => request.headers_mut().insert(REQUEST_ID, id.clone()),
        None => request.headers_mut().remove(REQUEST_ID),
    };
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The span of a request: method, path and name. No query and no headers, since codes, tokens and cookies travel there.
pub fn request_span<B>(request: &http::Request<B>) -> tracing::Span {
    let id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default();
    tracing::info_span!("request", method = %request.method(), path = request.uri().path(), id)
}

/// The answer when a handler panicked. No input should bring that about; if it does, the cause is in the log.
#[expect(clippy::needless_pass_by_value, reason = "the signature is tower-http's")]
pub fn answer_to_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let cause = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(cause, "a handler panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Keeps every answer out of caches, unless its handler said otherwise (RFC 6749 section 5.1, SMART-39).
pub async fn no_store(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Entry::Vacant(cache_control) = headers.entry(header::CACHE_CONTROL) {
        cache_control.insert(HeaderValue::from_static("no-store"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    }
    response
}

/// Headers that keep browsers from doing more with an answer than it is meant for. Pages bring a policy of their own.
pub async fn security_headers(State(https): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let nothing = "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
    set_if_absent(headers, header::CONTENT_SECURITY_POLICY, nothing);
    set_if_absent(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set_if_absent(headers, header::X_FRAME_OPTIONS, "DENY");
    set_if_absent(headers, header::REFERRER_POLICY, "no-referrer");
    if https {
        set_if_absent(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

fn set_if_absent(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}
