//! What goes to the FHIR server and what comes back. Bodies never pass through here, but for those that are decided on and
//! the CapabilityStatement ([`crate::body`], [`crate::compartment`], [`crate::capabilities`]).

mod confined;
pub mod forward;
pub mod sanitize;

pub use forward::Forward;
