use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{JsonError, check_object, parse, parse_object, written_items, written_members};

#[test]
fn accepts_an_object_with_distinct_members() {
    assert_eq!(
        check_object(br#" {"a":1,"b":{"a":[null,true,"x",1.5,-2]}} "#),
        Ok(())
    );
}

#[test]
fn refuses_a_repeated_member_at_the_top() {
    assert_eq!(
        check_object(br#"{"iss":"a","iss":"b"}"#),
        Err(JsonError::DuplicateMember)
    );
}

#[test]
fn refuses_a_repeated_member_written_with_an_escape() {
    assert_eq!(
        check_object(br#"{"iss":"a","\u0069ss":"b"}"#),
        Err(JsonError::DuplicateMember)
    );
}

#[test]
fn refuses_a_repeated_member_inside_arrays_and_objects() {
    assert_eq!(
        check_object(br#"{"a":[{"b":{"c":1,"c":1}}]}"#),
        Err(JsonError::DuplicateMember)
    );
}

#[test]
fn refuses_what_is_not_json_and_what_is_not_an_object() {
    for text in [&b""[..], b"{", b"{}x", b"{\"a\":\"\xff\"}", b"{'a':1}"] {
        assert_eq!(check_object(text), Err(JsonError::Malformed), "{text:?}");
    }
    for text in [&b"[]"[..], b"1", b"null", b"\"{}\""] {
        assert_eq!(check_object(text), Err(JsonError::NotAnObject), "{text:?}");
    }
}

#[test]
fn a_value_may_be_of_any_kind_and_repeats_no_member_either() {
    for text in [&b"[]"[..], b"1", b"null", b"[{\"a\":1},{\"a\":1}]"] {
        assert!(parse(text).is_ok(), "{text:?}");
    }
    assert_eq!(parse(br#"[{"a":1,"a":1}]"#), Err(JsonError::DuplicateMember));
    assert_eq!(parse(b"[],[]"), Err(JsonError::Malformed));
}

#[test]
fn refuses_nesting_that_would_exhaust_the_stack() {
    let mut text = alloc::vec![b'['; 100_000];
    text.insert(0, b'{');
    assert_eq!(check_object(&text), Err(JsonError::Malformed));
    let nested = [
        &b"{\"a\":"[..],
        &alloc::vec![b'['; 200],
        &alloc::vec![b']'; 200],
        b"}",
    ]
    .concat();
    assert_eq!(check_object(&nested), Err(JsonError::Malformed));
}

#[test]
fn reads_what_is_written() {
    assert_eq!(
        parse(br#" { "a" : [ true , false , null , -12 , 18446744073709551615 , 1.5e3 ] , "b" : { } , "c" : [ ] } "#),
        Ok(json!({ "a": [true, false, null, -12, u64::MAX, 1500.0], "b": {}, "c": [] }))
    );
    assert_eq!(
        parse(br#""\"\\\/\b\f\n\r\t\u00e9\ud83d\uDE00""#),
        Ok(json!("\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}"))
    );
}

#[test]
fn refuses_what_only_looks_like_json() {
    for text in [
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "1e400",
        "tru",
        "nulll",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "\"a",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"\n\"",
        "\"\u{1}\"",
        "[1]]",
        "[}",
        "\u{feff}1",
        "1 2",
        "/**/1",
        "",
    ] {
        assert_eq!(parse(text.as_bytes()), Err(JsonError::Malformed), "{text:?}");
    }
}

#[test]
fn numbers_are_whole_where_they_are_written_so() {
    let number = |text: &str| parse(text.as_bytes()).unwrap();
    assert_eq!(number("-9223372036854775808").as_i64(), Some(i64::MIN));
    assert_eq!(number("18446744073709551615").as_u64(), Some(u64::MAX));
    for text in [
        "18446744073709551616",
        "-9223372036854775809",
        "1.0",
        "1e2",
        "0e99999999999",
        "1e-99999999999",
    ] {
        assert!(number(text).is_f64(), "{text}");
        assert_eq!(
            number(text),
            serde_json::from_str::<Value>(text).unwrap(),
            "{text}"
        );
    }
}

#[test]
fn written_parts_are_shown_byte_for_byte() {
    let text = r#" { "a" : {"b" :1} , "\u0061":[ 1.50, "x" ],"c":"\u0041"} "#;
    let members = written_members(text).unwrap();
    let shown: Vec<(&str, &str)> = members
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    assert_eq!(
        shown,
        [
            ("a", r#"{"b" :1}"#),
            ("a", r#"[ 1.50, "x" ]"#),
            ("c", r#""\u0041""#)
        ]
    );
    assert_eq!(written_items(members[1].1).unwrap(), ["1.50", "\"x\""]);
    for text in ["[]", "{", "{} x", "1", "{\"a\":tru}"] {
        assert_eq!(written_members(text), None, "{text}");
    }
    for text in ["{}", "[1", "[] x", "1", "[tru]"] {
        assert_eq!(written_items(text), None, "{text}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-9_999_999_i32..9_999_999).prop_map(|number| Value::from(f64::from(number) / 100.0)),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..6)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<String, Value>>())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_the_same_as_serde_json(value in any_value()) {
        prop_assert_eq!(parse(value.to_string().as_bytes()), Ok(value.clone()));
        prop_assert_eq!(parse(serde_json::to_string_pretty(&value).unwrap().as_bytes()), Ok(value.clone()));
        if let Value::Object(members) = value {
            let text = Value::from(members.clone()).to_string();
            prop_assert_eq!(parse_object(text.as_bytes()), Ok(members.clone()));
            let written: Map<String, Value> = written_members(&text)
                .unwrap()
                .into_iter()
                .map(|(name, value)| (name, serde_json::from_str(value).unwrap()))
                .collect();
            prop_assert_eq!(written, members);
        }
    }

    #[test]
    fn accepts_and_refuses_the_same_as_serde_json(
        value in any_value(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"\"\\{}[],:-+.eEu019atn \x00\x1f\xff"[..])), 0..4),
    ) {
        let mut text = value.to_string().into_bytes();
        for (place, byte) in changes {
            let place = place.index(text.len());
            text[place] = byte;
        }
        let (own, theirs) = (parse(&text), serde_json::from_slice::<Value>(&text));
        match own {
            Err(JsonError::DuplicateMember) => {}
            own => prop_assert_eq!(own.is_ok(), theirs.is_ok(), "{:?}", String::from_utf8_lossy(&text)),
        }
    }

    #[test]
    fn floating_point_numbers_are_close_to_what_they_say(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
        let read = parse(Value::from(number).to_string().as_bytes()).unwrap().as_f64().unwrap();
        prop_assert!((read - number).abs() <= number.abs() * 1e-14 + f64::MIN_POSITIVE);
    }

    #[test]
    fn never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = (written_members(&text), written_items(&text));
    }
}
