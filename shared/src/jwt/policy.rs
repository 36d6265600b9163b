//! What a token must say to be accepted.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use alloc::string::String;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::time::Timestamp;

use super::error::JwtError;

/// The rules one kind of token is held to. Every rule is stated by the caller; none has a lenient default.
#[derive(Clone, Debug)]
pub struct Policy<'a> {
    /// `typ` as it must be, without the `application/` prefix; compared without regard to case (RFC 7515 section
    /// 4.1.9). `None` accepts any type and an absent one, for tokens whose kind is known from elsewhere.
    pub token_type: Option<Cow<'a, str>>,
    /// `iss` as it must be, character by character.
    pub issuer: Cow<'a, str>,
    /// `aud` must name at least one of these. An empty list accepts nothing.
    pub audiences: Cow<'a, [String]>,
    /// Clock difference tolerated for `exp`, `nbf` and `iat`, in seconds; negative values count as zero.
    pub skew_seconds: i64,
    /// Longest accepted time from `iat` to `exp` in seconds; `iat` is then required.
    pub maximum_lifetime_seconds: Option<i64>,
}

impl Policy<'_> {
    pub(super) fn check_type(&self, token_type: Option<&str>) -> Result<(), JwtError> {
        let Some(wanted) = &self.token_type else {
            return Ok(());
        };
        let actual = token_type.ok_or(JwtError::WrongType)?;
        if is_type(actual, wanted) {
            Ok(())
        } else {
            Err(JwtError::WrongType)
        }
    }

    pub(super) fn check_issuer(&self, issuer: &str) -> Result<(), JwtError> {
        if issuer == self.issuer {
            Ok(())
        } else {
            Err(JwtError::WrongIssuer)
        }
    }

    pub(super) fn check_audience(&self, audiences: &Audiences) -> Result<(), JwtError> {
        if self.audiences.iter().any(|accepted| audiences.contains(accepted)) {
            Ok(())
        } else {
            Err(JwtError::WrongAudience)
        }
    }

    /// Checks the times of a token whose signature holds. Also what a cache calls again for a token it knows.
    pub fn check_times(
        &self,
        expires_at: Option<Timestamp>,
        not_before: Option<Timestamp>,
        issued_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), JwtError> {
        let skew = self.skew_seconds.max(0);
        let expires_at = expires_at.ok_or(JwtError::NoExpiry)?;
        // "on or after" the instant is too late (RFC 7519 section 4.1.4).
        if now.minus(skew) >= expires_at {
            return Err(JwtError::Expired);
        }
        if not_before.is_some_and(|not_before| now.plus(skew) < not_before) {
            return Err(JwtError::NotYetValid);
        }
        if issued_at.is_some_and(|issued_at| now.plus(skew) < issued_at) {
            return Err(JwtError::IssuedInFuture);
        }
        if let Some(maximum) = self.maximum_lifetime_seconds {
            let issued_at = issued_at.ok_or(JwtError::NoIssueTime)?;
            if expires_at.since(issued_at) > maximum {
                return Err(JwtError::LivesTooLong);
            }
        }
        Ok(())
    }
}

/// Whether two values of `typ` name one type, without regard to case (RFC 7515 section 4.1.9).
pub fn is_type(actual: &str, wanted: &str) -> bool {
    strip_application(actual).eq_ignore_ascii_case(strip_application(wanted))
}

/// `application/` is implied when a `typ` has no slash (RFC 7515 section 4.1.9).
fn strip_application(token_type: &str) -> &str {
    match token_type.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') => rest,
        _ => token_type,
    }
}

/// The `aud` claim: one string or an array of strings (RFC 7519 section 4.1.3). Written as an array always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audiences(Vec<String>);

impl Audiences {
    /// Reads a claim's value: one text or a list of texts (RFC 7519 section 4.1.3).
    pub fn of_value(value: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(String::from);
        match value {
            Value::Array(items) => items.iter().map(text).collect::<Option<_>>().map(Self),
            one => text(one).map(|one| Self(Vec::from([one]))),
        }
    }

    /// All of them.
    pub fn into_list(self) -> Vec<String> {
        self.0
    }

    /// The audiences of a token to be issued, in this order.
    pub const fn new(audiences: Vec<String>) -> Self {
        Self(audiences)
    }

    /// Whether `audience` is named, character by character.
    pub fn contains(&self, audience: &str) -> bool {
        self.0.iter().any(|own| own == audience)
    }

    /// The audiences in the token's order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl Serialize for Audiences {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Audiences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Audiences;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or an array of strings")
            }

            fn visit_str<E: de::Error>(self, audience: &str) -> Result<Audiences, E> {
                Ok(Audiences(Vec::from([String::from(audience)])))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Audiences, A::Error> {
                let mut audiences = Vec::new();
                while let Some(audience) = sequence.next_element()? {
                    audiences.push(audience);
                }
                Ok(Audiences(audiences))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}
