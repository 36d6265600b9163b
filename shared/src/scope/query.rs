//! The search parameters of a request: names looked at, values left alone.
//!
//! FHIR search lets one request reach beyond the type it addresses: `_include`, `_revinclude`, `_has`, chained
//! parameters (`subject.name`), `_filter`, `_list`, named queries, and whatever a server adds. A [`Query`] says
//! whether a parameter of that kind is there ([`Query::widening_parameter`]). It works from a list of parameters known
//! to stay inside the addressed type: every other name that begins with `_`, and every name with a `.`, counts as
//! widening, so that a parameter this list does not know is not let through.
//!
//! Names are percent-decoded once before they are compared, and refused when something is left that a second reader
//! might decode, trim or split in another way. A `;` is legal in a value (`_format=application/json;fhirVersion=4.0`)
//! but separates parameters for some servers, so what follows one is looked at as a name too.
//!
//! Governing text: FHIR R4/R5 "Search". Not done here: whether a parameter exists for a type; that is the server's.

use alloc::borrow::Cow;
use alloc::string::String;

use percent_encoding::percent_decode_str;

/// Parameters that shape or page the answer and neither choose resources nor reach other types.
const CONTROLS: &[&str] = &[
    "_at",
    "_count",
    "_elements",
    "_format",
    "_maxresults",
    "_offset",
    "_pretty",
    "_since",
    "_sort",
    "_summary",
    "_total",
    "_type",
];

/// Parameters common to all types that choose resources of the addressed type by their own content.
const FILTERS: &[&str] = &[
    "_content",
    "_id",
    "_language",
    "_lastUpdated",
    "_profile",
    "_security",
    "_source",
    "_tag",
    "_text",
];

/// Parameters that choose resources but look into other types to do so.
const FAR_FILTERS: &[&str] = &["_filter", "_has", "_in", "_list"];

/// Checked search parameters of a request: its query string, its search form or its `If-None-Exist` header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query<'a> {
    raw: &'a str,
    widening: Option<Cow<'a, str>>,
    has_criteria: bool,
}

/// Why search parameters are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Longer than [`Query::MAXIMUM_LENGTH`] bytes.
    #[error(
        "the search parameters must not be longer than {} bytes",
        Query::MAXIMUM_LENGTH
    )]
    TooLong,
    /// More than [`Query::MAXIMUM_COUNT`] parameters.
    #[error("there must not be more than {} search parameters", Query::MAXIMUM_COUNT)]
    TooMany,
    /// A byte that no URI query carries: a space, `#`, a control character or anything beyond ASCII.
    #[error("a character of the search parameters must be percent-encoded")]
    ForbiddenByte,
    /// A `%` that is not followed by two hexadecimal digits.
    #[error("a percent sign in the search parameters must be followed by two hexadecimal digits")]
    MalformedEncoding,
    /// A value without a name, as in `?=1`.
    #[error("a search parameter must have a name")]
    EmptyName,
    /// A name that, decoded once, holds a character no FHIR search parameter has.
    #[error("the name of a search parameter may hold letters, digits, '_', '-', '.' and ':' only")]
    ForbiddenName,
}

/// What a parameter name says about the reach of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Chooses among the addressed resources.
    Filter,
    /// Shapes the answer only.
    Control,
    /// Chooses by content of other resources.
    FarFilter,
    /// Adds resources of other types to the answer, or does something unknown.
    Beyond,
}

impl<'a> Query<'a> {
    /// Longest query string in bytes; no common server takes a longer one.
    pub const MAXIMUM_LENGTH: usize = 16 * 1024;
    /// Most parameters in one query.
    pub const MAXIMUM_COUNT: usize = 256;

    /// Checks a query string as received, without its `?`.
    ///
    /// # Errors
    /// [`QueryError`], naming the first fault.
    pub fn parse(raw: &'a str) -> Result<Self, QueryError> {
        check_encoding(raw)?;
        let mut query = Self {
            raw,
            widening: None,
            has_criteria: false,
        };
        for (count, piece) in raw.split('&').filter(|piece| !piece.is_empty()).enumerate() {
            if count == Self::MAXIMUM_COUNT {
                return Err(QueryError::TooMany);
            }
            let (raw_name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let name = decode_name(raw_name)?;
            let reach = reach_of(&name);
            let widens = match reach {
                Reach::Filter => false,
                // Some servers sort along a chain (`_sort=subject.name`), which tells the order of what it reaches.
                Reach::Control => name.starts_with("_sort") && value.contains(['.', '%']),
                Reach::FarFilter | Reach::Beyond => true,
            };
            query.has_criteria |= matches!(reach, Reach::Filter | Reach::FarFilter) && !value.is_empty();
            if widens && query.widening.is_none() {
                query.widening = Some(name);
            }
            if query.widening.is_none() {
                query.widening = hidden_widening(piece);
            }
        }
        Ok(query)
    }

    /// The first parameter that may reach resources beyond the addressed type, if there is one.
    pub fn widening_parameter(&self) -> Option<&str> {
        self.widening.as_deref()
    }

    /// Whether a parameter with a value chooses among resources. A conditional write without one would mean
    /// all resources of the type.
    pub fn has_criteria(&self) -> bool {
        self.has_criteria
    }

    /// Whether a `;` stands anywhere, which some servers take for a separator.
    pub(super) fn has_semicolon(&self) -> bool {
        self.raw.contains(';')
    }

    /// The parameters, decoded as a form: percent-encoding undone once, `+` read as a space. Values that are not UTF-8
    /// are `None`.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (Cow<'a, str>, Option<Cow<'a, str>>)> {
        self.raw
            .split('&')
            .filter(|piece| !piece.is_empty())
            .filter_map(|piece| {
                let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
                Some((decode_name(name).ok()?, decode_form_value(value)))
            })
    }
}

/// Refuses bytes that cannot stand in a URI query, and broken percent-encodings.
pub(super) fn check_encoding(raw: &str) -> Result<(), QueryError> {
    if raw.len() > Query::MAXIMUM_LENGTH {
        return Err(QueryError::TooLong);
    }
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next(), bytes.next()];
                if !digits
                    .iter()
                    .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
                {
                    return Err(QueryError::MalformedEncoding);
                }
            }
            b'#' | 0x00..=0x20 | 0x7F..=0xFF => return Err(QueryError::ForbiddenByte),
            _ => {}
        }
    }
    Ok(())
}

/// Decodes a parameter name once and refuses what is no FHIR parameter name.
pub(super) fn decode_name(raw: &str) -> Result<Cow<'_, str>, QueryError> {
    if raw.is_empty() {
        return Err(QueryError::EmptyName);
    }
    let name = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| QueryError::ForbiddenName)?;
    // A `+` (a space to form readers), a second `%`, brackets, `;` and every other sign end here.
    if name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'))
    {
        Ok(name)
    } else {
        Err(QueryError::ForbiddenName)
    }
}

/// Decodes a value of a form or query string once.
fn decode_form_value(raw: &str) -> Option<Cow<'_, str>> {
    if raw.contains('+') {
        let spaced = raw.replace('+', " ");
        let decoded: Option<String> = percent_decode_str(&spaced)
            .decode_utf8()
            .ok()
            .map(Cow::into_owned);
        return decoded.map(Cow::Owned);
    }
    percent_decode_str(raw).decode_utf8().ok()
}

/// Judges a decoded parameter name; modifiers (`name:modifier`) do not change the judgement.
pub(super) fn reach_of(name: &str) -> Reach {
    let base = name.split_once(':').map_or(name, |(base, _)| base);
    if FAR_FILTERS.contains(&base) {
        return Reach::FarFilter;
    }
    // A dot is the sign of a chain, wherever it stands (`subject.name`, `subject:Patient.name`).
    if name.contains('.') {
        return if name.starts_with('_') {
            Reach::Beyond
        } else {
            Reach::FarFilter
        };
    }
    if !name.starts_with('_') || FILTERS.contains(&base) {
        return Reach::Filter;
    }
    if CONTROLS.contains(&base) {
        Reach::Control
    } else {
        Reach::Beyond
    }
}

/// Looks behind each `;` of a parameter for what a server that separates by it would read as a widening parameter.
fn hidden_widening(piece: &str) -> Option<Cow<'_, str>> {
    piece
        .split(';')
        .skip(1)
        .filter_map(|part| part.split_once('='))
        .find_map(|(raw_name, _)| match decode_name(raw_name) {
            Ok(name) => match reach_of(&name) {
                Reach::Filter | Reach::Control => None,
                Reach::FarFilter | Reach::Beyond => Some(name),
            },
            Err(_) => Some(Cow::Borrowed(raw_name)),
        })
}

#[cfg(test)]
mod tests;
