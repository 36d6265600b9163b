//! Why something about a connection is not done.

use crate::administration::Refusal;
use crate::error::internal::InternalError;
use crate::outbound::DnsError;
use crate::rng::NoRandomness;
use crate::single_sign_on::discovery::DiscoveryFault;
use crate::store::StoreError;

/// A reason. Texts are for administrators: they say what to change.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// A member of the request cannot be as it is.
    #[error("{field} {detail}")]
    Invalid {
        /// The member, as the API spells it.
        field: &'static str,
        /// What it must be.
        detail: String,
    },
    /// There is no such connection, domain or person.
    #[error("there is nothing of this name")]
    NotFound,
    /// What this member says is another's already.
    #[error("this {0} is taken: another connection has it, or it was added before")]
    Taken(&'static str),
    /// The actor's role does not allow all that a connection decides.
    #[error(
        "your own role does not allow this: a connection decides who everybody of its domains is, administrators included"
    )]
    BeyondOwnRole,
    /// Nobody has attested what the provider asks for.
    #[error(
        "nobody has attested that this identity provider asks everybody for more than one factor: do that first (attest-mfa)"
    )]
    NotAttested,
    /// What the provider says of itself contradicts the connection, or cannot be had.
    #[error("the identity provider cannot be used: {0}")]
    Provider(#[from] DiscoveryFault),
    /// DNS did not answer.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// The TXT record is not there.
    #[error(
        "{found} TXT records were found at {name}, and none of them is {token}: publish it, wait until it has spread, and try \
         again"
    )]
    NoRecord {
        /// Where it has to be.
        name: String,
        /// What it has to say.
        token: String,
        /// How many others there are.
        found: usize,
    },
    /// The issuer itself failed.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl ConnectionError {
    pub(crate) fn invalid(field: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            detail: detail.into(),
        }
    }
}

impl Refusal for ConnectionError {
    fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Invalid { .. } => "invalid_request",
            Self::NotFound => "not_found",
            Self::Taken(_) => "taken",
            Self::BeyondOwnRole => "beyond_own_role",
            Self::NotAttested => "not_attested",
            Self::Provider(_) => "provider_refused",
            Self::Dns(_) => "dns_failed",
            Self::NoRecord { .. } | Self::Internal(_) => return None,
        })
    }
}

impl From<StoreError> for ConnectionError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<NoRandomness> for ConnectionError {
    fn from(error: NoRandomness) -> Self {
        Self::Internal(error.into())
    }
}
