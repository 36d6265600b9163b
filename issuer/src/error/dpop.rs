//! Refusals of DPoP proofs (RFC 9449 sections 5, 7.1, 8 and 9).

use wardgate_shared::dpop::{ALGORITHMS, ProofError};
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::oauth_error::OAuthErrorCode;

/// Why a proof, or its absence, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofRefusal {
    /// There is none where one is required.
    Missing,
    /// There are several `DPoP` headers, or one that is not ASCII.
    Header,
    /// The proof itself is not good.
    Proof(ProofError),
    /// Its key is not the one that `dpop_jkt` of the same request names (section 10.1).
    AnotherKey,
    /// It lacks a nonce of this server, or has an old one.
    Nonce,
    /// It was used before.
    Replayed,
}

impl ProofRefusal {
    /// The code for the client.
    pub const fn code(self) -> OAuthErrorCode {
        match self {
            Self::Missing | Self::Header | Self::Proof(_) | Self::AnotherKey | Self::Replayed => {
                OAuthErrorCode::InvalidDpopProof
            }
            Self::Nonce => OAuthErrorCode::UseDpopNonce,
        }
    }

    /// The reason for the client's developers.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Missing => "The request must carry a DPoP proof",
            Self::Header => "The request must carry one DPoP header, with one proof",
            Self::Proof(error) => error.description(),
            Self::AnotherKey => "dpop_jkt is not the thumbprint of the key in the DPoP proof",
            Self::Nonce => {
                "The DPoP proof must hold the nonce that the header DPoP-Nonce of this answer gives"
            }
            Self::Replayed => "The DPoP proof was used before: each needs a jti of its own",
        }
    }

    /// The reason for the audit trail; none for a nonce, which every client has to ask for now and then.
    pub const fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::Missing => "no_dpop_proof",
            Self::Header => "malformed_dpop_header",
            Self::Proof(_) => "invalid_dpop_proof",
            Self::AnotherKey => "dpop_key_mismatch",
            Self::Replayed => "dpop_proof_replayed",
            Self::Nonce => return None,
        })
    }
}

/// What `algs` of a challenge says (section 7.1): the algorithms, with spaces between them.
pub fn algorithm_names() -> String {
    ALGORITHMS.map(SignatureAlgorithm::name).join(" ")
}
