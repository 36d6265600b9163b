//! Sealing, opening, and the file of the master key.

use wardgate_shared::secret::Secret;

use super::{MasterKey, MasterKeyError, SealBroken};
use crate::config::MasterKeySource;

fn key(byte: u8) -> MasterKey {
    MasterKey::new(Secret::new([byte; 32]))
}

#[test]
fn opens_what_it_sealed() {
    let sealed = key(1).seal(b"private", "kid").unwrap();
    assert_eq!(key(1).open(&sealed, "kid").unwrap().as_slice(), b"private");
    assert!(!sealed.windows(7).any(|window| window == b"private"));
    assert_ne!(
        sealed,
        key(1).seal(b"private", "kid").unwrap(),
        "every seal has a nonce of its own"
    );
}

#[test]
fn refuses_another_key_another_kid_and_every_change() {
    let sealed = key(1).seal(b"private", "kid").unwrap();
    assert_eq!(key(2).open(&sealed, "kid").err(), Some(SealBroken));
    assert_eq!(key(1).open(&sealed, "another").err(), Some(SealBroken));
    for position in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        assert_eq!(
            key(1).open(&changed, "kid").err(),
            Some(SealBroken),
            "byte {position}"
        );
        assert_eq!(
            key(1).open(&sealed[..position], "kid").err(),
            Some(SealBroken),
            "{position} bytes"
        );
    }
}

#[test]
fn derives_a_different_secret_for_each_label_and_key() {
    let derived = [key(1).derive("a"), key(1).derive("b"), key(2).derive("a")];
    assert_eq!(derived[0].expose(), key(1).derive("a").expose());
    assert_ne!(derived[0].expose(), derived[1].expose());
    assert_ne!(derived[0].expose(), derived[2].expose());
}

#[test]
fn loads_the_file_it_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let made = MasterKey::create(&path).unwrap();
    let loaded = MasterKey::load(&MasterKeySource::File(path.clone())).unwrap();
    assert_eq!(made.derive("x").expose(), loaded.derive("x").expose());
    assert!(matches!(MasterKey::create(&path), Err(MasterKeyError::Exists(_))));
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    MasterKey::create(&path).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn says_what_is_wrong_with_a_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let load = || {
        MasterKey::load(&MasterKeySource::File(path.clone()))
            .unwrap_err()
            .to_string()
    };
    assert!(
        load().contains("does not exist: run `wardgate init`"),
        "{}",
        load()
    );
    // As a file is made when nobody thinks of it.
    std::fs::write(&path, "A".repeat(43)).unwrap();
    let allow = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    for mode in [0o644, 0o604, 0o602] {
        allow(mode);
        assert!(
            load().contains("can be read by every user of this machine"),
            "{}",
            load()
        );
    }
    allow(0o640);
    for content in ["", "short", &"A".repeat(44), &"*".repeat(43)] {
        std::fs::write(&path, content).unwrap();
        assert!(load().contains("must be 32 bytes in base64url"), "{}", load());
    }
}

#[test]
fn debug_output_says_nothing_of_the_key() {
    assert_eq!(format!("{:?}", key(7)), "MasterKey(Secret(…))");
}
