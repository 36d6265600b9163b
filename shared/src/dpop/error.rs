//! Why a DPoP proof is refused.

use crate::jwk::JwkError;
use crate::jwt::JwtError;

/// A proof's own fault: one rule of RFC 9449 section 4.3 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProofError {
    /// Not a compact JWT of the accepted form, too long, or a repeated member.
    Form(JwtError),
    /// `typ` is not `dpop+jwt`.
    Type,
    /// `alg` is none of [`super::ALGORITHMS`].
    Algorithm,
    /// There is no `jwk`.
    NoKey,
    /// `jwk` is no public key that can be used.
    Key(JwkError),
    /// `jwk` is not a key for `alg`.
    AnotherAlgorithm,
    /// The signature is not of that key.
    Signature,
    /// `jti` is missing or empty.
    NoId,
    /// `htm` is missing.
    NoMethod,
    /// `htu` is missing.
    NoTarget,
    /// `iat` is missing.
    NoIssueTime,
    /// `ath` is missing beside an access token.
    NoTokenHash,
    /// `htm` is not the request's method.
    Method,
    /// `htu` is not the request's URL.
    Target,
    /// `ath` is not the hash of the access token.
    TokenHash,
    /// `iat` lies too far back.
    TooOld,
    /// `iat` lies too far ahead.
    TooEarly,
}

impl ProofError {
    /// The reason for the client's developers: fixed text that is fit for an `error_description`.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Form(JwtError::TooLong) => "The DPoP proof is too long",
            Self::Form(JwtError::DuplicateMember) => "The DPoP proof repeats a member name",
            Self::Form(_) => "The DPoP proof is not a JWT of the accepted form",
            Self::Type => "typ of the DPoP proof must be dpop+jwt",
            Self::Algorithm => "The DPoP proof must be signed with one of dpop_signing_alg_values_supported",
            Self::NoKey => "The DPoP proof has no jwk in its header",
            Self::Key(JwkError::NotPublic) => "jwk of the DPoP proof must hold no private key",
            Self::Key(_) => "jwk of the DPoP proof is not a public key that is accepted",
            Self::AnotherAlgorithm => "alg of the DPoP proof does not belong to its jwk",
            Self::Signature => "The DPoP proof is not signed with the key in its header",
            Self::NoId => "The DPoP proof has no jti",
            Self::NoMethod => "The DPoP proof has no htm",
            Self::NoTarget => "The DPoP proof has no htu",
            Self::NoIssueTime => "The DPoP proof has no iat",
            Self::NoTokenHash => "The DPoP proof has no ath, which must come with an access token",
            Self::Method => "htm of the DPoP proof is not the method of the request",
            Self::Target => "htu of the DPoP proof is not the URL of the request",
            Self::TokenHash => "ath of the DPoP proof is not the hash of the access token",
            Self::TooOld => "iat of the DPoP proof lies too far back: make one for each request",
            Self::TooEarly => "iat of the DPoP proof lies in the future",
        }
    }
}

impl From<JwtError> for ProofError {
    fn from(error: JwtError) -> Self {
        match error {
            JwtError::UnsupportedAlgorithm => Self::Algorithm,
            JwtError::InvalidSignature => Self::Signature,
            JwtError::AlgorithmMismatch => Self::AnotherAlgorithm,
            JwtError::WrongType => Self::Type,
            JwtError::TooLong
            | JwtError::Malformed
            | JwtError::DuplicateMember
            | JwtError::CriticalHeader
            | JwtError::UnknownKey
            | JwtError::WrongIssuer
            | JwtError::WrongAudience
            | JwtError::NoExpiry
            | JwtError::NoIssueTime
            | JwtError::Expired
            | JwtError::NotYetValid
            | JwtError::IssuedInFuture
            | JwtError::LivesTooLong => Self::Form(error),
        }
    }
}

/// The outcome of a verification that did not succeed.
#[derive(Debug, PartialEq, Eq)]
pub enum VerifyProofError<E> {
    /// The proof is refused, for good.
    Refused(ProofError),
    /// The verifier itself failed, so that nothing is known of the proof. Never treat this as its acceptance.
    Undecided(E),
}

impl<E> From<ProofError> for VerifyProofError<E> {
    fn from(error: ProofError) -> Self {
        Self::Refused(error)
    }
}
