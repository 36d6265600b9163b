//! A set of scope tokens, as the `scope` parameter and the `scope` claim carry it (RFC 6749 section 3.3).
//!
//! The grammar is `scope-token *( SP scope-token )`: exactly one space between two tokens. Text that breaks it
//! (empty, leading, trailing or doubled space, another white space) is refused. A repeated token counts once, at its
//! first place. Order and spelling survive, so that token response, refresh and introspection show the same strings.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::token::{ScopeToken, ScopeTokenError};

/// Scopes in the order first named, each once. Two sets are equal when they hold the same tokens, in whatever order.
#[derive(Clone, Default)]
pub struct ScopeSet {
    tokens: Vec<ScopeToken>,
}

/// Why a text is not a space-delimited list of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeSetError {
    /// The text is empty: RFC 6749 knows no empty scope, only an absent one.
    #[error("the scope must name at least one value")]
    Empty,
    /// A space at the start or the end, or two in a row.
    #[error("the scope must separate its values by exactly one space")]
    StraySpace,
    /// Longer than [`ScopeSet::MAXIMUM_LENGTH`] bytes.
    #[error("the scope must not be longer than {} bytes", ScopeSet::MAXIMUM_LENGTH)]
    TooLong,
    /// More than [`ScopeSet::MAXIMUM_COUNT`] different tokens.
    #[error("the scope must not name more than {} values", ScopeSet::MAXIMUM_COUNT)]
    TooMany,
    /// One of the tokens is outside the grammar.
    #[error(transparent)]
    Token(#[from] ScopeTokenError),
}

impl ScopeSet {
    /// Longest text that [`ScopeSet::parse`] reads, in bytes: what fits a header line together with the rest of a token.
    pub const MAXIMUM_LENGTH: usize = 8192;
    /// Most different tokens in a parsed set: more than FHIR has resource types.
    pub const MAXIMUM_COUNT: usize = 256;

    /// The set without any scope; it grants nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads a space-delimited list.
    ///
    /// # Errors
    /// [`ScopeSetError`], naming the first fault; OAuth says `invalid_scope` for it (RFC 6749 section 5.2).
    pub fn parse(text: &str) -> Result<Self, ScopeSetError> {
        if text.is_empty() {
            return Err(ScopeSetError::Empty);
        }
        if text.len() > Self::MAXIMUM_LENGTH {
            return Err(ScopeSetError::TooLong);
        }
        let mut set = Self::empty();
        for piece in text.split(' ') {
            if piece.is_empty() {
                return Err(ScopeSetError::StraySpace);
            }
            if set.contains(piece) {
                continue;
            }
            if set.tokens.len() == Self::MAXIMUM_COUNT {
                return Err(ScopeSetError::TooMany);
            }
            set.tokens.push(ScopeToken::parse(piece)?);
        }
        Ok(set)
    }

    /// Whether the set has no scope.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// How many different scopes the set has.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The scopes in the order first named.
    pub fn iter(&self) -> core::slice::Iter<'_, ScopeToken> {
        self.tokens.iter()
    }

    /// Whether exactly this spelling is in the set; scopes are case-sensitive.
    pub fn contains(&self, scope: &str) -> bool {
        self.tokens.iter().any(|token| token.as_str() == scope)
    }

    /// Adds a scope unless it is there already. Says whether it was new.
    pub fn insert(&mut self, scope: ScopeToken) -> bool {
        let new = !self.contains(scope.as_str());
        if new {
            self.tokens.push(scope);
        }
        new
    }

    /// Scopes that are in both, in this set's order.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.filtered(|token| other.contains(token.as_str()))
    }

    /// Scopes that are in either: this set's first, then what `other` adds. (A union may exceed
    /// [`ScopeSet::MAXIMUM_COUNT`]; only parsed text is capped.)
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).cloned().collect()
    }

    /// Scopes of this set that `other` lacks, in this set's order.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.filtered(|token| !other.contains(token.as_str()))
    }

    /// Whether every scope of this set is in `other`, compared as strings. For what SMART scopes imply of one another
    /// see [`narrow`](super::narrow::narrow).
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|token| other.contains(token.as_str()))
    }

    /// The scopes that satisfy a condition, in order.
    pub(crate) fn filtered(&self, keep: impl Fn(&ScopeToken) -> bool) -> Self {
        Self {
            tokens: self.tokens.iter().filter(|token| keep(token)).cloned().collect(),
        }
    }
}

impl PartialEq for ScopeSet {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.is_subset(other)
    }
}

impl Eq for ScopeSet {}

impl FromIterator<ScopeToken> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(scopes: I) -> Self {
        let mut set = Self::empty();
        for scope in scopes {
            set.insert(scope);
        }
        set
    }
}

impl<'a> IntoIterator for &'a ScopeSet {
    type Item = &'a ScopeToken;
    type IntoIter = core::slice::Iter<'a, ScopeToken>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromStr for ScopeSet {
    type Err = ScopeSetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, token) in self.iter().enumerate() {
            if position > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(token.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

/// Writes the space-delimited string; the empty set becomes the empty string.
impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

/// Reads the space-delimited string by the rules of [`ScopeSet::parse`]; so the empty string is refused.
impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
