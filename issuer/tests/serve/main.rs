//! `wardgate serve` as the network sees it: real sockets, real signals, a real process.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

mod hostile;
mod many;
mod proxies;
mod stopping;
mod support;
mod tls;
