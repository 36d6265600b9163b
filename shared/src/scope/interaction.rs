//! FHIR interactions: what a request asks the server to do, from its method and its path.
//!
//! Governing text: FHIR R4/R5 "RESTful API"; the permissions each needs are those of SMART App Launch 2.2 and, where
//! that is silent (conditional writes, compartments, history deletion), the stricter reading, noted at
//! [`Interaction::needs`]. Methods are compared as exact upper-case strings; a method outside the list is refused, never
//! taken for another one.

use super::permissions::Permissions;
use super::resource_type::ResourceType;
use super::smart::ResourceSelector;

mod table;

/// The methods FHIR uses, `OPTIONS` excepted, which needs no permission and is answered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`.
    Get,
    /// `HEAD`: judged as `GET`.
    Head,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
}

/// Why a method is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// No method of the list above, in this spelling.
    #[error("the method is not one of GET, HEAD, POST, PUT, PATCH, DELETE")]
    Unknown,
    /// FHIR defines no such method for this path.
    #[error("the method does not apply here; allowed: {allow}")]
    NotAllowed {
        /// The methods FHIR defines for the path, as the `Allow` header lists them (RFC 9110 section 10.2.1).
        allow: &'static str,
    },
}

impl Method {
    /// Reads a method as received.
    ///
    /// # Errors
    /// [`MethodError::Unknown`].
    pub fn parse(method: &str) -> Result<Self, MethodError> {
        match method {
            "GET" => Ok(Self::Get),
            "HEAD" => Ok(Self::Head),
            "POST" => Ok(Self::Post),
            "PUT" => Ok(Self::Put),
            "PATCH" => Ok(Self::Patch),
            "DELETE" => Ok(Self::Delete),
            _ => Err(MethodError::Unknown),
        }
    }
}

/// What a request asks for. Ids are FHIR ids as they stand in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interaction<'a> {
    /// `GET [type]/[id]`.
    Read {
        /// Type of the resource.
        resource_type: ResourceType,
        /// Its id.
        id: &'a str,
    },
    /// `GET [type]/[id]/_history/[vid]`.
    VersionRead {
        /// Type of the resource.
        resource_type: ResourceType,
        /// Its id.
        id: &'a str,
        /// Which version.
        version: &'a str,
    },
    /// `GET [type]/[id]/_history`.
    HistoryInstance {
        /// Type of the resource.
        resource_type: ResourceType,
        /// Its id.
        id: &'a str,
    },
    /// `GET [type]/_history`.
    HistoryType {
        /// The type.
        resource_type: ResourceType,
    },
    /// `GET _history`.
    HistorySystem,
    /// `GET [type]?…`, `POST [type]/_search`.
    SearchType {
        /// The type.
        resource_type: ResourceType,
    },
    /// `GET ?…` on the base, `POST _search`.
    SearchSystem,
    /// `GET [compartment]/[id]/[type]?…`, `GET [compartment]/[id]/*`, `POST …/_search`.
    SearchCompartment {
        /// The type the compartment is of.
        compartment: ResourceType,
        /// The id of its resource.
        id: &'a str,
        /// What is searched inside.
        resource: ResourceSelector,
    },
    /// `POST [type]`.
    Create {
        /// The type.
        resource_type: ResourceType,
    },
    /// `POST [type]` with `If-None-Exist`.
    ConditionalCreate {
        /// The type.
        resource_type: ResourceType,
    },
    /// `PUT [type]/[id]`, whether it finds the resource or creates it.
    Update {
        /// Type of the resource.
        resource_type: ResourceType,
        /// Its id.
        id: &'a str,
    },
    /// `PUT [type]?…`.
    ConditionalUpdate {
        /// The type.
        resource_type: ResourceType,
    },
    /// `PATCH [type]/[id]`.
    Patch {
        /// Type of the resource.
        resource_type: ResourceType,
        /// Its id.
        id: &'a str,
    },
    /// `PATCH [type]?…`.
    ConditionalPatch {
        /// The type.
        resource_type: ResourceType,
    },
    /// `DELETE [type]/[id]`.
    Delete {
        /// Type of the resource.
        resource_type: ResourceType,
        /// Its id.
        id: &'a str,
    },
    /// `DELETE [type]?…`.
    ConditionalDelete {
        /// The type.
        resource_type: ResourceType,
    },
    /// `DELETE [type]/[id]/_history` and, for one version, `DELETE [type]/[id]/_history/[vid]` (R5).
    DeleteHistory {
        /// Type of the resource.
        resource_type: ResourceType,
        /// Its id.
        id: &'a str,
        /// The one version meant, if not all.
        version: Option<&'a str>,
    },
    /// `POST` on the base: a batch or a transaction.
    Batch,
    /// `GET` or `POST` of `$name`.
    Operation {
        /// What it is called on.
        on: OperationTarget<'a>,
        /// Its name without the `$`.
        name: &'a str,
    },
    /// `GET metadata`.
    Capabilities,
}

/// What an operation is called on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationTarget<'a> {
    /// The FHIR base.
    System,
    /// A type.
    Type(ResourceType),
    /// One resource: its type and id.
    Instance(ResourceType, &'a str),
}

/// What an interaction needs of the scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: open to everyone.
    Nothing,
    /// These permissions on these types.
    Permissions(ResourceSelector, Permissions),
    /// What each of its entries needs, which the path does not tell.
    ThoseOfItsEntries,
    /// What the operator has laid down for the operation.
    ThoseOfTheOperation,
}

impl Interaction<'_> {
    /// What the scopes must give for this interaction.
    ///
    /// Conditional writes need `s` beside their own letter, because whether they act tells what is there. A search over
    /// all types, of the system or of a compartment, needs `s` on `*`, whatever `_type` says.
    pub fn needs(&self) -> Needs {
        let on = |resource_type, permissions| {
            Needs::Permissions(ResourceSelector::Type(resource_type), permissions)
        };
        match *self {
            Self::Capabilities => Needs::Nothing,
            Self::Batch => Needs::ThoseOfItsEntries,
            Self::Operation { .. } => Needs::ThoseOfTheOperation,
            Self::Read { resource_type, .. }
            | Self::VersionRead { resource_type, .. }
            | Self::HistoryInstance { resource_type, .. } => on(resource_type, Permissions::READ),
            Self::HistoryType { resource_type } | Self::SearchType { resource_type } => {
                on(resource_type, Permissions::SEARCH)
            }
            Self::HistorySystem | Self::SearchSystem => {
                Needs::Permissions(ResourceSelector::Any, Permissions::SEARCH)
            }
            Self::SearchCompartment { resource, .. } => Needs::Permissions(resource, Permissions::SEARCH),
            Self::Create { resource_type } => on(resource_type, Permissions::CREATE),
            Self::ConditionalCreate { resource_type } => {
                on(resource_type, Permissions::CREATE.union(Permissions::SEARCH))
            }
            Self::Update { resource_type, .. } | Self::Patch { resource_type, .. } => {
                on(resource_type, Permissions::UPDATE)
            }
            Self::ConditionalUpdate { resource_type } | Self::ConditionalPatch { resource_type } => {
                on(resource_type, Permissions::UPDATE.union(Permissions::SEARCH))
            }
            Self::Delete { resource_type, .. } | Self::DeleteHistory { resource_type, .. } => {
                on(resource_type, Permissions::DELETE)
            }
            Self::ConditionalDelete { resource_type } => {
                on(resource_type, Permissions::DELETE.union(Permissions::SEARCH))
            }
        }
    }

    /// Whether the interaction may touch the one patient's records only, as far as the path can tell. What names a
    /// Patient must name this one; a Patient is never created, and never written by a search, on behalf of a patient;
    /// operations on a type or on the system are about more than one patient. Everything else is the FHIR server's to
    /// confine.
    pub(super) fn stays_with(&self, patient: &str) -> bool {
        match *self {
            Self::Read { resource_type, id }
            | Self::VersionRead {
                resource_type, id, ..
            }
            | Self::HistoryInstance { resource_type, id }
            | Self::Update { resource_type, id }
            | Self::Patch { resource_type, id }
            | Self::Delete { resource_type, id }
            | Self::DeleteHistory {
                resource_type, id, ..
            }
            | Self::SearchCompartment {
                compartment: resource_type,
                id,
                ..
            }
            | Self::Operation {
                on: OperationTarget::Instance(resource_type, id),
                ..
            } => resource_type != ResourceType::PATIENT || id == patient,
            Self::Create { resource_type }
            | Self::ConditionalCreate { resource_type }
            | Self::ConditionalUpdate { resource_type }
            | Self::ConditionalPatch { resource_type }
            | Self::ConditionalDelete { resource_type } => resource_type != ResourceType::PATIENT,
            Self::Operation {
                on: OperationTarget::System | OperationTarget::Type(_),
                ..
            } => false,
            Self::HistoryType { .. }
            | Self::HistorySystem
            | Self::SearchType { .. }
            | Self::SearchSystem
            | Self::Batch
            | Self::Capabilities => true,
        }
    }

    /// Whether this is a conditional write, which needs criteria.
    pub(super) fn is_conditional_on_query(&self) -> bool {
        matches!(
            self,
            Self::ConditionalUpdate { .. } | Self::ConditionalPatch { .. } | Self::ConditionalDelete { .. }
        )
    }

    /// Whether this is a search.
    pub(super) fn is_search(&self) -> bool {
        matches!(
            self,
            Self::SearchType { .. } | Self::SearchSystem | Self::SearchCompartment { .. }
        )
    }
}

#[cfg(test)]
mod tests;
