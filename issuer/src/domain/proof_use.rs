//! The use of a DPoP proof: what is remembered of it, so that it is used once (RFC 9449 section 11.1).

use wardgate_shared::dpop::VerifiedProof;
use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;

/// A use. It is stored in the transaction of what the proof was presented for: either both happen, or neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofUse {
    /// The digest of the proof's name: `jti` counts among the proofs of one key, so that nobody can use up another's.
    pub digest: SecretDigest,
    /// When the proof is refused for its age, so that it may be forgotten.
    pub expires_at: Timestamp,
}

impl ProofUse {
    /// The use of this proof.
    pub fn of(proof: &VerifiedProof) -> Self {
        // A thumbprint has one length and no full stop: no two pairs read the same.
        let name = format!("{}.{}", proof.thumbprint(), proof.id());
        Self {
            digest: SecretDigest::of(&name),
            expires_at: proof.refused_from(),
        }
    }
}
