//! Whether a search is held to the patient by its own parameters, and what is added where it is not.
//!
//! Governing text: FHIR R4 "Search". The parameters have been checked and decoded before ([`Query`]).

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::reference::Names;
use super::table::{Kind, find_word, first_step, words};
use super::{CompartmentError, Patient};
use crate::scope::query::{Query, Reach, reach_of};
use crate::scope::request::FhirRequest;

/// A parameter that is added to a search: a name, and a value that may stand in a query and in a form as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// The name.
    pub name: &'static str,
    /// The value: the id of a Patient, or a reference to one.
    pub value: String,
}

/// What the parameters of a search come down to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Searched {
    /// What has to be added.
    pub(super) criterion: Option<Criterion>,
    /// Whether the answer may count what it does not show, so that a server that passes over parameters must not.
    pub(super) counts: bool,
    /// Whether the parameters do nothing but turn pages.
    pub(super) turns_pages: bool,
}

/// How parameters begin by which servers turn the pages of a search that they have made before.
const PAGES: [&str; 3] = ["_getpages", "_page", "_bundletype"];

/// Formats that are JSON, as `_format` may name them. A `+` is a space once decoded.
const JSON_FORMATS: [&str; 5] = [
    "json",
    "application/json",
    "text/json",
    "application/fhir+json",
    "application/fhir json",
];

impl Patient<'_> {
    /// Looks at the parameters of a search for resources of this kind.
    pub(super) fn search(&self, request: &FhirRequest<'_>, kind: Kind) -> Result<Searched, CompartmentError> {
        let mut searched = Searched {
            turns_pages: true,
            ..Searched::default()
        };
        let mut is_named = false;
        for (name, value) in parameters(request)? {
            consider(&name, &value, kind, &mut searched)?;
            is_named |= self.is_criterion(&name, &value, kind)?;
        }
        if !is_named {
            searched.criterion = match kind {
                Kind::Patient => Some(self.criterion("_id", "")),
                Kind::Member(member) => {
                    let about = words(member.about);
                    about.first().map(|name| self.criterion(name, "Patient/"))
                }
                Kind::Shared | Kind::Other => None,
            };
        }
        Ok(searched)
    }

    fn criterion(&self, name: &'static str, prefix: &str) -> Criterion {
        let mut value = String::from(prefix);
        value.push_str(self.id);
        Criterion { name, value }
    }

    /// Whether a parameter names the patient, so that nobody else's records are found.
    fn is_criterion(&self, name: &str, value: &str, kind: Kind) -> Result<bool, CompartmentError> {
        let base = base_of(name);
        let exactly = |is_the_patient: bool, listed: &str| {
            // A modifier, other capitals and a second value may all mean somebody else.
            if is_the_patient && listed == name {
                Ok(true)
            } else {
                Err(CompartmentError::OtherPatient)
            }
        };
        match kind {
            Kind::Patient if base.eq_ignore_ascii_case("_id") => exactly(value == self.id, "_id"),
            Kind::Member(member) => {
                if let Some(listed) = find_word(member.about, base) {
                    return exactly(self.is_named_by_value(value), listed);
                }
                match find_word(member.taking_part, base) {
                    // An id alone may be that of a practitioner.
                    Some(listed) if base != name || self.named_by(value) != Names::None => {
                        exactly(self.is_named_by_value(value), listed)
                    }
                    Some(_) | None => Ok(false),
                }
            }
            Kind::Patient | Kind::Shared | Kind::Other => Ok(false),
        }
    }
}

/// Looks at one parameter, whoever is meant.
fn consider(name: &str, value: &str, kind: Kind, searched: &mut Searched) -> Result<(), CompartmentError> {
    let base = base_of(name);
    let turns_pages = PAGES.iter().any(|page| base.starts_with(page));
    match reach_of(name) {
        Reach::Filter => searched.turns_pages = false,
        Reach::Beyond if turns_pages => {}
        Reach::Beyond if base == "_include" || base == "_revinclude" => {
            searched.turns_pages = false;
        }
        Reach::Beyond | Reach::FarFilter => return Err(CompartmentError::Parameter),
        Reach::Control => match base {
            // Along a chain it would tell the order of what it reaches.
            "_sort" if value.contains('.') => return Err(CompartmentError::Parameter),
            "_elements" if !has_subject(value, kind) => return Err(CompartmentError::Elements),
            "_summary" if value == "text" && matches!(kind, Kind::Member(_)) => {
                return Err(CompartmentError::Elements);
            }
            "_summary" => searched.counts |= value == "count",
            "_count" => searched.counts |= value == "0",
            "_total" => searched.counts |= value != "none",
            "_format" => check_format(value)?,
            _ => {}
        },
    }
    Ok(())
}

/// Looks at the parameters of a request whose answer is read, and is no search.
pub(super) fn check_reading(request: &FhirRequest<'_>, kind: Kind) -> Result<(), CompartmentError> {
    for (name, value) in parameters(request)? {
        match base_of(&name) {
            "_format" => check_format(&value)?,
            "_elements" if !has_subject(&value, kind) => return Err(CompartmentError::Elements),
            "_summary" if value == "text" || value == "count" => return Err(CompartmentError::Elements),
            _ => match reach_of(&name) {
                Reach::Control | Reach::Filter => {}
                Reach::FarFilter | Reach::Beyond => return Err(CompartmentError::Parameter),
            },
        }
    }
    if is_clear(request) {
        Ok(())
    } else {
        Err(CompartmentError::Parameter)
    }
}

/// The query and the form or condition of a request. A `;` is refused by whoever asks: for some servers a parameter begins
/// behind it.
fn queries<'r, 'a>(request: &'r FhirRequest<'a>) -> impl Iterator<Item = &'r Query<'a>> {
    [Some(request.query()), request.second_query()]
        .into_iter()
        .flatten()
}

/// Whether the parameters of a request can be read in one way only.
pub(super) fn is_clear(request: &FhirRequest<'_>) -> bool {
    !request.has_unseen_form() && !queries(request).any(Query::has_semicolon)
}

/// A parameter's name and value, decoded.
type Parameter<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Every parameter.
fn parameters<'a>(request: &FhirRequest<'a>) -> Result<Vec<Parameter<'a>>, CompartmentError> {
    let mut decoded = Vec::new();
    for query in queries(request) {
        for (name, value) in query.parameters() {
            decoded.push((name, value.ok_or(CompartmentError::Parameter)?));
        }
    }
    Ok(decoded)
}

fn base_of(name: &str) -> &str {
    name.split_once(':').map_or(name, |(base, _)| base)
}

fn check_format(value: &str) -> Result<(), CompartmentError> {
    if JSON_FORMATS
        .iter()
        .any(|format| value.eq_ignore_ascii_case(format))
    {
        Ok(())
    } else {
        Err(CompartmentError::Format)
    }
}

/// Whether a list of elements has those that say whom a record is about.
fn has_subject(elements: &str, kind: Kind) -> bool {
    match kind {
        Kind::Member(member) => words(member.subject)
            .into_iter()
            .all(|path| elements.split(',').any(|element| element == first_step(path))),
        // The id of a Patient is always there.
        Kind::Patient | Kind::Shared | Kind::Other => true,
    }
}

#[cfg(test)]
mod tests;
