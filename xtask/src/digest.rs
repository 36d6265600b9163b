//! SHA-256 over parts, for names and stamps: each part goes in with its length, so that parts cannot run together.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// A hash that is being made.
#[derive(Clone, Debug, Default)]
pub(crate) struct PartsDigest(Sha256);

impl PartsDigest {
    /// Adds one part.
    pub(crate) fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    /// All 64 hexadecimal digits.
    pub(crate) fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

/// The first 16 hexadecimal digits of the hash of these parts.
pub(crate) fn short(parts: &[&[u8]]) -> String {
    let mut digest = PartsDigest::default();
    for part in parts {
        digest.add(part);
    }
    digest.hex().chars().take(16).collect()
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string does not fail.
            let _written = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::{hex, short};

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(short(&[b"ab", b"c"]), short(&[b"a", b"bc"]));
        assert_eq!(short(&[b"ab"]).len(), 16);
    }

    #[test]
    fn small_bytes_keep_their_zero() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
