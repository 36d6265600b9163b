//! A browser in which a person has signed in.

use std::net::IpAddr;

use aws_lc_rs::hmac;
use base64ct::{Base64UrlUnpadded, Encoding};
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use super::authentication_context::AuthenticationContext;
use super::digest::SecretDigest;
use super::user_agent::UserAgent;

/// By what somebody was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthenticationMethod {
    /// A password.
    Password,
    /// A time-based one-time password of an authenticator app (RFC 6238).
    OneTimePassword,
    /// A code sent to a telephone.
    Sms,
    /// A passkey whose authenticator verified the person (WebAuthn).
    Passkey,
    /// A recovery code, in place of a lost second factor.
    RecoveryCode,
    /// Another identity provider, which did not say that it asked for more than one factor.
    SingleSignOn,
    /// Another identity provider, which said that it asked for more than one factor.
    MultiFactorSingleSignOn,
}

impl AuthenticationMethod {
    /// Every method.
    pub const ALL: [Self; 7] = [
        Self::Password,
        Self::OneTimePassword,
        Self::Sms,
        Self::Passkey,
        Self::RecoveryCode,
        Self::SingleSignOn,
        Self::MultiFactorSingleSignOn,
    ];

    /// The name in the store and in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::OneTimePassword => "otp",
            Self::Sms => "sms",
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery_code",
            Self::SingleSignOn => "sso",
            Self::MultiFactorSingleSignOn => "sso_mfa",
        }
    }

    /// The method of this name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Its values in `amr` (RFC 8176). `fed` is not registered there, but what Microsoft Entra ID says for the same.
    const fn references(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["pwd"],
            Self::OneTimePassword | Self::RecoveryCode => &["otp"],
            Self::Sms => &["sms"],
            Self::Passkey => &["pop", "user"],
            Self::SingleSignOn => &["fed"],
            Self::MultiFactorSingleSignOn => &["fed", "mfa"],
        }
    }
}

/// `amr` of somebody who was authenticated by `methods` (RFC 8176): each value once, and `mfa` where they reach it together.
pub fn authentication_method_references(methods: &[AuthenticationMethod]) -> Vec<&'static str> {
    let mut references = Vec::new();
    let together = AuthenticationContext::reached_by(methods)
        .filter(|context| *context >= AuthenticationContext::MultiFactor)
        .map(|_| "mfa");
    let own = methods
        .iter()
        .flat_map(|method| method.references().iter().copied());
    for reference in own.chain(together) {
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
    references
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
    /// By what they did: see [`authentication_method_references`].
    pub methods: Vec<AuthenticationMethod>,
    /// When the session was last used, roughly.
    pub last_seen_at: Timestamp,
    /// The authorization request for which they signed in.
    pub request: Option<SecretDigest>,
    /// The browser in which they did, as it calls itself.
    pub user_agent: Option<UserAgent>,
    /// The address from which they did.
    pub ip_address: Option<IpAddr>,
    /// When a second factor was last given in this browser: in this sign-in, or in one before by which the browser is
    /// remembered. None when none was, or when nobody was there for too long since.
    pub second_factor_at: Option<Timestamp>,
    /// The authorization request for which one was given when the session was there already.
    pub factor_request: Option<SecretDigest>,
    /// The remembered browser that it lives in.
    pub device_id: Option<String>,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}

/// `sid`: the name by which `client_id` knows the session of this id (Back-Channel Logout 1.0 section 2.1), made with the
/// issuer's key for such names.
///
/// It stays the same as long as the session does, and is another for each client, so that clients cannot find out by it
/// which of their people are the same. The id alone does not make it: administrators and their programs see ids, and are not
/// to find out by them whom a client knows under a pairwise subject.
pub fn session_id_for(key: &Secret<[u8; 32]>, client_id: &str, session_id: &str) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()));
    context.update(session_id.as_bytes());
    context.update(b"\0");
    context.update(client_id.as_bytes());
    let tag = context.sign();
    let (half, _) = tag.as_ref().split_at(16);
    Base64UrlUnpadded::encode_string(half)
}

#[cfg(test)]
mod tests {
    use super::AuthenticationMethod::{
        MultiFactorSingleSignOn, OneTimePassword, Passkey, Password, RecoveryCode, SingleSignOn,
    };
    use super::{AuthenticationMethod, Secret, authentication_method_references, session_id_for};

    #[test]
    fn amr_says_what_happened_and_whether_it_was_multi_factor() {
        for (methods, amr) in [
            (&[Password][..], &["pwd"][..]),
            (&[Password, OneTimePassword], &["pwd", "otp", "mfa"]),
            (&[Password, RecoveryCode], &["pwd", "otp", "mfa"]),
            (&[Passkey], &["pop", "user", "mfa"]),
            (&[Password, Passkey], &["pwd", "pop", "user", "mfa"]),
            (&[SingleSignOn], &["fed"]),
            (&[MultiFactorSingleSignOn], &["fed", "mfa"]),
            (&[], &[]),
        ] {
            assert_eq!(authentication_method_references(methods), amr, "{methods:?}");
        }
    }

    #[test]
    fn every_method_is_found_by_its_name() {
        for method in AuthenticationMethod::ALL {
            assert_eq!(AuthenticationMethod::from_name(method.as_str()), Some(method));
        }
        assert_eq!(AuthenticationMethod::from_name("PWD"), None);
    }

    // OUT-11
    #[test]
    fn each_client_knows_a_session_by_a_name_of_its_own_that_stays() {
        let (key, another) = (Secret::new([7; 32]), Secret::new([8; 32]));
        let name = session_id_for(&key, "app", "session-1");
        assert_eq!(name, session_id_for(&key, "app", "session-1"));
        assert_eq!(name.len(), 22);
        assert_ne!(name, session_id_for(&key, "web", "session-1"));
        assert_ne!(name, session_id_for(&key, "app", "session-2"));
        assert_ne!(
            name,
            session_id_for(&another, "app", "session-1"),
            "its id is not enough"
        );
    }
}
