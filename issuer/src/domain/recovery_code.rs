//! Recovery codes: each stands in once for a second factor that is lost.

use wardgate_shared::secret::Secret;

use super::digest::SecretDigest;

/// How many a person gets at a time.
pub const CODES: usize = 10;

/// The random bytes of a code: 80 bits, which nobody guesses, so that a fast digest is enough.
pub const CODE_BYTES: usize = 10;

/// Thirty-two letters and digits that are not taken for one another, in the order of Crockford's Base32.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The code of these random bytes, as it is shown: four groups of four.
pub fn encode(bytes: [u8; CODE_BYTES]) -> Secret<String> {
    let bits = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| usize::from(byte >> bit & 1)))
        .collect::<Vec<_>>();
    let mut text = String::with_capacity(19);
    for (position, five) in bits.chunks(5).enumerate() {
        if position > 0 && position % 4 == 0 {
            text.push('-');
        }
        let value = five.iter().fold(0, |value, bit| value << 1 | bit);
        text.extend(ALPHABET.get(value).map(|letter| char::from(*letter)));
    }
    Secret::new(text)
}

/// The digest by which a code is stored, of a code as it was typed: dashes, spaces and letter case do not count, and letters
/// that look like digits are read as those. `None` for what is no code.
pub fn digest(typed: &str) -> Option<SecretDigest> {
    let letters: String = typed
        .chars()
        .filter(|character| !character.is_whitespace() && *character != '-')
        .map(|character| match character.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .collect();
    let is_code = letters.len() == CODE_BYTES * 8 / 5 && letters.bytes().all(|byte| ALPHABET.contains(&byte));
    is_code.then(|| SecretDigest::of(&letters))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{digest, encode};

    #[test]
    fn a_code_is_four_groups_and_found_however_it_is_typed() {
        let code = encode([0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf]);
        assert_eq!(code.expose(), "0123-4567-89ab-cdef");
        let stored = digest(code.expose()).unwrap();
        for typed in [
            "0123456789ABCDEF",
            " o l23-4567 89ab-cdef ",
            "OI23-4567-89ab-cdef",
        ] {
            assert_eq!(digest(typed), Some(stored), "{typed}");
        }
        for typed in [
            "",
            "0123-4567-89ab-cde",
            "0123-4567-89ab-cdefg",
            "0123-4567-89ab-cdeu",
            "äöüß",
        ] {
            assert_eq!(digest(typed), None, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn every_code_is_one_and_no_two_are_the_same(one: [u8; 10], other: [u8; 10]) {
            let (first, second) = (encode(one), encode(other));
            prop_assert!(digest(first.expose()).is_some());
            prop_assert_eq!(first.expose() == second.expose(), one == other);
        }

        #[test]
        fn whatever_is_typed_is_a_code_or_none(typed in "\\PC{0,40}") {
            let _ = digest(&typed);
        }
    }
}
