//! The bodies of the fuzz targets: one function a parser, taking bytes as they may come from the network.
//!
//! A body fails by panicking: either the parser did, or something that must hold of its answer does not. The engine
//! (feature `engine`, `fuzz_targets/`) calls them with bytes it invents; `tests/seeds.rs` calls them with the files
//! under `seeds/`, so that every input that once found a fault can be kept as a regression test.

mod keys;
mod requests;
mod scopes;

pub use keys::{jwk_set, jwt_compact, pkce, redirect_uri};
pub use requests::interaction;
pub use scopes::{scope_set, smart_scope};

/// Every target by its name, which is also that of its folder under `seeds/`.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("interaction", interaction),
    ("jwk_set", jwk_set),
    ("jwt_compact", jwt_compact),
    ("pkce", pkce),
    ("redirect_uri", redirect_uri),
    ("scope_set", scope_set),
    ("smart_scope", smart_scope),
];
