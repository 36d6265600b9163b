//! What every handler shares. One type, the same in tests; only clock, database and keys differ there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::background::Background;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::audit_event::AuditEvent;
use crate::domain::client::{Client, Rules};
use crate::extract::distinguishing_address;
use crate::keys::{KeyRing, Sealer};
use crate::messages::Messages;
use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::outbound::{KeySets, Outbound, Providers};
use crate::passkeys::Passkeys;
use crate::password::{PasswordError, Passwords};
use crate::readiness::Readiness;
use crate::store::{Store, StoreError};
use crate::throttle::Throttle;
use crate::tokens::status_lists::StatusLists;
use crate::tokens::status_places::StatusPlaces;

/// The issuer's state. Clones share it.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

struct Parts {
    config: Config,
    store: Store,
    keys: KeyRing,
    passwords: Passwords,
    clock: Arc<dyn Clock>,
    form_key: Secret<[u8; 32]>,
    nonce_key: Secret<[u8; 32]>,
    code_key: Secret<[u8; 32]>,
    session_name_key: Secret<[u8; 32]>,
    sealer: Sealer,
    passkeys: Passkeys,
    outbound: Outbound,
    key_sets: KeySets,
    providers: Providers,
    status_places: StatusPlaces,
    status_lists: StatusLists,
    throttle: Throttle,
    messages: Messages,
    background: Background,
    metrics: Metrics,
    readiness: Readiness,
    started_at: Timestamp,
    is_stopping: AtomicBool,
}

impl AppState {
    /// Puts the parts together.
    ///
    /// # Errors
    /// [`PasswordError`], when the configured Argon2 parameters do not work together or there is no randomness.
    pub fn build(
        config: Config,
        store: Store,
        keys: KeyRing,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PasswordError> {
        let passwords = Passwords::new(&config.passwords)?;
        let form_key = keys.derive("wardgate form key");
        let nonce_key = keys.derive("wardgate dpop nonce key");
        let code_key = keys.derive("wardgate sent code key");
        let session_name_key = keys.derive("wardgate session name key");
        let sealer = keys.sealer();
        let ceremony_key = keys.derive("wardgate passkey ceremony key");
        let passkeys = Passkeys::new(&config.server.public_url, ceremony_key);
        let outbound = Outbound::new(config.outbound.clone());
        let key_sets = KeySets::new(outbound.clone());
        let providers = Providers::new(outbound.clone());
        let status_places = StatusPlaces::new(config.longest_token_seconds());
        let throttle = Throttle::new(config.limits);
        let messages = Messages::new(&config, &outbound);
        let metrics = Metrics::new(&store, &passwords, &outbound);
        let started_at = clock.now();
        Ok(Self(Arc::new(Parts {
            config,
            store,
            keys,
            passwords,
            clock,
            form_key,
            nonce_key,
            code_key,
            session_name_key,
            sealer,
            passkeys,
            outbound,
            key_sets,
            providers,
            status_places,
            status_lists: StatusLists::default(),
            throttle,
            messages,
            background: Background::default(),
            metrics,
            readiness: Readiness::default(),
            started_at,
            is_stopping: AtomicBool::new(false),
        })))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The rules that `client` is held to here.
    pub fn rules(&self, client: &Client) -> Rules {
        client.rules(self.0.config.security.profile)
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The signing keys.
    pub fn keys(&self) -> &KeyRing {
        &self.0.keys
    }

    /// The password hasher.
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The key of the forms' CSRF tokens (HMAC-SHA-256); the same after a restart, as long as the master key is.
    pub fn form_key(&self) -> &Secret<[u8; 32]> {
        &self.0.form_key
    }

    /// The brake on programs that call too often.
    pub fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// Records that a request was refused, unless so many are from where it came that one line has to stand for all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_refusal(&self, audit: AuditEvent) -> Result<(), StoreError> {
        let network = distinguishing_address(audit.ip_address, &self.config().server);
        if self.throttle().is_flooding(network, audit.at) {
            return Ok(());
        }
        self.store().record(audit).await
    }

    /// The key of DPoP nonces (HMAC-SHA-256); the same after a restart, as long as the master key is.
    pub fn nonce_key(&self) -> &Secret<[u8; 32]> {
        &self.0.nonce_key
    }

    /// The key by which codes that were sent, and the numbers they were sent to, are stored (HMAC-SHA-256); the same after a
    /// restart, as long as the master key is.
    pub fn code_key(&self) -> &Secret<[u8; 32]> {
        &self.0.code_key
    }

    /// The key by which sessions are named to clients (`sid`, HMAC-SHA-256); the same after a restart, as long as the master
    /// key is.
    pub fn session_name_key(&self) -> &Secret<[u8; 32]> {
        &self.0.session_name_key
    }

    /// The mails that tell people of changes to their accounts.
    pub fn notices(&self) -> Notices<'_> {
        Notices::new(self.config(), self.sealer())
    }

    /// What seals secrets that have to be read again; the same after a restart, as long as the master key is.
    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    /// The ceremonies of passkeys.
    pub fn passkeys(&self) -> &Passkeys {
        &self.0.passkeys
    }

    /// The HTTP client for what others serve.
    pub fn outbound(&self) -> &Outbound {
        &self.0.outbound
    }

    /// The ways by which messages go to people.
    pub fn messages(&self) -> &Messages {
        &self.0.messages
    }

    /// Work that is done after an answer.
    pub fn background(&self) -> &Background {
        &self.0.background
    }

    /// What is counted and measured.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Whether requests can be answered.
    pub fn readiness(&self) -> &Readiness {
        &self.0.readiness
    }

    /// When this state was put together.
    pub fn started_at(&self) -> Timestamp {
        self.0.started_at
    }

    /// Says that the process was told to stop: it is not ready for new work any more. There is no way back.
    pub fn begin_stopping(&self) {
        self.0.is_stopping.store(true, Ordering::Release);
    }

    /// Whether the process was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.is_stopping.load(Ordering::Acquire)
    }

    /// The key sets that clients and trusted issuers publish at URLs.
    pub fn key_sets(&self) -> &KeySets {
        &self.0.key_sets
    }

    /// What is known of the trusted issuers that have their keys found by discovery.
    pub fn providers(&self) -> &Providers {
        &self.0.providers
    }

    /// The places of new access tokens in status lists.
    pub fn status_places(&self) -> &StatusPlaces {
        &self.0.status_places
    }

    /// The status lists that verifiers fetch.
    pub fn status_lists(&self) -> &StatusLists {
        &self.0.status_lists
    }
}
