//! Why the answer to a ceremony is refused.

use webauthn_rs::prelude::WebauthnError;

use crate::store::{PasskeyInsertion, PasskeyOutcome};

/// Why an answer is refused. People read one of two sentences; the audit trail gets the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyRefusal {
    /// It is no answer of a browser at all.
    #[error("the answer cannot be read")]
    Unreadable,
    /// The ceremony was not offered here, to this browser, for this purpose.
    #[error("the ceremony belongs to another browser or page")]
    Foreign,
    /// The ceremony was offered too long ago.
    #[error("the ceremony has expired")]
    Expired,
    /// The ceremony was answered before.
    #[error("the ceremony was answered before")]
    Replayed,
    /// The credential is not known here, or its person may not sign in.
    #[error("the credential is unknown")]
    Unknown,
    /// The credential is somebody else's than it says, or than the person who is to be verified.
    #[error("the credential is somebody else's")]
    OtherPerson,
    /// Its person signs in at the provider of their organization.
    #[error("the person signs in at a provider")]
    SignsInElsewhere,
    /// The authenticator did not verify the person.
    #[error("the person was not verified")]
    Unverified,
    /// The counter did not rise: there may be a copy of the key.
    #[error("the signature counter fell back")]
    CounterFellBack,
    /// Signature, challenge, origin, or whatever else is wrong.
    #[error("the answer is wrong")]
    Wrong,
    /// The new credential is known already, or is one too many.
    #[error("the credential cannot be added")]
    CannotBeAdded,
}

impl PasskeyRefusal {
    /// The reason in the audit trail.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable_passkey",
            Self::Foreign => "foreign_ceremony",
            Self::Expired => "expired_ceremony",
            Self::Replayed => "replayed_ceremony",
            Self::Unknown => "unknown_passkey",
            Self::OtherPerson => "passkey_of_another_person",
            Self::SignsInElsewhere => "sso_required",
            Self::Unverified => "person_not_verified",
            Self::CounterFellBack => "passkey_counter_fell_back",
            Self::Wrong => "wrong_passkey",
            Self::CannotBeAdded => "passkey_cannot_be_added",
        }
    }

    /// Whether it says no more than that the ceremony is not, or no longer, the one to answer.
    pub const fn is_stale(self) -> bool {
        matches!(self, Self::Foreign | Self::Expired | Self::Replayed)
    }

    /// The refusal of an attempt to use a passkey; none when it was used.
    pub const fn of_use(outcome: PasskeyOutcome) -> Option<Self> {
        match outcome {
            PasskeyOutcome::Used => None,
            PasskeyOutcome::Replayed => Some(Self::Replayed),
            PasskeyOutcome::CounterFellBack => Some(Self::CounterFellBack),
            PasskeyOutcome::Gone => Some(Self::Unknown),
        }
    }

    /// The refusal of an attempt to keep one; none when it is kept.
    pub const fn of_insertion(insertion: PasskeyInsertion) -> Option<Self> {
        match insertion {
            PasskeyInsertion::Inserted => None,
            PasskeyInsertion::Replayed => Some(Self::Replayed),
            PasskeyInsertion::Refused => Some(Self::CannotBeAdded),
        }
    }
}

impl From<WebauthnError> for PasskeyRefusal {
    fn from(error: WebauthnError) -> Self {
        match error {
            WebauthnError::CredentialPossibleCompromise => Self::CounterFellBack,
            WebauthnError::UserNotVerified => Self::Unverified,
            WebauthnError::CredentialNotFound => Self::Unknown,
            // The library has some sixty more, for parts of the answer that a browser would not get wrong.
            _ => Self::Wrong,
        }
    }
}
