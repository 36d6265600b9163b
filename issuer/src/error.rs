//! Refusals on the wire: one file a form. What each endpoint refuses, and why, is an enum beside the endpoint.
//!
//! Bodies carry a code and fixed text only. A cause inside the issuer goes to the log, once, and to nobody else.

pub mod bearer;
pub mod dpop;
pub mod internal;
pub mod json_body;
pub mod page;
pub mod problem;
pub mod redirect;

pub use internal::InternalError;
