//! Why a JWT is refused.

use crate::json::JsonError;

/// A token's own fault. Each variant is one rule; the text is fit for an `error_description`, since it never repeats
/// anything the token said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum JwtError {
    /// Longer than the limit that the caller set, in bytes.
    #[error("The token is too long")]
    TooLong,
    /// Not three base64url parts (without padding) that hold JSON objects with members of the right type.
    #[error("The token is malformed")]
    Malformed,
    /// A header or claims object repeats a member name (RFC 8725 section 2.4).
    #[error("The token repeats a member name")]
    DuplicateMember,
    /// `alg` is `none`, symmetric, or not one this code knows (RFC 8725 section 3.1).
    #[error("The token's algorithm is not accepted")]
    UnsupportedAlgorithm,
    /// `crit` is present: no critical extension is understood here (RFC 7515 section 4.1.11).
    #[error("The token has a critical header parameter that is not understood")]
    CriticalHeader,
    /// `typ` is not the type that the policy wants (RFC 8725 section 3.11).
    #[error("The token has the wrong type")]
    WrongType,
    /// No trusted key fits the token's `kid` and `alg`.
    #[error("The token was signed with an unknown key")]
    UnknownKey,
    /// The key is bound to another algorithm than the header names.
    #[error("The token's algorithm does not belong to its key")]
    AlgorithmMismatch,
    /// The signature does not verify.
    #[error("The token's signature is invalid")]
    InvalidSignature,
    /// `iss` is not, character by character, the issuer that the policy wants.
    #[error("The token was issued by someone else")]
    WrongIssuer,
    /// `aud` names none of the audiences that the policy accepts.
    #[error("The token is meant for another audience")]
    WrongAudience,
    /// `exp` is absent.
    #[error("The token has no expiry")]
    NoExpiry,
    /// `iat` is absent although the policy wants it.
    #[error("The token has no time of issue")]
    NoIssueTime,
    /// `exp` has passed (RFC 7519 section 4.1.4).
    #[error("The token expired")]
    Expired,
    /// `nbf` lies in the future (RFC 7519 section 4.1.5).
    #[error("The token is not valid yet")]
    NotYetValid,
    /// `iat` lies in the future.
    #[error("The token was issued in the future")]
    IssuedInFuture,
    /// The time from `iat` (or now) to `exp` is longer than the policy allows.
    #[error("The token lives too long")]
    LivesTooLong,
}

impl From<JsonError> for JwtError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::DuplicateMember => Self::DuplicateMember,
            JsonError::Malformed | JsonError::NotAnObject => Self::Malformed,
        }
    }
}

/// The outcome of a verification that did not succeed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError<E> {
    /// The token is refused, for good.
    #[error(transparent)]
    Refused(#[from] JwtError),
    /// The verifier itself failed, so that nothing is known of the token. Never treat this as a refusal of the token,
    /// and never as its acceptance.
    #[error("the signature could not be checked")]
    Undecided(E),
}
