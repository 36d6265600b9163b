//! The one call between an untrusted text and its claims.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::future::Future;
use core::marker::PhantomData;

use jwt_compact::{Algorithm, AlgorithmExt, AlgorithmSignature, Claims};
use serde::de::DeserializeOwned;

use crate::time::Timestamp;

use super::alg::SignatureAlgorithm;
use super::error::{JwtError, VerifyError};
use super::policy::{Audiences, Policy};
use super::unverified::UnverifiedJwt;

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
pub trait RegisteredClaims: DeserializeOwned {
    /// Whether this kind of token says whom it is for. Where it does not, the policy's audiences are not looked at.
    const NAMES_AUDIENCES: bool = true;
    /// `iss`.
    fn issuer(&self) -> &str;
    /// `aud`.
    fn audiences(&self) -> &Audiences;
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
        claims,
        expires_at,
        not_before,
        issued_at,
    } = signed_claims::<C, K>(jwt, key).await?;
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
pub(crate) struct SignedClaims<C> {
    /// The claims, without the three times.
    pub(crate) claims: C,
    /// `exp`.
    pub(crate) expires_at: Option<Timestamp>,
    /// `nbf`.
    pub(crate) not_before: Option<Timestamp>,
    /// `iat`.
    pub(crate) issued_at: Option<Timestamp>,
}

/// The claims of `jwt`, once `key` has accepted its signature.
///
/// # Errors
/// [`JwtError::AlgorithmMismatch`], [`JwtError::InvalidSignature`], [`JwtError::Malformed`]; or that the key could not check.
pub(crate) async fn signed_claims<C: DeserializeOwned, K: VerifyingKey>(
    jwt: &UnverifiedJwt<'_>,
    key: &K,
) -> Result<SignedClaims<C>, VerifyError<K::Error>> {
    if jwt.algorithm() != key.algorithm() {
        return Err(JwtError::AlgorithmMismatch.into());
    }
    let proof = SignatureProof::obtain(jwt, key).await?;
    let token = Proven::new(key.algorithm())
        .validator::<C>(&proof)
        .validate(jwt.token())
        .map_err(|_| JwtError::Malformed)?;
    let (_, claims) = token.into_parts();
    let Claims {
        expiration,
        not_before,
        issued_at,
        custom,
        ..
    } = claims;
    Ok(SignedClaims {
        claims: custom,
        expires_at: expiration.map(|time| Timestamp::from_seconds(time.timestamp())),
        not_before: not_before.map(|time| Timestamp::from_seconds(time.timestamp())),
        issued_at: issued_at.map(|time| Timestamp::from_seconds(time.timestamp())),
    })
}

/// Evidence that a key accepted a signature for a message. Its one constructor asks the key.
struct SignatureProof<'a> {
    message: &'a [u8],
    signature: &'a [u8],
}

impl<'a> SignatureProof<'a> {
    async fn obtain<K: VerifyingKey>(
        jwt: &'a UnverifiedJwt<'_>,
        key: &K,
    ) -> Result<Self, VerifyError<K::Error>> {
        let (message, signature) = (jwt.signing_input(), jwt.signature());
        match key.verify_signature(message, signature).await {
            Ok(true) => Ok(Self { message, signature }),
            Ok(false) => Err(JwtError::InvalidSignature.into()),
            Err(error) => Err(VerifyError::Undecided(error)),
        }
    }
}

/// jwt-compact's view of a signature that was checked elsewhere: it holds for exactly the bytes of the proof.
struct Proven<'a> {
    algorithm: SignatureAlgorithm,
    proof: PhantomData<SignatureProof<'a>>,
}

impl Proven<'_> {
    const fn new(algorithm: SignatureAlgorithm) -> Self {
        Self {
            algorithm,
            proof: PhantomData,
        }
    }
}

/// The bytes of a signature, of any length.
pub(super) struct SignatureBytes(pub(super) Vec<u8>);

impl AlgorithmSignature for SignatureBytes {
    fn try_from_slice(slice: &[u8]) -> Result<Self, anyhow::Error> {
        Ok(Self(slice.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl<'a> Algorithm for Proven<'a> {
    /// Nothing is signed with a proof.
    type SigningKey = core::convert::Infallible;
    type VerifyingKey = SignatureProof<'a>;
    type Signature = SignatureBytes;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.algorithm.name())
    }

    fn sign(&self, signing_key: &Self::SigningKey, _: &[u8]) -> Self::Signature {
        match *signing_key {}
    }

    fn verify_signature(
        &self,
        signature: &SignatureBytes,
        proof: &SignatureProof<'a>,
        message: &[u8],
    ) -> bool {
        proof.message == message && proof.signature == signature.0
    }
}
