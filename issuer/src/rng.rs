//! The issuer's one source of randomness: the operating system's.

use base64ct::{Base64UrlUnpadded, Encoding};
use wardgate_shared::time::Timestamp;

/// The operating system gave no random bytes. Nothing secret can be made then, so the operation at hand fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandomness;

/// `N` random bytes.
///
/// # Errors
/// [`NoRandomness`].
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the operating system for random bytes"
)]
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// An identifier with 128 random bits, as `prefix` and 22 base64url characters.
///
/// # Errors
/// [`NoRandomness`].
pub fn identifier(prefix: &str) -> Result<String, NoRandomness> {
    Ok(format!(
        "{prefix}{}",
        Base64UrlUnpadded::encode_string(&bytes::<16>()?)
    ))
}

/// An identifier with 128 random bits after the time of its making, as `prefix` and 30 base64url characters: for things
/// that say when they were made anyway. What is made together lies together in an index, so storing it costs less.
///
/// # Errors
/// [`NoRandomness`].
pub fn dated_identifier(prefix: &str, now: Timestamp) -> Result<String, NoRandomness> {
    // The low 48 bits: enough for nine million years.
    let [_, _, date @ ..] = now.seconds().to_be_bytes();
    let date = Base64UrlUnpadded::encode_string(&date);
    Ok(format!(
        "{prefix}{date}{}",
        Base64UrlUnpadded::encode_string(&bytes::<16>()?)
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::dated_identifier;
    use crate::testing::START;

    #[test]
    fn dated_identifiers_of_one_second_begin_alike_and_differ() {
        let identifiers: HashSet<String> = (0..100)
            .map(|_| dated_identifier("at-", START).unwrap())
            .collect();
        assert_eq!(identifiers.len(), 100);
        let later = dated_identifier("at-", START.plus(1)).unwrap();
        for identifier in identifiers {
            assert_eq!(identifier.len(), 3 + 30);
            assert_eq!(identifier.get(..11), Some("at-AABrSdIA"));
            assert_ne!(identifier.get(..11), later.get(..11));
        }
    }
}
