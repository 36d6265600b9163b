//! Section `connections`: how many there may be, and how slow and how large what comes over them.

use std::time::Duration;

use super::reader::Reader;

/// What a connection is held to. Each limit is against somebody who would keep the issuer busy with little work of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionsConfig {
    /// How many connections may be open at once.
    pub maximum: usize,
    /// How many of them from one network: an IPv4 address, an IPv6 /64. Trusted proxies may have more.
    pub maximum_per_address: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long the headers of a request may take.
    pub header: Duration,
    /// How long a connection may be without a request.
    pub idle: Duration,
    /// How long a body may take before it has to keep to `body_bytes_per_second`.
    pub body: Duration,
    /// How fast a body has to come on the whole.
    pub body_bytes_per_second: u32,
    /// How long a request may take in all, until its answer is taken.
    pub request: Duration,
    /// The most bytes that the headers of a request may have.
    pub header_bytes: u32,
    /// The most headers that a request may have.
    pub header_count: usize,
    /// How many requests may be under way at once on one HTTP/2 connection.
    pub streams: u32,
    /// How many requests may be taken back on one HTTP/2 connection.
    pub resets: usize,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<ConnectionsConfig> {
    let maximum = reader.number("connections.maximum", 1..=1_000_000, "connections");
    let per_address = reader.number("connections.maximum_per_address", 1..=1_000_000, "connections");
    let mut seconds = |key| {
        let seconds = reader.number(key, 1..=3600, "seconds")?;
        Some(Duration::from_secs(seconds.try_into().ok()?))
    };
    let handshake = seconds("connections.handshake_seconds");
    let header = seconds("connections.header_seconds");
    let idle = seconds("connections.idle_seconds");
    let body = seconds("connections.body_seconds");
    let request = seconds("connections.request_seconds");
    let body_bytes_per_second =
        reader.number("connections.body_bytes_per_second", 1..=1_000_000_000, "bytes");
    let header_bytes = reader.number("connections.header_bytes", 8192..=1_048_576, "bytes");
    let header_count = reader.number("connections.header_count", 20..=1000, "headers");
    let streams = reader.number("connections.streams", 1..=10_000, "requests");
    let resets = reader.number("connections.resets", 1..=1_000_000, "requests");
    Some(ConnectionsConfig {
        maximum: maximum?.try_into().ok()?,
        maximum_per_address: per_address?.try_into().ok()?,
        handshake: handshake?,
        header: header?,
        idle: idle?,
        body: body?,
        body_bytes_per_second: body_bytes_per_second?.try_into().ok()?,
        request: request?,
        header_bytes: header_bytes?.try_into().ok()?,
        header_count: header_count?.try_into().ok()?,
        streams: streams?.try_into().ok()?,
        resets: resets?.try_into().ok()?,
    })
}
