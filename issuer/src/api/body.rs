//! JSON bodies, member by member: every fault of a body is told together.
//!
//! A `PATCH` is a JSON merge patch (RFC 7396): what is absent stays, what is `null` goes. Unknown members are refused, since
//! somebody meant something by them; so is a member that comes twice.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use wardgate_shared::json;

use crate::administration::FieldFault;

/// The media types that a body may have.
const MEDIA_TYPES: [&str; 2] = ["application/json", "application/merge-patch+json"];

/// Why a body is not read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// It is too long, or broke off.
    Unreadable(StatusCode),
    /// It says that it is something else.
    NotJson,
    /// It is no JSON object, or one in which a member comes twice.
    NotAnObject,
}

impl BodyFault {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Unreadable(status) => status,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAnObject => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Unreadable(_) => "The body is too long or could not be read to its end",
            Self::NotJson => "The body must be application/json",
            Self::NotAnObject => "The body must be one JSON object in which no member is repeated",
        }
    }
}

/// The members of a body that are not yet taken, and what was wrong with those that are.
#[derive(Debug)]
pub(super) struct Members {
    left: Map<String, Value>,
    faults: Vec<FieldFault>,
}

impl Members {
    /// Reads a body.
    pub(super) fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Self, BodyFault> {
        let body = body.map_err(|rejection| BodyFault::Unreadable(rejection.status()))?;
        let mut content_types = headers.get_all(header::CONTENT_TYPE).iter();
        let essence = content_types
            .next()
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .unwrap_or_default()
            .trim();
        let is_json = MEDIA_TYPES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(essence));
        if !is_json || content_types.next().is_some() {
            return Err(BodyFault::NotJson);
        }
        Self::parse(&body)
    }

    fn parse(body: &[u8]) -> Result<Self, BodyFault> {
        json::check_object(body).map_err(|_| BodyFault::NotAnObject)?;
        let left = serde_json::from_slice(body).map_err(|_| BodyFault::NotAnObject)?;
        Ok(Self {
            left,
            faults: Vec::new(),
        })
    }

    /// A member that is a text, where it is there.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.left.remove(name)? {
            Value::String(text) => Some(text),
            Value::Null => self.fault(name, "must not be null"),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.fault(name, "must be a string")
            }
        }
    }

    /// A member that is a text or `null`, where it is there.
    #[expect(
        clippy::option_option,
        reason = "absent, null and a value are three things in a merge patch"
    )]
    pub(super) fn removable(&mut self, name: &'static str) -> Option<Option<String>> {
        match self.left.remove(name)? {
            Value::String(text) => Some(Some(text)),
            Value::Null => Some(None),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.fault(name, "must be a string or null")
            }
        }
    }

    /// A member that is `true` or `false`, where it is there.
    pub(super) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        match self.left.remove(name)? {
            Value::Bool(value) => Some(value),
            Value::Null | Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.fault(name, "must be true or false")
            }
        }
    }

    /// A member that is a list of texts, where it is there.
    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let texts = match self.left.remove(name)? {
            Value::Array(values) => values
                .into_iter()
                .map(|value| match value {
                    Value::String(text) => Some(text),
                    _ => None,
                })
                .collect(),
            Value::Null | Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Object(_) => None,
        };
        texts.or_else(|| self.fault(name, "must be a list of strings"))
    }

    /// A member that is a whole number, where it is there.
    pub(super) fn number(&mut self, name: &'static str) -> Option<i64> {
        let number = self.left.remove(name)?.as_i64();
        number.or_else(|| self.fault(name, "must be a whole number"))
    }

    /// A member of any kind, where it is there.
    pub(super) fn any(&mut self, name: &'static str) -> Option<Value> {
        self.left.remove(name)
    }

    /// All members, for whoever reads them in another way.
    pub(super) fn into_map(self) -> Map<String, Value> {
        self.left
    }

    /// What was wrong with the members, those included that nobody took.
    pub(super) fn faults(self) -> Vec<FieldFault> {
        let unknown = self
            .left
            .keys()
            .map(|name| FieldFault::of_unknown(name, "is not known here"));
        self.faults.into_iter().chain(unknown).collect()
    }

    /// Says that a member that was taken is wrong.
    pub(super) fn fault<T>(&mut self, name: &'static str, detail: &'static str) -> Option<T> {
        self.faults.push(FieldFault::of_unknown(name, detail));
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BodyFault, Members};

    #[test]
    fn every_fault_of_a_body_is_told() {
        let body = br#"{"a":"x","b":null,"c":null,"d":5,"e":"yes","f":true,"zz":1}"#;
        let mut members = Members::parse(body).unwrap();
        assert_eq!(members.text("a").as_deref(), Some("x"));
        assert_eq!(members.text("b"), None);
        assert_eq!(members.removable("c"), Some(None));
        assert_eq!(members.removable("d"), None);
        assert_eq!(members.boolean("e"), None);
        assert_eq!(members.boolean("f"), Some(true));
        assert_eq!(
            (members.text("g"), members.removable("g"), members.boolean("g")),
            (None, None, None)
        );
        let fields: Vec<String> = members.faults().into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["b", "d", "e", "zz"]);
    }

    #[test]
    fn refuses_what_is_no_object_of_single_members() {
        for body in ["", "x", "[]", "null", "{\"a\":1,\"a\":2}", "{} {}"] {
            assert_eq!(
                Members::parse(body.as_bytes()).unwrap_err(),
                BodyFault::NotAnObject,
                "{body}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Members::parse(&bytes);
        }
    }
}
