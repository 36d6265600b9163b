//! A browser in which a person has signed in.

use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;

/// How somebody was authenticated: a value of `amr` (RFC 8176), and the method that the audit trail names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthenticationMethod {
    /// `pwd`: a password.
    Password,
}

impl AuthenticationMethod {
    /// Every method.
    pub const ALL: [Self; 1] = [Self::Password];

    /// The value in `amr`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "pwd",
        }
    }

    /// The method of this `amr` value, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// A session. The cookie holds the secret, the store its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The digest of the cookie's value.
    pub digest: SecretDigest,
    /// Who signed in.
    pub user_id: String,
    /// When they did: `auth_time`.
    pub authenticated_at: Timestamp,
    /// By what they did: `amr`.
    pub methods: Vec<AuthenticationMethod>,
    /// When the session was last used, roughly.
    pub last_seen_at: Timestamp,
    /// The authorization request for which they signed in.
    pub request: Option<SecretDigest>,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}
