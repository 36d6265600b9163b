//! DPoP proofs that were used, so that none is used twice (RFC 9449 section 11.1).

use rusqlite::{Connection, params};

use crate::domain::proof_use::ProofUse;

use super::{Insertion, Store, StoreError, sql};

impl Store {
    /// Uses up a proof that comes with a request which changes nothing else. Of many attempts at one, exactly one is told
    /// [`Insertion::Inserted`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consume_dpop_proof(&self, proof: ProofUse) -> Result<Insertion, StoreError> {
        self.write(move |connection| insert(connection, &proof)).await
    }
}

/// Uses up the proof, if there is one, that comes with a change.
///
/// # Errors
/// [`StoreError::ProofReplayed`] when it was used before, so that the change is undone.
pub(super) fn consume(connection: &Connection, proof: Option<&ProofUse>) -> Result<(), StoreError> {
    match proof.map(|proof| insert(connection, proof)).transpose()? {
        Some(Insertion::AlreadyExists) => Err(StoreError::ProofReplayed),
        Some(Insertion::Inserted) | None => Ok(()),
    }
}

/// The guarded statement that decides who comes first.
fn insert(connection: &Connection, proof: &ProofUse) -> Result<Insertion, StoreError> {
    let rows = sql::change(
        connection,
        "INSERT INTO dpop_proofs (digest, expires_at) VALUES (?1, ?2) ON CONFLICT (digest) DO NOTHING",
        params![proof.digest.as_bytes(), proof.expires_at.seconds()],
    )?;
    Ok(Insertion::of(rows))
}
