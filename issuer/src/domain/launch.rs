//! The clinical context of an authorization: what an EHR launch says (SMART App Launch 2.2 "EHR launch") and what the
//! person at the browser has chosen ("Standalone launch").

mod fhir_context;

use serde::{Deserialize, Serialize};
use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;

pub use fhir_context::{FhirContextFault, FhirContextItem};

/// How long an app has to come back with a launch, in seconds.
pub const LAUNCH_LIFETIME_SECONDS: i64 = 600;

/// What an app is told of its launch beside patient and encounter (SMART App Launch 2.2 "Launch context arrives with
/// your access token"; SMART-40, SMART-41). The names are those of the token response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LaunchParameters {
    /// Further resources that are open.
    #[serde(rename = "fhirContext", skip_serializing_if = "Vec::is_empty")]
    pub fhir_context: Vec<FhirContextItem>,
    /// Whether the app must show whose record it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need_patient_banner: Option<bool>,
    /// A document with the EHR's colours and sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smart_style_url: Option<String>,
    /// What the person wants to do in the app, in words that EHR and app have agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// The organization within the EHR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// What a launch says, all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LaunchedContext {
    /// The id of the Patient that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<String>,
    /// The id of the Encounter that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encounter_id: Option<String>,
    /// The only person whom the launch is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Everything else.
    pub parameters: LaunchParameters,
}

/// A launch that waits for its app. The store knows its value by the digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The digest of the value.
    pub digest: SecretDigest,
    /// The app.
    pub client_id: String,
    /// The EHR, by its `client_id`.
    pub launched_by: String,
    /// The FHIR base that the app was told: a resource's identifier.
    pub audience: String,
    /// What it says.
    pub context: LaunchedContext,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
}

/// A person's answer to "which one?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// None of them.
    Nothing,
    /// This one.
    Resource {
        /// Its id.
        id: String,
        /// What people know it by, for the consent page.
        label: String,
    },
}

impl Choice {
    /// The id, if something was chosen.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Resource { id, .. } => Some(id),
        }
    }

    /// The words, if something was chosen.
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Resource { label, .. } => Some(label),
        }
    }
}

/// What one person has chosen for one request. It counts for nobody else who signs in for the same request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenContext {
    /// Who chose.
    pub user_id: String,
    /// The patient; absent until it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<Choice>,
    /// The encounter; absent until it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encounter: Option<Choice>,
}

/// Where the context of an authorization request comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestContext {
    /// The EHR launch that it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launched: Option<LaunchedContext>,
    /// What was chosen on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<ChosenContext>,
}
