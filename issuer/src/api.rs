//! The JSON API for administrators: [`crate::administration`] over HTTP, for their programs.
//!
//! Refusals are problem documents (RFC 9457) that name every fault of a request together. Trusted on entry: nothing;
//! [`authorization`] says who may call, [`query`] and [`body`] read what they send. Left out on purpose: browser apps of
//! other origins, which no header lets in.

mod answer;
pub mod api_keys;
pub mod audit_events;
pub mod authorization;
mod body;
mod call;
pub mod clients;
mod description;
pub mod factors;
pub mod organizations;
mod query;
pub mod roles;
mod routes;
pub mod sessions;
pub mod signing_keys;
pub mod sso_connections;
pub mod users;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;

use crate::administration::{AdministrationError, FieldFault};

pub use call::Call;
pub use description::describe;
pub use routes::routes;

use call::ApiError;
use query::ListQuery;

/// Whether `path` belongs to this API.
pub fn is_of_api(path: &str) -> bool {
    [
        "/auth/users",
        "/auth/roles",
        "/auth/organizations",
        "/auth/sso-connections",
        "/auth/sso",
        "/v1/sessions",
        "/v1/audit-events",
        "/v1/clients",
        "/v1/api-keys",
        "/v1/signing-keys",
    ]
    .iter()
    .filter_map(|root| path.strip_prefix(root))
    .any(|below| below.is_empty() || below.starts_with('/'))
}

/// The id in the path of a call, which has no query.
fn path_id(call: &Call, id: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    ListQuery::none(call.query.as_deref()).map_err(ApiError::Query)?;
    // An id of ours is text.
    let Path(id) = id.map_err(|_| AdministrationError::NotFound)?;
    Ok(id)
}

/// The faults in the form of a request together with those in what it says, one a member.
fn all_faults(
    mut faults: Vec<FieldFault>,
    checked: Result<(), AdministrationError>,
) -> Result<(), AdministrationError> {
    match checked {
        Ok(()) if faults.is_empty() => Ok(()),
        Ok(()) => Err(AdministrationError::Invalid(faults)),
        Err(AdministrationError::Invalid(more)) => {
            for fault in more {
                if faults.iter().all(|known| known.field != fault.field) {
                    faults.push(fault);
                }
            }
            Err(AdministrationError::Invalid(faults))
        }
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod credential_tests;
#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod tests;
