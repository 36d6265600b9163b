//! `wardgate serve` as the network sees it: real sockets, real signals, a real process.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod hostile;
mod many;
mod stopping;
mod support;
mod tls;
