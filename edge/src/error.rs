//! Every refusal, and how it is said.
//!
//! | status | `error` | when | tells how to go on |
//! |---|---|---|---|
//! | 400 | `invalid_request` | two credentials, a malformed one, half of an API key, one in the URL | |
//! | 400 | | ambiguous path, malformed query or condition, a header that replaces the method | |
//! | 401 | (none) | no credential, or one of a kind that is not accepted | challenge |
//! | 401 | `invalid_token` | the token breaks a rule, or an API key or its secret is no good | challenge |
//! | 401 | `invalid_dpop_proof` | the proof of possession is missing, breaks a rule, or was used before | challenge |
//! | 401 | `use_dpop_nonce` | the proof has no nonce that is good | challenge, `DPoP-Nonce` |
//! | 403 | `insufficient_scope` | the scopes do not permit it, or a claim does not | challenge with the `scope` that would |
//! | 400 | | a batch, transaction or search form that cannot be read, or an entry that could not be permitted | |
//! | 400 | | a resource that is written on behalf of a patient is not what the URL names | |
//! | 403 | | the request, or what a search found, does not stay with the patient in context | |
//! | 404 | | the patient in context has no such resource | |
//! | 406 | | an answer that has to be judged is asked for in another format than JSON | |
//! | 412 | | what is changed on behalf of a patient is not of the version that `If-Match` names | |
//! | 403 | | an operation, a batch within a batch, entries that are not permitted together: no scope permits it | |
//! | 404 | | nothing is served there | |
//! | 405 | | the method is unknown or does not apply | `Allow` |
//! | 408 | | a body that is decided on does not arrive in time | |
//! | 413 | | a body that is decided on is too large | |
//! | 415 | | a body that is decided on is of another media type, or compressed | |
//! | 429 | | a limit is reached | `Retry-After`, and the headers of [`wardgate_shared::quota`] |
//! | 429 | | the platform's limit for requests of which nothing is known is reached | `Retry-After` |
//! | 500 | | a fault in Wardgate | |
//! | 502 | | the server behind is not reachable, redirects, or refuses Wardgate itself | |
//! | 502 | | an answer does not show whose it is, or a resource has no version | |
//! | 503 | | no keys to decide with, or no SMART configuration to show | `Retry-After` |
//! | 503 | | the coordinator of a limit does not answer, and the limit is closed then; that of used proofs does not | `Retry-After` |
//! | 503 | | the Worker's configuration is wrong | `Retry-After`; names the variables |
//! | 504 | | the server behind takes too long | |
//!
//! Challenges are those of RFC 6750 section 3 and RFC 9449 section 7.1 with `resource_metadata` of RFC 9728 section 5.1. A body is an
//! OperationOutcome or a problem document ([`crate::negotiation`]); the latter has the members `error`,
//! `error_description` and `error_uri` too where there is a code. Bodies hold fixed texts and nothing of causes inside.
//! No refusal may be cached.

use std::borrow::Cow;

use wardgate_shared::jwt::JwtError;
use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::operation_outcome::IssueType;
use wardgate_shared::scope::interaction::MethodError;
use wardgate_shared::scope::{CompartmentError, DenialReason, EntryError, RequestError};

use crate::authenticate::TokenError;
use crate::body::BodyError;
use crate::compartment::Withheld;
use crate::config::ConfigFault;
use crate::credentials::CredentialError;
use crate::dpop::ProofFault;

mod compartment;
mod detail;
mod reason;
mod said;
mod status;

/// Why a request is not answered with what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is not exactly one acceptable credential.
    Credential(CredentialError),
    /// The token is refused.
    Token(TokenError),
    /// The proof that came with the token does not let it through.
    Proof(ProofFault),
    /// The token does not permit the request.
    Scope {
        /// Why.
        reason: DenialReason,
        /// The scope that would, if any would.
        needed: Option<String>,
    },
    /// The token does not have what the rule for the request asks for.
    Rule {
        /// What it lacks.
        lack: Lack,
        /// The scopes that the rule asks for; empty for none.
        needed: String,
    },
    /// The request is none that could be permitted.
    Request(RequestError),
    /// The body, on which the decision depends, is none that could be decided on.
    Body(BodyError),
    /// An entry of a batch or transaction is none that could be permitted.
    EntryRequest(EntryError),
    /// An entry of a batch or transaction is refused, and so is the whole.
    Entry {
        /// Its place, counted from 0.
        index: usize,
        /// Why: [`Refusal::EntryRequest`] or [`Refusal::Scope`].
        refusal: Box<Refusal>,
    },
    /// The request, or what it sends, does not stay with the patient in context.
    Compartment(CompartmentError),
    /// The answer is not given away, or what is there is not changed, because of whose it is.
    Withheld(Withheld),
    /// The path of a request to an API that is not FHIR could be read in more than one way.
    AmbiguousPath,
    /// The method does not apply to a document of Wardgate's own.
    Method {
        /// Those that do.
        allow: Cow<'static, str>,
    },
    /// A header names another method or path than the request line, or asks for more than it.
    EffectOfHeader,
    /// Nothing is served there.
    NotFound,
    /// What is needed for a decision, or for the document asked for, cannot be had now.
    Undecided {
        /// When to try again, in seconds.
        retry_after_seconds: i64,
    },
    /// A limit is reached. When to try again stands in the headers of the count.
    LimitReached,
    /// The platform's own limit for requests of which nothing is known is reached ([`crate::unverified`]).
    TooManyUnverified,
    /// The coordinator of a limit does not answer, and the limit admits nothing then.
    NotCounted {
        /// When to try again, in seconds.
        retry_after_seconds: i64,
    },
    /// The configuration is wrong.
    Misconfigured(Vec<ConfigFault>),
    /// The server behind did not answer as it should.
    Upstream(UpstreamFailure),
    /// Something went wrong that should not.
    Internal,
}

/// What a token lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// One of the scopes.
    Scope,
    /// A claim, or the value that it must have.
    Claim,
}

/// What is wrong with the server behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamFailure {
    /// No connection, or one that broke before the answer began.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// It redirects. Redirects are neither followed, which would send the request and what it says of the person to
    /// wherever the answer points, nor passed on, which would send the client there.
    Redirect,
    /// Its answer ends too early, or is larger than any of its kind has reason to be.
    Unreadable,
    /// It asks for credentials: it does not trust Wardgate. Passed on, this would look like a refusal of the token.
    Unauthorized,
}

impl From<CredentialError> for Refusal {
    fn from(error: CredentialError) -> Self {
        Self::Credential(error)
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl Refusal {
    /// The error code of RFC 6750 section 3.1, where there is one.
    pub const fn code(&self) -> Option<OAuthErrorCode> {
        match self {
            Self::Credential(
                CredentialError::Several
                | CredentialError::Malformed
                | CredentialError::InQuery
                | CredentialError::Half,
            ) => Some(OAuthErrorCode::InvalidRequest),
            Self::Token(_) => Some(OAuthErrorCode::InvalidToken),
            Self::Proof(ProofFault::Nonce) => Some(OAuthErrorCode::UseDpopNonce),
            Self::Proof(
                ProofFault::Missing | ProofFault::Several | ProofFault::Rule(_) | ProofFault::Used,
            ) => Some(OAuthErrorCode::InvalidDpopProof),
            // No token with more scopes would help with these.
            Self::Scope {
                reason: DenialReason::Batch | DenialReason::NotTogether | DenialReason::OperationNotListed,
                ..
            }
            | Self::Credential(CredentialError::Missing)
            | Self::Proof(ProofFault::Unknown)
            | Self::Request(_)
            | Self::Body(_)
            | Self::EntryRequest(_)
            | Self::Compartment(_)
            | Self::Withheld(_)
            | Self::AmbiguousPath
            | Self::Method { .. }
            | Self::EffectOfHeader
            | Self::NotFound
            | Self::Undecided { .. }
            | Self::LimitReached
            | Self::TooManyUnverified
            | Self::NotCounted { .. }
            | Self::Misconfigured(_)
            | Self::Upstream(_)
            | Self::Internal => None,
            Self::Scope { .. } | Self::Rule { .. } => Some(OAuthErrorCode::InsufficientScope),
            Self::Entry { refusal, .. } => refusal.code(),
        }
    }

    /// Whether the request could not be decided, for the log.
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Undecided { .. }
            | Self::NotCounted { .. }
            | Self::Proof(ProofFault::Unknown)
            | Self::Misconfigured(_)
            | Self::Internal => "undecided",
            Self::Credential(_)
            | Self::Token(_)
            | Self::Proof(_)
            | Self::Scope { .. }
            | Self::Rule { .. }
            | Self::Request(_)
            | Self::Body(_)
            | Self::EntryRequest(_)
            | Self::Entry { .. }
            | Self::Compartment(_)
            | Self::AmbiguousPath
            | Self::Method { .. }
            | Self::EffectOfHeader
            | Self::NotFound
            | Self::LimitReached
            | Self::TooManyUnverified => "deny",
            Self::Withheld(withheld) => {
                if withheld.is_failure() {
                    "failed"
                } else {
                    "deny"
                }
            }
            Self::Upstream(_) => "failed",
        }
    }

    /// `issue.code` of the OperationOutcome.
    const fn issue_type(&self) -> IssueType {
        match self {
            Self::Token(TokenError::Jwt(JwtError::Expired)) => IssueType::Expired,
            Self::Credential(CredentialError::Missing)
            | Self::Token(_)
            | Self::Proof(
                ProofFault::Missing
                | ProofFault::Several
                | ProofFault::Rule(_)
                | ProofFault::Nonce
                | ProofFault::Used,
            ) => IssueType::Login,
            Self::Withheld(Withheld::NotThere | Withheld::NotThePatients | Withheld::NothingFound) => {
                IssueType::NotFound
            }
            Self::Body(BodyError::MediaType(_))
            | Self::Request(RequestError::Method(_))
            | Self::Method { .. }
            | Self::Compartment(CompartmentError::Format)
            | Self::NotFound => IssueType::NotSupported,
            Self::Credential(
                CredentialError::Several
                | CredentialError::Malformed
                | CredentialError::InQuery
                | CredentialError::Half,
            )
            | Self::Request(_)
            | Self::Body(_)
            | Self::EntryRequest(_)
            | Self::AmbiguousPath
            | Self::Compartment(CompartmentError::Body)
            | Self::Withheld(Withheld::OtherVersion)
            | Self::EffectOfHeader => IssueType::Invalid,
            Self::Entry { refusal, .. } => refusal.issue_type(),
            Self::LimitReached | Self::TooManyUnverified => IssueType::Throttled,
            Self::Withheld(Withheld::Unreadable | Withheld::NoVersion)
            | Self::Undecided { .. }
            | Self::NotCounted { .. }
            | Self::Proof(ProofFault::Unknown)
            | Self::Upstream(_) => IssueType::Transient,
            Self::Scope { .. }
            | Self::Rule { .. }
            | Self::Compartment(_)
            | Self::Withheld(Withheld::Found) => IssueType::Forbidden,
            Self::Misconfigured(_) | Self::Internal => IssueType::Exception,
        }
    }

    /// The scope that would permit the request, if that is known.
    pub fn needed_scope(&self) -> Option<&str> {
        match self {
            Self::Scope { needed, .. } => needed.as_deref(),
            Self::Rule { needed, .. } => Some(needed.as_str()).filter(|needed| !needed.is_empty()),
            Self::Entry { refusal, .. } => refusal.needed_scope(),
            Self::Credential(_)
            | Self::Token(_)
            | Self::Proof(_)
            | Self::Request(_)
            | Self::Body(_)
            | Self::EntryRequest(_)
            | Self::Compartment(_)
            | Self::Withheld(_)
            | Self::AmbiguousPath
            | Self::Method { .. }
            | Self::EffectOfHeader
            | Self::NotFound
            | Self::Undecided { .. }
            | Self::LimitReached
            | Self::TooManyUnverified
            | Self::NotCounted { .. }
            | Self::Misconfigured(_)
            | Self::Upstream(_)
            | Self::Internal => None,
        }
    }

    /// The methods that apply, for the `Allow` header of a 405.
    fn allow(&self) -> Option<&str> {
        match self {
            Self::Request(RequestError::Method(MethodError::Unknown)) => {
                Some("GET, HEAD, POST, PUT, PATCH, DELETE")
            }
            Self::Request(RequestError::Method(MethodError::NotAllowed { allow })) => Some(allow),
            Self::Method { allow } => Some(allow),
            Self::Request(_)
            | Self::Credential(_)
            | Self::Token(_)
            | Self::Proof(_)
            | Self::Scope { .. }
            | Self::Rule { .. }
            | Self::Body(_)
            | Self::EntryRequest(_)
            | Self::Compartment(_)
            | Self::Withheld(_)
            | Self::Entry { .. }
            | Self::AmbiguousPath
            | Self::EffectOfHeader
            | Self::NotFound
            | Self::Undecided { .. }
            | Self::LimitReached
            | Self::TooManyUnverified
            | Self::NotCounted { .. }
            | Self::Misconfigured(_)
            | Self::Upstream(_)
            | Self::Internal => None,
        }
    }
}

#[cfg(test)]
mod tests;
