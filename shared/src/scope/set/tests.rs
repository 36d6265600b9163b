//! Cases of the list grammar and of the set operations. The laws are in `scope/properties.rs`.

use super::*;
use alloc::string::ToString;
use std::format;

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

#[test]
fn keeps_order_and_spelling() {
    let text =
        "launch/patient openid patient/*.read patient/Observation.rs?category=a%20b observation/*.read";
    assert_eq!(set(text).to_string(), text);
}

#[test]
fn counts_a_repeated_scope_once_at_its_first_place() {
    assert_eq!(set("b a b a c").to_string(), "b a c");
}

#[test]
fn compares_scopes_by_case() {
    assert!(!set("openid").contains("OpenID"));
    assert_eq!(set("a A").len(), 2);
}

#[test]
fn equals_whatever_the_order() {
    assert_eq!(set("a b"), set("b a"));
    assert_ne!(set("a b"), set("a"));
    assert_ne!(set("a"), set("a b"));
}

#[test]
fn refuses_the_empty_text() {
    assert_eq!(ScopeSet::parse(""), Err(ScopeSetError::Empty));
}

#[test]
fn refuses_stray_spaces() {
    for text in [" ", " a", "a ", "a  b", "  "] {
        assert_eq!(ScopeSet::parse(text), Err(ScopeSetError::StraySpace), "{text:?}");
    }
}

#[test]
fn refuses_other_white_space_and_separators_outside_the_grammar() {
    for text in ["a\tb", "a\nb", "a\r\nb", "a\u{a0}b", "a\"b", "a\\b"] {
        assert!(
            matches!(ScopeSet::parse(text), Err(ScopeSetError::Token(_))),
            "{text:?}"
        );
    }
}

#[test]
fn refuses_too_many_scopes_and_too_long_a_text() {
    let many: Vec<_> = (0..=ScopeSet::MAXIMUM_COUNT)
        .map(|number| format!("s{number}"))
        .collect();
    assert_eq!(ScopeSet::parse(&many.join(" ")), Err(ScopeSetError::TooMany));
    assert!(ScopeSet::parse(&many[1..].join(" ")).is_ok());
    assert_eq!(
        ScopeSet::parse(&"a ".repeat(ScopeSet::MAXIMUM_LENGTH)),
        Err(ScopeSetError::TooLong)
    );
}

#[test]
fn operates_on_strings_and_keeps_the_left_order() {
    let (left, right) = (set("c b a"), set("a b d"));
    assert_eq!(left.intersection(&right).to_string(), "b a");
    assert_eq!(left.union(&right).to_string(), "c b a d");
    assert_eq!(left.difference(&right).to_string(), "c");
    assert!(!left.is_subset(&right));
    assert!(ScopeSet::empty().is_subset(&left));
}

#[test]
fn travels_as_one_json_string() {
    let value = set("openid patient/*.read");
    assert_eq!(
        serde_json::to_string(&value).unwrap(),
        r#""openid patient/*.read""#
    );
    assert_eq!(
        serde_json::from_str::<ScopeSet>(r#""openid patient/*.read""#).unwrap(),
        value
    );
    for refused in [r#""""#, r#"" a""#, r#"["a"]"#, "1", "null"] {
        assert!(serde_json::from_str::<ScopeSet>(refused).is_err(), "{refused}");
    }
}
