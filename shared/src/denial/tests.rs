use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use proptest::collection::vec as list;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{
    DenialFault, Denials, DenyBefore, DenyKind, Heard, MAXIMUM_ISSUER_DENIALS, TokenNames, decode, encode,
    merge,
};
use crate::time::Timestamp;

const ISSUER: &str = "https://issuer.example";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn names() -> TokenNames {
    TokenNames::of(ISSUER, "ada", "app", Some("key-1"), Some("kid-1"))
}

fn denials(all: Vec<DenyBefore>) -> Denials {
    let mut denials = Denials::default();
    denials.learn(at(0), all);
    denials
}

fn any_denial() -> impl Strategy<Value = DenyBefore> {
    let kind = prop_oneof![
        Just(DenyKind::Subject),
        Just(DenyKind::Client),
        Just(DenyKind::ApiKey),
        Just(DenyKind::SigningKey)
    ];
    (kind, any::<[u8; 16]>(), any::<i64>()).prop_map(|(kind, id_hash, seconds)| DenyBefore {
        kind,
        id_hash,
        not_before: at(seconds),
    })
}

proptest! {
    #[test]
    fn denials_read_as_they_were_written(all in list(any_denial(), 0..40)) {
        prop_assert_eq!(decode(&encode(&all)), Ok(all));
    }

    #[test]
    fn no_text_makes_the_reader_fail(text in "[A-Za-z0-9_=. -]{0,120}") {
        if let Ok(read) = decode(&text) {
            prop_assert_eq!(encode(&read), text);
        }
    }

    #[test]
    fn a_token_is_denied_by_its_own_names_alone(
        all in list(any_denial(), 0..20), issued_at in any::<i64>(),
    ) {
        // 128 bits of a hash are not met by chance.
        prop_assert!(!denials(all).deny(&names(), Some(at(issued_at))));
    }
}

#[test]
fn each_kind_denies_what_is_older_and_nothing_newer() {
    let of = [
        (DenyKind::Subject, "ada"),
        (DenyKind::Client, "app"),
        (DenyKind::ApiKey, "key-1"),
        (DenyKind::SigningKey, "kid-1"),
    ];
    for (kind, name) in of {
        let denials = denials(vec![DenyBefore::of(kind, ISSUER, name, at(100))]);
        assert!(denials.deny(&names(), Some(at(99))), "{kind:?}");
        assert!(!denials.deny(&names(), Some(at(100))), "{kind:?}");
        assert!(denials.deny(&names(), None), "{kind:?}: of unknown age");
    }
}

#[test]
fn a_name_of_another_kind_or_issuer_is_another_name() {
    for denial in [
        DenyBefore::of(DenyKind::Client, ISSUER, "ada", at(100)),
        DenyBefore::of(DenyKind::Subject, ISSUER, "app", at(100)),
        DenyBefore::of(DenyKind::Subject, "https://other.example", "ada", at(100)),
        DenyBefore::of(DenyKind::Subject, "https://issuer.examplea", "da", at(100)),
    ] {
        assert!(!denials(vec![denial]).deny(&names(), Some(at(0))));
    }
    let without = TokenNames::of(ISSUER, "ada", "app", None, None);
    let all = vec![
        DenyBefore::of(DenyKind::ApiKey, ISSUER, "", at(100)),
        DenyBefore::of(DenyKind::SigningKey, ISSUER, "", at(100)),
    ];
    assert!(!denials(all).deny(&without, Some(at(0))));
}

#[test]
fn an_older_list_takes_nothing_back_and_a_newer_one_does() {
    let denial = DenyBefore::of(DenyKind::Subject, ISSUER, "ada", at(100));
    let mut denials = Denials::default();
    assert!(denials.is_empty());
    denials.learn(at(50), vec![denial]);
    denials.learn(at(49), Vec::new());
    assert!(denials.deny(&names(), Some(at(0))));
    denials.learn(at(51), Vec::new());
    assert!(denials.is_empty() && !denials.deny(&names(), Some(at(0))));
}

#[test]
fn what_is_not_a_list_of_denials_is_none() {
    let denial = DenyBefore::of(DenyKind::Subject, ISSUER, "ada", at(100));
    let whole = encode(&[denial]);
    let mut cut = whole.clone();
    cut.pop();
    let mut bytes = denial.to_bytes();
    bytes[0] = 9;
    let unknown = Base64UrlUnpadded::encode_string(&bytes);
    let many = encode(&vec![denial; MAXIMUM_ISSUER_DENIALS + 1]);
    let most = encode(&vec![denial; MAXIMUM_ISSUER_DENIALS]);
    for text in [cut, unknown, many, "%".to_string(), "AQ==".to_string()] {
        assert_eq!(decode(&text), Err(DenialFault), "{} characters", text.len());
    }
    assert_eq!(decode(""), Ok(Vec::new()));
    assert_eq!(decode(&most).map(|read| read.len()), Ok(MAXIMUM_ISSUER_DENIALS));
}

#[test]
fn what_others_tell_counts_for_an_hour() {
    let denial = DenyBefore::of(DenyKind::Subject, ISSUER, "ada", at(100));
    let mut heard = Heard::default();
    assert!(heard.is_empty());
    heard.hear(&[denial], at(200));
    assert!(!heard.is_empty());
    assert!(heard.deny(&names(), Some(at(99)), at(3_799)));
    assert!(!heard.deny(&names(), Some(at(100)), at(3_799)), "issued since");
    assert!(
        !heard.deny(&names(), Some(at(99)), at(3_800)),
        "by then a list says it"
    );
}

#[test]
fn whoever_tells_much_takes_no_more_memory_than_is_set() {
    let mut all = Vec::new();
    for number in 0..1_000_u32 {
        let denial = DenyBefore::of(DenyKind::Subject, ISSUER, &number.to_string(), at(1));
        merge(&mut all, denial, 32);
    }
    assert_eq!(all.len(), 32);
}

#[test]
fn denials_are_found_by_what_they_mean() {
    let own = DenyBefore::of(DenyKind::Client, ISSUER, "app", at(100));
    let all = denials(vec![
        own,
        DenyBefore::of(DenyKind::Client, ISSUER, "other", at(100)),
    ]);
    assert_eq!(all.meaning(&names()), [own]);
}
