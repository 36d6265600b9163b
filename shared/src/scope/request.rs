//! A FHIR request as far as permission depends on it: method, path, search parameters, condition.

use super::interaction::{Interaction, Method, MethodError};
use super::path::{PathError, Target};
use super::query::{Query, QueryError};

/// A request as received, nothing decoded.
#[derive(Debug, Clone, Copy)]
pub struct RawRequest<'a> {
    /// The method, exactly as received.
    pub method: &'a str,
    /// The path after the FHIR base: empty, or beginning with `/`; without query and fragment. These must be the bytes
    /// that are forwarded.
    pub path: &'a str,
    /// The query string without its `?`, if there is one.
    pub query: Option<&'a str>,
    /// The value of the `If-None-Exist` header, if there is one.
    pub if_none_exist: Option<&'a str>,
    /// The form-encoded body of `POST …/_search`, if the caller has read it. Without it such a search is judged as
    /// one that may include anything.
    pub search_form: Option<&'a str>,
}

impl<'a> RawRequest<'a> {
    /// A request with neither query nor condition nor form.
    pub const fn new(method: &'a str, path: &'a str) -> Self {
        Self {
            method,
            path,
            query: None,
            if_none_exist: None,
            search_form: None,
        }
    }
}

/// A request understood: the interaction, and what its search parameters reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FhirRequest<'a> {
    interaction: Interaction<'a>,
    query: Query<'a>,
    second: Option<Query<'a>>,
    form_unseen: bool,
}

/// Why a request is not one that could be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The method: 405 with `Allow` for one that does not apply, 501 or 405 for an unknown one.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// The path: 400 for an ambiguous one, 404 for one that FHIR does not define.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The query string.
    #[error("query: {0}")]
    Query(QueryError),
    /// The `If-None-Exist` header.
    #[error("If-None-Exist: {0}")]
    IfNoneExist(QueryError),
    /// The body of a search by POST.
    #[error("search form: {0}")]
    SearchForm(QueryError),
    /// A conditional write whose parameters choose nothing, which some servers take for all resources of the type.
    #[error("a conditional write must name at least one search parameter that chooses resources")]
    MissingCriteria,
}

impl<'a> FhirRequest<'a> {
    /// Reads a request. Method, path and query are checked in this order.
    ///
    /// # Errors
    /// [`RequestError`], naming the part and its first fault.
    pub fn parse(raw: &RawRequest<'a>) -> Result<Self, RequestError> {
        let method = Method::parse(raw.method)?;
        let target = Target::parse(raw.path)?;
        let interaction = Interaction::new(method, target, raw.if_none_exist.is_some())?;
        let query = raw
            .query
            .map_or_else(|| Ok(Query::default()), Query::parse)
            .map_err(RequestError::Query)?;
        if interaction.is_conditional_on_query() && !query.has_criteria() {
            return Err(RequestError::MissingCriteria);
        }
        let searches_by_form = method == Method::Post && interaction.is_search();
        let second = match (interaction, raw.if_none_exist, raw.search_form) {
            (Interaction::ConditionalCreate { .. }, Some(condition), _) => {
                let condition = Query::parse(condition).map_err(RequestError::IfNoneExist)?;
                if !condition.has_criteria() {
                    return Err(RequestError::MissingCriteria);
                }
                Some(condition)
            }
            (_, _, Some(form)) if searches_by_form => {
                Some(Query::parse(form).map_err(RequestError::SearchForm)?)
            }
            (_, _, _) => None,
        };
        let form_unseen = searches_by_form && second.is_none();
        Ok(Self {
            interaction,
            query,
            second,
            form_unseen,
        })
    }

    /// What is asked for.
    pub fn interaction(&self) -> &Interaction<'a> {
        &self.interaction
    }

    /// The first parameter, of the query, the condition or the form, that may reach beyond the addressed type.
    pub fn widening_parameter(&self) -> Option<&str> {
        self.query
            .widening_parameter()
            .or_else(|| self.second.as_ref().and_then(Query::widening_parameter))
    }

    /// Whether this is a search by POST whose form was not given.
    pub fn has_unseen_form(&self) -> bool {
        self.form_unseen
    }

    /// Whether it may touch other types than the interaction says.
    pub(super) fn may_reach_other_types(&self) -> bool {
        self.form_unseen || self.widening_parameter().is_some()
    }

    /// The query string's parameters.
    pub(super) fn query(&self) -> &Query<'a> {
        &self.query
    }

    /// The search form's parameters, or those of `If-None-Exist`.
    pub(super) fn second_query(&self) -> Option<&Query<'a>> {
        self.second.as_ref()
    }
}

#[cfg(test)]
mod tests;
