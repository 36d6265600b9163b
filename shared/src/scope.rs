//! OAuth scopes: their grammar, their sets, what a SMART on FHIR scope means, and whether the scopes of a token permit
//! one FHIR request.
//!
//! Governing texts: RFC 6749 section 3.3 (grammar), SMART App Launch 2.2 "Scopes and Launch Context" (v1 and v2
//! syntax), FHIR R4/R4B/R5 RESTful API (interactions).
//!
//! The way of a request through this module:
//! 1. [`ScopeSet::parse`] reads the token's `scope` once; [`GrantedScopes::compile`] keeps what can grant something.
//! 2. [`FhirRequest::parse`] turns method, path and query into an [`Interaction`], or refuses them with a reason.
//! 3. [`permits`](fn@permits) answers [`Decision::Allow`] with the scope that allowed it, or
//!    [`Decision::Deny`] with the reason and the scope that would have been enough.
//!
//! ```
//! use wardgate_shared::scope::{
//!     Decision, FhirRequest, GrantedScopes, Holder, Operations, RawRequest, ScopeSet, permits,
//! };
//!
//! let granted = GrantedScopes::compile(&ScopeSet::parse("openid patient/*.read observation.write")?);
//! let holder = Holder::User { patient: Some("p1"), fhir_user: None };
//! let decide = |method, path| {
//!     let request = FhirRequest::parse(&RawRequest::new(method, path)).ok()?;
//!     Some(permits(&request, &granted, &holder, &Operations::none()))
//! };
//!
//! assert!(matches!(decide("GET", "/Patient/p1"), Some(Decision::Allow(_))));
//! assert!(matches!(decide("PUT", "/Observation/7"), Some(Decision::Allow(_))));
//! assert!(matches!(decide("GET", "/Patient/p2"), Some(Decision::Deny(_))));
//! assert!(decide("GET", "/Patient/..%2fp1").is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What this module trusts: nothing of the request; of the token, that somebody else has verified it. What it leaves
//! to the FHIR server behind: the content of resources. See [the rules](mod@permits) for that boundary.

pub mod bundle;
pub mod compartment;
pub mod granted;
pub mod holder;
pub mod interaction;
pub mod narrow;
pub mod operations;
pub mod path;
pub mod permissions;
pub mod permits;
pub mod query;
pub mod request;
pub mod resource_type;
pub mod restriction;
pub mod set;
pub mod smart;
pub mod token;

pub use bundle::{BundleError, EntryError};
pub use compartment::CompartmentError;
pub use granted::GrantedScopes;
pub use holder::{FhirUser, Holder};
pub use interaction::{Interaction, MethodError};
pub use narrow::narrow;
pub use operations::{OperationRule, Operations};
pub use permissions::Permissions;
pub use permits::{
    Allowed, AllowedTogether, Decision, DenialReason, Denied, Ground, NeededScope, permits, permits_together,
};
pub use request::{FhirRequest, RawRequest, RequestError};
pub use resource_type::ResourceType;
pub use restriction::SearchRestriction;
pub use set::{ScopeSet, ScopeSetError};
pub use smart::{Level, ResourceSelector, Scope, SmartScope, SmartScopeError};
pub use token::{ScopeToken, ScopeTokenError};

#[cfg(test)]
mod properties;
