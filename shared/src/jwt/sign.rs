//! Making a compact JWT: jwt-compact assembles it, the caller's key signs it.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;

use chrono::DateTime;
use jwt_compact::{Algorithm, AlgorithmExt, AlgorithmSignature, Claims, Header};
use serde::Serialize;

use crate::time::Timestamp;

use super::alg::SignatureAlgorithm;

/// A private key that is bound to one algorithm.
pub trait SigningKey {
    /// What goes wrong when a signature cannot be made.
    type Error;

    /// The algorithm the key signs with.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// The `kid` under which the public half is published.
    fn key_id(&self) -> &str;

    /// Signs `message`. ECDSA signatures are `r ‖ s` (RFC 7518 section 3.4).
    ///
    /// # Errors
    /// When the cryptographic library refuses.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Self::Error>;
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum SignError<E> {
    /// The key could not sign.
    #[error("the key could not sign")]
    Key(E),
    /// The claims do not serialise to a JSON object, or an instant lies beyond the year 262000.
    #[error("the claims cannot be written as a JWT")]
    Claims,
}

/// Signs `claims` with `iat`, `exp` and the header parameters `alg`, `kid` and `typ`.
///
/// `token_type` is `typ` (RFC 9068 wants `at+jwt`, ID tokens have `JWT`).
///
/// # Errors
/// [`SignError`]; nothing is returned half-made.
pub fn sign<C: Serialize, K: SigningKey>(
    key: &K,
    token_type: &str,
    claims: C,
    issued_at: Timestamp,
    expires_at: Timestamp,
) -> Result<String, SignError<K::Error>> {
    let date = |instant: Timestamp| DateTime::from_timestamp(instant.seconds(), 0).ok_or(SignError::Claims);
    let mut complete = Claims::new(claims);
    complete.issued_at = Some(date(issued_at)?);
    complete.expiration = Some(date(expires_at)?);
    let header = Header::empty()
        .with_key_id(key.key_id())
        .with_token_type(token_type);

    let attempt = Attempt {
        key,
        failure: Cell::new(None),
    };
    let token = Signing::<K>(core::marker::PhantomData, key.algorithm()).token(&header, &complete, &attempt);
    match attempt.failure.take() {
        Some(error) => Err(SignError::Key(error)),
        None => token.map_err(|_| SignError::Claims),
    }
}

/// One use of a key. jwt-compact's `sign` cannot fail, so a failure is kept here and looked at before the token is used.
struct Attempt<'a, K: SigningKey> {
    key: &'a K,
    failure: Cell<Option<K::Error>>,
}

/// The bytes of a signature, of any length.
struct SignatureBytes(Vec<u8>);

impl AlgorithmSignature for SignatureBytes {
    fn try_from_slice(slice: &[u8]) -> Result<Self, anyhow::Error> {
        Ok(Self(slice.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

struct Signing<'a, K>(core::marker::PhantomData<&'a K>, SignatureAlgorithm);

impl<'a, K: SigningKey> Algorithm for Signing<'a, K> {
    type SigningKey = Attempt<'a, K>;
    /// Nothing is verified with a signing key.
    type VerifyingKey = core::convert::Infallible;
    type Signature = SignatureBytes;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.1.name())
    }

    fn sign(&self, attempt: &Self::SigningKey, message: &[u8]) -> SignatureBytes {
        SignatureBytes(attempt.key.sign(message).unwrap_or_else(|error| {
            attempt.failure.set(Some(error));
            Vec::new()
        }))
    }

    fn verify_signature(&self, _: &SignatureBytes, verifying_key: &Self::VerifyingKey, _: &[u8]) -> bool {
        match *verifying_key {}
    }
}
