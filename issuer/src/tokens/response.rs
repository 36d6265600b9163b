//! The token response: RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3, and SMART's launch context beside it.

use serde::Serialize;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;

use crate::domain::grant::Grant;
use crate::domain::launch::LaunchParameters;

use super::signed::SignedAccessToken;

/// What a client gets. Serialised at once and not kept: its members are secrets in clear.
#[derive(Serialize)]
pub struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patient: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encounter: Option<&'a str>,
    #[serde(flatten)]
    launch: Option<&'a LaunchParameters>,
}

impl<'a> TokenResponse<'a> {
    /// A response that carries `access` and says what it permits.
    pub fn new(access: &'a SignedAccessToken, scope: &ScopeSet) -> Self {
        Self {
            access_token: access.value.expose(),
            token_type: access.token_type,
            expires_in: access.lifetime_seconds,
            issued_token_type: None,
            refresh_token: None,
            scope: scope.to_string(),
            id_token: None,
            patient: None,
            encounter: None,
            launch: None,
        }
    }

    /// With the type of the access token, where it was exchanged for another token (RFC 8693 section 2.2.1).
    #[must_use]
    pub const fn with_issued_token_type(mut self, token_type: Option<&'static str>) -> Self {
        self.issued_token_type = token_type;
        self
    }

    /// With a refresh token.
    #[must_use]
    pub fn with_refresh_token(mut self, token: Option<&'a Secret<String>>) -> Self {
        self.refresh_token = token.map(|token| token.expose().as_str());
        self
    }

    /// With an ID token.
    #[must_use]
    pub fn with_id_token(mut self, token: Option<&'a Secret<String>>) -> Self {
        self.id_token = token.map(|token| token.expose().as_str());
        self
    }

    /// With the context of `grant`: patient, encounter and what else its launch says (SMART-40, SMART-41).
    #[must_use]
    pub fn with_launch_context(mut self, grant: &'a Grant) -> Self {
        self.patient = grant.launch_context.patient_id.as_deref();
        self.encounter = grant.launch_context.encounter_id.as_deref();
        self.launch = Some(&grant.launch_parameters);
        self
    }
}
