//! A sign-in between its first proof and its session.

use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use super::audit_event::AuditEvent;
use super::digest::SecretDigest;
use super::factor::FactorUse;
use super::message::NewMessage;
use super::remembered_device::RememberedDevice;
use super::session::{AuthenticationMethod, Session};

/// How long somebody has for their second factor, in seconds.
pub const SIGN_IN_SECONDS: i64 = 600;

/// How many wrong answers end a sign-in, so that whoever goes on guessing has to show the first proof again.
pub const MOST_TRIES: u32 = 10;

/// Somebody has shown a first proof of who they are, and owes a second. Nothing is open to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInProgress {
    /// The digest of the cookie's value.
    pub digest: SecretDigest,
    /// Who it seems to be.
    pub user_id: String,
    /// By what, so far.
    pub methods: Vec<AuthenticationMethod>,
    /// When the first proof was shown.
    pub authenticated_at: Timestamp,
    /// The authorization request for which they came.
    pub request: Option<SecretDigest>,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// What becomes of the browser's being remembered when a session begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChange {
    /// Nothing.
    None,
    /// Its person came back without a second factor: they were seen there.
    Seen {
        /// The device's id.
        id: String,
    },
    /// It is remembered. The cookie gets a new value, which holds for whoever else is remembered there too.
    Remember {
        /// The device; its id and time of making count only if it is new.
        device: RememberedDevice,
        /// The digest of the cookie that the browser had.
        before: Option<SecretDigest>,
    },
    /// Its person does not want it to be remembered.
    Forget {
        /// The digest of the cookie that the browser has.
        digest: SecretDigest,
    },
}

/// The end of a sign-in: all of it is stored, or nothing.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The session that begins.
    pub session: Session,
    /// The digest of the session cookie that the browser had.
    pub replaces: Option<SecretDigest>,
    /// The sign-in in progress that ends, when there is one.
    pub sign_in: Option<SecretDigest>,
    /// Another that somebody left unfinished in the browser, whoever's it is; it is over.
    pub abandons: Option<SecretDigest>,
    /// The hash of the password by which the session begins, if it is by one. It must still be the person's.
    pub password: Option<Secret<String>>,
    /// The second factor that was given, when one was.
    pub used: Option<FactorUse>,
    /// Whether that factor was set up just now, and is confirmed by this.
    pub enrols: bool,
    /// Recovery codes for somebody who has none, by their digests.
    pub recovery_codes: Vec<SecretDigest>,
    /// What becomes of the browser.
    pub device: DeviceChange,
    /// The mail that tells the person what was changed, when something was.
    pub notice: Option<NewMessage>,
    /// What is recorded.
    pub audit: Vec<AuditEvent>,
}

/// What became of a [`Completion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Completed {
    /// The session has begun.
    Begun,
    /// The second factor was given before, or is no more. Nothing was stored.
    FactorSpent,
    /// What it goes on from is over: the sign-in was finished or given up, the session has ended, the password is another, or somebody
    /// set up a first factor meanwhile. Nothing was stored.
    SignInGone,
}
