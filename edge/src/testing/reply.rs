//! The answers that tests look at.

use crate::answer::OwnAnswer;

/// What the gateway answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// By itself.
    Own(OwnAnswer),
    /// With the FHIR server's answer of this status.
    Upstream(u16),
}

impl Reply {
    /// The status.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Own(answer) => answer.status,
            Self::Upstream(status) => *status,
        }
    }

    /// The header of an answer of the gateway's own.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        match self {
            Self::Own(answer) => answer
                .headers
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, value)| value.as_str()),
            Self::Upstream(_) => None,
        }
    }
}
