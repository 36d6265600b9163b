//! Why what an administrator wants is not done.

use std::borrow::Cow;

use crate::error::internal::InternalError;
use crate::rng::NoRandomness;
use crate::store::{Refused, StoreError};

use super::Refusal;

/// The most characters of a name that is repeated to whoever wrote it.
const LONGEST_NAME: usize = 64;

/// What is wrong with one member of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The member, as the API spells it: `fhirUser`.
    pub field: String,
    /// What it must be.
    pub detail: Cow<'static, str>,
}

impl FieldFault {
    /// About a name that the caller wrote; a long one is cut.
    pub(crate) fn of_unknown(field: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.chars().take(LONGEST_NAME).collect(),
            detail: detail.into(),
        }
    }

    pub(super) fn new(field: &'static str, detail: &'static str) -> Self {
        Self {
            field: field.into(),
            detail: detail.into(),
        }
    }
}

/// Why it is not done.
#[derive(Debug)]
pub enum AdministrationError {
    /// The request makes no sense: every fault of it.
    Invalid(Vec<FieldFault>),
    /// What it is about does not exist.
    NotFound,
    /// What this member says is another's already.
    Taken(&'static str),
    /// It is about more than the administrator's own role allows.
    BeyondOwnRole,
    /// It would end the administrator's own second factors.
    OwnFactors,
    /// Nobody would be left who may administrate.
    LastAdministrator,
    /// It came with the program, and is neither renamed nor removed.
    BuiltIn,
    /// Somebody has it, or something names it.
    InUse,
    /// Somebody else changed it after it was looked at.
    ChangedMeanwhile,
    /// The issuer itself failed.
    Internal(InternalError),
}

impl AdministrationError {
    /// The refusal of the store; `unique` is the member that must be unique.
    pub(super) fn refused(refused: Refused, unique: &'static str) -> Self {
        match refused {
            Refused::NotFound => Self::NotFound,
            Refused::Taken => Self::Taken(unique),
            Refused::NoRole => Self::Invalid(vec![FieldFault::new("roleId", "must be the id of a role")]),
            Refused::NoOrganization => Self::Invalid(vec![FieldFault::new(
                "organizationId",
                "must be the id of an organization",
            )]),
            Refused::BeyondGiver => Self::BeyondOwnRole,
            Refused::LastAdministrator => Self::LastAdministrator,
            Refused::BuiltIn => Self::BuiltIn,
            Refused::InUse => Self::InUse,
        }
    }

    /// What to tell the administrator, where that is not one sentence a member.
    pub const fn description(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "The request has members that cannot be as they are",
            Self::NotFound => "There is nothing of this id",
            Self::Taken(_) => "What must be unique is taken already",
            Self::BeyondOwnRole => {
                "Your own role does not allow all that this is about: nobody gives, takes or manages more than they have"
            }
            Self::OwnFactors => {
                "Nobody resets their own second factors: change them at /account/factors, where one of them is asked for first"
            }
            Self::LastAdministrator => {
                "Nobody would be left who may administrate: make somebody else an administrator first"
            }
            Self::BuiltIn => "A built-in role can be neither renamed nor removed",
            Self::InUse => "There are people who have it, or a connection names it: change that first",
            Self::ChangedMeanwhile => "Somebody else changed it meanwhile: look at it again first",
            Self::Internal(_) => "The server cannot answer",
        }
    }
}

impl Refusal for AdministrationError {
    fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Invalid(_) => "invalid_request",
            Self::NotFound => "not_found",
            Self::Taken(_) => "taken",
            Self::BeyondOwnRole => "beyond_own_role",
            Self::OwnFactors => "own_factors",
            Self::LastAdministrator => "last_administrator",
            Self::BuiltIn => "built_in",
            Self::InUse => "in_use",
            Self::ChangedMeanwhile => "changed_meanwhile",
            Self::Internal(_) => return None,
        })
    }
}

impl From<InternalError> for AdministrationError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

impl From<StoreError> for AdministrationError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<NoRandomness> for AdministrationError {
    fn from(error: NoRandomness) -> Self {
        Self::Internal(error.into())
    }
}
