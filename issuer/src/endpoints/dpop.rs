//! DPoP proofs at the endpoints that take them (RFC 9449): token, pushed requests, and what an access token opens.
//!
//! A proof is read and verified here; using it up is part of what it is presented for, and happens in the same transaction
//! (see [`crate::domain::proof_use`]). So a proof that came with a refused request may be sent again with a better one.

pub mod nonce;

use http::HeaderMap;
use wardgate_shared::dpop::{self, HEADER, ProofRequest, UnverifiedProof, VerifiedProof, VerifyProofError};
use wardgate_shared::time::Timestamp;

use crate::config::DpopNonces;
use crate::domain::client::Client;
use crate::error::dpop::ProofRefusal;
use crate::extract::RequestTarget;
use crate::keys::NativeVerifyingKey;
use crate::state::AppState;

/// The proof of a request, verified; `None` when there is none. `access_token` is the one that comes with it, where the
/// request calls a resource.
///
/// # Errors
/// [`ProofRefusal`].
pub async fn presented(
    state: &AppState,
    headers: &HeaderMap,
    target: &RequestTarget,
    access_token: Option<&str>,
    now: Timestamp,
) -> Result<Option<VerifiedProof>, ProofRefusal> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(ProofRefusal::Header);
    }
    let text = value.to_str().map_err(|_| ProofRefusal::Header)?;
    let unverified = UnverifiedProof::parse(text).map_err(ProofRefusal::Proof)?;
    let url = target.url(state.config());
    let request = ProofRequest {
        method: target.method(),
        url: &url,
        access_token,
    };
    let import = |key, algorithm| std::future::ready(Ok(NativeVerifyingKey::from_jwk(&key, algorithm).ok()));
    let proof = match dpop::verify(&unverified, import, &request, now).await {
        Ok(proof) => proof,
        Err(VerifyProofError::Refused(error)) => return Err(ProofRefusal::Proof(error)),
        Err(VerifyProofError::Undecided(never)) => match never {},
    };
    match state.config().dpop.nonce {
        DpopNonces::Off => Ok(Some(proof)),
        DpopNonces::Required if nonce::is_good(state, proof.nonce().unwrap_or_default(), now) => {
            Ok(Some(proof))
        }
        DpopNonces::Required => Err(ProofRefusal::Nonce),
    }
}

/// The proof of a token request by `client`, which may have to bring one (section 5.2).
///
/// # Errors
/// [`ProofRefusal`].
pub async fn presented_by_client(
    state: &AppState,
    headers: &HeaderMap,
    target: &RequestTarget,
    client: &Client,
    now: Timestamp,
) -> Result<Option<VerifiedProof>, ProofRefusal> {
    let proof = presented(state, headers, target, None, now).await?;
    if proof.is_none() && state.rules(client).requires_sender_constraint {
        return Err(ProofRefusal::Missing);
    }
    Ok(proof)
}

#[cfg(test)]
mod tests;
