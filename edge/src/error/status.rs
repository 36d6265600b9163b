//! The status of each refusal.

use wardgate_shared::scope::RequestError;
use wardgate_shared::scope::interaction::MethodError;
use wardgate_shared::scope::path::PathError;

use crate::body::BodyError;
use crate::credentials::CredentialError;
use crate::dpop::ProofFault;

use super::{Refusal, UpstreamFailure};

impl Refusal {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Credential(CredentialError::Missing)
            | Self::Token(_)
            | Self::Proof(
                ProofFault::Missing
                | ProofFault::Several
                | ProofFault::Rule(_)
                | ProofFault::Nonce
                | ProofFault::Used,
            ) => 401,
            Self::Credential(
                CredentialError::Several
                | CredentialError::Malformed
                | CredentialError::InQuery
                | CredentialError::Half,
            )
            | Self::EffectOfHeader
            | Self::EntryRequest(_)
            | Self::Body(BodyError::Unreadable | BodyError::Bundle(_))
            | Self::AmbiguousPath => 400,
            Self::Scope { .. } | Self::Rule { .. } => 403,
            Self::Request(error) => request_status(error),
            Self::Entry { refusal, .. } => refusal.status(),
            Self::Body(BodyError::TooSlow) => 408,
            Self::Body(BodyError::TooLarge) => 413,
            Self::Body(BodyError::MediaType(_)) => 415,
            Self::Compartment(error) => super::compartment::status(*error),
            Self::Withheld(withheld) => withheld.status(),
            Self::Method { .. } => 405,
            Self::NotFound => 404,
            Self::LimitReached | Self::TooManyUnverified => 429,
            Self::Undecided { .. }
            | Self::NotCounted { .. }
            | Self::Proof(ProofFault::Unknown)
            | Self::Misconfigured(_) => 503,
            Self::Upstream(UpstreamFailure::Timeout) => 504,
            Self::Upstream(
                UpstreamFailure::Unreachable
                | UpstreamFailure::Redirect
                | UpstreamFailure::Unreadable
                | UpstreamFailure::Unauthorized,
            ) => 502,
            Self::Internal => 500,
        }
    }
}

/// 400 for what is ambiguous or malformed, 404 for a path that FHIR does not define, 405 for a method.
const fn request_status(error: &RequestError) -> u16 {
    match error {
        RequestError::Method(MethodError::Unknown | MethodError::NotAllowed { .. }) => 405,
        RequestError::Path(
            PathError::UnknownResourceType
            | PathError::InvalidId
            | PathError::InvalidVersionId
            | PathError::InvalidOperation
            | PathError::NotACompartment
            | PathError::UnknownShape
            | PathError::NotBelowBase,
        ) => 404,
        RequestError::Path(
            PathError::TooLong
            | PathError::PercentEncoding
            | PathError::Backslash
            | PathError::Semicolon
            | PathError::ControlCharacter
            | PathError::NotAscii
            | PathError::ForbiddenCharacter
            | PathError::EmptySegment
            | PathError::TrailingSlash
            | PathError::DotSegment,
        )
        | RequestError::Query(_)
        | RequestError::IfNoneExist(_)
        | RequestError::SearchForm(_)
        | RequestError::MissingCriteria => 400,
    }
}

/// The name of a status (RFC 9110 section 15), as a problem of type `about:blank` wants it for its title.
pub(super) const fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Internal Server Error",
    }
}
