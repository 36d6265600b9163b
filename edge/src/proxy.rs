//! What goes to the FHIR server and what comes back. Bodies never pass through here, but for the
//! CapabilityStatement ([`crate::capabilities`]).

pub mod forward;
pub mod sanitize;

pub use forward::Forward;
