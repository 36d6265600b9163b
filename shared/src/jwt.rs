//! JSON Web Tokens in compact form: RFC 7519 over RFC 7515, under the rules of RFC 8725.
//!
//! Data travels one way: [`UnverifiedJwt::parse`] reads the header of an untrusted text, the caller finds the
//! [`VerifyingKey`] that the header names, and [`verify`] checks everything else in one call. Only its success yields
//! a [`VerifiedJwt`], and only that has claims. jwt-compact
//! assembles what is signed; what comes from outside is read with [`crate::json`], which the edge has room for.
//!
//! Nothing is trusted on entry. Left out on purpose: encryption (JWE), the JSON serialisation, detached payloads
//! (`b64`), keys named by the token itself (`jku`, `x5u`, `jwk`; but see [`crate::dpop`]), `none`, and HMAC: a key that verifies here is public,
//! so the classic confusion of a public key with an HMAC secret has nothing to be confused with.

mod alg;
mod error;
mod policy;
mod sign;
mod unverified;
mod verify;

pub use alg::SignatureAlgorithm;
pub use error::{JwtError, VerifyError};
pub use policy::{Audiences, Policy, is_type};
pub use sign::{SignError, SigningKey, sign};
pub use unverified::{MAXIMUM_JWT_BYTES, UnverifiedJwt};
pub use verify::{RegisteredClaims, VerifiedJwt, VerifyingKey, deserialized, verify};
pub(crate) use verify::{check_signature, issue_time};

#[cfg(test)]
pub(crate) mod test_keys;
#[cfg(test)]
mod tests;
