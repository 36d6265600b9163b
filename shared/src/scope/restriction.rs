//! The `?name=value` part of a SMART v2 scope: a grant limited to what a search would find.
//!
//! A restriction is enforced only where that can be done without seeing resources: on a search whose own parameters
//! already contain it ([`SearchRestriction::is_met_by`]). Everywhere else a scope with a restriction does not count,
//! so it never grants more than it says. The search has to be answered strictly (`Prefer: handling=strict`), for a
//! server that ignores a parameter would ignore the restriction.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;

use percent_encoding::percent_decode_str;

use super::query::{Query, QueryError, Reach, check_encoding, decode_name, reach_of};

/// Search parameters that limit a scope, in their original spelling: `category=laboratory&status=final`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SearchRestriction(Box<str>);

/// Why a text does not restrict a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestrictionError {
    /// Nothing follows the `?`, or nothing stands between two `&`.
    #[error("a scope's query must name a search parameter")]
    Empty,
    /// A parameter without `=` or with nothing after it.
    #[error("each search parameter of a scope must have a value")]
    MissingValue,
    /// The parameter shapes the answer (`_count`) or adds to it (`_include`), and so restricts nothing.
    #[error("a scope's query must hold parameters that choose resources")]
    NotARestriction,
    /// The value is not UTF-8 once decoded.
    #[error("a value in a scope's query must be UTF-8")]
    NotUtf8,
    /// Not a search parameter list at all.
    #[error(transparent)]
    Malformed(#[from] QueryError),
}

impl SearchRestriction {
    /// Reads the part of a scope after its `?`. Chains, modifiers, `_has` and `_filter` (experimental in SMART) are
    /// read as well, but no request meets them, because such a search reaches other types.
    ///
    /// # Errors
    /// [`RestrictionError`], naming the first fault.
    pub fn parse(text: &str) -> Result<Self, RestrictionError> {
        check_encoding(text)?;
        for piece in text.split('&') {
            if piece.is_empty() {
                return Err(RestrictionError::Empty);
            }
            let Some((name, value)) = piece.split_once('=') else {
                return Err(RestrictionError::MissingValue);
            };
            match reach_of(&decode_name(name)?) {
                Reach::Filter | Reach::FarFilter => {}
                Reach::Control | Reach::Beyond => return Err(RestrictionError::NotARestriction),
            }
            if value.is_empty() {
                return Err(RestrictionError::MissingValue);
            }
            percent_decode_str(value)
                .decode_utf8()
                .map_err(|_| RestrictionError::NotUtf8)?;
        }
        Ok(Self(text.to_owned().into_boxed_str()))
    }

    /// The restriction as it was spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Names and values, percent-encoding undone once. In a scope a `+` is a plus sign.
    fn parameters(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.0.split('&').filter_map(|piece| {
            let (name, value) = piece.split_once('=')?;
            Some((
                decode_name(name).ok()?,
                percent_decode_str(value).decode_utf8().ok()?,
            ))
        })
    }

    /// Whether a search carries the whole restriction: for each of its names exactly the same values, no fewer and no
    /// others. Further parameters narrow the search and are welcome. `category=a,b` does not meet `category=a`; and
    /// since a server may read a repeated name, one in another case, or a `;` in its own way, those don't either.
    pub fn is_met_by(&self, query: &Query<'_>, form: Option<&Query<'_>>) -> bool {
        let sent = || {
            query
                .parameters()
                .chain(form.into_iter().flat_map(Query::parameters))
        };
        let each_is_sent = || {
            self.parameters().all(|(name, value)| {
                sent().any(|(sent_name, sent_value)| sent_name == name && sent_value.as_ref() == Some(&value))
            })
        };
        let nothing_else_is_sent = || {
            sent().all(|(sent_name, sent_value)| {
                let mut alike = self
                    .parameters()
                    .filter(|(name, _)| name.eq_ignore_ascii_case(&sent_name));
                let first = alike.next();
                first.is_none()
                    || first
                        .into_iter()
                        .chain(alike)
                        .any(|(name, value)| sent_name == name && sent_value.as_ref() == Some(&value))
            })
        };
        !query.has_semicolon()
            && !form.is_some_and(Query::has_semicolon)
            && each_is_sent()
            && nothing_else_is_sent()
    }

    /// Whether every search that meets `narrower` meets this one too.
    pub fn is_implied_by(&self, narrower: &Self) -> bool {
        let holds = |outer: &Self, inner: &Self| {
            outer.parameters().all(|(name, value)| {
                let mut named = inner
                    .parameters()
                    .filter(|(candidate, _)| *candidate == name)
                    .peekable();
                named.peek().is_none() || named.any(|(_, candidate)| candidate == value)
            })
        };
        self.parameters()
            .all(|wanted| narrower.parameters().any(|given| given == wanted))
            && holds(narrower, self)
    }
}

#[cfg(test)]
mod tests;
