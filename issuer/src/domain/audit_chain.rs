//! The chain of the audit trail: each line has a digest over itself and over the digest of the line before it, so that no line
//! can be altered, left out, added or moved unseen by somebody who does not have the key.
//!
//! What a chain alone cannot show is that its newest lines were cut off together with all traces of them. For that a head, the number and
//! digest of the newest line, is kept elsewhere and compared.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};

/// The digest of a line: HMAC-SHA-256 over the line and the digest before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditDigest([u8; 32]);

impl AuditDigest {
    /// What stands for the digest before the first line.
    pub const NONE: Self = Self([0; 32]);

    /// The digest of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest that this base64url text names.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for AuditDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Base64UrlUnpadded::encode_string(&self.0))
    }
}

/// A place in the chain: a line's number and its digest. Written `NUMBER:DIGEST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The number; 0 before the first line.
    pub id: i64,
    /// The digest.
    pub digest: AuditDigest,
}

impl AuditHead {
    /// The place before the first line.
    pub const START: Self = Self {
        id: 0,
        digest: AuditDigest::NONE,
    };

    /// The place that `text` names.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, digest) = text.split_once(':')?;
        let id = id
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| id.parse().ok())??;
        Some(Self {
            id,
            digest: AuditDigest::parse(digest)?,
        })
    }
}

impl fmt::Display for AuditHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.id, self.digest)
    }
}

/// What is wrong with the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// Lines are gone.
    #[error("lines {first} to {last} are missing")]
    Missing {
        /// The first of them.
        first: i64,
        /// The last.
        last: i64,
    },
    /// The line is not what was recorded, or stands in another's place.
    #[error("line {0} is not what was recorded there")]
    Altered(i64),
    /// The line was added by something else.
    #[error("line {0} was not recorded by Wardgate")]
    Foreign(i64),
    /// It is said that lines were retired up to here, and no line of the trail says so too.
    #[error("the lines up to {0} are missing: that they were retired is not recorded")]
    NotRetired(i64),
    /// The line of which somebody kept the digest has another one now, or is gone.
    #[error("line {0} is not the one whose digest was kept")]
    NotExpected(i64),
}

/// What a check of the trail found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// How many lines were read.
    pub lines: u64,
    /// Up to which line older ones were retired; 0 for none.
    pub retired_through: i64,
    /// The newest line: to be kept elsewhere, and compared with later.
    pub head: AuditHead,
    /// What is wrong, in the order of the lines; at most [`MOST_FAULTS`].
    pub faults: Vec<ChainFault>,
}

/// The most faults that are told of.
pub const MOST_FAULTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::{AuditDigest, AuditHead};

    #[test]
    fn a_head_is_read_as_it_is_written() {
        let head = AuditHead {
            id: 42,
            digest: AuditDigest::from_bytes([0xAB; 32]),
        };
        assert_eq!(head.to_string(), "42:q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s");
        assert_eq!(AuditHead::parse(&head.to_string()), Some(head));
        for text in [
            "",
            "42",
            "42:",
            ":ab",
            "42:ab",
            "-1:00",
            "+1:q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s",
        ] {
            assert_eq!(AuditHead::parse(text), None, "{text}");
        }
    }
}
