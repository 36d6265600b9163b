//! A device without a browser or a keyboard that waits for a person who answers elsewhere (RFC 8628).

use std::fmt;

use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;

/// How long a person has to type the code and answer, in seconds.
pub const DEVICE_LIFETIME_SECONDS: i64 = 600;
/// How long a device must wait between two polls at first, in seconds (RFC 8628 section 3.2).
pub const POLL_INTERVAL_SECONDS: i64 = 5;
/// How much longer it must wait after each poll that came too soon, in seconds (RFC 8628 section 3.5).
pub const SLOW_DOWN_SECONDS: i64 = 5;

/// The letters of user codes: no vowels, so that no words arise, and none that look alike (RFC 8628 section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;
/// Random bytes from here on would make the first letters likelier than the others.
const FAIR_BYTES: u8 = 240;

/// What the person types: eight of twenty letters, 34 bits. Guesses are throttled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// A code made of random bytes; `None` when too many of them had to be dropped, which 32 bytes practically never are.
    pub fn from_random(bytes: &[u8]) -> Option<Self> {
        let letters: String = bytes
            .iter()
            .filter(|byte| **byte < FAIR_BYTES)
            .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
            .take(LENGTH)
            .map(|letter| char::from(*letter))
            .collect();
        (letters.len() == LENGTH).then_some(Self(letters))
    }

    /// The code as a person typed it: in either case, with dashes and spaces wherever they like. `None` when it cannot be
    /// one.
    pub fn parse(typed: &str) -> Option<Self> {
        let letters: String = typed
            .chars()
            .filter(|letter| *letter != '-' && !letter.is_whitespace())
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        let lawful = letters.len() == LENGTH && letters.bytes().all(|letter| LETTERS.contains(&letter));
        lawful.then_some(Self(letters))
    }

    /// The letters alone, for the store.
    pub fn letters(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserCode {
    /// With the dash in the middle.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at_checked(LENGTH / 2).unwrap_or((&self.0, ""));
        write!(formatter, "{first}-{second}")
    }
}

/// A device that waits.
#[derive(Clone, Debug)]
pub struct DeviceAuthorization {
    /// The digest of the device code.
    pub digest: SecretDigest,
    /// What the person types.
    pub user_code: UserCode,
    /// Who asks.
    pub client_id: String,
    /// What is asked for, cut to what the client may have.
    pub scope: ScopeSet,
    /// The resources the access token will name in `aud`.
    pub audiences: Vec<String>,
    /// The least time between two polls, in seconds.
    pub interval_seconds: i64,
    /// When the device asked last.
    pub last_polled_at: Option<Timestamp>,
    /// When a person answered.
    pub decided_at: Option<Timestamp>,
    /// The grant that the person gave; none while nobody answered, or when the answer was no.
    pub grant_id: Option<String>,
    /// When its tokens were fetched.
    pub redeemed_at: Option<Timestamp>,
    /// When it dies.
    pub expires_at: Timestamp,
}

/// What a poll finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollOutcome {
    /// Nobody has answered yet.
    Pending,
    /// Nobody has answered yet, and the device asks too often.
    TooSoon,
    /// The person said yes; the tokens can be fetched.
    Approved,
    /// The person said no.
    Denied,
    /// The tokens were fetched before.
    Redeemed,
    /// It took too long.
    Expired,
}

impl DeviceAuthorization {
    /// What a poll at `now` finds. Only a device that still waits can be too early: an answer is told at once.
    pub fn poll(&self, now: Timestamp) -> PollOutcome {
        if self.redeemed_at.is_some() {
            PollOutcome::Redeemed
        } else if self.expires_at <= now {
            PollOutcome::Expired
        } else if self.grant_id.is_some() {
            PollOutcome::Approved
        } else if self.decided_at.is_some() {
            PollOutcome::Denied
        } else if self
            .last_polled_at
            .is_some_and(|last| now < last.plus(self.interval_seconds))
        {
            PollOutcome::TooSoon
        } else {
            PollOutcome::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LETTERS, UserCode};

    #[test]
    fn a_code_is_eight_letters_with_a_dash_in_the_middle() {
        let code = UserCode::from_random(&[0, 1, 2, 3, 19, 20, 239, 240, 255, 5, 6]).unwrap();
        assert_eq!(code.to_string(), "BCDF-ZBZH");
        assert_eq!(code.letters(), "BCDFZBZH");
    }

    #[test]
    fn bytes_that_would_favour_some_letters_are_dropped() {
        assert_eq!(UserCode::from_random(&[240; 32]), None);
        let counts = LETTERS.map(|letter| {
            (0..240_u8)
                .filter(|byte| LETTERS[usize::from(byte % 20)] == letter)
                .count()
        });
        assert_eq!(counts, [12; 20]);
    }

    #[test]
    fn typing_may_be_sloppy() {
        for typed in [
            "WDJB-MJHT",
            "wdjbmjht",
            " wdjb mjht ",
            "w-d-j-b-m-j-h-t",
            "Wdjb\u{a0}Mjht",
        ] {
            assert_eq!(
                UserCode::parse(typed).unwrap().to_string(),
                "WDJB-MJHT",
                "{typed}"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        for typed in [
            "",
            "WDJB-MJH",
            "WDJB-MJHTX",
            "ADJB-MJHT",
            "1DJB-MJHT",
            "\u{17f}DJBMJHT",
            "WDJB_MJHT",
        ] {
            assert_eq!(UserCode::parse(typed), None, "{typed}");
        }
    }
}
