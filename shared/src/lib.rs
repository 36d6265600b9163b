//! What Wardgate's edge and issuer agree on: tokens, keys, PKCE, redirect URIs, scopes and error codes.
//!
//! The crate is `no_std` with `alloc`. It does no I/O, owns no clock and no randomness and knows no runtime: the time
//! is a [`time::Timestamp`] argument, random bytes come in as bytes, and a signature is checked by whoever implements
//! [`jwt::VerifyingKey`] (WebCrypto at the edge, aws-lc-rs in the issuer). The same code therefore runs in a
//! WebAssembly isolate, in the issuer's process and in a property test.
//!
//! | module | what it answers |
//! |---|---|
//! | [`jwt`] | Is this compact JWT one that a policy accepts, and what does it say? |
//! | [`jwk`] | Which public key is meant, and is it strong enough? |
//! | [`claims`] | What do access tokens and ID tokens say, member by member? |
//! | [`dpop`] | Does this proof show that a request comes from the holder of a key? |
//! | [`scope`] | What was granted, and does it permit this FHIR request? |
//! | [`api_key`] | Can this text be an API key or its secret? |
//! | [`status_list`] | Which of many tokens were revoked, in a bit each? |
//! | [`denial`] | Whose tokens from before an instant are refused? |
//! | [`quota`] | May this many requests pass? A rate limit with a stated bound |
//! | [`pkce`], [`redirect_uri`] | May this authorization code go there, to whom? |
//! | [`oauth_error`], [`error_uri`], [`problem`], [`operation_outcome`] | How is a refusal said in the standards' words? |
//! | [`secret`], [`time`] | Values that must not leak, and instants that must not be read here. |

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod api_key;
pub mod claims;
pub mod denial;
pub mod dpop;
pub mod error_uri;
pub mod json;
pub mod jwk;
pub mod jwt;
pub mod oauth_error;
pub mod operation_outcome;
pub mod pkce;
pub mod problem;
pub mod quota;
pub mod redirect_uri;
pub mod scope;
pub mod secret;
pub mod status_list;
pub mod time;
