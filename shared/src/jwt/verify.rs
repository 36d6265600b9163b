//! The one call between an untrusted text and its claims.

use alloc::string::String;
use core::future::Future;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::time::Timestamp;

use super::alg::SignatureAlgorithm;
use super::error::{JwtError, VerifyError};
use super::policy::{Audiences, Policy};
use super::unverified::UnverifiedJwt;

/// The largest number of seconds before or after the epoch that is taken for a date: about 264,000 years.
const LARGEST_DATE: u64 = 8_334_601_228_800;

/// A public key that is trusted by the caller and bound to one algorithm.
///
/// Implemented over WebCrypto at the edge and over aws-lc-rs in the issuer; the check may be asynchronous.
pub trait VerifyingKey {
    /// What goes wrong when the check itself cannot be made.
    type Error;

    /// The algorithm this key is bound to. The token's header is compared with it and never chooses.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Whether `signature` is this key's signature of `message`.
    ///
    /// # Errors
    /// Only when the check could not be made; a bad signature, of whatever form, is `Ok(false)`.
    fn verify_signature(
        &self,
        message: &[u8],
        signature: &[u8],
    ) -> impl Future<Output = Result<bool, Self::Error>>;
}

/// Claims that every kind of token has, read by the policy.
pub trait RegisteredClaims: Sized {
    /// Whether this kind of token says whom it is for. Where it does not, the policy's audiences are not looked at.
    const NAMES_AUDIENCES: bool = true;
    /// The claims out of a token's members, without `exp`, `nbf` and `iat`; `None` when one is missing or is not what it
    /// has to be. What the edge reads does without serde, which is too large for it; for all others there is
    /// [`deserialized`].
    fn of_members(members: Map<String, Value>) -> Option<Self>;
    /// `iss`.
    fn issuer(&self) -> &str;
    /// `aud`.
    fn audiences(&self) -> &Audiences;
}

/// [`RegisteredClaims::of_members`] by way of serde.
pub fn deserialized<C: DeserializeOwned>(members: Map<String, Value>) -> Option<C> {
    serde_json::from_value(Value::Object(members)).ok()
}

/// A JWT whose signature, type, issuer, audience and times were checked. Made by [`verify`] alone.
#[derive(Clone, Debug)]
pub struct VerifiedJwt<C> {
    claims: C,
    key_id: Option<String>,
    expires_at: Timestamp,
    not_before: Option<Timestamp>,
    issued_at: Option<Timestamp>,
}

impl<C> VerifiedJwt<C> {
    /// The claims, without `exp`, `nbf` and `iat`.
    pub const fn claims(&self) -> &C {
        &self.claims
    }

    /// The claims by value.
    pub fn into_claims(self) -> C {
        self.claims
    }

    /// The `kid` of the header, which is now known to be the verifying key's.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// `exp`.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// `iat`.
    pub const fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// Checks the token's times once more, at a later `now`: for a token that is kept.
    ///
    /// # Errors
    /// As [`verify`] for times.
    pub fn check_times(&self, policy: &Policy<'_>, now: Timestamp) -> Result<(), JwtError> {
        policy.check_times(Some(self.expires_at), self.not_before, self.issued_at, now)
    }
}

/// Verifies `jwt` with `key` under `policy` at the instant `now`, and gives its claims.
///
/// In this order: algorithm bound to the key, type, signature, claims of the right form, issuer, audience, times. The
/// cheap checks that need no trust come first; nothing the claims say is looked at before the signature holds.
///
/// # Errors
/// [`VerifyError::Refused`] with the first rule that the token breaks; [`VerifyError::Undecided`] when the key could not
/// make its check.
pub async fn verify<C: RegisteredClaims, K: VerifyingKey>(
    jwt: &UnverifiedJwt<'_>,
    key: &K,
    policy: &Policy<'_>,
    now: Timestamp,
) -> Result<VerifiedJwt<C>, VerifyError<K::Error>> {
    if jwt.algorithm() != key.algorithm() {
        return Err(JwtError::AlgorithmMismatch.into());
    }
    policy.check_type(jwt.token_type())?;
    let SignedClaims {
        members,
        expires_at,
        not_before,
        issued_at,
    } = signed_claims(jwt, key).await?;
    let claims = C::of_members(members).ok_or(JwtError::Malformed)?;
    policy.check_issuer(claims.issuer())?;
    if C::NAMES_AUDIENCES {
        policy.check_audience(claims.audiences())?;
    }
    policy.check_times(expires_at, not_before, issued_at, now)?;
    Ok(VerifiedJwt {
        claims,
        key_id: jwt.key_id().map(String::from),
        expires_at: expires_at.ok_or(JwtError::NoExpiry)?,
        not_before,
        issued_at,
    })
}

/// Claims under a signature that holds, and nothing more: what they say is not judged yet.
struct SignedClaims {
    /// The claims, without the three times.
    members: Map<String, Value>,
    /// `exp`.
    expires_at: Option<Timestamp>,
    /// `nbf`.
    not_before: Option<Timestamp>,
    /// `iat`.
    issued_at: Option<Timestamp>,
}

/// The claims of `jwt`, once `key` has accepted its signature.
///
/// # Errors
/// [`JwtError::AlgorithmMismatch`], [`JwtError::InvalidSignature`], [`JwtError::Malformed`]; or that the key could not check.
async fn signed_claims<K: VerifyingKey>(
    jwt: &UnverifiedJwt<'_>,
    key: &K,
) -> Result<SignedClaims, VerifyError<K::Error>> {
    check_signature(jwt, key).await?;
    let mut members = jwt.claims().clone();
    let mut time = |name| members.remove(name).map(|value| numeric_date(&value)).transpose();
    let (expires_at, not_before, issued_at) = (time("exp")?, time("nbf")?, time("iat")?);
    Ok(SignedClaims {
        members,
        expires_at,
        not_before,
        issued_at,
    })
}

/// Whether `jwt` is signed with `key`.
///
/// # Errors
/// [`JwtError::AlgorithmMismatch`], [`JwtError::InvalidSignature`]; or that the key could not check.
pub(crate) async fn check_signature<K: VerifyingKey>(
    jwt: &UnverifiedJwt<'_>,
    key: &K,
) -> Result<(), VerifyError<K::Error>> {
    if jwt.algorithm() != key.algorithm() {
        return Err(JwtError::AlgorithmMismatch.into());
    }
    match key.verify_signature(jwt.signing_input(), jwt.signature()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(JwtError::InvalidSignature.into()),
        Err(error) => Err(VerifyError::Undecided(error)),
    }
}

/// `iat` of `jwt` as it says it, whoever signed it.
///
/// # Errors
/// [`JwtError::Malformed`] when it is no date.
pub(crate) fn issue_time(jwt: &UnverifiedJwt<'_>) -> Result<Option<Timestamp>, JwtError> {
    jwt.claims().get("iat").map(numeric_date).transpose()
}

/// A `NumericDate` (RFC 7519 section 2) without its fraction.
fn numeric_date(value: &Value) -> Result<Timestamp, JwtError> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the fraction is what is to go, and the cast saturates"
    )]
    let seconds = value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds as i64))
        .filter(|seconds| seconds.unsigned_abs() <= LARGEST_DATE)
        .ok_or(JwtError::Malformed)?;
    Ok(Timestamp::from_seconds(seconds))
}
