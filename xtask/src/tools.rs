//! The tools that the commands need: found when they are there, installed when they are not.
//!
//! Everything that is installed goes into the per-user cache (`cache`), but for Debian packages, which go where apt
//! puts them. One file a tool; versions are in `crate::versions`.

pub(crate) mod bare_metal;
pub(crate) mod cache;
pub(crate) mod cargo_tool;
pub(crate) mod curl;
pub(crate) mod debian;
pub(crate) mod debian_wasm;
pub(crate) mod node;
pub(crate) mod npm;
pub(crate) mod python;
pub(crate) mod rust;
pub(crate) mod test_clients;
pub(crate) mod wasm_target;
