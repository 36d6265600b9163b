//! API keys and their secrets.

use wardgate_shared::api_key::{
    ApiKeyFault, ApiKeyPart, ApiKeyPrefix, KEY_RANDOM_BYTES, SECRET_RANDOM_BYTES, recognize,
};

/// Characters of each half after its words: four for three bytes, of which four are the checksum's.
const KEY_CHARACTERS: usize = (KEY_RANDOM_BYTES + 4) / 3 * 4;
const SECRET_CHARACTERS: usize = (SECRET_RANDOM_BYTES + 4) / 3 * 4;

/// Lines: the deployment's prefix, what a header brings. The bytes are also taken for the random ones of a key.
pub fn api_key(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let (word, credential) = text.split_once('\n').unwrap_or(("zs", text));
    let _ = recognize(credential);
    let Some(prefix) = ApiKeyPrefix::parse(word) else {
        return;
    };
    assert_eq!(prefix.as_str(), word);
    let halves = [
        (ApiKeyPart::Key, format!("{word}_api_live_"), KEY_CHARACTERS),
        (ApiKeyPart::Secret, format!("{word}_secret_"), SECRET_CHARACTERS),
    ];
    for (part, beginning, characters) in &halves {
        let outcome = prefix.check(*part, credential);
        if outcome != Err(ApiKeyFault::Shape) {
            assert!(credential.starts_with(beginning.as_str()));
            assert_eq!(credential.len(), beginning.len() + characters);
        }
        assert_eq!(
            outcome.is_ok(),
            recognize(credential) == Some(*part) && credential.starts_with(beginning.as_str())
        );
    }

    let mut random = [0; KEY_RANDOM_BYTES];
    random
        .iter_mut()
        .zip(credential.bytes().rev())
        .for_each(|(to, from)| *to = from);
    let key = prefix.key(&random);
    assert_eq!(prefix.check(ApiKeyPart::Key, &key), Ok(()));
    assert_eq!(prefix.check(ApiKeyPart::Secret, &key), Err(ApiKeyFault::Shape));
    // The characters of the random bytes are left alone: one in 2^32 of them has the same checksum.
    let of_random_bytes =
        key.len() - KEY_CHARACTERS..key.len() - KEY_CHARACTERS + KEY_RANDOM_BYTES * 4 / 3 + 1;
    for (place, character) in key.char_indices() {
        if !of_random_bytes.contains(&place) {
            let mut mistyped = key.clone();
            mistyped.replace_range(place..=place, if character == 'A' { "B" } else { "A" });
            assert!(
                prefix.check(ApiKeyPart::Key, &mistyped).is_err(),
                "{mistyped} for {key}"
            );
        }
    }
}
