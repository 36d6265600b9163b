//! The bodies of the fuzz targets: one function a parser, taking bytes as they may come from the network.
//!
//! A body fails by panicking: either the parser did, or something that must hold of its answer does not. The engine
//! (feature `engine`, `fuzz_targets/`) calls them with bytes it invents; `tests/seeds.rs` calls them with the files
//! under `seeds/`, so that every input that once found a fault can be kept as a regression test.
//!
//! The engine needs a C++ compiler and coverage instrumentation, but neither a nightly compiler nor cargo-fuzz (which
//! works as well). With these flags in `RUSTFLAGS`, for one target and 30 seconds:
//!
//! ```text
//! --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
//! -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
//! -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1
//!
//! cargo run --release --features engine --target x86_64-unknown-linux-gnu --bin scope_set --
//!     -max_total_time=30 corpus/scope_set seeds/scope_set
//! ```
//!
//! `--target` keeps the flags away from build scripts; the first folder must exist and receives what is found.

mod api_keys;
mod compartment;
mod dpop;
mod keys;
mod quota;
mod requests;
mod scopes;

pub use api_keys::api_key;
pub use compartment::compartment;
pub use dpop::dpop_proof;
pub use keys::{jwk_set, jwt_compact, pkce, redirect_uri, status_list};
pub use quota::quota;
pub use requests::{bundle, interaction};
pub use scopes::{scope_set, smart_scope};

/// A fuzz target: takes any bytes and panics when something that must hold does not.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder under `seeds/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("api_key", api_key),
    ("bundle", bundle),
    ("compartment", compartment),
    ("dpop_proof", dpop_proof),
    ("interaction", interaction),
    ("jwk_set", jwk_set),
    ("jwt_compact", jwt_compact),
    ("pkce", pkce),
    ("quota", quota),
    ("redirect_uri", redirect_uri),
    ("scope_set", scope_set),
    ("smart_scope", smart_scope),
    ("status_list", status_list),
];
