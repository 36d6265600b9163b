//! Members of the metadata about what can be asked of a person and about them (OpenID Connect Discovery section 3).

use serde::Serialize;

use crate::domain::authentication_context::AuthenticationContext;
use crate::domain::person_claim::PersonClaim;

/// Claims of ID tokens that are not about the person.
const PROTOCOL_CLAIMS: [&str; 11] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "at_hash",
    "sid",
];

/// The members.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the specification's names")]
pub(super) struct OpenIdSupport {
    claim_types_supported: [&'static str; 1],
    claims_supported: Vec<&'static str>,
    claims_parameter_supported: bool,
    acr_values_supported: [&'static str; AuthenticationContext::ALL.len()],
    /// One page for all of them, which fits itself to the window.
    display_values_supported: [&'static str; 3],
    ui_locales_supported: [&'static str; 1],
}

impl OpenIdSupport {
    /// What works.
    pub(super) fn now() -> Self {
        let about_the_person = PersonClaim::ALL.map(PersonClaim::as_str);
        Self {
            claim_types_supported: ["normal"],
            claims_supported: PROTOCOL_CLAIMS.into_iter().chain(about_the_person).collect(),
            claims_parameter_supported: true,
            acr_values_supported: AuthenticationContext::ALL.map(AuthenticationContext::as_str),
            display_values_supported: ["page", "popup", "touch"],
            ui_locales_supported: ["en"],
        }
    }
}
