use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use std::format;

use base64ct::{Base64UrlUnpadded, Encoding};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::jwt::SignatureAlgorithm;
use crate::jwt::test_keys::TestKey;

use super::{JwkError, JwkSet, MAXIMUM_KEYS, PublicJwk};

const RSA_MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn rsa() -> Value {
    json!({"kty": "RSA", "n": RSA_MODULUS, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})
}

fn ec() -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "kid": "1",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    })
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn parse(key: &Value) -> Result<PublicJwk, JwkError> {
    PublicJwk::parse(key.to_string().as_bytes())
}

fn parse_set(keys: &[Value]) -> Result<JwkSet, JwkError> {
    JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

fn modulus_of(bytes: usize) -> Value {
    let mut modulus = vec![0xff; bytes];
    modulus[0] = 0x80;
    json!(Base64UrlUnpadded::encode_string(&modulus))
}

#[test]
fn thumbprints_are_those_of_rfc_7638_and_rfc_8037() {
    assert_eq!(
        parse(&rsa()).unwrap().thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    let okp = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    assert_eq!(
        parse(&okp).unwrap().thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
}

#[test]
fn the_set_of_rfc_7517_appendix_a1_yields_its_signature_key() {
    let set = parse_set(&[with(ec(), "use", json!("enc")), rsa()]).unwrap();
    assert_eq!(set.iter().count(), 1, "the key for encryption is passed over");
    let key = set.find(Some("2011-04-29"), SignatureAlgorithm::RS256).unwrap();
    assert_eq!(key.key_id(), Some("2011-04-29"));
    assert_eq!(key.algorithm(), Some(SignatureAlgorithm::RS256));
}

#[test]
fn refuses_weak_rsa_keys() {
    for (name, value) in [
        ("n", modulus_of(128)),
        ("n", modulus_of(255)),
        ("n", modulus_of(1025)),
        ("n", json!("AQAB")),
        ("n", json!("")),
        ("e", json!("Aw")),           // 3
        ("e", json!("AQ")),           // 1
        ("e", json!("")),             // nothing
        ("e", json!("AQAA")),         // 65536, even
        ("e", json!("AQAAAAAAAAAB")), // nine bytes
    ] {
        assert_eq!(
            parse(&with(rsa(), name, value.clone())),
            Err(JwkError::Weak),
            "{name}: {value}"
        );
    }
    let mut even = Base64UrlUnpadded::decode_vec(RSA_MODULUS).unwrap();
    *even.last_mut().unwrap() &= 0xfe;
    assert_eq!(
        parse(&with(rsa(), "n", json!(Base64UrlUnpadded::encode_string(&even)))),
        Err(JwkError::Weak)
    );
    let mut padded = vec![0; 200];
    padded.extend_from_slice(&[0xff; 128]);
    let padded = json!(Base64UrlUnpadded::encode_string(&padded));
    assert_eq!(
        parse(&with(rsa(), "n", padded)),
        Err(JwkError::Weak),
        "leading zeros do not make a key long"
    );
}

#[test]
fn leading_zeros_do_not_change_a_key() {
    let mut modulus = vec![0];
    modulus.extend(Base64UrlUnpadded::decode_vec(RSA_MODULUS).unwrap());
    let padded = with(rsa(), "n", json!(Base64UrlUnpadded::encode_string(&modulus)));
    assert_eq!(parse(&padded).unwrap(), parse(&rsa()).unwrap());
}

#[test]
fn refuses_private_and_symmetric_keys_and_the_sets_that_hold_them() {
    let private = [
        with(rsa(), "d", json!("AQAB")),
        with(rsa(), "p", json!("AQAB")),
        with(ec(), "d", json!("AQAB")),
        json!({"kty": "oct", "k": "AQAB"}),
        json!({"kty": "oct"}),
        json!({"kty": "unheard-of", "d": "AQAB"}),
    ];
    for key in private {
        assert_eq!(parse(&key), Err(JwkError::NotPublic), "{key}");
        assert_eq!(
            parse_set(&[rsa(), key.clone()]),
            Err(JwkError::NotPublic),
            "{key}"
        );
    }
}

#[test]
fn keys_of_unknown_kinds_are_refused_alone_and_passed_over_in_a_set() {
    let unknown = [
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
        with(ec(), "crv", json!("P-521")),
        with(ec(), "crv", json!("secp256k1")),
        json!({"kty": "OKP", "crv": "Ed448", "x": "AA"}),
        with(rsa(), "alg", json!("RS512")),
        with(rsa(), "alg", json!("HS256")),
        with(rsa(), "alg", json!("none")),
        with(rsa(), "alg", json!("ES256")),
        with(ec(), "alg", json!("RS256")),
    ];
    for key in unknown {
        assert_eq!(parse(&key), Err(JwkError::Unsupported), "{key}");
        assert_eq!(
            parse_set(&[key.clone(), rsa()]).unwrap().iter().count(),
            1,
            "{key}"
        );
    }
    for key in [
        with(rsa(), "use", json!("enc")),
        with(rsa(), "key_ops", json!(["sign"])),
    ] {
        assert_eq!(parse(&key), Err(JwkError::NotForSignatures), "{key}");
    }
    assert!(parse(&with(rsa(), "key_ops", json!(["verify"]))).is_ok());
}

#[test]
fn refuses_malformed_keys_and_sets() {
    for key in [
        json!({}),
        json!({"kty": "RSA", "e": "AQAB"}),
        json!({"kty": "RSA", "n": RSA_MODULUS}),
        with(rsa(), "n", json!("not base64url!")),
        with(rsa(), "e", json!("AQAB==")),
        with(rsa(), "kid", json!(7)),
        json!({"kty": "EC", "crv": "P-256"}),
    ] {
        assert_eq!(parse(&key), Err(JwkError::Malformed), "{key}");
    }
    for (name, value) in [
        ("x", json!("AQAB")),
        ("y", json!("AQAB")),
        ("crv", json!("P-384")),
    ] {
        assert_eq!(
            parse(&with(ec(), name, value)),
            Err(JwkError::WrongLength),
            "{name}"
        );
    }
    let okp = json!({"kty": "OKP", "crv": "Ed25519", "x": "AQAB"});
    assert_eq!(parse(&okp), Err(JwkError::WrongLength));
    for text in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[7]}"#,
        r#"{"keys":[],"keys":[]}"#,
    ] {
        assert_eq!(JwkSet::parse(text.as_bytes()), Err(JwkError::Malformed), "{text}");
    }
    assert_eq!(
        JwkSet::parse(br#"{"keys":[{"kty":"RSA","kty":"EC"}]}"#),
        Err(JwkError::Malformed)
    );
}

#[test]
fn refuses_sets_that_are_too_large_or_ambiguous() {
    let keys: Vec<Value> = (0..=MAXIMUM_KEYS)
        .map(|index| with(rsa(), "kid", json!(index.to_string())))
        .collect();
    assert_eq!(parse_set(&keys), Err(JwkError::TooMany));
    assert!(parse_set(&keys[1..]).is_ok());
    assert_eq!(parse_set(&[rsa(), rsa()]), Err(JwkError::DuplicateKeyId));
    // One kid for two algorithm families is unusual but says what is meant.
    assert!(parse_set(&[rsa(), with(ec(), "kid", json!("2011-04-29"))]).is_ok());
}

#[test]
fn a_key_is_found_by_kid_and_algorithm_or_by_being_the_only_one() {
    let anonymous = {
        let mut key = ec();
        key.as_object_mut().unwrap().remove("kid");
        key
    };
    let set = parse_set(&[rsa(), with(rsa(), "kid", json!("other")), anonymous]).unwrap();
    assert!(set.find(Some("other"), SignatureAlgorithm::RS256).is_some());
    assert!(
        set.find(Some("other"), SignatureAlgorithm::RS384).is_none(),
        "the key says RS256"
    );
    assert!(set.find(Some("unknown"), SignatureAlgorithm::RS256).is_none());
    assert!(
        set.find(None, SignatureAlgorithm::RS256).is_none(),
        "two keys fit"
    );
    assert!(
        set.find(None, SignatureAlgorithm::ES256).is_some(),
        "one key fits"
    );
    assert!(
        set.find(Some("1"), SignatureAlgorithm::ES256).is_none(),
        "a kid must be the key's own"
    );
}

#[test]
fn a_bound_key_without_alg_is_found_for_its_types_usual_algorithm_only() {
    use SignatureAlgorithm::{ES256, PS256, RS256, RS384};
    let silent = |mut key: Value, key_id: &str| {
        key.as_object_mut().unwrap().remove("alg");
        with(key, "kid", json!(key_id))
    };
    let set = parse_set(&[
        silent(rsa(), "a"),
        silent(ec(), "b"),
        with(rsa(), "alg", json!("PS256")),
    ])
    .unwrap();
    assert!(set.find(Some("a"), RS384).is_some(), "any algorithm of its type");
    let set = set.bound();
    assert!(set.find(Some("a"), RS256).is_some());
    for algorithm in [RS384, PS256] {
        assert!(set.find(Some("a"), algorithm).is_none(), "{algorithm}");
    }
    assert!(set.find(Some("b"), ES256).is_some());
    assert!(
        set.find(None, PS256)
            .is_some_and(|key| key.algorithm() == Some(PS256)),
        "a key keeps its own"
    );
    for algorithm in SignatureAlgorithm::ALL {
        let key = TestKey::generate(algorithm, "a").public();
        assert!(
            key.material().fits(key.material().usual_algorithm()),
            "{algorithm}"
        );
    }
}

#[test]
fn a_published_key_reads_back_as_itself() {
    for algorithm in SignatureAlgorithm::ALL {
        let key = TestKey::generate(algorithm, "a").public();
        assert_eq!(parse(&key.to_json()).unwrap(), key, "{algorithm}");
        let set = JwkSet::new(vec![key.clone()]).unwrap();
        assert_eq!(JwkSet::parse(set.to_json().to_string().as_bytes()).unwrap(), set);
        assert_eq!(key.thumbprint().len(), 43);
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = JwkSet::parse(&bytes);
        let _ = PublicJwk::parse(&bytes);
    }

    #[test]
    fn no_values_panic(n in "[A-Za-z0-9_-]{0,40}", e in "[A-Za-z0-9_-]{0,20}", kty in "RSA|EC|OKP|oct|x", crv in "P-256|P-384|Ed25519|x") {
        let key: String = format!(r#"{{"kty":"{kty}","crv":"{crv}","n":"{n}","e":"{e}","x":"{n}","y":"{e}"}}"#);
        let _ = PublicJwk::parse(key.as_bytes());
    }
}

#[test]
fn candidates_are_one_key_by_name_and_every_fitting_key_without() {
    let unnamed = |mut key: Value| {
        key.as_object_mut().unwrap().remove("kid");
        key
    };
    let set = parse_set(&[rsa(), unnamed(rsa()), ec(), unnamed(ec())]).unwrap();
    let count = |key_id, algorithm| set.candidates(key_id, algorithm).count();
    assert_eq!(count(Some("2011-04-29"), SignatureAlgorithm::RS256), 1);
    assert_eq!(count(Some("2011-04-29"), SignatureAlgorithm::RS384), 0);
    assert_eq!(count(Some("1"), SignatureAlgorithm::RS256), 0);
    assert_eq!(count(Some("2"), SignatureAlgorithm::ES256), 0);
    assert_eq!(count(None, SignatureAlgorithm::RS256), 2);
    assert_eq!(count(None, SignatureAlgorithm::ES256), 2);
    assert_eq!(count(None, SignatureAlgorithm::EdDSA), 0);
}
