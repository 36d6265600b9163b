//! One scope token: the grammar of RFC 6749 section 3.3.
//!
//! `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`: printable ASCII without space, `"` and `\`. The spelling is kept
//! byte for byte, because a client compares the scopes it is told with the ones it asked for.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use core::fmt;
use core::str::FromStr;

/// A scope token in its original spelling; at most [`ScopeToken::MAXIMUM_LENGTH`] bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeToken(Box<str>);

/// Why a text is not a scope token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeTokenError {
    /// There is no character at all.
    #[error("a scope must not be empty")]
    Empty,
    /// Longer than [`ScopeToken::MAXIMUM_LENGTH`] bytes.
    #[error("a scope must not be longer than {} bytes", ScopeToken::MAXIMUM_LENGTH)]
    TooLong,
    /// A byte outside the grammar: a space, a quote, a backslash, a control character or anything beyond ASCII.
    #[error("a scope must not contain the byte at offset {offset}")]
    ForbiddenByte {
        /// Offset of the first such byte, from 0.
        offset: usize,
    },
}

impl ScopeToken {
    /// Longest scope token in bytes. The specification sets no limit; a SMART scope with a long `?query` stays far
    /// below this one.
    pub const MAXIMUM_LENGTH: usize = 512;

    /// Takes one scope token, without surrounding spaces.
    ///
    /// # Errors
    /// [`ScopeTokenError`], naming the first fault.
    pub fn parse(text: &str) -> Result<Self, ScopeTokenError> {
        Self::check(text)?;
        Ok(Self(text.to_owned().into_boxed_str()))
    }

    /// Checks a text against the grammar without keeping it.
    pub(crate) fn check(text: &str) -> Result<(), ScopeTokenError> {
        if text.is_empty() {
            return Err(ScopeTokenError::Empty);
        }
        if text.len() > Self::MAXIMUM_LENGTH {
            return Err(ScopeTokenError::TooLong);
        }
        match text
            .bytes()
            .position(|byte| !matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
        {
            Some(offset) => Err(ScopeTokenError::ForbiddenByte { offset }),
            None => Ok(()),
        }
    }

    /// The scope as it was spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for ScopeToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl AsRef<str> for ScopeToken {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for ScopeToken {
    type Err = ScopeTokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use std::format;

    #[test]
    fn keeps_every_legal_character_as_spelled() {
        let legal: std::string::String = (0x21_u8..=0x7E)
            .filter(|byte| *byte != b'"' && *byte != b'\\')
            .map(char::from)
            .collect();
        assert_eq!(ScopeToken::parse(&legal).unwrap().to_string(), legal);
    }

    #[test]
    fn refuses_each_character_outside_the_grammar() {
        for byte in (0x00_u8..=0x20).chain([b'"', b'\\', 0x7F]) {
            let text = format!("ab{}c", char::from(byte));
            assert_eq!(
                ScopeToken::parse(&text),
                Err(ScopeTokenError::ForbiddenByte { offset: 2 }),
                "{byte:#x}"
            );
        }
        assert_eq!(
            ScopeToken::parse("é"),
            Err(ScopeTokenError::ForbiddenByte { offset: 0 })
        );
    }

    #[test]
    fn refuses_the_empty_and_the_overlong() {
        assert_eq!(ScopeToken::parse(""), Err(ScopeTokenError::Empty));
        let longest = "a".repeat(ScopeToken::MAXIMUM_LENGTH);
        assert!(ScopeToken::parse(&longest).is_ok());
        assert_eq!(
            ScopeToken::parse(&format!("{longest}a")),
            Err(ScopeTokenError::TooLong)
        );
    }
}
