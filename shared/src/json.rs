//! JSON that means one thing only.
//!
//! Two parsers that disagree on a repeated member name can be made to see two different documents (RFC 8725 section
//! 2.4 and RFC 7519 section 4: a JWT with duplicate claim names is to be rejected, or the last one taken). Wardgate
//! rejects, at every depth, before anything is read from the document.
//!
//! The reader is written out here rather than taken from serde_json, because the edge carries it: what serde builds
//! around a parser, with its errors and the tables that print floating point numbers, is a fifth of the Worker. The
//! values are serde_json's, and tests hold that both read the same.

mod reader;

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value};

use reader::Reader;

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
/// Nesting is limited to 127 levels (`serde_json`'s own limit).
///
/// # Errors
/// [`JsonError`].
pub fn check_object(text: &[u8]) -> Result<(), JsonError> {
    parse_object(text).map(drop)
}

/// Reads what [`check_object`] accepts.
///
/// # Errors
/// [`JsonError`].
pub fn parse_object(text: &[u8]) -> Result<Map<String, Value>, JsonError> {
    match parse(text)? {
        Value::Object(members) => Ok(members),
        _ => Err(JsonError::NotAnObject),
    }
}

/// Reads the same of a text that may be any JSON value.
///
/// A whole number of 64 bits is exact. Any other is the nearest `f64`, or one of its neighbours when it has more than 15
/// digits or lies beyond 10²²; a number too large for `f64` is refused.
///
/// # Errors
/// [`JsonError::Malformed`] or [`JsonError::DuplicateMember`].
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    let text = core::str::from_utf8(text).map_err(|_| JsonError::Malformed)?;
    Reader::of(text).whole(Reader::value)
}

/// The members of the object that `text` is, in order, repeated ones too: names, and values as they are written.
/// `None` when it is no object.
pub fn written_members(text: &str) -> Option<Vec<(String, &str)>> {
    Reader::of(text).whole(Reader::written_members).ok()
}

/// The items of the list that `text` is, as they are written. `None` when it is no list.
pub fn written_items(text: &str) -> Option<Vec<&str>> {
    Reader::of(text).whole(Reader::written_items).ok()
}

#[cfg(test)]
mod tests;
