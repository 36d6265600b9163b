//! Problem details for HTTP APIs (RFC 9457): the body of a refusal outside OAuth's own endpoints and FHIR.

use alloc::borrow::Cow;

use serde::Serialize;

/// The media type of a problem document.
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// A problem document. It says what the caller may know and nothing of causes inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A URI that names the kind of problem; `about:blank` when the status says it all.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The kind in words, the same each time.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Cow<'static, str>>,
}
