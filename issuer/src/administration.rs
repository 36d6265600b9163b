//! What administrators do about people, roles, organizations and sessions: one set of functions for the JSON API, the
//! console and the command line.
//!
//! Each function takes the [`Actor`], a typed request and nothing of HTTP; it checks the request whole, changes the store in
//! one transaction with its audit event, and gives the new value or a typed error. Whether somebody may administrate at
//! all is decided before, by [`Permission::is_given_by`] for people and by the token's scope for clients.

mod actor;
mod allowance;
pub mod api_keys;
pub mod audit;
pub mod audit_resource;
pub mod clients;
mod error;
pub mod factors;
mod fields;
pub mod invitations;
pub mod organizations;
pub mod overview;
mod refusal;
pub mod roles;
pub mod sessions;
pub mod signing_keys;
pub mod sso_connections;
pub mod users;

pub use actor::{Actor, Means, Permission};
pub use allowance::{Allowance, Recipient};
pub use error::{AdministrationError, FieldFault};
pub use refusal::{Refusal, record_refusal};
