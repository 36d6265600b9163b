//! The key cache as a state machine; keys exist on paper only.

use std::collections::HashSet;

use proptest::prelude::*;
use wardgate_shared::jwk::{JwkSet, KeyMaterial, PublicJwk};
use wardgate_shared::jwt::SignatureAlgorithm::{ES256, EdDSA, PS256, RS256, RS384};
use wardgate_shared::time::Timestamp;

use super::{Found, KeyCache, Lookup};
use crate::refresh::RefreshSettings;

const SETTINGS: RefreshSettings = RefreshSettings {
    fresh_seconds: 300,
    stale_seconds: 3_600,
    cooldown_seconds: 30,
    attempt_seconds: 4,
};

/// A key that exists on paper only; in the cache it is known by the number it was imported under.
type Key = u32;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_000_000 + seconds)
}

fn jwk(key_id: &str, byte: u8) -> PublicJwk {
    PublicJwk::new(
        KeyMaterial::Ed25519 { x: vec![byte; 32] },
        Some(key_id.into()),
        Some(EdDSA),
    )
    .unwrap()
}

fn set(keys: &[PublicJwk]) -> JwkSet {
    JwkSet::new(keys.to_vec()).unwrap()
}

/// A cache that fetched these keys at the second 0.
fn loaded(keys: &[PublicJwk]) -> KeyCache<Key> {
    let mut cache = KeyCache::new(SETTINGS);
    fetch(&mut cache, 0, keys);
    cache
}

fn fetch(cache: &mut KeyCache<Key>, second: i64, keys: &[PublicJwk]) {
    let started = cache.start(at(second));
    cache.accept(started, set(keys));
}

fn fail(cache: &mut KeyCache<Key>, second: i64) {
    let started = cache.start(at(second));
    cache.fail(started, at(second));
}

fn found(key: Found<Key>) -> Lookup<Key> {
    Lookup::Found { key, renew: false }
}

#[test]
fn the_first_lookup_fetches() {
    assert_eq!(
        KeyCache::<Key>::new(SETTINGS).look_up(Some("a"), EdDSA, at(0)),
        Lookup::Fetch
    );
}

#[test]
fn a_key_is_imported_once_and_kept() {
    let mut cache = loaded(&[jwk("a", 1)]);
    assert_eq!(
        cache.look_up(Some("a"), EdDSA, at(1)),
        found(Found::ToImport(jwk("a", 1)))
    );
    cache.keep(jwk("a", 1), EdDSA, 7);
    assert_eq!(cache.look_up(Some("a"), EdDSA, at(1)), found(Found::Ready(7)));
    fetch(&mut cache, 10, &[jwk("a", 1), jwk("b", 2)]);
    assert_eq!(
        cache.look_up(Some("a"), EdDSA, at(10)),
        found(Found::Ready(7)),
        "still published"
    );
}

#[test]
fn a_key_that_leaves_the_set_is_gone_with_what_was_imported() {
    let mut cache = loaded(&[jwk("a", 1)]);
    cache.keep(jwk("a", 1), EdDSA, 7);
    fetch(&mut cache, 400, &[jwk("b", 2)]);
    assert_eq!(cache.look_up(Some("a"), EdDSA, at(401)), Lookup::Unknown);
    fetch(&mut cache, 800, &[jwk("a", 1)]);
    assert_eq!(
        cache.look_up(Some("a"), EdDSA, at(801)),
        found(Found::ToImport(jwk("a", 1)))
    );
}

#[test]
fn another_key_of_the_same_name_takes_the_place_of_the_old_one() {
    let mut cache = loaded(&[jwk("a", 1)]);
    cache.keep(jwk("a", 1), EdDSA, 7);
    fetch(&mut cache, 400, &[jwk("a", 2)]);
    assert_eq!(
        cache.look_up(Some("a"), EdDSA, at(401)),
        found(Found::ToImport(jwk("a", 2)))
    );
}

#[test]
fn an_import_that_ends_after_its_key_was_removed_is_not_kept() {
    let mut cache = loaded(&[jwk("a", 1)]);
    fetch(&mut cache, 400, &[jwk("b", 2)]);
    cache.keep(jwk("a", 1), EdDSA, 7);
    fetch(&mut cache, 800, &[jwk("a", 1)]);
    assert_eq!(
        cache.look_up(Some("a"), EdDSA, at(801)),
        found(Found::ToImport(jwk("a", 1)))
    );
}

#[test]
fn a_key_is_not_found_for_another_algorithm() {
    let cache = loaded(&[jwk("a", 1)]);
    assert_eq!(cache.look_up(Some("a"), ES256, at(1)), Lookup::Unknown);
}

#[test]
fn a_key_without_algorithm_is_found_for_its_types_usual_one_only() {
    let material = KeyMaterial::Rsa {
        modulus: vec![0xFF; 256],
        exponent: vec![1, 0, 1],
    };
    let silent = PublicJwk::new(material, Some("a".into()), None).unwrap();
    let cache = loaded(&[silent]);
    assert!(matches!(
        cache.look_up(Some("a"), RS256, at(1)),
        Lookup::Found { key: Found::ToImport(key), .. } if key.algorithm() == Some(RS256)
    ));
    for algorithm in [RS384, PS256] {
        for key_id in [Some("a"), None] {
            assert_eq!(cache.look_up(key_id, algorithm, at(1)), Lookup::Unknown);
        }
    }
}

#[test]
fn stale_keys_are_used_and_renewed_beside() {
    let mut cache = loaded(&[jwk("a", 1)]);
    let stale = |renew| Lookup::Found {
        key: Found::ToImport(jwk("a", 1)),
        renew,
    };
    assert_eq!(cache.look_up(Some("a"), EdDSA, at(299)), stale(false));
    assert_eq!(cache.look_up(Some("a"), EdDSA, at(300)), stale(true));
    let started = cache.start(at(300));
    assert_eq!(
        cache.look_up(Some("a"), EdDSA, at(300)),
        stale(false),
        "one renews, not all"
    );
    cache.fail(started, at(301));
    assert_eq!(
        cache.look_up(Some("a"), EdDSA, at(330)),
        stale(false),
        "and not again at once"
    );
    assert_eq!(cache.look_up(Some("a"), EdDSA, at(331)), stale(true));
}

#[test]
fn stale_keys_are_not_used_beyond_their_bound() {
    let mut cache = loaded(&[jwk("a", 1)]);
    fail(&mut cache, 3_899);
    assert!(matches!(
        cache.look_up(Some("a"), EdDSA, at(3_899)),
        Lookup::Found { .. }
    ));
    assert_eq!(
        cache.look_up(Some("a"), EdDSA, at(3_900)),
        Lookup::Unavailable {
            retry_after_seconds: 29
        },
        "nothing is decided, and the token is not blamed"
    );
}

#[test]
fn an_unknown_key_is_looked_for_once_a_cooldown() {
    let mut cache = loaded(&[jwk("a", 1)]);
    assert_eq!(cache.look_up(Some("x"), EdDSA, at(29)), Lookup::Unknown);
    assert_eq!(cache.look_up(Some("x"), EdDSA, at(30)), Lookup::Fetch);
    let started = cache.start(at(30));
    assert_eq!(cache.look_up(Some("y"), EdDSA, at(30)), Lookup::Wait);
    cache.accept(started, set(&[jwk("a", 1)]));
    assert_eq!(cache.look_up(Some("x"), EdDSA, at(31)), Lookup::Unknown);
}

#[test]
fn an_unknown_key_is_not_refused_while_the_issuer_is_down() {
    let mut cache = loaded(&[jwk("a", 1)]);
    fail(&mut cache, 40);
    assert_eq!(
        cache.look_up(Some("x"), EdDSA, at(41)),
        Lookup::Unavailable {
            retry_after_seconds: 29
        }
    );
    assert!(matches!(
        cache.look_up(Some("a"), EdDSA, at(41)),
        Lookup::Found { .. }
    ));
}

#[test]
fn a_cold_start_waits_for_the_one_who_fetches_and_takes_over_when_that_is_over() {
    let mut cache = KeyCache::<Key>::new(SETTINGS);
    let _ = cache.start(at(0));
    assert_eq!(cache.look_up(Some("a"), EdDSA, at(3)), Lookup::Wait);
    assert_eq!(cache.look_up(Some("a"), EdDSA, at(4)), Lookup::Fetch);
}

#[test]
fn ten_thousand_unknown_keys_cause_one_fetch() {
    let mut cache = loaded(&[jwk("a", 1)]);
    let mut fetches = 0;
    for number in 0..10_000 {
        // All of them within the cool-down that begins at the second 100.
        if cache.look_up(Some(&number.to_string()), EdDSA, at(100 + number / 400)) == Lookup::Fetch {
            fetches += 1;
            fetch(&mut cache, 100 + number / 400, &[jwk("a", 1)]);
        }
    }
    assert_eq!(fetches, 1);
}

proptest! {
    /// A key is given only while a set that was fetched within the bound holds it, whatever came before.
    #[test]
    fn only_published_keys_are_ever_given(
        events in prop::collection::vec((0_i64..600, 0_u8..3, prop::collection::hash_set(0_u8..4, 0..4)), 1..60),
    ) {
        let mut cache = KeyCache::<Key>::new(SETTINGS);
        let (mut now, mut published): (i64, (i64, HashSet<u8>)) = (0, (-10_000, HashSet::new()));
        for (gap, event, names) in events {
            now += gap;
            match event {
                0 => {
                    let keys: Vec<PublicJwk> = names.iter().map(|name| jwk(&name.to_string(), *name)).collect();
                    fetch(&mut cache, now, &keys);
                    published = (now, names);
                }
                1 => fail(&mut cache, now),
                _ => {}
            }
            for name in 0..4_u8 {
                let lookup = cache.look_up(Some(&name.to_string()), EdDSA, at(now));
                if let Lookup::Found { key: Found::ToImport(key), .. } = &lookup {
                    cache.keep(key.clone(), EdDSA, name.into());
                }
                let given = matches!(lookup, Lookup::Found { .. });
                prop_assert_eq!(given, published.1.contains(&name) && now - published.0 < 3_900);
                if let Lookup::Found { key: Found::Ready(key), .. } = lookup {
                    prop_assert_eq!(key, u32::from(name));
                }
            }
        }
    }
}
