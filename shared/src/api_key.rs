//! API keys: what a key and its secret look like, and whether a text can be one of them at all.
//!
//! A key says which integration calls and is no secret; its secret proves it. Both begin with words that tell people and
//! programs that look for leaked secrets what they are, and end with a checksum over everything before it. A mistyped or cut
//! off text is recognised without a look-up, and so is a key in a place where a secret belongs.
//!
//! ```text
//! zs_api_live_ + base64url(17 random bytes, 4 bytes of checksum)   28 characters, 136 random bits
//! zs_secret_   + base64url(32 random bytes, 4 bytes of checksum)   48 characters, 256 random bits
//! ```
//! Both lengths are multiples of three bytes, so there is one spelling of each text only. The checksum is the beginning of
//! SHA-256 over the words and the random bytes. It finds mistakes and proves nothing: everybody can compute it.
//!
//! Left out on purpose: whether a key exists, which the issuer alone knows.

use alloc::format;
use alloc::string::String;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// Random bytes of a key.
pub const KEY_RANDOM_BYTES: usize = 17;
/// Random bytes of a secret.
pub const SECRET_RANDOM_BYTES: usize = 32;
/// The longest prefix, in characters.
const MAXIMUM_PREFIX_CHARACTERS: usize = 16;
const CHECKSUM_BYTES: usize = 4;
const LONGEST_PAYLOAD_BYTES: usize = SECRET_RANDOM_BYTES + CHECKSUM_BYTES;

/// The two halves of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyPart {
    /// `X-API-Key`: says who calls.
    Key,
    /// `X-API-Secret`: proves it.
    Secret,
}

impl ApiKeyPart {
    /// What stands between the deployment's prefix and the random characters.
    const fn words(self) -> &'static str {
        match self {
            Self::Key => "_api_live_",
            Self::Secret => "_secret_",
        }
    }

    const fn random_bytes(self) -> usize {
        match self {
            Self::Key => KEY_RANDOM_BYTES,
            Self::Secret => SECRET_RANDOM_BYTES,
        }
    }
}

/// Why a text is no half of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyFault {
    /// It does not begin as it must, or has another length or other characters.
    #[error("this has not the form of an API key's part")]
    Shape,
    /// The checksum is another: something was mistyped or cut.
    #[error("the checksum of this part of an API key is wrong")]
    Checksum,
}

/// The word that API keys of a deployment begin with: 1 to 16 lower case letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyPrefix(String);

impl ApiKeyPrefix {
    /// The prefix of this text, or `None` when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_lawful = (1..=MAXIMUM_PREFIX_CHARACTERS).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        is_lawful.then(|| Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key made of these random bytes.
    pub fn key(&self, random: &[u8; KEY_RANDOM_BYTES]) -> String {
        self.spell(ApiKeyPart::Key, random)
    }

    /// The secret made of these random bytes.
    pub fn secret(&self, random: &[u8; SECRET_RANDOM_BYTES]) -> Secret<String> {
        Secret::new(self.spell(ApiKeyPart::Secret, random))
    }

    /// Whether `text` can be this half of an API key of this deployment.
    ///
    /// # Errors
    /// [`ApiKeyFault`].
    pub fn check(&self, part: ApiKeyPart, text: &str) -> Result<(), ApiKeyFault> {
        let encoded = text
            .strip_prefix(self.as_str())
            .and_then(|rest| rest.strip_prefix(part.words()))
            .ok_or(ApiKeyFault::Shape)?;
        let mut buffer = [0; LONGEST_PAYLOAD_BYTES];
        let payload = Base64UrlUnpadded::decode(encoded, &mut buffer).map_err(|_| ApiKeyFault::Shape)?;
        match payload.split_at_checked(part.random_bytes()) {
            Some((random, presented)) if presented.len() == CHECKSUM_BYTES => {
                if presented == self.checksum(part, random) {
                    Ok(())
                } else {
                    Err(ApiKeyFault::Checksum)
                }
            }
            _ => Err(ApiKeyFault::Shape),
        }
    }

    /// Whether `text` begins as this half of an API key of this deployment does, whatever follows.
    pub fn begins(&self, part: ApiKeyPart, text: &str) -> bool {
        let rest = text.strip_prefix(self.as_str());
        rest.is_some_and(|rest| rest.starts_with(part.words()))
    }

    fn spell(&self, part: ApiKeyPart, random: &[u8]) -> String {
        let mut payload = alloc::vec::Vec::with_capacity(LONGEST_PAYLOAD_BYTES);
        payload.extend_from_slice(random);
        payload.extend_from_slice(&self.checksum(part, random));
        let encoded = Secret::new(Base64UrlUnpadded::encode_string(&payload));
        drop(Secret::new(payload));
        format!("{}{}{}", self.0, part.words(), encoded.expose())
    }

    fn checksum(&self, part: ApiKeyPart, random: &[u8]) -> [u8; CHECKSUM_BYTES] {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(self.0.as_bytes())
            .chain_update(part.words())
            .chain_update(random)
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        [a, b, c, d]
    }
}

/// Which half of an API key `text` is, of whatever deployment: for programs that look for leaked secrets.
pub fn recognize(text: &str) -> Option<ApiKeyPart> {
    let (prefix, _) = text.split_once('_')?;
    let prefix = ApiKeyPrefix::parse(prefix)?;
    [ApiKeyPart::Key, ApiKeyPart::Secret]
        .into_iter()
        .find(|part| prefix.check(*part, text).is_ok())
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use std::format;

    use proptest::prelude::*;

    use super::{ApiKeyFault, ApiKeyPart, ApiKeyPrefix, recognize};

    fn prefix() -> ApiKeyPrefix {
        ApiKeyPrefix::parse("zs").unwrap()
    }

    #[test]
    fn both_halves_begin_as_the_documents_show_them() {
        let key = prefix().key(&[0; 17]);
        assert!(key.starts_with("zs_api_live_"), "{key}");
        assert_eq!(key.len(), 12 + 28);
        let secret = prefix().secret(&[0; 32]);
        assert!(secret.expose().starts_with("zs_secret_"));
        assert_eq!(secret.expose().len(), 10 + 48);
    }

    // (printf zs_api_live_; head -c 17 /dev/zero) | sha256sum begins with 4 bytes that end this text.
    #[test]
    fn the_checksum_is_the_beginning_of_sha_256() {
        let key = prefix().key(&[0; 17]);
        assert_eq!(key, "zs_api_live_AAAAAAAAAAAAAAAAAAAAAACQkRV3");
    }

    #[test]
    fn one_half_is_not_the_other() {
        let (key, secret) = (prefix().key(&[7; 17]), prefix().secret(&[7; 32]));
        assert_eq!(prefix().check(ApiKeyPart::Key, &key), Ok(()));
        assert_eq!(prefix().check(ApiKeyPart::Secret, secret.expose()), Ok(()));
        assert_eq!(prefix().check(ApiKeyPart::Secret, &key), Err(ApiKeyFault::Shape));
        assert_eq!(
            prefix().check(ApiKeyPart::Key, secret.expose()),
            Err(ApiKeyFault::Shape)
        );
        assert_eq!(recognize(&key), Some(ApiKeyPart::Key));
        assert_eq!(recognize(secret.expose()), Some(ApiKeyPart::Secret));
        assert!(prefix().begins(ApiKeyPart::Key, "zs_api_live_") && prefix().begins(ApiKeyPart::Key, &key));
        assert!(
            !prefix().begins(ApiKeyPart::Key, "zs_api_liv") && !prefix().begins(ApiKeyPart::Secret, &key)
        );
    }

    #[test]
    fn another_deployments_key_is_recognised_and_not_taken() {
        let theirs = ApiKeyPrefix::parse("other").unwrap().key(&[7; 17]);
        assert_eq!(prefix().check(ApiKeyPart::Key, &theirs), Err(ApiKeyFault::Shape));
        assert_eq!(recognize(&theirs), Some(ApiKeyPart::Key));
        let renamed = theirs.replacen("other", "zs", 1);
        assert_eq!(
            prefix().check(ApiKeyPart::Key, &renamed),
            Err(ApiKeyFault::Checksum)
        );
    }

    #[test]
    fn a_prefix_is_a_short_plain_word() {
        for text in ["zs", "a", "clinic7", "abcdefghijklmnop"] {
            assert_eq!(ApiKeyPrefix::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "ZS", "z_s", "z-s", "z s", "abcdefghijklmnopq", "ä"] {
            assert_eq!(ApiKeyPrefix::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_made_is_recognised(random: [u8; 32], key_random: [u8; 17], word in "[a-z0-9]{1,16}") {
            let prefix = ApiKeyPrefix::parse(&word).unwrap();
            let (key, secret) = (prefix.key(&key_random), prefix.secret(&random));
            prop_assert_eq!(prefix.check(ApiKeyPart::Key, &key), Ok(()));
            prop_assert_eq!(prefix.check(ApiKeyPart::Secret, secret.expose()), Ok(()));
            prop_assert_eq!(recognize(&key), Some(ApiKeyPart::Key));
        }

        #[test]
        fn a_mistyped_character_is_noticed(random: [u8; 32], place in 0_usize..58, typed in "[A-Za-z0-9_-]") {
            let secret = prefix().secret(&random);
            let typed = typed.chars().next().unwrap();
            let changed: String = secret
                .expose()
                .chars()
                .enumerate()
                .map(|(at, own)| if at == place { typed } else { own })
                .collect();
            let outcome = prefix().check(ApiKeyPart::Secret, &changed);
            prop_assert_eq!(outcome.is_ok(), changed == *secret.expose());
        }

        #[test]
        fn two_characters_that_changed_places_and_cut_ends_are_noticed(random: [u8; 17], place in 0_usize..39) {
            let key = prefix().key(&random);
            let mut letters: std::vec::Vec<char> = key.chars().collect();
            letters.swap(place, place + 1);
            let changed: String = letters.into_iter().collect();
            prop_assert_eq!(prefix().check(ApiKeyPart::Key, &changed).is_ok(), changed == key);
            prop_assert!(prefix().check(ApiKeyPart::Key, key.get(..place).unwrap()).is_err());
            let longer = format!("{key}A");
            prop_assert!(prefix().check(ApiKeyPart::Key, &longer).is_err());
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = recognize(&text);
            let _ = prefix().check(ApiKeyPart::Key, &text);
            let _ = prefix().check(ApiKeyPart::Secret, &text);
        }
    }
}
