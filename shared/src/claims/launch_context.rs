//! The clinical context a token was issued in.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// Which patient and which encounter the person was looking at, or chose, when access was granted.
///
/// Inside an access token these are the members `patient_id` and `encounter_id` of `launch_context`; beside a token in
/// the token response they are SMART's `patient` and `encounter` (SMART-40). Ids are bare: `123`, not `Patient/123`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchContext {
    /// The id of the Patient resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<String>,
    /// The id of the Encounter resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encounter_id: Option<String>,
}

impl LaunchContext {
    /// Whether nothing was chosen, so that the token says nothing of it.
    pub const fn is_empty(&self) -> bool {
        self.patient_id.is_none() && self.encounter_id.is_none()
    }
}
