//! Tokens that others signed, checked with the keys that they publish.

use wardgate_shared::jwk::JwkSet;
use wardgate_shared::jwt::{
    self, JwtError, Policy, RegisteredClaims, UnverifiedJwt, VerifiedJwt, VerifyError,
};
use wardgate_shared::time::Timestamp;

use super::NativeVerifyingKey;

/// The most keys that are tried when the token names none (OIDC-06).
const MOST_KEYS_TRIED: usize = 8;

/// Why no key opens a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotVerified {
    /// No key fits its `kid` and `alg`.
    NoKey,
    /// Keys fit, and the signature is by none of them.
    Signature,
    /// The signature holds, or was not looked at, and the token breaks this rule.
    Refused(JwtError),
}

/// Verifies a token with whichever key of `keys` fits it and made its signature.
///
/// # Errors
/// [`NotVerified`].
pub async fn verify_with_any<C: RegisteredClaims>(
    jwt: &UnverifiedJwt<'_>,
    keys: &JwkSet,
    policy: &Policy<'_>,
    now: Timestamp,
) -> Result<VerifiedJwt<C>, NotVerified> {
    let algorithm = jwt.algorithm();
    let mut fault = NotVerified::NoKey;
    for jwk in keys.candidates(jwt.key_id(), algorithm).take(MOST_KEYS_TRIED) {
        // A key that the library does not take verifies nothing.
        let Ok(key) = NativeVerifyingKey::from_jwk(jwk, algorithm) else {
            continue;
        };
        match jwt::verify(jwt, &key, policy, now).await {
            Ok(verified) => return Ok(verified),
            Err(VerifyError::Refused(JwtError::InvalidSignature)) => fault = NotVerified::Signature,
            Err(VerifyError::Refused(error)) => return Err(NotVerified::Refused(error)),
            Err(VerifyError::Undecided(never)) => match never {},
        }
    }
    Err(fault)
}
