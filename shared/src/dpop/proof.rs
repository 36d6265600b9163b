//! A proof, from an untrusted text to the key whose holder made it.

use alloc::string::String;
use core::future::Future;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::jwk::{JwkError, PublicJwk};
use crate::jwt::{
    SignatureAlgorithm, UnverifiedJwt, VerifyError, VerifyingKey, check_signature, is_type, issue_time,
};
use crate::secret::constant_time_eq;
use crate::time::Timestamp;

use super::error::{ProofError, VerifyProofError};
use super::target::is_same_target;
use super::{ALGORITHMS, LONGEST_AGE_SECONDS, LONGEST_LEAD_SECONDS, MAXIMUM_PROOF_BYTES, PROOF_TYPE};

/// A well-formed proof, not verified: nothing it says is known to be true.
#[derive(Debug)]
pub struct UnverifiedProof<'a> {
    jwt: UnverifiedJwt<'a>,
    key: PublicJwk,
}

impl<'a> UnverifiedProof<'a> {
    /// Reads a proof as the header `DPoP` brings it.
    ///
    /// Checked here: length, form, no repeated member, `typ`, `alg`, and a public key in `jwk` that belongs to it.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn parse(text: &'a str) -> Result<Self, ProofError> {
        let jwt = UnverifiedJwt::parse(text, MAXIMUM_PROOF_BYTES)?;
        if !jwt.token_type().is_some_and(|actual| is_type(actual, PROOF_TYPE)) {
            return Err(ProofError::Type);
        }
        if !ALGORITHMS.contains(&jwt.algorithm()) {
            return Err(ProofError::Algorithm);
        }
        let key = jwt.header_parameter("jwk").ok_or(ProofError::NoKey)?;
        let key = PublicJwk::from_value(key).map_err(ProofError::Key)?;
        if !key.permits(jwt.algorithm()) {
            return Err(ProofError::AnotherAlgorithm);
        }
        Ok(Self { jwt, key })
    }

    /// The key that the proof brings.
    pub const fn key(&self) -> &PublicJwk {
        &self.key
    }

    /// The header's `alg`, which the key permits.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.jwt.algorithm()
    }
}

/// The request that a proof has to be made for.
#[derive(Clone, Copy, Debug)]
pub struct ProofRequest<'a> {
    /// Its method, as sent.
    pub method: &'a str,
    /// Its URL as clients see it; query and fragment do not count.
    pub url: &'a str,
    /// The access token that comes with it, where it calls a resource.
    pub access_token: Option<&'a str>,
}

/// A proof whose signature, method, URL, time and token hash were checked. Made by [`verify`] alone.
#[derive(Clone, Debug)]
pub struct VerifiedProof {
    thumbprint: String,
    id: String,
    nonce: Option<String>,
    refused_from: Timestamp,
}

impl VerifiedProof {
    /// The SHA-256 thumbprint of the key (RFC 7638): what `jkt` says of a token that is bound to it.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// `jti`: the proof's own name, among those of its key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `nonce`, as the proof says it.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// The instant from which the proof is refused for its age, so that its `jti` may be forgotten.
    pub const fn refused_from(&self) -> Timestamp {
        self.refused_from
    }

    /// Whether it was made with the key of this thumbprint.
    pub fn is_by(&self, thumbprint: &str) -> bool {
        constant_time_eq(self.thumbprint.as_bytes(), thumbprint.as_bytes())
    }
}

/// Verifies `proof` for `request` at the instant `now`. `import` makes a verifying key of the proof's own public key, bound to
/// this algorithm, or `None` of a key that the library does not take.
///
/// # Errors
/// [`VerifyProofError::Refused`] with the first rule that the proof breaks; [`VerifyProofError::Undecided`] when the signature
/// could not be checked.
pub async fn verify<K, Importing>(
    proof: &UnverifiedProof<'_>,
    import: impl FnOnce(PublicJwk, SignatureAlgorithm) -> Importing,
    request: &ProofRequest<'_>,
    now: Timestamp,
) -> Result<VerifiedProof, VerifyProofError<K::Error>>
where
    K: VerifyingKey,
    Importing: Future<Output = Result<Option<K>, K::Error>>,
{
    let verified = judge(proof, request, LONGEST_AGE_SECONDS, now)?;
    let imported = import(proof.key.clone(), proof.algorithm()).await;
    let key = imported
        .map_err(VerifyProofError::Undecided)?
        .ok_or(ProofError::Key(JwkError::Malformed))?;
    verify_signature(proof, verified, &key).await
}

/// A proof that is right in all but its signature, of which nothing is known. Made by [`judge`] alone.
#[derive(Clone, Debug)]
pub struct JudgedProof(VerifiedProof);

impl JudgedProof {
    /// `nonce`, as the proof says it.
    pub fn nonce(&self) -> Option<&str> {
        self.0.nonce()
    }
}

/// Judges what `proof` says for `request` at the instant `now`: everything but the signature, which costs more than the rest and
/// is left to [`verify_signature`]. A proof is refused `longest_age_seconds` after its `iat`.
///
/// # Errors
/// The first rule that the proof breaks.
pub fn judge(
    proof: &UnverifiedProof<'_>,
    request: &ProofRequest<'_>,
    longest_age_seconds: i64,
    now: Timestamp,
) -> Result<JudgedProof, ProofError> {
    // Others may be there, `nbf` and `exp` among them: they are not asked for, and say nothing here (FAPI-45).
    let [id, method, target, token_hash, nonce] =
        proof.jwt.text_claims(["jti", "htm", "htu", "ath", "nonce"])?;
    let id = id.filter(|id| !id.is_empty()).ok_or(ProofError::NoId)?;
    if method.ok_or(ProofError::NoMethod)? != request.method {
        return Err(ProofError::Method);
    }
    if !is_same_target(target.ok_or(ProofError::NoTarget)?, request.url) {
        return Err(ProofError::Target);
    }
    let issued_at = issue_time(&proof.jwt)?.ok_or(ProofError::NoIssueTime)?;
    let refused_from = issued_at.plus(longest_age_seconds);
    if now >= refused_from {
        return Err(ProofError::TooOld);
    }
    if issued_at > now.plus(LONGEST_LEAD_SECONDS) {
        return Err(ProofError::TooEarly);
    }
    if let Some(token) = request.access_token {
        let said = token_hash.ok_or(ProofError::NoTokenHash)?;
        let expected = Base64UrlUnpadded::encode_string(&Sha256::digest(token.as_bytes()));
        if !constant_time_eq(said.as_bytes(), expected.as_bytes()) {
            return Err(ProofError::TokenHash);
        }
    }
    Ok(JudgedProof(VerifiedProof {
        thumbprint: proof.key.thumbprint(),
        id: String::from(id),
        nonce: nonce.map(String::from),
        refused_from,
    }))
}

/// Checks the signature of `proof`, which was `judged`, with its own key.
///
/// # Errors
/// As [`verify`].
pub async fn verify_signature<K: VerifyingKey>(
    proof: &UnverifiedProof<'_>,
    judged: JudgedProof,
    key: &K,
) -> Result<VerifiedProof, VerifyProofError<K::Error>> {
    match check_signature(&proof.jwt, key).await {
        Ok(()) => Ok(judged.0),
        Err(VerifyError::Refused(error)) => Err(VerifyProofError::Refused(error.into())),
        Err(VerifyError::Undecided(error)) => Err(VerifyProofError::Undecided(error)),
    }
}

/// Whether `text` has the form of a SHA-256 thumbprint (RFC 7638), as `dpop_jkt` must (section 10).
pub fn is_thumbprint(text: &str) -> bool {
    let mut digest = [0; 32];
    Base64UrlUnpadded::decode(text, &mut digest).is_ok_and(|decoded| decoded.len() == 32)
}
