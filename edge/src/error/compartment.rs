//! How it is said that a request, or an answer, does not stay with the patient in context.

use wardgate_shared::scope::CompartmentError;

use crate::compartment::Withheld;

/// The status of a request that is not held to the patient.
pub(super) const fn status(error: CompartmentError) -> u16 {
    match error {
        CompartmentError::Body => 400,
        CompartmentError::Format => 406,
        CompartmentError::Type
        | CompartmentError::Shared
        | CompartmentError::Interaction
        | CompartmentError::Parameter
        | CompartmentError::OtherPatient
        | CompartmentError::Elements
        | CompartmentError::Conditional
        | CompartmentError::Resource
        | CompartmentError::Patch
        | CompartmentError::EntryWrites
        | CompartmentError::Mixed
        | CompartmentError::EntrySearch => 403,
    }
}

/// The same in one word of a fixed list.
pub(super) const fn reason(error: CompartmentError) -> &'static str {
    match error {
        CompartmentError::Type => "compartment_type",
        CompartmentError::Shared => "compartment_shared",
        CompartmentError::Interaction => "compartment_interaction",
        CompartmentError::Parameter => "compartment_parameter",
        CompartmentError::OtherPatient => "compartment_other_patient",
        CompartmentError::Elements => "compartment_elements",
        CompartmentError::Format => "compartment_format",
        CompartmentError::Conditional => "compartment_conditional",
        CompartmentError::Body => "compartment_body",
        CompartmentError::Resource => "compartment_resource",
        CompartmentError::Patch => "compartment_patch",
        CompartmentError::EntryWrites => "compartment_entry_writes",
        CompartmentError::Mixed => "compartment_mixed",
        CompartmentError::EntrySearch => "compartment_entry_search",
    }
}

impl Withheld {
    /// The status.
    pub(super) const fn status(self) -> u16 {
        match self {
            Self::NotThere | Self::NotThePatients | Self::NothingFound => 404,
            Self::Found => 403,
            Self::OtherVersion => 412,
            Self::Unreadable | Self::NoVersion => 502,
        }
    }

    /// The reason in one word of a fixed list.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::NotThere => "compartment_not_there",
            Self::NotThePatients => "compartment_not_theirs",
            Self::NothingFound => "compartment_nothing_found",
            Self::Found => "compartment_found_others",
            Self::OtherVersion => "compartment_other_version",
            Self::Unreadable => "compartment_unreadable",
            Self::NoVersion => "compartment_no_version",
        }
    }

    /// What the client's author is told.
    pub(super) const fn detail(self) -> &'static str {
        match self {
            Self::NotThere | Self::NotThePatients => "The patient in context has no such resource",
            Self::NothingFound => "A resource that the batch asks for is none of the patient in context",
            Self::Found => {
                "The answer holds records that are not the patient's in context, or does not show whose they are"
            }
            Self::OtherVersion => "The resource has another version than If-Match says",
            Self::Unreadable => {
                "The answer of the server behind the gateway cannot be read, so that nothing shows whose it is"
            }
            Self::NoVersion => {
                "The server behind the gateway gives the resource no version, so that it cannot be changed safely"
            }
        }
    }

    /// Whether the server behind is at fault.
    pub(super) const fn is_failure(self) -> bool {
        matches!(self, Self::Unreadable | Self::NoVersion)
    }
}
