//! What goes to the FHIR server and what comes back. Bodies never pass through here.

pub mod forward;
pub mod sanitize;

pub use forward::Forward;
