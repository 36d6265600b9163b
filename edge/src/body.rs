//! Bodies of requests that a decision depends on: a batch or transaction, the form of a search, and what is written on
//! behalf of a patient ([`crate::compartment`]).
//!
//! Other bodies are never looked at. One that is read is forwarded in the same bytes. What is read is bounded, comes from
//! someone whose token holds, and must be in one form that every server reads alike: uncompressed, in UTF-8, of the media
//! type that belongs to it.
//!
//! Governing texts: FHIR R4/R5 "batch/transaction" and "Search" (POST), RFC 9110 section 8.3.

use wardgate_shared::scope::bundle::{self, BundleError, EntryError, EntryRequest};
use wardgate_shared::scope::{FhirRequest, Interaction};

use crate::config::{Api, Config};
use crate::error::Refusal;
use crate::outside::Outside;
use crate::request::Headers;

/// What was read of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The entries of a batch or transaction.
    Entries {
        /// What they ask for.
        entries: Vec<Result<EntryRequest, EntryError>>,
        /// The whole, as it was sent.
        bytes: Vec<u8>,
    },
    /// A search form.
    Form(String),
}

/// Why a body is not decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is compressed, in another character set than UTF-8, or of a media type that is not read here.
    #[error("{0}")]
    MediaType(Kind),
    /// It is larger than the configuration permits.
    #[error("the body is too large to be decided on")]
    TooLarge,
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// It broke off.
    #[error("the body cannot be read")]
    Unreadable,
    /// It is no batch and no transaction.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// Which body is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Kind {
    /// A batch or transaction.
    #[error("a batch or transaction must be sent as JSON in UTF-8, not compressed")]
    Bundle,
    /// A search form.
    #[error("a search form must be sent as application/x-www-form-urlencoded in UTF-8, not compressed")]
    Form,
    /// A resource, where it matters whose it is.
    #[error(
        "a resource that is written on behalf of a patient must be sent as JSON in UTF-8, not compressed"
    )]
    Resource,
    /// A patch, where it matters whose the resource is.
    #[error(
        "a patch on behalf of a patient must be sent as a JSON Patch or a JSON Merge Patch, not compressed"
    )]
    Patch,
}

impl Kind {
    /// The body that the decision on a request needs.
    pub fn wanted(request: &FhirRequest<'_>) -> Option<Self> {
        match request.interaction() {
            Interaction::Batch => Some(Self::Bundle),
            _ => request.has_unseen_form().then_some(Self::Form),
        }
    }

    fn is_sent_as(self, media_type: &str) -> bool {
        let names: &[&str] = match self {
            Self::Bundle | Self::Resource => &["application/fhir+json", "application/json"],
            Self::Form => &["application/x-www-form-urlencoded"],
            Self::Patch => &["application/json-patch+json", "application/merge-patch+json"],
        };
        names.iter().any(|name| media_type.eq_ignore_ascii_case(name))
    }

    /// Refuses a body that the server behind could read as something else.
    fn check(self, headers: &Headers<'_>) -> Result<(), BodyError> {
        let encoding = headers.get("content-encoding").unwrap_or("identity");
        let mut parts = headers.get("content-type").unwrap_or_default().split(';');
        let is_named = parts.next().is_some_and(|name| self.is_sent_as(name.trim()));
        let is_utf_8 = parts.all(|part| match part.split_once('=') {
            Some((name, value)) => {
                !name.trim().eq_ignore_ascii_case("charset")
                    || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            None => part.trim().is_empty(),
        });
        if is_named && is_utf_8 && encoding.eq_ignore_ascii_case("identity") {
            Ok(())
        } else {
            Err(BodyError::MediaType(self))
        }
    }
}

/// Reads the body that the decision on a request depends on; `None` when it depends on none.
///
/// # Errors
/// [`Refusal::Body`].
pub async fn read<O: Outside>(
    config: &Config,
    outside: &O,
    api: &Api,
    request: &FhirRequest<'_>,
    headers: &Headers<'_>,
) -> Result<Option<Body>, Refusal> {
    let Some(kind) = Kind::wanted(request) else {
        return Ok(None);
    };
    // Some clients put all parameters of a search into the URL, and send no form.
    let may_be_missing = kind == Kind::Form && headers.get("content-type").is_none();
    if !may_be_missing {
        kind.check(headers).map_err(Refusal::Body)?;
    }
    let (milliseconds, bytes) = (api.upstream_timeout_milliseconds, config.maximum_body_bytes);
    let bytes = outside.read_request(milliseconds, bytes).await;
    let bytes = bytes.map_err(Refusal::Body)?;
    if may_be_missing && !bytes.is_empty() {
        return Err(Refusal::Body(BodyError::MediaType(kind)));
    }
    match kind {
        Kind::Bundle => bundle::entries(&bytes)
            .map(|entries| Body::Entries { entries, bytes })
            .map_err(BodyError::Bundle),
        // Only ASCII can stand in a form; the rest is refused where its parameters are read.
        Kind::Form | Kind::Resource | Kind::Patch => String::from_utf8(bytes)
            .map(Body::Form)
            .map_err(|_| BodyError::MediaType(kind)),
    }
    .map(Some)
    .map_err(Refusal::Body)
}

/// Reads a body of which it matters, once the request is permitted, whose it is.
///
/// # Errors
/// [`Refusal::Body`].
pub async fn read_as<O: Outside>(
    config: &Config,
    outside: &O,
    api: &Api,
    kind: Kind,
    headers: &Headers<'_>,
) -> Result<Vec<u8>, Refusal> {
    kind.check(headers).map_err(Refusal::Body)?;
    let (milliseconds, bytes) = (api.upstream_timeout_milliseconds, config.maximum_body_bytes);
    let read = outside.read_request(milliseconds, bytes).await;
    read.map_err(Refusal::Body)
}

/// The media type of a body, without its parameters and in lower case.
pub fn media_type(headers: &Headers<'_>) -> String {
    let value = headers.get("content-type").unwrap_or_default();
    let name = value.split(';').next().unwrap_or_default();
    name.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{BodyError, Kind};
    use crate::request::Headers;

    #[test]
    fn a_body_is_read_in_the_one_form_that_all_servers_read_alike() {
        let check = |kind: Kind, headers: &[(&'static str, &'static str)]| {
            kind.check(&Headers::new(headers.to_vec()))
        };
        let form = "application/x-www-form-urlencoded";
        for (kind, media_type) in [
            (Kind::Bundle, "application/fhir+json"),
            (Kind::Bundle, "application/json"),
            (
                Kind::Bundle,
                "Application/FHIR+JSON; fhirVersion=4.0; charset=UTF-8",
            ),
            (Kind::Form, form),
            (Kind::Form, "application/x-www-form-urlencoded; charset=\"utf-8\""),
        ] {
            assert_eq!(
                check(kind, &[("content-type", media_type)]),
                Ok(()),
                "{media_type}"
            );
        }
        for (kind, media_type) in [
            (Kind::Bundle, ""),
            (Kind::Bundle, "application/fhir+xml"),
            (Kind::Bundle, "text/json"),
            (Kind::Bundle, "application/json; charset=utf-16"),
            (Kind::Bundle, "application/json; charset"),
            (Kind::Bundle, "application/json, application/fhir+xml"),
            (Kind::Bundle, form),
            (Kind::Form, "multipart/form-data; boundary=a"),
            (Kind::Form, "application/json"),
            (Kind::Form, "application/x-www-form-urlencoded; charset=utf-7"),
        ] {
            let refused = check(kind, &[("content-type", media_type)]);
            assert_eq!(refused, Err(BodyError::MediaType(kind)), "{media_type}");
        }
        for encoding in ["gzip", "identity, gzip", "br", ""] {
            let headers = [("content-type", form), ("content-encoding", encoding)];
            assert_eq!(
                check(Kind::Form, &headers),
                Err(BodyError::MediaType(Kind::Form)),
                "{encoding}"
            );
        }
    }
}
