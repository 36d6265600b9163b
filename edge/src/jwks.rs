//! An issuer's keys (RFC 7517): held, renewed and found by what a token's header says.
//!
//! [`KeyCache`] is a pure state machine over [`crate::refresh`]; [`obtain()`] drives it with whatever fetches and imports.
//! A key is imported once and kept while the set holds it; a key that leaves the set is gone with the next fetch, and
//! every token it signed with it. What a fetched set has to be is in [`wardgate_shared::jwk::JwkSet`]: it parses, holds
//! public and strong keys only, and no `kid` twice. Left out on purpose: keys that a token names or brings itself.

mod cache;
mod obtain;

pub use cache::{Found, KeyCache, Lookup};
pub use obtain::{KeyError, MAXIMUM_DOCUMENT_BYTES, PAUSE_MILLISECONDS, load, obtain, waiting_turns};

#[cfg(test)]
mod tests;
