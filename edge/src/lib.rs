//! Wardgate's edge: a Worker that lets a request through to a FHIR API, or another one, when its access token permits it.
//!
//! The crate is two things. Everything outside `platform` is ordinary Rust that compiles for any target, takes the
//! time as a value and reaches the world through the trait [`outside::Outside`]; its tests run natively. `platform`
//! exists in WebAssembly only: it implements that trait over `worker`, `web-sys` and WebCrypto, and holds the entry
//! function. No other module names those crates.
//!
//! | module | what it answers |
//! |---|---|
//! | [`gateway`] | In which order is a request looked at? The whole pipeline, on one page |
//! | [`request`] | What does the request say? |
//! | [`routes`] | What is addressed, and is it open or guarded? |
//! | [`credentials`] | Which one credential was presented? |
//! | [`api_keys`] | Which token stands for an API key? |
//! | [`authenticate`], [`issuers`], [`jwks`], [`token_cache`] | Is the token genuine, and who is it? |
//! | [`dpop`] | Does whoever presents it hold the key that it is bound to? |
//! | [`status`] | Was it revoked? |
//! | [`authorize`] | May its holder do this? |
//! | [`body`] | What does it say in a body, where that decides? |
//! | [`compartment`] | Does it stay with the patient in context? |
//! | [`unverified`] | Is this network flooding us, before anything is looked at? |
//! | [`quota`] | How many more requests may they make? |
//! | [`proxy`], [`headers`] | What goes to the server behind, and what comes back? |
//! | [`well_known`], [`capabilities`], [`cors`] | The documents that need no token, and what browsers ask first |
//! | [`error`], [`answer`], [`negotiation`] | How is a refusal said? |
//! | [`explain`] | What would be decided, and why? |
//! | [`config`], [`refresh`], [`outside`] | Settings, when to fetch a document again, the world around a request |
//! | [`waiting`] | What of all this waits for something outside? |
//! | [`log`], [`metrics`], [`trace_context`] | The line that records a decision, how many there were, which trace they are part of |

pub mod answer;
pub mod api_keys;
pub mod authenticate;
pub mod authorize;
pub mod body;
pub mod capabilities;
pub mod compartment;
pub mod config;
pub mod cors;
pub mod credentials;
pub mod dpop;
pub mod error;
pub mod explain;
pub mod gateway;
pub mod headers;
pub mod issuers;
pub mod jwks;
pub mod log;
pub mod metrics;
pub mod negotiation;
pub mod outside;
pub mod proxy;
pub mod quota;
pub mod refresh;
pub mod request;
pub mod routes;
pub mod status;
pub mod token_cache;
pub mod trace_context;
pub mod unverified;
pub mod waiting;
pub mod well_known;

#[cfg(target_arch = "wasm32")]
mod platform;

#[cfg(test)]
mod testing;
