//! The issuer's one source of randomness: the operating system's.

use base64ct::{Base64UrlUnpadded, Encoding};

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
