//! The query of a list: filters, and the place after which a page begins.

use axum::extract::RawQuery;

use crate::domain::page::{Cursor, PageRequest};
use crate::error::page::PageError;
use crate::extract::{FormError, Parameters};

/// The query of a list.
#[derive(Debug)]
pub(super) struct Listing {
    parameters: Parameters,
    after: Option<Cursor>,
}

impl Listing {
    /// Reads a query.
    ///
    /// # Errors
    /// What is no query, and a place that no page named.
    pub(super) fn read(RawQuery(query): RawQuery) -> Result<Self, PageError> {
        let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
        let after = parameters.single("after").map_err(|_| PageError::Field)?;
        let after = match after {
            Some(text) => Some(Cursor::parse(text).ok_or(PageError::Field)?),
            None => None,
        };
        Ok(Self { parameters, after })
    }

    /// The value of a filter; empty when nothing is said.
    ///
    /// # Errors
    /// [`PageError::Field`] when there are several.
    pub(super) fn filter(&self, name: &str) -> Result<&str, PageError> {
        let value = self.parameters.single(name).map_err(|_| PageError::Field)?;
        Ok(value.unwrap_or_default().trim())
    }

    /// The value of a filter, if something is said.
    ///
    /// # Errors
    /// [`PageError::Field`] when there are several.
    pub(super) fn wanted(&self, name: &str) -> Result<Option<String>, PageError> {
        let value = self.filter(name)?;
        Ok((!value.is_empty()).then(|| value.into()))
    }

    /// Which page is wanted.
    pub(super) fn page(&self) -> PageRequest {
        PageRequest {
            after: self.after.clone(),
            ..PageRequest::default()
        }
    }

    /// Where this page begins, as the link to it says.
    pub(super) fn after(&self) -> Option<String> {
        self.after.as_ref().map(Cursor::encode)
    }
}
