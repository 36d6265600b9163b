//! Everything that is traced, with all that is said of it.

use tracing::{Span, field, info_span};

use super::TARGET;

/// A request, by its method and the template of its route; `parent` is the `traceparent` of a trusted proxy.
pub fn request(method: &'static str, route: &str, parent: Option<&str>) -> Span {
    info_span!(
        target: TARGET,
        "request",
        parent,
        http.request.method = method,
        http.route = route,
        http.response.status_code = field::Empty,
    )
}

/// Says how a request was answered.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", u64::from(status));
}

/// A write, from its place in the queue to its commit.
pub fn store_write() -> Span {
    info_span!(target: TARGET, "store write")
}

/// A computation of Argon2, with the wait for its turn.
pub fn password() -> Span {
    info_span!(target: TARGET, "argon2")
}

/// A call to others of this kind.
pub fn outbound(kind: &'static str) -> Span {
    info_span!(target: TARGET, "outbound", wardgate.kind = kind, wardgate.outcome = field::Empty)
}

/// Says what became of a call.
pub fn ended(span: &Span, outcome: &'static str) {
    span.record("wardgate.outcome", outcome);
}

/// A signature with this algorithm.
pub fn signing(algorithm: &'static str) -> Span {
    info_span!(target: TARGET, "sign", wardgate.algorithm = algorithm)
}
