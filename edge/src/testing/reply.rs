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

    /// The body of an answer of the gateway's own; none of the FHIR server's is kept.
    pub(crate) fn body(&self) -> &str {
        match self {
            Self::Own(answer) => &answer.body,
            Self::Upstream(_) => "",
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
