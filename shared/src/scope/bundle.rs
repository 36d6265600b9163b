//! Batches and transactions: the requests in a Bundle, read so that each can be decided like a request of its own.
//!
//! Governing text: FHIR R4/R5 "batch/transaction" and the resource Bundle. The bytes are untrusted. A Bundle that two
//! readers might read differently is refused: repeated members, members in other capitals, a request for one type with a
//! resource of another (servers choose by either). Left to the server: references inside the resources, conditional ones
//! included, and whether it knows an entry's version (`ifMatch`), which only ever makes it do less.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::interaction::Interaction;
use super::request::{FhirRequest, RawRequest, RequestError};
use super::resource_type::ResourceType;
use crate::json::{Members, check_object};

/// One entry's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRequest {
    method: String,
    path: String,
    query: Option<String>,
    if_none_exist: Option<String>,
    resource_type: Option<String>,
}

/// Why a body is no batch or transaction that could be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// No JSON object, or one in which a member is repeated at some depth.
    #[error("the body must be a JSON object in which no member is repeated")]
    Json,
    /// Another resource than a Bundle of type `batch` or `transaction`.
    #[error("the body must be a Bundle of type batch or transaction")]
    Type,
    /// A member that decides is there in other capitals than FHIR's.
    #[error("a member of the Bundle differs from one of FHIR's in its capitals only")]
    Capitals,
    /// There is nothing to decide.
    #[error("the Bundle must have entries")]
    NoEntries,
    /// More than [`MAXIMUM_ENTRIES`].
    #[error("the Bundle must not have more than {MAXIMUM_ENTRIES} entries")]
    TooManyEntries,
}

/// Why the request of one entry is none that could be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The entry has no `request` with a method and a URL, or one of its members is no text.
    #[error("an entry must have a request with a method and a URL")]
    NoRequest,
    /// The same of an entry as [`BundleError::Capitals`] says of the Bundle.
    #[error("a member of the entry differs from one of FHIR's in its capitals only")]
    Capitals,
    /// What is to be written is of another type than the URL says, or there is nothing to be written.
    #[error("the resource of the entry must be of the type that the URL names")]
    OtherType,
    /// The request itself.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// Most entries of a batch or a transaction.
pub const MAXIMUM_ENTRIES: usize = 1000;

/// Reads the entries of a batch or transaction in JSON: of each its request, or why it has none. URLs are relative to the
/// base, as FHIR has them in requests; absolute ones are refused when the request is read.
///
/// # Errors
/// [`BundleError`].
pub fn entries(body: &[u8]) -> Result<Vec<Result<EntryRequest, EntryError>>, BundleError> {
    check_object(body).map_err(|_| BundleError::Json)?;
    let bundle = core::str::from_utf8(body)
        .ok()
        .and_then(Members::of)
        .ok_or(BundleError::Json)?;
    if ["resourceType", "type", "entry"]
        .iter()
        .any(|name| bundle.has_alike(name))
    {
        return Err(BundleError::Capitals);
    }
    let is_text = |name, texts: &[&str]| {
        bundle
            .text(name)
            .is_some_and(|text| texts.contains(&text.as_str()))
    };
    if !is_text("resourceType", &["Bundle"]) || !is_text("type", &["batch", "transaction"]) {
        return Err(BundleError::Type);
    }
    let entries = bundle.items("entry").unwrap_or_default();
    match entries.len() {
        0 => Err(BundleError::NoEntries),
        1..=MAXIMUM_ENTRIES => Ok(entries.into_iter().map(EntryRequest::read).collect()),
        _ => Err(BundleError::TooManyEntries),
    }
}

impl EntryRequest {
    fn read(entry: &str) -> Result<Self, EntryError> {
        let entry = Members::of(entry).ok_or(EntryError::NoRequest)?;
        let request = entry
            .get("request")
            .and_then(Members::of)
            .ok_or(EntryError::NoRequest)?;
        let resource = match entry.get("resource") {
            Some(resource) => Some(Members::of(resource).ok_or(EntryError::OtherType)?),
            None => None,
        };
        let is_unclear = ["request", "resource"].iter().any(|name| entry.has_alike(name))
            || ["method", "url", "ifNoneExist"]
                .iter()
                .any(|name| request.has_alike(name))
            || resource
                .as_ref()
                .is_some_and(|resource| resource.has_alike("resourceType"));
        if is_unclear {
            return Err(EntryError::Capitals);
        }
        let text = |name| request.text(name).ok_or(EntryError::NoRequest);
        let url = text("url")?;
        let (path, query) = match url.split_once('?') {
            Some((path, query)) => (path, Some(query.to_string())),
            None => (url.as_str(), None),
        };
        let mut below_base = String::from("/");
        below_base.push_str(path);
        Ok(Self {
            method: text("method")?,
            path: below_base,
            query,
            if_none_exist: match request.get("ifNoneExist") {
                Some(_) => Some(text("ifNoneExist")?),
                None => None,
            },
            resource_type: resource.and_then(|resource| resource.text("resourceType")),
        })
    }

    /// The request, to be decided like any other.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn request(&self) -> Result<FhirRequest<'_>, EntryError> {
        let request = FhirRequest::parse(&RawRequest {
            query: self.query.as_deref(),
            if_none_exist: self.if_none_exist.as_deref(),
            ..RawRequest::new(&self.method, &self.path)
        })?;
        let is_of_type = |written: ResourceType| self.resource_type.as_deref() == Some(written.as_str());
        match *request.interaction() {
            Interaction::Create { resource_type }
            | Interaction::ConditionalCreate { resource_type }
            | Interaction::Update { resource_type, .. }
            | Interaction::ConditionalUpdate { resource_type }
                if !is_of_type(resource_type) =>
            {
                Err(EntryError::OtherType)
            }
            _ => Ok(request),
        }
    }
}

#[cfg(test)]
mod tests;
