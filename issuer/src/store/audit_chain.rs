//! The chain of the audit trail, as the writer extends it: in the transaction that adds lines, before it is committed.
//!
//! Only lines that were added in the writer's own transaction get a digest. A line that somebody put into the file beside it
//! stays without one, and is found for that.

use aws_lc_rs::hmac;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, TransactionBehavior};
use wardgate_shared::secret::Secret;

use crate::domain::audit_chain::{AuditDigest, AuditHead};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::keys::Sealer;
use crate::metrics::instruments::CountedLine;
use crate::rng;

use super::error::OpenError;
use super::{StoreError, sql};

/// What the key's seal names as its context.
pub(super) const KEY_CONTEXT: &str = "key of the audit trail";

/// What a digest covers, in this order: every column but the digest itself.
const COLUMNS: [&str; 12] = [
    "id",
    "at",
    "action",
    "outcome",
    "user_id",
    "client_id",
    "ip_address",
    "method",
    "reason",
    "actor_id",
    "object_id",
    "changes",
];

/// The key of the digests.
#[derive(Clone, Debug)]
pub(super) struct ChainKey(Secret<[u8; 32]>);

impl ChainKey {
    /// The key of this database. Where there is none yet, it is made, and the lines there are become the beginning of the chain.
    ///
    /// # Errors
    /// [`OpenError::MasterKey`] when it was sealed under another master key, or [`OpenError::Store`].
    pub(super) fn provide(connection: &mut Connection, sealer: &Sealer) -> Result<Self, OpenError> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let stored: Option<Vec<u8>> = sql::first(
            &transaction,
            "SELECT sealed FROM audit_keys WHERE id = 1",
            [],
            |row| Ok(row.get("sealed")?),
        )?;
        if let Some(stored) = stored {
            let key = sealer
                .open(&stored, KEY_CONTEXT)
                .map_err(|_| OpenError::MasterKey)?;
            let key = key.as_slice().try_into().map_err(|_| OpenError::MasterKey)?;
            return Ok(Self(Secret::new(key)));
        }
        let key = Secret::new(rng::bytes::<32>().map_err(|_| OpenError::NoRandomness)?);
        let to_store = sealer
            .seal(key.expose(), KEY_CONTEXT)
            .map_err(|_| OpenError::NoRandomness)?;
        sql::change(
            &transaction,
            "INSERT INTO audit_keys (id, sealed) VALUES (1, ?1)",
            [to_store],
        )?;
        let key = Self(key);
        extend(&transaction, &key, AuditHead::START)?;
        transaction.commit()?;
        Ok(key)
    }

    /// The digest of the line in `row`, which follows on the one with the digest `before`.
    pub(super) fn digest(&self, before: AuditDigest, row: &Row<'_>) -> Result<AuditDigest, StoreError> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose());
        let mut context = hmac::Context::with_key(&key);
        context.update(before.as_bytes());
        for column in COLUMNS {
            // The kind and the length first, so that no two lines give the same bytes.
            let mut put = |kind: u8, bytes: &[u8]| {
                context.update(&[kind]);
                context.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
                context.update(bytes);
            };
            match row.get_ref(column)? {
                ValueRef::Null => put(0, &[]),
                ValueRef::Integer(number) => put(1, &number.to_be_bytes()),
                ValueRef::Real(number) => put(2, &number.to_be_bytes()),
                ValueRef::Text(text) => put(3, text),
                ValueRef::Blob(bytes) => put(4, bytes),
            }
        }
        let mut digest = [0; 32];
        let tag = context.sign();
        digest
            .iter_mut()
            .zip(tag.as_ref())
            .for_each(|(to, from)| *to = *from);
        Ok(AuditDigest::from_bytes(digest))
    }
}

/// The chain in the hands of the writer.
#[derive(Debug)]
pub(super) struct Chain {
    key: ChainKey,
    /// Where it ended after the last transaction.
    head: Option<AuditHead>,
}

impl Chain {
    pub(super) const fn new(key: ChainKey) -> Self {
        Self { key, head: None }
    }

    /// Where the lines of a transaction will begin. To be asked before any is added.
    pub(super) fn begin(&self, transaction: &Connection) -> Result<AuditHead, StoreError> {
        let query = "SELECT ifnull(max(id), 0) AS id FROM audit_events";
        let id = sql::first(transaction, query, [], |row| Ok(row.get("id")?))?.unwrap_or(0);
        match self.head {
            Some(head) if head.id == id => Ok(head),
            // Another process has been at work, or this is the first transaction.
            Some(_) | None => Ok(AuditHead {
                id,
                digest: last_digest(transaction)?,
            }),
        }
    }

    /// Gives the lines that were added after `begin` their digests. What is returned is to be kept with [`Chain::keep`] once
    /// the transaction is committed.
    pub(super) fn extend(
        &self,
        transaction: &Connection,
        begin: AuditHead,
    ) -> Result<(AuditHead, Vec<CountedLine>), StoreError> {
        extend(transaction, &self.key, begin)
    }

    /// The chain ends here now.
    pub(super) const fn keep(&mut self, head: AuditHead) {
        self.head = Some(head);
    }
}

fn extend(
    connection: &Connection,
    key: &ChainKey,
    begin: AuditHead,
) -> Result<(AuditHead, Vec<CountedLine>), StoreError> {
    let (mut head, mut lines) = (begin, Vec::new());
    loop {
        // One by one: the next digest needs this one, and a line is found by its number.
        let next = sql::first(
            connection,
            "SELECT * FROM audit_events WHERE id > ?1 ORDER BY id LIMIT 1",
            [head.id],
            |row| {
                let next = AuditHead {
                    id: row.get("id")?,
                    digest: key.digest(head.digest, row)?,
                };
                Ok((next, counted(row)?))
            },
        )?;
        let Some((next, line)) = next else {
            return Ok((head, lines));
        };
        lines.extend(line);
        let update = "UPDATE audit_events SET digest = ?2 WHERE id = ?1";
        sql::change(connection, update, (next.id, next.digest.as_bytes()))?;
        head = next;
    }
}

/// What is counted of a line; nothing of one that this program did not write.
fn counted(row: &Row<'_>) -> Result<Option<CountedLine>, StoreError> {
    let named = |column| -> Result<String, StoreError> { Ok(row.get(column)?) };
    let (Some(action), Some(outcome)) = (
        AuditAction::from_name(&named("action")?),
        AuditOutcome::from_name(&named("outcome")?),
    ) else {
        return Ok(None);
    };
    Ok(Some(CountedLine {
        action,
        outcome,
        method: row.get("method")?,
    }))
}

/// The digest of the newest line that has one, or of the last one that was retired.
fn last_digest(connection: &Connection) -> Result<AuditDigest, StoreError> {
    let read = |row: &Row<'_>| Ok(AuditDigest::from_bytes(row.get("digest")?));
    let query = "SELECT digest FROM audit_events WHERE digest IS NOT NULL ORDER BY id DESC LIMIT 1";
    if let Some(digest) = sql::first(connection, query, [], read)? {
        return Ok(digest);
    }
    let query = "SELECT digest FROM audit_retention WHERE id = 1";
    Ok(sql::first(connection, query, [], read)?.unwrap_or(AuditDigest::NONE))
}
