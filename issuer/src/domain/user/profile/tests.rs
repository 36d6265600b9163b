use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Profile, ProfileError, is_birthdate};
use crate::testing::{START, full_profile};

fn parse(value: &Value) -> Result<Profile, ProfileError> {
    Profile::parse(value.to_string().as_bytes(), START)
}

#[test]
fn a_whole_profile_is_read_and_written_in_the_words_of_the_specification() {
    let value = full_profile();
    let profile = parse(&value).unwrap();
    assert_eq!(serde_json::to_value(&profile).unwrap(), value);
    assert_eq!(serde_json::to_string(&Profile::default()).unwrap(), "{}");
}

// OIDC-69
#[test]
fn values_that_a_claim_cannot_have_are_refused_by_name() {
    for (name, values) in [
        (
            "given_name",
            vec![
                json!(""),
                json!("  "),
                json!("null"),
                json!("a\nb"),
                json!("x".repeat(201)),
            ],
        ),
        ("gender", vec![json!("NULL")]),
        (
            "website",
            vec![
                json!("example.org"),
                json!("javascript:alert(1)"),
                json!("https://"),
                json!("https://a b/"),
            ],
        ),
        (
            "picture",
            vec![
                json!("data:image/png,x"),
                json!(format!("https://a.example/{}", "x".repeat(500))),
            ],
        ),
        (
            "birthdate",
            vec![
                json!("1849"),
                json!("2028"),
                json!("1985-02-29"),
                json!("85-01-01"),
                json!("1985-1-1"),
            ],
        ),
        (
            "zoneinfo",
            vec![
                json!("Europe/"),
                json!("/x"),
                json!("null"),
                json!("a/b/c/d"),
                json!("+1"),
            ],
        ),
        (
            "locale",
            vec![json!("e"), json!("en-"), json!("null"), json!("english language")],
        ),
        (
            "updated_at",
            vec![json!(0), json!(START.seconds() + 1), json!(-5)],
        ),
        (
            "phone_number",
            vec![
                json!("null"),
                json!("12"),
                json!("1+2345"),
                json!("+1 425 CALL"),
                json!("+12345;ext="),
            ],
        ),
        ("phone_number_verified", vec![json!(true)]),
        ("address", vec![json!({})]),
    ] {
        for value in values {
            let refused = parse(&json!({ name: value })).unwrap_err();
            let ProfileError::Value(member, _) = refused else {
                panic!("{name} {value}: {refused}");
            };
            assert_eq!(member, name, "{value}");
        }
    }
    for member in ["formatted", "country"] {
        let refused = parse(&json!({ "address": { member: " " } })).unwrap_err();
        assert!(matches!(refused, ProfileError::Value(name, _) if name == format!("address.{member}")));
    }
}

#[test]
fn unknown_members_other_types_and_repetitions_are_refused() {
    for value in [
        json!({"name": "Ada"}),
        json!({"updated_at": "1700000000"}),
        json!({"email_verified": "true"}),
        json!({"address": "Main Street"}),
        json!({"address": {"planet": "Earth"}}),
    ] {
        assert!(matches!(parse(&value), Err(ProfileError::Member(_))), "{value}");
    }
    for text in [
        &b"[]"[..],
        b"{",
        br#"{"gender":"a","gender":"b"}"#,
        &vec![b' '; 20_000],
    ] {
        assert_eq!(Profile::parse(text, START), Err(ProfileError::Json));
    }
}

#[test]
fn birthdates_have_three_forms() {
    // START is 2027-01-15.
    for (date, lawful) in [
        ("1985", true),
        ("1850", true),
        ("2027", true),
        ("0000", false),
        ("2027-01-15", true),
        ("2027-01-16", false),
        ("0000-02-29", true),
        ("0000-02-30", false),
        ("2000-02-29", true),
        ("1849-12-31", false),
        ("1985-12", false),
        ("1985-12-01-01", false),
        ("+985", false),
        ("", false),
    ] {
        assert_eq!(is_birthdate(date, START), lawful, "{date}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(Profile::parse(&bytes, START));
    }

    #[test]
    fn any_text_as_a_value_is_taken_or_refused(text in ".{0,40}", name in "birthdate|locale|zoneinfo|phone_number|website") {
        if let Ok(profile) = parse(&json!({ name: text })) {
            // What was taken is taken again.
            prop_assert_eq!(parse(&serde_json::to_value(&profile).unwrap()).unwrap(), profile);
        }
    }
}
