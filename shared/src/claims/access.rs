//! Claims of an access token: RFC 9068 section 2.2, with the members a FHIR API needs.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::jwt::{Audiences, RegisteredClaims, deserialized};
use crate::time::Timestamp;

use super::actor::Actor;
use super::launch_context::LaunchContext;
use super::status_list::Status;

/// `typ` of an access token (RFC 9068 section 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// What an access token says besides `exp` and `iat`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// `iss`: the issuer's URL.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// `sub`: the person, or the client itself when it acts for nobody else (RFC 9068 section 5).
    #[serde(rename = "sub")]
    pub subject: String,
    /// `aud`: the resources the token is for; always written as an array.
    #[serde(rename = "aud")]
    pub audiences: Audiences,
    /// `jti`: the token's own name, never given twice.
    #[serde(rename = "jti")]
    pub token_id: String,
    /// `client_id`: the client the token was issued to.
    pub client_id: String,
    /// `scope`: what was granted, in the client's own spelling, separated by single spaces.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The id of the person's Practitioner resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practitioner_id: Option<String>,
    /// The id of the organization the person acts for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// The patient and encounter in context.
    #[serde(default, skip_serializing_if = "LaunchContext::is_empty")]
    pub launch_context: LaunchContext,
    /// `fhirUser`: the person's own FHIR resource, relative to the FHIR base (`Patient/123`) or absolute; present only
    /// when the scope `fhirUser` was granted.
    #[serde(rename = "fhirUser", default, skip_serializing_if = "Option::is_none")]
    pub fhir_user: Option<String>,
    /// `cnf`: the key the token is bound to (RFC 7800). Whoever does not understand the member must refuse the token.
    #[serde(rename = "cnf", default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Value>,
    /// `act`: who acts for the subject, in a token that was made from another (RFC 8693 section 4.1).
    #[serde(rename = "act", default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// `acr`: how the person was authenticated, as one value.
    #[serde(rename = "acr", default, skip_serializing_if = "Option::is_none")]
    pub authentication_context: Option<String>,
    /// `amr`: the methods used (RFC 8176).
    #[serde(rename = "amr", default, skip_serializing_if = "Vec::is_empty")]
    pub authentication_methods: Vec<String>,
    /// `auth_time`: when the person was authenticated.
    #[serde(rename = "auth_time", default, skip_serializing_if = "Option::is_none")]
    pub authenticated_at: Option<Timestamp>,
    /// `status`: where to see whether it was revoked (draft-ietf-oauth-status-list section 6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The API key that the token was exchanged for, by its id, so that what it does can be counted by key. `sub` and
    /// `client_id` say the same; this says that it is a key and no client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_id: Option<String>,
}

impl AccessClaims {
    /// Whether the client acts for itself: subject and client are the same (RFC 9068 section 5).
    pub fn is_client_itself(&self) -> bool {
        self.subject == self.client_id
    }
}

impl RegisteredClaims for AccessClaims {
    fn of_members(members: Map<String, Value>) -> Option<Self> {
        deserialized(members)
    }

    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn audiences(&self) -> &Audiences {
        &self.audiences
    }
}
