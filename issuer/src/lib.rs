//! Wardgate's issuer: OAuth 2.0, OpenID Connect and SMART on FHIR in one binary with an embedded database.
//!
//! | module | what it is |
//! |---|---|
//! | [`domain`] | The things the issuer keeps and what may become of them; no I/O. |
//! | [`store`] | Domain operations over SQLite; the only place that holds SQL. |
//! | [`keys`] | Signing keys: made, sealed, published, rotated, used. |
//! | [`password`] | Argon2id with bounded concurrency. |
//! | [`config`] | One typed configuration; every fault reported at once. |
//! | [`state`] | What every handler shares. |
//! | [`cli`] | The commands of the binary `wardgate`. |
//! | [`clock`], [`rng`] | The one clock and the one source of randomness. |

pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod keys;
pub mod password;
pub mod rng;
pub mod state;
pub mod store;

#[cfg(test)]
pub(crate) mod testing;
