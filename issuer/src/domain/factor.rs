//! A person's second factors: what they have beside what they know.

use wardgate_shared::time::Timestamp;

use super::authentication_context::AuthenticationContext;
use super::digest::SecretDigest;
use super::session::AuthenticationMethod;

/// How many factors one person may have, those included that are not confirmed.
pub const MOST_FACTORS: u32 = 20;

/// How long somebody has to confirm a new factor, in seconds.
pub const CONFIRMATION_SECONDS: i64 = 3600;

/// The longest name of a factor, in characters.
pub const LONGEST_NAME: usize = 60;

/// What kind of thing a factor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FactorKind {
    /// An authenticator app (RFC 6238).
    Totp,
    /// A telephone that gets codes as messages.
    Sms,
    /// A passkey (WebAuthn).
    Passkey,
}

impl FactorKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Totp, Self::Sms, Self::Passkey];

    /// The name in the store, in addresses and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Sms => "sms",
            Self::Passkey => "passkey",
        }
    }

    /// The kind of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind by which somebody is authenticated so, if it is one.
    pub fn of_method(method: AuthenticationMethod) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.method() == method)
    }

    /// By what somebody is authenticated who uses it.
    pub const fn method(self) -> AuthenticationMethod {
        match self {
            Self::Totp => AuthenticationMethod::OneTimePassword,
            Self::Sms => AuthenticationMethod::Sms,
            Self::Passkey => AuthenticationMethod::Passkey,
        }
    }

    /// Whether somebody who did `methods` before reaches `context` by using it too.
    pub fn reaches(self, methods: &[AuthenticationMethod], context: AuthenticationContext) -> bool {
        let together = [methods, &[self.method()]].concat();
        AuthenticationContext::reached_by(&together).is_some_and(|reached| reached >= context)
    }
}

/// A second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// `factor-` and 22 random characters.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// What it is.
    pub kind: FactorKind,
    /// What its person calls it.
    pub name: String,
    /// What only the issuer may read, sealed for [`Factor::context`]: the seed of an authenticator app, a telephone number.
    pub sealed: Option<Vec<u8>>,
    /// What is no secret, as a JSON object.
    pub detail: Option<serde_json::Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its person first used it. Until then it protects nothing, and is forgotten after [`CONFIRMATION_SECONDS`].
    pub confirmed_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Of an authenticator app: the last time step whose code was taken. No code of it or of an earlier one counts again.
    pub last_step: Option<i64>,
}

impl Factor {
    /// What the factor of this id seals its secret for.
    pub fn context(id: &str) -> String {
        format!("factor {id}")
    }

    /// A name that a person may give: without the white space around it, not empty, without control characters, and at most
    /// [`LONGEST_NAME`] characters.
    pub fn lawful_name(text: &str) -> Option<&str> {
        let name = text.trim();
        let is_lawful =
            !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.contains(char::is_control);
        is_lawful.then_some(name)
    }
}

/// A second factor as it was just given; whatever can be given once only is consumed with what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorUse {
    /// The code of an authenticator app, of this time step.
    OneTimePassword {
        /// The app.
        factor_id: String,
        /// The step.
        step: i64,
    },
    /// A passkey, whose ceremony was used up when its answer was checked.
    Checked {
        /// The factor.
        factor_id: String,
    },
    /// A code that was sent to a telephone, and found right.
    SentCode {
        /// The telephone.
        factor_id: String,
        /// The digest of the cookie of the sign-in or session for which it was sent.
        binding: SecretDigest,
        /// The keyed digest of the code.
        digest: SecretDigest,
    },
    /// A recovery code.
    RecoveryCode {
        /// Its digest.
        digest: SecretDigest,
    },
}

#[cfg(test)]
mod tests {
    use super::{Factor, FactorKind};
    use crate::domain::authentication_context::AuthenticationContext;
    use crate::domain::session::AuthenticationMethod;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in FactorKind::ALL {
            assert_eq!(FactorKind::from_name(kind.as_str()), Some(kind));
        }
        assert_eq!(FactorKind::from_name("TOTP"), None);
    }

    #[test]
    fn only_a_passkey_withstands_phishing() {
        let password = [AuthenticationMethod::Password];
        for kind in FactorKind::ALL {
            assert!(kind.reaches(&password, AuthenticationContext::MultiFactor));
            assert_eq!(
                kind.reaches(&password, AuthenticationContext::PhishingResistant),
                kind == FactorKind::Passkey
            );
        }
    }

    #[test]
    fn names_are_short_and_can_be_shown() {
        assert_eq!(Factor::lawful_name("  My phone "), Some("My phone"));
        let long = "Телефон на посту медсестры второго этажа";
        assert_eq!(Factor::lawful_name(long), Some(long));
        for name in ["", "  ", "a\u{7}b", &"x".repeat(61)] {
            assert_eq!(Factor::lawful_name(name), None, "{name}");
        }
    }
}
