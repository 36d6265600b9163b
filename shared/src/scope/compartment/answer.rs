//! Whether an answer may be given away on behalf of the patient.

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value};

use super::Patient;
use super::resource::{has_alike, type_of};
use crate::json::parse_object;
use crate::scope::resource_type::ResourceType;

/// What an answer has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// One resource of this type.
    Resource(ResourceType),
    /// The versions of one resource of this type.
    History(ResourceType),
    /// What a search found: resources of this type alone, unless it is `None`.
    Found(Option<ResourceType>),
    /// The answers to the entries of a batch or transaction, in their order; `None` where nothing has to be looked at.
    Responses(Vec<Option<Expected>>),
}

/// Why an answer is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerError {
    /// It cannot be read as what it has to be.
    Unreadable,
    /// It is not the patient's, or nothing shows that it is.
    NotThePatients,
    /// One entry of a batch found nothing: what is not there and what is not the patient's are not told apart.
    NothingFound,
}

impl Patient<'_> {
    /// Judges the body of an answer, in JSON.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn judge(&self, body: &[u8], expected: &Expected) -> Result<(), AnswerError> {
        let document = parse_object(body).map_err(|_| AnswerError::Unreadable)?;
        self.judge_document(&document, expected)
    }

    fn judge_document(&self, document: &Map<String, Value>, expected: &Expected) -> Result<(), AnswerError> {
        match expected {
            Expected::Resource(resource_type) => self.judge_resource(document, *resource_type),
            Expected::History(resource_type) => {
                let mut shown = false;
                for entry in entries(document, &["history"])? {
                    if let Some(resource) = resource_of(entry)? {
                        self.judge_resource(resource, *resource_type)?;
                        shown = true;
                    }
                }
                // A deletion alone does not say whose it was.
                if shown {
                    Ok(())
                } else {
                    Err(AnswerError::NotThePatients)
                }
            }
            Expected::Found(only) => {
                for entry in entries(document, &["searchset"])? {
                    if let Some(resource) = resource_of(entry)? {
                        self.judge_found(resource, *only)?;
                    }
                }
                Ok(())
            }
            Expected::Responses(expected) => self.judge_responses(document, expected),
        }
    }

    fn judge_resource(
        &self,
        resource: &Map<String, Value>,
        resource_type: ResourceType,
    ) -> Result<(), AnswerError> {
        if type_of(resource) != Some(resource_type.as_str()) {
            return Err(AnswerError::Unreadable);
        }
        if self.owns(resource) {
            Ok(())
        } else {
            Err(AnswerError::NotThePatients)
        }
    }

    fn judge_found(
        &self,
        resource: &Map<String, Value>,
        only: Option<ResourceType>,
    ) -> Result<(), AnswerError> {
        let found = type_of(resource);
        let is_outcome = found == Some("OperationOutcome");
        let is_wanted = only.is_none_or(|only| found == Some(only.as_str()));
        if is_outcome || (is_wanted && self.may_see(resource)) {
            Ok(())
        } else {
            Err(AnswerError::NotThePatients)
        }
    }

    fn judge_responses(
        &self,
        document: &Map<String, Value>,
        expected: &[Option<Expected>],
    ) -> Result<(), AnswerError> {
        let entries = entries(document, &["batch-response", "transaction-response"])?;
        if entries.len() != expected.len() {
            return Err(AnswerError::Unreadable);
        }
        for (entry, expected) in entries.iter().zip(expected) {
            let Some(expected) = expected else { continue };
            let response = entry.get("response").and_then(Value::as_object);
            let status = response
                .and_then(|response| response.get("status"))
                .and_then(Value::as_str)
                .unwrap_or_default();
            let is_read = matches!(expected, Expected::Resource(_) | Expected::History(_));
            match resource_of(entry)? {
                _ if is_read && (status.starts_with("404") || status.starts_with("410")) => {
                    return Err(AnswerError::NothingFound);
                }
                // A refusal of the server's own.
                Some(resource) if type_of(resource) == Some("OperationOutcome") => {}
                Some(resource) => self
                    .judge_document(resource, expected)
                    .map_err(|error| match error {
                        AnswerError::NotThePatients if is_read => AnswerError::NothingFound,
                        other => other,
                    })?,
                None if status.starts_with(['4', '5']) => {}
                None => return Err(AnswerError::Unreadable),
            }
        }
        Ok(())
    }
}

/// The entries of a Bundle of one of these types.
fn entries<'a>(
    document: &'a Map<String, Value>,
    types: &[&str],
) -> Result<Vec<&'a Map<String, Value>>, AnswerError> {
    let bundle_type = document.get("type").and_then(Value::as_str);
    let is_wanted =
        type_of(document) == Some("Bundle") && bundle_type.is_some_and(|own| types.contains(&own));
    if !is_wanted || has_alike(document, "entry") {
        return Err(AnswerError::Unreadable);
    }
    match document.get("entry") {
        None => Ok(Vec::new()),
        Some(Value::Array(entries)) => entries
            .iter()
            .map(|entry| entry.as_object().ok_or(AnswerError::Unreadable))
            .collect(),
        Some(_) => Err(AnswerError::Unreadable),
    }
}

/// The resource of an entry, if it has one.
fn resource_of(entry: &Map<String, Value>) -> Result<Option<&Map<String, Value>>, AnswerError> {
    if has_alike(entry, "resource") {
        return Err(AnswerError::Unreadable);
    }
    match entry.get("resource") {
        None => Ok(None),
        Some(Value::Object(resource)) => Ok(Some(resource)),
        Some(_) => Err(AnswerError::Unreadable),
    }
}

#[cfg(test)]
mod tests;
