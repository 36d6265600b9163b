//! Passkeys: what is known of a person's WebAuthn credential, and the ceremonies in which one is made or used.

use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;

/// How long somebody has to answer a ceremony, in seconds.
pub const CEREMONY_SECONDS: i64 = 300;

/// By what authenticators know a person (WebAuthn section 5.4.3): 16 random bytes that say nothing of them.
pub type UserHandle = [u8; 16];

/// A credential of a person, which is one of their factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The factor that it is.
    pub factor_id: String,
    /// Whose it is.
    pub user_id: String,
    /// By what the authenticator knows them.
    pub user_handle: UserHandle,
    /// Its name with the authenticator.
    pub credential_id: Vec<u8>,
    /// Public key, algorithm, counter and backup flags, in the form of the WebAuthn library.
    pub credential: serde_json::Value,
}

/// A credential that was just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCredential {
    /// Its name with the authenticator.
    pub credential_id: Vec<u8>,
    /// What is kept of it.
    pub credential: serde_json::Value,
    /// Its signature counter.
    pub counter: u32,
}

/// A ceremony that was answered and is to be used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnsweredCeremony {
    /// Tells it from all others.
    pub digest: SecretDigest,
    /// From when on it is refused for its age.
    pub expires_at: Timestamp,
}

/// A passkey as it was just used, its signature being right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyUse {
    /// The ceremony.
    pub ceremony: AnsweredCeremony,
    /// The factor.
    pub factor_id: String,
    /// Whose it is.
    pub user_id: String,
    /// What is kept of the credential from now on.
    pub credential: serde_json::Value,
    /// The signature counter that came with it.
    pub counter: u32,
}
