use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use proptest::prelude::*;
use serde_json::json;

use super::{CompressedStatusList, StatusBits, StatusList, StatusListError, TokenStatus};
use crate::claims::{AccessClaims, Status, StatusListClaims};

const ALL_BITS: [StatusBits; 4] = [
    StatusBits::One,
    StatusBits::Two,
    StatusBits::Four,
    StatusBits::Eight,
];

fn compressed(bits: StatusBits, list: &str) -> CompressedStatusList {
    CompressedStatusList {
        bits,
        list: list.into(),
    }
}

fn numbers(list: &StatusList) -> Vec<u8> {
    (0..list.entries())
        .map(|index| list.get(index).unwrap().number())
        .collect()
}

// draft-ietf-oauth-status-list, sections 4.1 and 4.2
#[test]
fn reads_the_lists_of_the_draft() {
    let list = StatusList::decompress(&compressed(StatusBits::One, "eNrbuRgAAhcBXQ"), 2).unwrap();
    assert_eq!(numbers(&list), [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
    let list = StatusList::decompress(&compressed(StatusBits::Two, "eNo76fITAAPfAgc"), 3).unwrap();
    assert_eq!(numbers(&list), [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
    assert_eq!(list.get(1), Some(TokenStatus::Suspended));
    assert_eq!(list.get(3), Some(TokenStatus::Other(3)));
    assert_eq!(list.get(12), None);
}

#[test]
fn a_status_that_needs_more_bits_or_lies_beyond_the_end_changes_nothing() {
    for bits in ALL_BITS {
        let mut list = StatusList::all_valid(bits, 9);
        let before = list.clone();
        assert!(!list.set(list.entries(), TokenStatus::Invalid));
        assert!(!list.set(u64::MAX, TokenStatus::Invalid));
        if bits != StatusBits::Eight {
            assert!(!list.set(0, TokenStatus::Other(bits.largest() + 1)));
        }
        assert_eq!(list, before);
    }
}

#[test]
fn a_list_that_unpacks_to_more_than_allowed_is_refused() {
    let bomb = StatusList::all_valid(StatusBits::One, 1 << 27).compress();
    assert!(bomb.list.len() < 30_000, "16 MiB of nothing pack well");
    for maximum in [0, 1, 65_536, (1 << 24) - 1] {
        assert_eq!(
            StatusList::decompress(&bomb, maximum),
            Err(StatusListError::TooLarge)
        );
    }
    assert!(StatusList::decompress(&bomb, 1 << 24).is_ok());
}

#[test]
fn what_is_no_list_is_refused_with_the_reason() {
    let read = |list: &str| StatusList::decompress(&compressed(StatusBits::One, list), 1024);
    assert_eq!(read("eNrbuRgAAhcBXQ=="), Err(StatusListError::Encoding));
    assert_eq!(read("eNrb uRgAAhcBXQ"), Err(StatusListError::Encoding));
    let cut = "eNrbuRgAAhc";
    let other_checksum = "eNrbuRgAAhcBXg";
    for list in ["", "AAAA", cut, other_checksum] {
        assert_eq!(read(list), Err(StatusListError::Compression), "{list}");
    }
    let long = "A".repeat(3000);
    assert_eq!(read(&long), Err(StatusListError::TooLarge));
}

#[test]
fn other_numbers_of_bits_are_no_list() {
    for bits in [0, 3, 5, 16, 255] {
        let value = json!({ "bits": bits, "lst": "eNrbuRgAAhcBXQ" });
        assert!(
            serde_json::from_value::<CompressedStatusList>(value).is_err(),
            "{bits}"
        );
    }
}

#[test]
fn claims_have_the_members_of_the_draft() {
    let written = json!({
        "iss": "https://issuer.example",
        "sub": "https://issuer.example/statuslists/1",
        "ttl": 43200,
        "status_list": { "bits": 1, "lst": "eNrbuRgAAhcBXQ" },
    });
    let claims: StatusListClaims = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(claims.uri, "https://issuer.example/statuslists/1");
    assert_eq!(serde_json::to_value(&claims).unwrap(), written);
    let reference = json!({ "status_list": { "idx": 0, "uri": "https://issuer.example/statuslists/1" } });
    let status: Status = serde_json::from_value(reference.clone()).unwrap();
    assert_eq!(serde_json::to_value(&status).unwrap(), reference);
}

#[test]
fn an_access_token_may_have_a_status_of_any_mechanism_but_none_of_a_wrong_form() {
    let claims = |status: serde_json::Value| {
        serde_json::from_value::<AccessClaims>(json!({
            "iss": "i", "sub": "s", "aud": "a", "jti": "j", "client_id": "c", "status": status,
        }))
    };
    let other = claims(json!({ "identifier_list": {} })).unwrap();
    assert_eq!(other.status, Some(Status { status_list: None }));
    let uri = "https://i/1";
    let held = claims(json!({ "status_list": { "idx": 7, "uri": uri } })).unwrap();
    assert_eq!(held.status.unwrap().status_list.unwrap().index, 7);
    for wrong in [
        json!("x"),
        json!({ "status_list": { "idx": -1, "uri": uri } }),
        json!({ "status_list": { "idx": "1", "uri": uri } }),
        json!({ "status_list": { "idx": 1.5, "uri": uri } }),
        json!({ "status_list": { "idx": 1 } }),
        json!({ "status_list": { "uri": uri } }),
    ] {
        assert!(claims(wrong.clone()).is_err(), "{wrong}");
    }
}

fn bits() -> impl Strategy<Value = StatusBits> {
    proptest::sample::select(ALL_BITS.to_vec())
}

proptest! {
    #[test]
    fn what_was_set_is_read_and_survives_packing(
        bits in bits(),
        entries in 1_u32..2000,
        changes in proptest::collection::vec((any::<u32>(), any::<u8>()), 0..50),
    ) {
        let mut list = StatusList::all_valid(bits, entries);
        let mut model = vec![0; usize::try_from(list.entries()).unwrap()];
        for (index, number) in changes {
            let (index, number) = (u64::from(index) % list.entries(), number & bits.largest());
            prop_assert!(list.set(index, TokenStatus::from_number(number)));
            model[usize::try_from(index).unwrap()] = number;
        }
        prop_assert_eq!(&numbers(&list), &model);
        let size = list.bytes.len();
        prop_assert_eq!(StatusList::decompress(&list.compress(), size), Ok(list));
    }

    #[test]
    fn any_bytes_unpack_within_the_limit_or_are_refused(
        bits in bits(),
        noise in proptest::collection::vec(any::<u8>(), 0..400),
        zlib_header in any::<bool>(),
        maximum in 0_usize..5000,
    ) {
        let header: &[u8] = if zlib_header { &[0x78, 0x9c] } else { &[] };
        let packed = [header, &noise].concat();
        let list: String = Base64UrlUnpadded::encode_string(&packed);
        if let Ok(list) = StatusList::decompress(&CompressedStatusList { bits, list }, maximum) {
            prop_assert!(list.bytes.len() <= maximum);
            prop_assert_eq!(list.get(list.entries()), None);
        }
    }

    #[test]
    fn incompressible_lists_fit_under_the_limit_on_their_text(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let list = StatusList { bits: StatusBits::Eight, bytes };
        prop_assert_eq!(StatusList::decompress(&list.compress(), list.bytes.len()), Ok(list));
    }
}
