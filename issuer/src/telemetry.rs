//! Traces for OpenTelemetry, where a collector is configured: OTLP over HTTP in its JSON form (opentelemetry-proto 1, W3C Trace Context).
//!
//! What can be traced is said in [`spans`] and nowhere else: each span's name, and attributes from fixed lists. The layer that collects
//! them takes spans of [`TARGET`] only, and of these only attributes in its list, so that no token, no secret, no person, no patient and
//! no path can leave by this way, whoever adds a span elsewhere. A trace that comes with a request is continued for proxies that are
//! configured as trusted: from anybody else it would let strangers join traces or have everything traced.
//!
//! Spans wait in a queue with a bound, and what finds no place is dropped: a collector that is slow or gone costs traces and never an
//! answer. Left out: metrics (Prometheus fetches them), logs, and the protobuf form.

pub mod collect;
pub mod context;
pub mod export;
pub mod spans;

/// The target of every span that is exported; the log shows none of them.
pub const TARGET: &str = "wardgate_trace";

#[cfg(test)]
mod tests;
