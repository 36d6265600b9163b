//! The life of a signing key: published first, then signing, then published a while longer, then gone.

use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

/// A signing key as stored: the private half only sealed under the master key.
#[derive(Clone, Debug)]
pub struct StoredSigningKey {
    /// `kid`: the RFC 7638 thumbprint of the public half.
    pub key_id: String,
    /// What it signs with.
    pub algorithm: SignatureAlgorithm,
    /// PKCS#8, sealed with AES-256-GCM under the master key; `kid` is the associated data.
    pub sealed_private_key: Vec<u8>,
    /// When it was made, and first published.
    pub created_at: Timestamp,
    /// From when it may sign: later than `created_at`, so that every cache has seen it by then.
    pub signs_from: Timestamp,
    /// When it stops signing; set when a successor is made.
    pub signs_until: Option<Timestamp>,
    /// When it is no longer published; set with `signs_until`, later by the longest life of a token.
    pub published_until: Option<Timestamp>,
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Published, and does not sign yet.
    Waiting,
    /// It may sign.
    Signing,
    /// It signs no more, and is published until its last token is over.
    Retired,
    /// It is published no more.
    Gone,
}

impl Phase {
    /// The phase of `key` at `now`.
    pub fn of(key: &StoredSigningKey, now: Timestamp) -> Self {
        if key.may_sign(now) {
            Self::Signing
        } else if now < key.signs_from {
            Self::Waiting
        } else if key.is_published(now) {
            Self::Retired
        } else {
            Self::Gone
        }
    }

    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Signing => "signing",
            Self::Retired => "retired",
            Self::Gone => "gone",
        }
    }
}

/// The key that signs in the place of one that was revoked.
#[derive(Clone, Debug)]
pub enum Successor {
    /// Made for that.
    Made(StoredSigningKey),
    /// Published and waiting already: its `kid`.
    Waiting(String),
}

impl StoredSigningKey {
    /// Whether the public half belongs in the published set at `now`.
    pub fn is_published(&self, now: Timestamp) -> bool {
        self.published_until.is_none_or(|until| now < until)
    }

    /// Whether it may sign at `now`.
    pub fn may_sign(&self, now: Timestamp) -> bool {
        self.signs_from <= now && self.signs_until.is_none_or(|until| now < until)
    }
}
