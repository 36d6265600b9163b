//! Which method on which path is which interaction: the table of FHIR's RESTful API, row by row.

use super::{Interaction, Method, MethodError, OperationTarget};
use crate::scope::path::Target;

use Method::{Delete, Get, Head, Patch, Post, Put};

/// The refusal of a method, naming those that apply.
fn not_allowed<'a>(allow: &'static str) -> Result<Interaction<'a>, MethodError> {
    Err(MethodError::NotAllowed { allow })
}

impl<'a> Interaction<'a> {
    /// Combines a method with what the path addresses. `conditional_create` says that `If-None-Exist` was sent.
    pub(in crate::scope) fn new(
        method: Method,
        target: Target<'a>,
        conditional_create: bool,
    ) -> Result<Self, MethodError> {
        match target {
            Target::System => match method {
                Get | Head => Ok(Self::SearchSystem),
                Post => Ok(Self::Batch),
                Put | Patch | Delete => not_allowed("GET, HEAD, POST"),
            },
            Target::Metadata => Self::get_only(method, Self::Capabilities),
            Target::SystemHistory => Self::get_only(method, Self::HistorySystem),
            Target::TypeHistory(resource_type) => Self::get_only(method, Self::HistoryType { resource_type }),
            Target::Compartment(compartment, id, resource) => Self::get_only(
                method,
                Self::SearchCompartment {
                    compartment,
                    id,
                    resource,
                },
            ),
            Target::SystemSearch => Self::post_only(method, Self::SearchSystem),
            Target::TypeSearch(resource_type) => Self::post_only(method, Self::SearchType { resource_type }),
            Target::CompartmentSearch(compartment, id, resource) => Self::post_only(
                method,
                Self::SearchCompartment {
                    compartment,
                    id,
                    resource,
                },
            ),
            Target::SystemOperation(name) => Self::operation(method, OperationTarget::System, name),
            Target::TypeOperation(resource_type, name) => {
                Self::operation(method, OperationTarget::Type(resource_type), name)
            }
            Target::InstanceOperation(resource_type, id, name) => {
                Self::operation(method, OperationTarget::Instance(resource_type, id), name)
            }
            Target::Type(resource_type) => Ok(match method {
                Get | Head => Self::SearchType { resource_type },
                Post if conditional_create => Self::ConditionalCreate { resource_type },
                Post => Self::Create { resource_type },
                Put => Self::ConditionalUpdate { resource_type },
                Patch => Self::ConditionalPatch { resource_type },
                Delete => Self::ConditionalDelete { resource_type },
            }),
            Target::Instance(resource_type, id) => match method {
                Get | Head => Ok(Self::Read { resource_type, id }),
                Put => Ok(Self::Update { resource_type, id }),
                Patch => Ok(Self::Patch { resource_type, id }),
                Delete => Ok(Self::Delete { resource_type, id }),
                Post => not_allowed("GET, HEAD, PUT, PATCH, DELETE"),
            },
            Target::InstanceHistory(resource_type, id) => match method {
                Get | Head => Ok(Self::HistoryInstance { resource_type, id }),
                Delete => Ok(Self::DeleteHistory {
                    resource_type,
                    id,
                    version: None,
                }),
                Post | Put | Patch => not_allowed("GET, HEAD, DELETE"),
            },
            Target::Version(resource_type, id, version) => match method {
                Get | Head => Ok(Self::VersionRead {
                    resource_type,
                    id,
                    version,
                }),
                Delete => Ok(Self::DeleteHistory {
                    resource_type,
                    id,
                    version: Some(version),
                }),
                Post | Put | Patch => not_allowed("GET, HEAD, DELETE"),
            },
        }
    }

    /// An interaction that is asked for by `GET` or `HEAD`.
    fn get_only(method: Method, interaction: Self) -> Result<Self, MethodError> {
        match method {
            Get | Head => Ok(interaction),
            Post | Put | Patch | Delete => not_allowed("GET, HEAD"),
        }
    }

    /// A search by form.
    fn post_only(method: Method, interaction: Self) -> Result<Self, MethodError> {
        match method {
            Post => Ok(interaction),
            Get | Head | Put | Patch | Delete => not_allowed("POST"),
        }
    }

    /// An operation, wherever it is called.
    fn operation(method: Method, on: OperationTarget<'a>, name: &'a str) -> Result<Self, MethodError> {
        match method {
            Get | Head | Post => Ok(Self::Operation { on, name }),
            Put | Patch | Delete => not_allowed("GET, HEAD, POST"),
        }
    }
}
