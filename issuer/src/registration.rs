//! What a client may be registered with (RFC 7591, OpenID Connect Dynamic Client Registration 1.0): one set of rules for
//! clients that register themselves and for those that the operator registers.
//!
//! [`RequestedClient`] reads a document of a stranger, [`check`] holds a finished client to the rules, [`describe`] shows
//! it in the specifications' words. No I/O: who may register, and what is fetched meanwhile, is said in
//! `endpoints/registration`.

mod description;
mod document;
mod fault;
mod requested;
mod rules;

pub use description::describe;
pub use document::Document;
pub use fault::MetadataFault;
pub use requested::{RequestedClient, Standing};
pub use rules::check;
