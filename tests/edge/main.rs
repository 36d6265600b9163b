//! The built Worker in the real `workerd`, seen from outside.
//!
//! `cargo xtask test` builds the Worker and says where it and `workerd` lie, in `WARDGATE_WORKER_DIR` and
//! `WARDGATE_WORKERD`. Every test starts a Worker of its own, with an issuer and an upstream that it commands.

mod api_keys;
mod apis;
mod bodies;
mod bundle;
mod claims_forwarded;
mod compartment;
mod config;
mod cors;
mod credentials;
mod dpop;
mod expect;
mod failures;
mod headers;
mod hostile;
mod jwks;
mod log_lines;
mod module;
mod open_paths;
mod paths;
mod platform;
mod rate_limits;
mod refusals;
mod scopes;
mod signatures;
mod tokens;
mod upstream;
mod variables;
