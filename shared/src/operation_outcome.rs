//! FHIR's way of saying that a request failed: the OperationOutcome resource (FHIR R4 and R5).

use alloc::borrow::Cow;

use serde::Serialize;

/// The media type of FHIR resources in JSON.
pub const FHIR_MEDIA_TYPE: &str = "application/fhir+json";

/// `issue.code` of an OperationOutcome: the codes of <http://hl7.org/fhir/issue-type> in use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssueType {
    /// No credentials, or none that count.
    Login,
    /// The credentials have expired.
    Expired,
    /// The credentials do not cover the request.
    Forbidden,
    /// The request is malformed.
    Invalid,
    /// The interaction or verb is not supported.
    NotSupported,
    /// The gateway cannot decide now; try again.
    Transient,
    /// The gateway is set up wrongly, or something else went wrong inside.
    Exception,
    /// There is no such resource, as far as the client may know.
    NotFound,
    /// Too many requests.
    Throttled,
}

/// An OperationOutcome with one issue of severity `error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperationOutcome {
    #[serde(rename = "resourceType")]
    resource_type: &'static str,
    issue: [Issue; 1],
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Issue {
    severity: &'static str,
    code: IssueType,
    diagnostics: Cow<'static, str>,
}

impl OperationOutcome {
    /// An outcome of this type; `diagnostics` is shown to whoever wrote the client.
    pub fn error(code: IssueType, diagnostics: impl Into<Cow<'static, str>>) -> Self {
        Self {
            resource_type: "OperationOutcome",
            issue: [Issue {
                severity: "error",
                code,
                diagnostics: diagnostics.into(),
            }],
        }
    }
}
