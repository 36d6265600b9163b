//! The body of a launch: JSON with the members of the token response that it is to become (SMART-40 to SMART-42).

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::domain::fhir_reference::is_fhir_id;
use crate::domain::launch::{FhirContextFault, FhirContextItem, LaunchParameters, LaunchedContext};

/// The longest text of a member, in bytes.
const MAXIMUM_TEXT_BYTES: usize = 500;
/// The most entries of `fhirContext`.
const MAXIMUM_ITEMS: usize = 20;
/// The most that a launch may say in all, in bytes of JSON: it stands beside every token.
const MAXIMUM_CONTEXT_BYTES: usize = 8192;

/// Why a body is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestFault {
    /// It is too long, or broke off.
    #[error("the body is too long or could not be read to its end")]
    Unreadable(StatusCode),
    /// It says that it is something else.
    #[error("the body must be application/json")]
    NotJson,
    /// It is no JSON object with the members of a launch.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// An id is no FHIR id.
    #[error("{0} must be a bare FHIR id, such as 123")]
    Id(&'static str),
    /// An encounter is nobody's.
    #[error("encounter needs patient")]
    EncounterWithoutPatient,
    /// An entry of `fhirContext` is not as it should be.
    #[error("fhirContext[{0}]: {1}")]
    FhirContext(usize, FhirContextFault),
    /// A text is empty, too long, or has control characters.
    #[error("{0} must be 1 to 500 bytes without control characters")]
    Text(&'static str),
    /// The style sheet is no URL that a browser would fetch.
    #[error("smart_style_url must be an https URL, or an http one on this machine")]
    StyleUrl,
    /// All together is too much.
    #[error("the launch says too much: at most 20 entries in fhirContext, and 8192 bytes in all")]
    TooMuch,
}

impl RequestFault {
    /// Whether the body cannot be read at all.
    pub(super) const fn is_malformed(&self) -> bool {
        match self {
            Self::Unreadable(_) | Self::NotJson | Self::Json(_) => true,
            Self::Id(_)
            | Self::EncounterWithoutPatient
            | Self::FhirContext(..)
            | Self::Text(_)
            | Self::StyleUrl
            | Self::TooMuch => false,
        }
    }

    /// The status of a body that cannot be read.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Unreadable(status) => *status,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Json(_) => StatusCode::BAD_REQUEST,
            Self::Id(_)
            | Self::EncounterWithoutPatient
            | Self::FhirContext(..)
            | Self::Text(_)
            | Self::StyleUrl
            | Self::TooMuch => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

/// What an EHR says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LaunchRequest {
    /// The app.
    pub(super) client_id: String,
    /// The FHIR base; the first one without it.
    pub(super) aud: Option<String>,
    /// The only person who may use the launch, by `sub` or e-mail address.
    pub(super) user: Option<String>,
    patient: Option<String>,
    encounter: Option<String>,
    #[serde(rename = "fhirContext", default)]
    fhir_context: Vec<FhirContextItem>,
    intent: Option<String>,
    need_patient_banner: Option<bool>,
    smart_style_url: Option<String>,
    tenant: Option<String>,
}

impl LaunchRequest {
    /// Reads and checks a body.
    ///
    /// # Errors
    /// The first [`RequestFault`].
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, RequestFault> {
        let is_json = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(RequestFault::NotJson);
        }
        let request: Self = serde_json::from_slice(body)?;
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), RequestFault> {
        for (name, id) in [("patient", &self.patient), ("encounter", &self.encounter)] {
            if id.as_deref().is_some_and(|id| !is_fhir_id(id)) {
                return Err(RequestFault::Id(name));
            }
        }
        if self.encounter.is_some() && self.patient.is_none() {
            return Err(RequestFault::EncounterWithoutPatient);
        }
        for (name, text) in [
            ("intent", &self.intent),
            ("tenant", &self.tenant),
            ("smart_style_url", &self.smart_style_url),
        ] {
            if text.as_deref().is_some_and(|text| !is_text(text)) {
                return Err(RequestFault::Text(name));
            }
        }
        if self
            .smart_style_url
            .as_deref()
            .is_some_and(|url| !is_style_url(url))
        {
            return Err(RequestFault::StyleUrl);
        }
        if self.fhir_context.len() > MAXIMUM_ITEMS {
            return Err(RequestFault::TooMuch);
        }
        for (position, item) in self.fhir_context.iter().enumerate() {
            item.check()
                .map_err(|fault| RequestFault::FhirContext(position, fault))?;
        }
        let size = serde_json::to_vec(&self.fhir_context)?.len();
        if size > MAXIMUM_CONTEXT_BYTES {
            return Err(RequestFault::TooMuch);
        }
        Ok(())
    }

    /// What it says of the context, for the person of this `sub` alone, if there is one.
    pub(super) fn into_context(self, user_id: Option<String>) -> LaunchedContext {
        LaunchedContext {
            patient_id: self.patient,
            encounter_id: self.encounter,
            user_id,
            parameters: LaunchParameters {
                fhir_context: self.fhir_context,
                need_patient_banner: self.need_patient_banner,
                smart_style_url: self.smart_style_url,
                intent: self.intent,
                tenant: self.tenant,
            },
        }
    }
}

fn is_text(text: &str) -> bool {
    (1..=MAXIMUM_TEXT_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn is_style_url(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| match url.scheme() {
        "https" => true,
        "http" => matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
        _ => false,
    })
}
