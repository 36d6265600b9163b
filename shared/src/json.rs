//! JSON that means one thing only.
//!
//! Two parsers that disagree on a repeated member name can be made to see two different documents (RFC 8725 section
//! 2.4 and RFC 7519 section 4: a JWT with duplicate claim names is to be rejected, or the last one taken). Wardgate
//! rejects, at every depth, before anything is read from the document.

use alloc::collections::BTreeSet;
use alloc::string::String;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

mod members;

pub use members::Members;

/// Why a JSON text is refused before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The bytes are no JSON text (RFC 8259), nest too deeply, or hold invalid UTF-8.
    #[error("not a JSON text")]
    Malformed,
    /// An object, at some depth, has two members of one name.
    #[error("a member name is repeated")]
    DuplicateMember,
    /// The text is JSON, but its top level is no object.
    #[error("not a JSON object")]
    NotAnObject,
}

/// Checks that `text` is one JSON object in which no object, at any depth, repeats a member name.
///
/// Nesting is limited to 128 levels (`serde_json`'s own limit). Nothing is kept of the content but member names of the
/// objects being read.
///
/// # Errors
/// [`JsonError`].
pub fn check_object(text: &[u8]) -> Result<(), JsonError> {
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    check_value(text)?;
    if first == Some(&b'{') {
        Ok(())
    } else {
        Err(JsonError::NotAnObject)
    }
}

/// Checks the same of a text that may be any JSON value.
///
/// # Errors
/// [`JsonError::Malformed`] or [`JsonError::DuplicateMember`].
pub fn check_value(text: &[u8]) -> Result<(), JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    match UniqueMembers
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
    {
        Ok(()) => Ok(()),
        // The visitor's own refusal is the only data error it can raise; everything else is syntax.
        Err(error) if error.is_data() => Err(JsonError::DuplicateMember),
        Err(_) => Err(JsonError::Malformed),
    }
}

/// Visits any JSON value and refuses repeated member names.
struct UniqueMembers;

impl<'de> DeserializeSeed<'de> for UniqueMembers {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueMembers {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(UniqueMembers)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !seen.insert(name) {
                return Err(A::Error::custom("duplicate member"));
            }
            members.next_value_seed(UniqueMembers)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{JsonError, check_object, check_value};

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
            assert_eq!(check_value(text), Ok(()), "{text:?}");
        }
        assert_eq!(
            check_value(br#"[{"a":1,"a":1}]"#),
            Err(JsonError::DuplicateMember)
        );
        assert_eq!(check_value(b"[],[]"), Err(JsonError::Malformed));
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
}
