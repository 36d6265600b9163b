//! What the issuer remembers: domain operations over SQLite. The only place that holds SQL.
//!
//! Writes go to one thread that owns one connection and commits whatever is queued in one transaction (`writer`); an
//! answer is given after that commit, with `synchronous=FULL`, so what was answered survives a loss of power. Reads go
//! to a pool of read-only connections (`readers`). What is found by its key is read on the thread that asks, since waking
//! another one costs more than the read; the log keeps readers and the writer out of each other's way. Everything longer is
//! read on threads that may wait. No async thread ever waits for a lock of SQLite's.
//!
//! Whatever may be used once is consumed by one guarded statement, in the transaction that stores what comes of it, and
//! the audit event of a change commits with the change, chained to the one before it (`audit_chain`). A second backend would offer the same operations; nothing here
//! shows rows.
//!
//! Trusted on entry: domain values. Left out on purpose: more than one machine.

mod access_tokens;
mod account_links;
mod accounts;
mod api_keys;
mod audit_chain;
mod audit_changes;
mod audit_events;
mod audit_retention;
mod audit_search;
mod audit_verification;
mod authorization_codes;
mod authorization_requests;
mod backup;
mod client_assertions;
mod clients;
mod connected_apps;
mod connection;
mod consents;
mod denials;
mod device_authorizations;
mod direct_grants;
mod dpop_proofs;
mod error;
mod factors;
mod grants;
mod launches;
mod logout_notifications;
mod messages;
mod migrations;
mod numbers;
mod organizations;
mod pairwise_subjects;
mod passkeys;
mod purge;
mod readers;
mod refresh_tokens;
mod registration;
mod remembered_devices;
mod resealing;
mod roles;
mod room;
mod sent_codes;
mod session_list;
mod sessions;
mod sign_ins;
mod signing_keys;
mod sql;
mod sso_connections;
mod sso_domains;
mod sso_sign_ins;
mod status_lists;
mod upgrade;
mod users;
mod writer;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::Notify;
use tracing::Instrument as _;
use wardgate_shared::time::Timestamp;

use crate::config::DatabaseConfig;
use crate::keys::Sealer;
use crate::metrics::instruments::StoreInstruments;
use crate::telemetry::spans;

use audit_chain::{Chain, ChainKey};

pub use account_links::PasswordChange;
pub use accounts::{AccountChange, Refused, UserFilter};
#[cfg(test)]
pub(crate) use audit_verification::alter_audit_event;
pub use backup::{BackupError, Trial, check_integrity};
pub use clients::ClientUpdate;
pub use direct_grants::{DirectIssue, UsedAssertion};
pub use error::{OpenError, StoreError};
pub use factors::FactorRemoval;
pub use numbers::{Numbers, Queued};
pub use organizations::OrganizationChange;
pub use passkeys::{PasskeyInsertion, PasskeyOutcome};
pub use purge::Purged;
use readers::Readers;
pub use refresh_tokens::PresentedRefreshToken;
pub use registration::Registration;
pub use resealing::SealedCount;
pub use roles::RoleChange;
pub use sso_connections::ConnectionChange;
pub use sso_sign_ins::{ProvidedAccount, ProvidedIdentity};
pub use upgrade::Upgrade;
use writer::Writer;

/// Whether something new was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Insertion {
    /// It was.
    Inserted,
    /// Something of that name exists already; nothing was changed.
    AlreadyExists,
}

impl Insertion {
    const fn of(rows: usize) -> Self {
        if rows == 0 {
            Self::AlreadyExists
        } else {
            Self::Inserted
        }
    }
}

/// What became of an attempt to end an authorization request with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Approval {
    /// The code is stored.
    Approved,
    /// The request was answered before, or has expired.
    RequestGone,
    /// The EHR launch that it came with was spent by another request. The request is over.
    LaunchSpent,
}

/// What became of an attempt to exchange a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum RefreshRotation {
    /// This attempt was the first to exchange the token.
    Rotated,
    /// The token was exchanged before and its successor was never used: the client asked again. The successor of before is
    /// replaced by the new one.
    Retried,
    /// The token was exchanged or replaced before, within its client's grace. The new token is the one that counts.
    Tolerated,
    /// The token was exchanged before and its successor was used, or it was replaced; its whole family is over now (RFC 9700
    /// section 4.14.2).
    Replayed,
    /// There is no such token, it has expired, or its grant, session or person is gone.
    Dead,
}

/// The store. Clones share it; when the last one goes, the writer finishes what is queued and closes the database.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Held as long as the database is open here.
    _lock: File,
    chain_key: ChainKey,
    writer: Writer,
    readers: Readers,
    /// Rings when a logout was queued and committed.
    logout_bell: Notify,
    /// Rings when a message was queued and committed.
    message_bell: Notify,
}

impl Store {
    /// Opens the database, makes it if need be, and brings its schema up to date. `sealer` opens the key of the audit trail.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(config: &DatabaseConfig, sealer: &Sealer, now: Timestamp) -> Result<Self, OpenError> {
        Self::open_holding(backup::hold(&config.path)?, config, sealer, now)
    }

    /// As [`Store::open`], for what nobody else may see the database between: no server or command has it open until this is
    /// dropped.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::NotAlone`] while somebody has the database open.
    pub fn open_alone(config: &DatabaseConfig, sealer: &Sealer, now: Timestamp) -> Result<Self, OpenError> {
        Self::open_holding(backup::hold_alone(&config.path)?, config, sealer, now)
    }

    fn open_holding(
        lock: File,
        config: &DatabaseConfig,
        sealer: &Sealer,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        let mut connection = connection::open_for_writing(&config.path)?;
        migrations::apply(&mut connection, now)?;
        let chain_key = ChainKey::provide(&mut connection, sealer)?;
        let readers = (0..config.readers.max(1))
            .map(|_| connection::open_for_reading(&config.path))
            .collect::<Result<Vec<_>, _>>()?;
        let writer = Writer::start(connection, Chain::new(chain_key.clone()))
            .map_err(|error| OpenError::File(config.path.clone(), error.kind()))?;
        Ok(Self(Arc::new(Inner {
            path: config.path.clone(),
            _lock: lock,
            chain_key,
            writer,
            readers: Readers::new(readers),
            logout_bell: Notify::new(),
            message_bell: Notify::new(),
        })))
    }

    /// Whether the store can be read and written now: a page goes to the disk, with what it holds already. Says whether the schema is
    /// the one of this program.
    ///
    /// # Errors
    /// [`StoreError`], when not.
    pub async fn check(&self) -> Result<bool, StoreError> {
        self.read(|connection| sql::first(connection, "SELECT 1", [], |_| Ok(())))
            .await?;
        self.write(migrations::rewrite_version).await
    }

    /// What is counted and measured here.
    pub fn instruments(&self) -> &StoreInstruments {
        self.0.writer.instruments()
    }

    /// How many writes wait, and how many may.
    pub fn queue(&self) -> (usize, usize) {
        self.0.writer.queue()
    }

    /// Notes how many writes wait.
    pub fn observe_queue(&self) {
        let (depth, _) = self.queue();
        let depth = i64::try_from(depth).unwrap_or(i64::MAX);
        self.instruments().queue_depth.set(depth);
    }

    /// How many transactions were committed since the store was opened.
    pub fn commits(&self) -> u64 {
        self.0.writer.commits()
    }

    /// Waits until everything queued is committed and answered, then closes the writer. Later writes fail.
    pub async fn close(&self) {
        self.0.writer.close().await;
    }

    /// The key of the audit trail's digests.
    fn chain_key(&self) -> ChainKey {
        self.0.chain_key.clone()
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.readers.read(work).await
    }

    /// Reads a row or a few by their keys, as [`Store::read`] would.
    async fn look_up<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.0.readers.read_here(&work) {
            Some(outcome) => outcome,
            None => self.read(work).await,
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.writer.write(work).instrument(spans::store_write()).await
    }
}

#[cfg(test)]
mod tests;
