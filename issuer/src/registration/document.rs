//! A JSON object of a stranger, read member by member.
//!
//! `null` and an empty text count as absent (RFC 7592 section 2.2). Members that nobody asks for are not looked at: RFC
//! 7591 section 2 has them ignored, and that holds for `client_name#de` and its like.

use serde_json::{Map, Value};
use wardgate_shared::json;

use super::MetadataFault;

/// The most elements of a list.
const MAXIMUM_ELEMENTS: usize = 32;
/// The longest text, in bytes; a scope is the longest lawful one.
const MAXIMUM_TEXT_BYTES: usize = 8192;
/// The longest element of a list, in bytes.
const MAXIMUM_ELEMENT_BYTES: usize = 2048;

/// Client metadata as it came.
#[derive(Clone, Debug)]
pub struct Document(Map<String, Value>);

impl Document {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`MetadataFault::NotAnObject`].
    pub fn parse(body: &[u8]) -> Result<Self, MetadataFault> {
        json::check_object(body).map_err(|_| MetadataFault::NotAnObject)?;
        serde_json::from_slice(body)
            .map(Self)
            .map_err(|_| MetadataFault::NotAnObject)
    }

    /// A document of these members.
    pub const fn of(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// The members as they came.
    pub fn into_members(self) -> Map<String, Value> {
        self.0
    }

    /// The names of the members that are not null.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let members = self.0.iter().filter(|(_, value)| !value.is_null());
        members.map(|(name, _)| name.as_str())
    }

    /// A member of any type.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    ///
    /// # Errors
    /// [`MetadataFault::Type`] or [`MetadataFault::TooLong`].
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, MetadataFault> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() > MAXIMUM_TEXT_BYTES => Err(MetadataFault::TooLong(name)),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(MetadataFault::Type(name)),
        }
    }

    /// A text as the client keeps it.
    ///
    /// # Errors
    /// As [`Document::text`].
    pub(super) fn owned_text(&self, name: &'static str) -> Result<Option<String>, MetadataFault> {
        Ok(self.text(name)?.map(String::from))
    }

    /// A list of texts.
    ///
    /// # Errors
    /// [`MetadataFault::Type`] or [`MetadataFault::TooLong`].
    pub(super) fn texts(&self, name: &'static str) -> Result<Option<Vec<&str>>, MetadataFault> {
        let values = match self.member(name) {
            None => return Ok(None),
            Some(Value::Array(values)) => values,
            Some(_) => return Err(MetadataFault::Type(name)),
        };
        if values.len() > MAXIMUM_ELEMENTS {
            return Err(MetadataFault::TooLong(name));
        }
        let texts: Result<_, _> = values.iter().map(|value| element(name, value)).collect();
        texts.map(Some)
    }

    /// True or false; false when absent.
    ///
    /// # Errors
    /// [`MetadataFault::Type`].
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, MetadataFault> {
        match self.member(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(MetadataFault::Type(name)),
        }
    }

    /// A whole number of seconds.
    ///
    /// # Errors
    /// [`MetadataFault::Type`].
    pub fn seconds(&self, name: &'static str) -> Result<Option<u32>, MetadataFault> {
        let Some(value) = self.member(name) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.map(Some).ok_or(MetadataFault::Type(name))
    }
}

/// An element of a list of texts.
fn element<'a>(name: &'static str, value: &'a Value) -> Result<&'a str, MetadataFault> {
    match value {
        Value::String(text) if text.len() > MAXIMUM_ELEMENT_BYTES => Err(MetadataFault::TooLong(name)),
        Value::String(text) => Ok(text),
        _ => Err(MetadataFault::Type(name)),
    }
}
