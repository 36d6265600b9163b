//! Who holds the token: RFC 9068 access tokens, verified against the issuer's keys.
//!
//! One call of [`wardgate_shared::jwt::verify`] stands between the text and its claims. A check that could not be made
//! is no verdict on the token: it ends in [`Refusal::Undecided`], which is answered 503. A cache of verified tokens, the
//! revocation status and proof of possession have their place in [`authenticate`], after the signature and before the
//! claims are given away.

use std::borrow::Cow;
use std::rc::Rc;

use wardgate_shared::claims::{ACCESS_TOKEN_TYPE, AccessClaims};
use wardgate_shared::jwt::{
    JwtError, MAXIMUM_JWT_BYTES, Policy, UnverifiedJwt, VerifiedJwt, VerifyError, verify,
};

use crate::config::Config;
use crate::error::Refusal;
use crate::gateway::{Gateway, Outside};
use crate::jwks::{self, KeyError};
use crate::log::Incident;

/// Why a token is refused: 401 `invalid_token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token breaks a rule of its kind.
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// The token is bound to a key of its holder (`cnf`, RFC 7800), and how to check that is not understood here. Taking
    /// it as a bearer token would undo the binding.
    #[error("The token is bound to a key in a way that is not accepted here")]
    Bound,
}

/// When to try again after a failure that has no time of its own, in seconds.
const RETRY_AFTER_SECONDS: i64 = 5;

/// Verifies an access token and gives what it says.
///
/// # Errors
/// [`Refusal::Token`] when the token is refused, [`Refusal::Undecided`] when nothing can be said about it.
pub async fn authenticate<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    token: &str,
) -> Result<VerifiedJwt<AccessClaims>, Refusal> {
    let unverified = UnverifiedJwt::parse(token, MAXIMUM_JWT_BYTES).map_err(TokenError::Jwt)?;
    let policy = policy(&gateway.config);
    let key = jwks::obtain(gateway, outside, unverified.key_id(), unverified.algorithm()).await?;
    let verified = verify::<AccessClaims, O::Key>(&unverified, &key, &policy, outside.now()).await;
    let verified = verified.map_err(|error| match error {
        VerifyError::Refused(error) => Refusal::Token(TokenError::Jwt(error)),
        VerifyError::Undecided(_) => {
            outside.log(&Incident::SignatureUnchecked.line());
            Refusal::Undecided {
                retry_after_seconds: RETRY_AFTER_SECONDS,
            }
        }
    })?;
    if verified.claims().confirmation.is_some() {
        return Err(TokenError::Bound.into());
    }
    Ok(verified)
}

/// What an access token for this API must say.
fn policy(config: &Config) -> Policy<'_> {
    Policy {
        token_type: Some(Cow::Borrowed(ACCESS_TOKEN_TYPE)),
        issuer: Cow::Borrowed(&config.issuer),
        audiences: Cow::Borrowed(&config.audiences),
        skew_seconds: config.clock_skew_seconds,
        maximum_lifetime_seconds: Some(config.maximum_token_lifetime_seconds),
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unknown => Self::Token(TokenError::Jwt(JwtError::UnknownKey)),
            KeyError::Unavailable { retry_after_seconds } => Self::Undecided { retry_after_seconds },
            KeyError::Unusable => Self::Undecided {
                retry_after_seconds: RETRY_AFTER_SECONDS,
            },
        }
    }
}

#[cfg(test)]
mod tests;
