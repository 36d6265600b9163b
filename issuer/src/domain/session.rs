//! A browser in which a person has signed in.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
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
    /// `session-` and 22 random characters. It outlives the cookie when the same person signs in again in the same browser. No
    /// client is told of it; see [`session_id_for`].
    pub id: String,
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

/// `sid`: the name by which `client_id` knows the session of this id (Back-Channel Logout 1.0 section 2.1).
///
/// It stays the same as long as the session does, and is another for each client, so that clients cannot find out by it
/// which of their people are the same. The id's random bits never leave the issuer and make the digest one that nobody
/// else can compute.
pub fn session_id_for(client_id: &str, session_id: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"wardgate sid\0")
        .chain_update(session_id)
        .chain_update(b"\0")
        .chain_update(client_id)
        .finalize();
    let (half, _) = digest.split_at(16);
    Base64UrlUnpadded::encode_string(half)
}

#[cfg(test)]
mod tests {
    use super::session_id_for;

    // OUT-11
    #[test]
    fn each_client_knows_a_session_by_a_name_of_its_own_that_stays() {
        let name = session_id_for("app", "session-1");
        assert_eq!(name, session_id_for("app", "session-1"));
        assert_eq!(name.len(), 22);
        assert_ne!(name, session_id_for("web", "session-1"));
        assert_ne!(name, session_id_for("app", "session-2"));
    }
}
