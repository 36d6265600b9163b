//! What goes wrong inside, through no fault of the request.

use http::StatusCode;

use crate::keys::KeyError;
use crate::password::PasswordError;
use crate::rng::NoRandomness;
use crate::store::StoreError;

/// How long a caller should wait before trying again, in seconds, when [`InternalError::is_temporary`].
pub const RETRY_AFTER_SECONDS: &str = "5";

/// A failure of the issuer's own parts.
#[derive(Debug, thiserror::Error)]
pub enum InternalError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The password hash.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The operating system's random bytes.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A page could not be rendered.
    #[error("a page could not be rendered")]
    Page(#[from] askama::Error),
    /// A value could not become a header.
    #[error("a value could not become a header")]
    Header(#[from] http::header::InvalidHeaderValue),
    /// Something stored names something that is not there.
    #[error("a stored reference leads nowhere: {0}")]
    Dangling(&'static str),
}

impl InternalError {
    /// Whether the same request may succeed in a while.
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Store(StoreError::Busy | StoreError::Unavailable(_) | StoreError::Closed)
            | Self::Password(PasswordError::Busy)
            | Self::Keys(_)
            | Self::Randomness(_) => true,
            Self::Store(
                StoreError::Corrupt(_)
                | StoreError::Conflict
                | StoreError::Unrecorded
                | StoreError::ProofReplayed,
            )
            | Self::Password(_)
            | Self::Page(_)
            | Self::Header(_)
            | Self::Dangling(_) => false,
        }
    }

    /// Whether a change was undone because its DPoP proof had been used before: a fault of the request after all.
    pub const fn is_replayed_proof(&self) -> bool {
        matches!(self, Self::Store(StoreError::ProofReplayed))
    }

    /// 503 when it may pass, else 500.
    pub const fn status(&self) -> StatusCode {
        if self.is_temporary() {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }

    /// Writes the cause to the log. Called where the error becomes an answer, and nowhere else.
    pub fn log(&self) {
        tracing::error!(error = self as &dyn std::error::Error, "a request failed inside");
    }
}
