//! Wardgate's issuer: OAuth 2.0, OpenID Connect and SMART on FHIR in one binary with an embedded database.
//!
//! | module | what it is |
//! |---|---|
//! | [`domain`] | The things the issuer keeps and what may become of them; no I/O. |
//! | [`store`] | Domain operations over SQLite; the only place that holds SQL. |
//! | [`keys`] | Signing keys: made, sealed, published, rotated, used. |
//! | [`outbound`] | What is fetched from others, and what is never fetched. |
//! | [`registration`] | What clients may be registered with. |
//! | [`password`] | Argon2id with bounded concurrency. |
//! | [`config`] | One typed configuration; every fault reported at once. |
//! | [`state`] | What every handler shares. |
//! | [`server`] | Sockets, connections, TLS, and their limits. |
//! | [`router`], [`layers`], [`web`] | Every route and layer, and what only the web side shares. |
//! | [`extract`] | Reading requests at the border. |
//! | [`endpoints`] | The protocol's endpoints, one file each. |
//! | [`openapi`] | What programs can call, as OpenAPI describes it. |
//! | [`login`], [`consent`], [`account`] | The pages on which people sign in, allow, look after their account and sign out. |
//! | [`administration`], [`api`], [`console`] | What administrators do, and the JSON API and the pages by which they do it. |
//! | [`account_links`] | Links by which people set their password: made, mailed. |
//! | [`background`] | Work after the answer, so that it does not show in its time. |
//! | [`messages`] | Mail and short messages: queued, sealed, sent beside the requests. |
//! | [`single_sign_on`] | Signing in at the identity provider of one's organization. |
//! | [`tokens`] | What clients get, and which scopes. |
//! | [`views`], [`error`] | Pages, and refusals in their wire forms. |
//! | [`cli`] | The commands of the binary `wardgate`. |
//! | [`path_segment`] | Texts as one segment of a path. |
//! | [`clock`], [`rng`] | The one clock and the one source of randomness. |

pub mod account;
pub mod account_links;
pub mod administration;
pub mod api;
pub mod backchannel_logout;
pub mod background;
pub mod cli;
pub mod clock;
pub mod config;
pub mod consent;
pub mod console;
pub mod device;
pub mod domain;
pub mod endpoints;
pub mod error;
pub mod extract;
pub mod fhir;
pub mod keys;
pub mod layers;
pub mod login;
pub mod messages;
pub mod notices;
pub mod openapi;
pub mod outbound;
pub mod passkeys;
pub mod password;
pub mod path_segment;
pub mod registration;
pub mod rng;
pub mod router;
pub mod select_patient;
pub mod server;
pub mod single_sign_on;
pub mod snapshots;
pub mod state;
pub mod store;
pub mod throttle;
pub mod tokens;
pub mod views;
pub mod web;

/// The issuer as a web service over `state`: serve it with connect info, so that client addresses are known.
pub fn app(state: state::AppState) -> axum::Router {
    router::router(state)
}

#[cfg(test)]
pub(crate) mod testing;
