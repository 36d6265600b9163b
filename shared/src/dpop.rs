//! DPoP: a proof, made for one request, that it comes from the holder of a key (RFC 9449).
//!
//! Data travels one way, as in [`crate::jwt`]: [`UnverifiedProof::parse`] reads the header of an untrusted text and the
//! public key in it, and [`verify`] checks everything else in one call, the signature last. Only its success yields a
//! [`VerifiedProof`]. Whoever has other things to ask before the signature takes the two halves of the call, [`judge`] and
//! [`verify_signature`]. The signature is checked by a [`VerifyingKey`](crate::jwt::VerifyingKey) that the caller makes of exactly this key.
//!
//! Nothing is trusted on entry, and a good proof says nothing about who the holder is: whoever verifies compares
//! [`VerifiedProof::thumbprint`] with the key that a token or code is bound to. Left to the caller, since they need memory
//! or a secret: that a proof is used once ([`VerifiedProof::id`]; [`used`] has the memory), and nonces (section 8).
//!
//! Left out on purpose: RSASSA-PKCS1-v1_5, which is accepted elsewhere for the sake of older clients; a client that can
//! make proofs at all can use something better (FAPI-46).

mod error;
mod proof;
mod target;
pub mod used;

pub use error::{ProofError, VerifyProofError};
pub use proof::{
    JudgedProof, ProofRequest, UnverifiedProof, VerifiedProof, is_thumbprint, judge, verify, verify_signature,
};
pub use target::is_same_target;

use crate::jwt::SignatureAlgorithm;

/// The header that carries a proof (section 4.1).
pub const HEADER: &str = "dpop";

/// The header by which a server gives a nonce (section 8).
pub const NONCE_HEADER: &str = "dpop-nonce";

/// `typ` of a proof (section 4.2).
pub const PROOF_TYPE: &str = "dpop+jwt";

/// What proofs may be signed with, in the order in which metadata lists them.
pub const ALGORITHMS: [SignatureAlgorithm; 4] = [
    SignatureAlgorithm::PS256,
    SignatureAlgorithm::ES256,
    SignatureAlgorithm::ES384,
    SignatureAlgorithm::EdDSA,
];

/// The longest proof that is looked at, in bytes: enough for an RSA key of 8192 bits and its signature.
pub const MAXIMUM_PROOF_BYTES: usize = 6 * 1024;

/// How old a proof may be, in seconds since its `iat`: time for a slow network and a clock that is behind (FAPI-45 asks for
/// 10). So long its `jti` has to be remembered.
pub const LONGEST_AGE_SECONDS: i64 = 120;

/// How far a proof's `iat` may lie ahead, in seconds, for a clock that is (FAPI-45 asks for 8).
pub const LONGEST_LEAD_SECONDS: i64 = 30;

#[cfg(test)]
mod tests;
