//! Tokens that are bound to a key of their holder, and the proofs that come with them (RFC 9449 section 7).
//!
//! `Authorization: DPoP` brings the token, the header `DPoP` one proof. What costs little comes first: the form of the proof
//! and what it says of this request, then its nonce where one is required, then the token with all that is asked of any token,
//! among it whether it is bound to the key of the proof; then the signature of the proof, and last whether the proof was used
//! before ([`used`]). A token that was verified a moment ago is spared none of this but its own signature.
//!
//! A proof is for this gateway, which removes it: the server behind is told who holds the token, and trusts nothing else. The URL
//! that it names is the public one, made of the configured origin and the path as it was sent.
//!
//! Left out: client certificates (`x5t#S256`), which the platform does not show in a form that could be compared; such tokens are
//! refused.

pub mod nonce;
pub mod used;

use std::rc::Rc;

use wardgate_shared::dpop::{
    HEADER, NONCE_HEADER, ProofError, ProofRequest, UnverifiedProof, VerifyProofError, judge,
    verify_signature,
};
use wardgate_shared::jwk::JwkError;

use crate::authenticate::{Holder, RETRY_AFTER_SECONDS, authenticate_presented};
use crate::config::Api;
use crate::credentials;
use crate::error::Refusal;
use crate::explain::Trail;
use crate::gateway::Gateway;
use crate::log::Incident;
use crate::outside::Outside;
use crate::request::Incoming;

/// Why a proof does not let its token through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofFault {
    /// There is none.
    Missing,
    /// There is more than one.
    Several,
    /// It breaks a rule of its kind.
    Rule(ProofError),
    /// It has no nonce, or none that was given a moment ago.
    Nonce,
    /// It was used before.
    Used,
    /// Whether it was used before cannot be known now.
    Unknown,
}

impl ProofFault {
    /// What the client's author is told: fit for an `error_description`.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Missing => "Authorization: DPoP needs a proof in the header DPoP",
            Self::Several => "The request has more than one DPoP proof",
            Self::Rule(error) => error.description(),
            Self::Nonce => "The DPoP proof must have the nonce of the header DPoP-Nonce",
            Self::Used => "The DPoP proof was used before: make one for each request",
            Self::Unknown => "The request cannot be decided now; try again later",
        }
    }

    /// The reason in one word of a fixed list, for the log.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "proof_missing",
            Self::Several => "proof_several",
            Self::Nonce => "proof_nonce",
            Self::Used => "proof_used",
            Self::Unknown => "proof_unknown",
            Self::Rule(error) => match error {
                ProofError::Form(_) => "proof_malformed",
                ProofError::Type => "proof_type",
                ProofError::Algorithm | ProofError::AnotherAlgorithm => "proof_algorithm",
                ProofError::NoKey | ProofError::Key(_) => "proof_key",
                ProofError::Signature => "proof_signature",
                ProofError::NoId => "proof_id",
                ProofError::NoMethod | ProofError::Method => "proof_method",
                ProofError::NoTarget | ProofError::Target => "proof_target",
                ProofError::NoIssueTime | ProofError::TooOld | ProofError::TooEarly => "proof_time",
                ProofError::NoTokenHash | ProofError::TokenHash => "proof_token_hash",
            },
        }
    }
}

impl From<ProofFault> for Refusal {
    fn from(fault: ProofFault) -> Self {
        Self::Proof(fault)
    }
}

impl From<ProofError> for Refusal {
    fn from(error: ProofError) -> Self {
        Self::Proof(ProofFault::Rule(error))
    }
}

/// Verifies an access token for `api` and the proof that came with it, and gives what the token says.
///
/// # Errors
/// [`Refusal::Proof`] when the proof does not let it through, and those of any token.
pub async fn authenticate_bound<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    api: &Api,
    request: &Incoming<'_>,
    token: &str,
    trail: &mut Trail,
) -> Result<Rc<Holder>, Refusal> {
    trail.found("kind", "dpop");
    trail.step("proof");
    trail.found("checks", "typ, alg, jwk, jti, htm, htu, iat, ath, nonce");
    let config = &gateway.config;
    let proof = UnverifiedProof::parse(the_one(request)?)?;
    let url = [config.public_url.as_str(), request.path].concat();
    let made_for = ProofRequest {
        method: request.method,
        url: &url,
        access_token: Some(token),
    };
    let judged = judge(&proof, &made_for, config.dpop.longest_age_seconds, outside.now())?;
    if api.requires_dpop_nonce && !nonce::is_good(config, judged.nonce(), outside.now()) {
        return Err(ProofFault::Nonce.into());
    }

    let thumbprint = proof.key().thumbprint();
    let holder = authenticate_presented(gateway, outside, api, token, Some(&thumbprint), trail).await?;

    trail.step("possession");
    trail.found("checks", "signature, jti");
    // What WebCrypto does not take for a key is no key: a point beside its curve.
    let key = outside.import_key(proof.key(), proof.algorithm()).await;
    let key = key.map_err(|_| ProofError::Key(JwkError::Malformed))?;
    let verified = verify_signature(&proof, judged, &key).await;
    let verified = verified.map_err(|error| match error {
        VerifyProofError::Refused(error) => error.into(),
        VerifyProofError::Undecided(_) => {
            outside.log(&Incident::SignatureUnchecked.line(&holder.claims().issuer));
            Refusal::Undecided {
                retry_after_seconds: RETRY_AFTER_SECONDS,
            }
        }
    })?;
    // An explanation has no effects.
    if !trail.is_followed() {
        used::use_once(gateway, outside, &verified).await?;
    }
    Ok(holder)
}

/// The one proof of a request. Two headers of its name reach us joined by a comma, which no proof has.
fn the_one<'a>(request: &Incoming<'a>) -> Result<&'a str, ProofFault> {
    let text = request.headers.get(HEADER).ok_or(ProofFault::Missing)?;
    if text.contains(',') {
        return Err(ProofFault::Several);
    }
    Ok(text.trim_matches([' ', '\t']))
}

/// The header that gives a nonce: in every answer to a request that presents a proof, or should, where nonces are required.
pub fn nonce_header<O: Outside, K>(
    gateway: &Gateway<K>,
    outside: &O,
    api: &Api,
    request: &Incoming<'_>,
) -> Option<(&'static str, String)> {
    let asks = request.headers.get(HEADER).is_some() || credentials::is_dpop(request);
    if !api.requires_dpop_nonce || !asks {
        return None;
    }
    nonce::current(&gateway.config, outside.now()).map(|nonce| (NONCE_HEADER, nonce))
}

#[cfg(test)]
mod tests;
