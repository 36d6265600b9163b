//! The harness of the tests that see Wardgate from outside: the built Worker in the real `workerd`, an issuer that lies
//! on demand, an upstream that remembers everything, and clients for polite and for hostile requests.
//!
//! Forging is done here by hand (own JSON text, own base64, aws-lc-rs for the signatures), so that a fault in
//! `wardgate-shared` cannot hide behind a test that repeats it.
//!
//! Every test owns its Worker, issuer and upstream; nothing is shared but the pair of RSA keys, which is dear to make.

pub mod browser;
pub mod clock;
pub mod crash;
pub mod edge;
pub mod fake_issuer;
pub mod forge;
pub mod http;
pub mod keys;
pub mod pair;
pub mod program;
pub mod source;
pub mod upstream;
pub mod worker;
