//! Refusing tokens by whose they are: see [`wardgate_shared::denial`].

use wardgate_shared::denial::{DenyBefore, DenyKind};
use wardgate_shared::time::Timestamp;

/// For how long a key that was revoked is denied, in seconds: longer than any verifier goes by an old key set.
const KEY_SECONDS: i64 = 30 * 86_400;

/// Verifiers' clocks may lag by this much, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 300;

/// Tokens from before an instant are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// What is meant.
    pub kind: DenyKind,
    /// The claim `sub`, `client_id` or `api_key_id`, or the `kid`.
    pub name: String,
    /// The earliest `iat` that is accepted.
    pub not_before: Timestamp,
    /// When it was decided.
    pub created_at: Timestamp,
    /// When nothing lives any more that it could mean.
    pub expires_at: Timestamp,
}

impl Denial {
    /// Denies what `name` got until now, this second included. Tokens live for `longest_token_seconds` at most.
    pub fn until_now(kind: DenyKind, name: &str, longest_token_seconds: i64, now: Timestamp) -> Self {
        Self {
            kind,
            name: name.into(),
            not_before: now.plus(1),
            created_at: now,
            expires_at: now.plus(longest_token_seconds).plus(CLOCK_SKEW_SECONDS),
        }
    }

    /// Denies whatever a key signs: whoever stole it writes the `iat` that they like.
    pub fn of_signing_key(key_id: &str, now: Timestamp) -> Self {
        Self {
            kind: DenyKind::SigningKey,
            name: key_id.into(),
            not_before: Timestamp::from_seconds(i64::MAX),
            created_at: now,
            expires_at: now.plus(KEY_SECONDS),
        }
    }

    /// As `issuer` publishes it.
    pub fn published(&self, issuer: &str) -> DenyBefore {
        DenyBefore::of(self.kind, issuer, &self.name, self.not_before)
    }
}

/// A kind's name in the database and on the command line.
pub const fn name_of(kind: DenyKind) -> &'static str {
    match kind {
        DenyKind::Subject => "subject",
        DenyKind::Client => "client",
        DenyKind::ApiKey => "api_key",
        DenyKind::SigningKey => "signing_key",
    }
}
