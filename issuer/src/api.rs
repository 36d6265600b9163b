//! The JSON API for administrators: [`crate::administration`] over HTTP, for their programs.
//!
//! Refusals are problem documents (RFC 9457). Trusted on entry: nothing; [`authorization`] says who may call.

pub mod authorization;
