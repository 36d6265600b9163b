//! An issuer for tests: real store in a folder of its own, real keys, a clock that is moved by hand, cheap Argon2.

mod authenticator;
mod document_server;
pub(crate) mod fake_provider;
mod logout_receiver;
mod mail_sink;
mod prover;
mod signer;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tempfile::TempDir;
use wardgate_shared::jwt::{SignatureAlgorithm, SigningKey};
use wardgate_shared::redirect_uri::RegisteredRedirectUri;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::clock::{Clock, ManualClock};
use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::{Client, ClientAuthentication, ClientMetadata, GrantType};
use crate::domain::digest::SecretDigest;
use crate::domain::signing_key::StoredSigningKey;
use crate::domain::user::{Profile, User, UserType, normalize_email};
use crate::keys::{ID_TOKEN_ALGORITHMS, KeyRing, MasterKey, NativeSigningKey, Sealer, Sealers};
use crate::rng;
use crate::state::AppState;
use crate::store::{Insertion, Store};

pub(crate) use authenticator::{Authenticator, PRESENT};
pub(crate) use document_server::DocumentServer;
pub(crate) use fake_provider::FakeProvider;
pub(crate) use logout_receiver::{LogoutReceiver, Received};
pub(crate) use mail_sink::MailSink;
pub(crate) use prover::Prover;
pub(crate) use signer::{Signer, assertion_claims, key_set};

/// When every test begins: 2027-01-15.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// The FHIR base that tokens are for.
pub(crate) const AUDIENCE: &str = "https://api.example.org/fhir";
/// Another name for it.
pub(crate) const AUDIENCE_ALIAS: &str = "https://api.example.org";
/// The issuer's URL.
pub(crate) const ISSUER: &str = "https://id.example.org";

/// A whole issuer, with nobody and nothing registered. Access tokens are signed with ES256, ID tokens with RS256.
pub(crate) struct TestIssuer {
    pub(crate) state: AppState,
    pub(crate) clock: Arc<ManualClock>,
    /// Lives as long as the issuer.
    _folder: TempDir,
}

impl TestIssuer {
    /// An issuer with the default configuration.
    pub(crate) async fn new() -> Self {
        Self::with_config(|_| ()).await
    }

    /// An issuer whose configuration was changed by `change`.
    pub(crate) async fn with_config(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let mut config = config(folder.path());
        change(&mut config);
        let store = Store::open(&config.database, &sealer(), START).unwrap();
        for (algorithm, pkcs8) in private_keys() {
            let audit = AuditEvent::new(START, AuditAction::KeyRotation, AuditOutcome::Success);
            store
                .insert_signing_key(sealed(*algorithm, pkcs8), Vec::new(), audit)
                .await
                .unwrap();
        }
        let keys = KeyRing::load(&store, master_key(), &config).await.unwrap();
        let state = AppState::build(config, store, keys, clock.clone()).unwrap();
        Self {
            state,
            clock,
            _folder: folder,
        }
    }

    /// The same issuer after a stop, a change of its master key to `new`, and a start.
    pub(crate) async fn under_master_key(self, new: MasterKey) -> Self {
        let Self {
            state,
            clock,
            _folder: folder,
        } = self;
        let config = state.config().clone();
        state.store().close().await;
        drop(state);
        let store = Store::open_alone(&config.database, &sealer(), START).unwrap();
        let audit = AuditEvent::new(clock.now(), AuditAction::MasterKeyRotation, AuditOutcome::Success);
        let resealed = store.reseal(Sealers::of(&master_key()), Sealers::of(&new), audit);
        resealed.await.unwrap();
        let keys = KeyRing::load(&store, new, &config).await.unwrap();
        let state = AppState::build(config, store, keys, clock.clone()).unwrap();
        Self {
            state,
            clock,
            _folder: folder,
        }
    }

    pub(crate) fn store(&self) -> &Store {
        self.state.store()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    /// Registers an app without a secret: `authorization_code` and `refresh_token`.
    pub(crate) async fn add_public_client(&self, client_id: &str, redirect_uri: &str, scope: &str) -> Client {
        let grant_types = [GrantType::AuthorizationCode, GrantType::RefreshToken];
        self.add_client(client(
            client_id,
            ClientAuthentication::Public,
            &grant_types,
            &[redirect_uri],
            scope,
        ))
        .await
    }

    /// Registers a service with a secret, which is given back in clear: `client_credentials`.
    pub(crate) async fn add_service_client(&self, client_id: &str, scope: &str) -> (Client, String) {
        let (authentication, secret) = new_secret();
        let client = client(
            client_id,
            authentication,
            &[GrantType::ClientCredentials],
            &[],
            scope,
        );
        (self.add_client(client).await, secret)
    }

    /// Registers a client as it is.
    pub(crate) async fn add_client(&self, client: Client) -> Client {
        let audit = AuditEvent::new(self.now(), AuditAction::ClientRegistration, AuditOutcome::Success);
        let inserted = self.store().insert_client(client.clone(), audit).await.unwrap();
        assert_eq!(inserted, Insertion::Inserted);
        client
    }

    /// Makes an account with this address and password.
    pub(crate) async fn add_user(&self, email: &str, password: &str) -> User {
        let hash = self
            .state
            .passwords()
            .hash(Secret::new(password.into()))
            .await
            .unwrap();
        self.insert_user(User {
            password_hash: Some(hash),
            ..user(email)
        })
        .await
    }

    /// Makes an account as it is.
    pub(crate) async fn insert_user(&self, user: User) -> User {
        let audit = AuditEvent::new(self.now(), AuditAction::UserCreation, AuditOutcome::Success);
        assert_eq!(
            self.store().insert_user(user.clone(), audit).await.unwrap(),
            Insertion::Inserted
        );
        user
    }
}

/// A configuration with its database in `folder`.
pub(crate) fn config(folder: &Path) -> Config {
    let text = format!(
        "keys.master_key = \"{}\"\nkeys.algorithm = \"ES256\"\nserver.public_url = \"{ISSUER}\"\nserver.trusted_proxies = []\n\
         [[resources]]\nidentifier = \"{AUDIENCE}\"\naliases = [\"{AUDIENCE_ALIAS}\"]\n",
        "d2FyZGdhdGUtdGVzdC1tYXN0ZXIta2V5LTMyLWJ5dGU"
    );
    let mut config = Config::from_sources(Some((&folder.join("wardgate.toml"), &text)), []).unwrap();
    // Far below what the configuration takes: a test measures no password's strength.
    config.passwords.memory_kib = 8;
    config.passwords.iterations = 1;
    config.database.readers = 2;
    // People of tests sign in without being offered more than the test is about.
    config.second_factor.offer = false;
    config
}

/// The master key of [`config`].
pub(crate) fn master_key() -> MasterKey {
    MasterKey::new(Secret::new(*b"wardgate-test-master-key-32-byte"))
}

/// What opens the secrets of a database under [`master_key`].
pub(crate) fn sealer() -> Sealer {
    master_key().sealer()
}

/// A client with these properties and nothing else.
pub(crate) fn client(
    client_id: &str,
    authentication: ClientAuthentication,
    grant_types: &[GrantType],
    redirect_uris: &[&str],
    scope: &str,
) -> Client {
    Client {
        client_id: client_id.into(),
        name: format!("The app {client_id}"),
        authentication,
        grant_types: grant_types.to_vec(),
        redirect_uris: redirect_uris
            .iter()
            .map(|uri| RegisteredRedirectUri::parse(uri).unwrap())
            .collect(),
        post_logout_redirect_uris: Vec::new(),
        scope: ScopeSet::parse(scope).unwrap(),
        pkce_required: true,
        push_required: false,
        metadata: ClientMetadata::default(),
        registered_itself: false,
        created_at: START,
    }
}

/// An account without a password.
pub(crate) fn user(email: &str) -> User {
    User {
        id: rng::identifier("user-").unwrap(),
        email: normalize_email(email),
        name: String::from("Ada Physician"),
        password_hash: None,
        user_type: UserType::Builder,
        role: None,
        fhir_user: Some(String::from("Practitioner/prac-1")),
        practitioner_id: Some(String::from("prac-1")),
        organization_id: Some(String::from("org-1")),
        profile: Profile::default(),
        created_at: START,
        deactivated_at: None,
    }
}

/// A profile with every claim there is.
pub(crate) fn full_profile() -> serde_json::Value {
    serde_json::json!({
        "given_name": "Pat",
        "family_name": "Patient",
        "middle_name": "Q.",
        "nickname": "Patty",
        "preferred_username": "pat7",
        "profile": "https://people.example/pat",
        "picture": "https://people.example/pat.jpg",
        "website": "https://pat.example/",
        "gender": "female",
        "birthdate": "1985-02-28",
        "zoneinfo": "Europe/Paris",
        "locale": "fr-FR",
        "updated_at": 1_700_000_000,
        "email_verified": true,
        "phone_number": "+1 (425) 555-1212;ext=5678",
        "phone_number_verified": true,
        "address": {
            "formatted": "1 Main Street\nAnytown",
            "street_address": "1 Main Street",
            "locality": "Anytown",
            "region": "IL",
            "postal_code": "60601",
            "country": "US"
        }
    })
}

fn new_secret() -> (ClientAuthentication, String) {
    let secret = rng::identifier("wgsec_").unwrap();
    (ClientAuthentication::Secret(SecretDigest::of(&secret)), secret)
}

/// RSA keys are slow to make, so all tests of a process share one key an algorithm.
fn private_keys() -> &'static [(SignatureAlgorithm, Vec<u8>)] {
    static KEYS: OnceLock<Vec<(SignatureAlgorithm, Vec<u8>)>> = OnceLock::new();
    KEYS.get_or_init(|| {
        ID_TOKEN_ALGORITHMS
            .map(|algorithm| {
                (
                    algorithm,
                    NativeSigningKey::generate(algorithm).unwrap().1.to_vec(),
                )
            })
            .into()
    })
}

fn sealed(algorithm: SignatureAlgorithm, pkcs8: &[u8]) -> StoredSigningKey {
    let key_id = String::from(NativeSigningKey::from_pkcs8(algorithm, pkcs8).unwrap().key_id());
    StoredSigningKey {
        sealed_private_key: master_key().seal(pkcs8, &key_id).unwrap(),
        key_id,
        algorithm,
        created_at: START,
        signs_from: START,
        signs_until: None,
        published_until: None,
    }
}
