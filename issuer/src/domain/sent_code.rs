//! Codes that are sent to a telephone: how long one counts, how often it may be tried, and how many may be sent.
//!
//! A code has six digits, so it is nothing without these bounds: with five tries of a million, who guesses at one code is right
//! once in two hundred thousand, and the throttle of the second factor counts every try beside.

use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;

/// How long a code counts, in seconds.
pub const CODE_SECONDS: i64 = 600;

/// How many answers a code stands.
pub const MOST_ANSWERS: u32 = 5;

/// How long after a code the next may be sent in the same sign-in or session, in seconds.
pub const PAUSE_SECONDS: i64 = 60;

/// For how long messages are counted, in seconds.
pub const COUNTED_SECONDS: i64 = 3600;

/// A code on its way to a telephone.
#[derive(Clone, Debug)]
pub struct SentCode {
    /// The digest of the cookie of the sign-in or session for which it is sent; there it counts, and nowhere else.
    pub binding: SecretDigest,
    /// The telephone.
    pub factor_id: String,
    /// Whose it is.
    pub user_id: String,
    /// The keyed digest of the code.
    pub digest: SecretDigest,
    /// The keyed digest of the number.
    pub recipient: SecretDigest,
    /// When it is sent.
    pub at: Timestamp,
}

/// What became of the wish to send a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum CodeSending {
    /// It is queued; the one before counts no more.
    Sent,
    /// One was sent so recently that another has to wait.
    TooSoon {
        /// For so long; at least 1.
        seconds: i64,
    },
    /// The telephone is a new one, and the person has as many second factors as one may have.
    NoRoom,
    /// The person, or the number, got as many in the last hour as they may.
    TooMany {
        /// When one of them is an hour old; at least 1.
        seconds: i64,
    },
}

/// What an answer to a sent code is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum CodeTrial {
    /// It is the code. Nothing is consumed yet.
    Right,
    /// It is not.
    Wrong,
    /// There is no code to be tried: none was sent, it has expired, it was used, or it was tried too often.
    Gone,
}
