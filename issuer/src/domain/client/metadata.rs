//! What a client may be registered with beyond what it needs: the optional members of OpenID Connect Dynamic Client
//! Registration 1.0 section 2, Back-Channel Logout section 2.2, RFC 9449 section 5.2, and three of our own.
//!
//! Stored as one JSON object in the specifications' words, and shown in them. Values are checked where a client is
//! registered; what is stored is trusted.

use serde::{Deserialize, Serialize};
use wardgate_shared::jwt::SignatureAlgorithm;

/// The rules a client is held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityProfile {
    /// OAuth 2.0, OpenID Connect and SMART App Launch, as the client's other settings have it.
    #[default]
    Standard,
    /// FAPI 2.0 Security Profile: pushed requests, PKCE, sender-constrained tokens, PS256, ES256 or EdDSA, and the issuer as the
    /// only audience of assertions, all together.
    Fapi2,
}

/// What a client is told of its people's identifiers (OpenID Connect Core section 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The same `sub` as every client.
    #[default]
    Public,
    /// A `sub` of its sector's own (section 8.1).
    Pairwise,
}

/// What kind of application a client is (OpenID Connect Dynamic Client Registration section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a web server: its redirect URIs are https.
    Web,
    /// On a person's device: its redirect URIs may be of a private-use scheme, or http on that device.
    Native,
}

/// How a client says that it presents its secret. Both ways work for every client that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecretMethod {
    /// In the `Authorization` header.
    #[serde(rename = "client_secret_basic")]
    Basic,
    /// In the body.
    #[serde(rename = "client_secret_post")]
    Post,
}

/// Optional client metadata. A member that was not registered has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientMetadata {
    /// The rules it is held to (ours: `profile`).
    #[serde(skip_serializing_if = "is_default")]
    pub profile: SecurityProfile,
    /// How long a rotated refresh token still works, in seconds, beyond a retry (ours: `refresh_token_grace_seconds`; FAPI-41).
    #[serde(skip_serializing_if = "is_default")]
    pub refresh_token_grace_seconds: u32,
    /// Where an EHR starts it (ours: `launch_uri`; SMART App Launch "EHR launch").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_uri: Option<String>,
    /// What kind of application it is; no matter to clients that the operator registers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_type: Option<ApplicationType>,
    /// How it presents its secret; `client_secret_basic` without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<SecretMethod>,
    /// Whether its access tokens are bound to a key (RFC 9449 section 5.2).
    #[serde(skip_serializing_if = "is_default")]
    pub dpop_bound_access_tokens: bool,
    /// What its ID tokens are signed with; without it RS256, or PS256 for a client that is held to FAPI.
    #[serde(skip_serializing_if = "Option::is_none", with = "algorithm_name")]
    pub id_token_signed_response_alg: Option<SignatureAlgorithm>,
    /// What its userinfo answers are signed with; without it they are plain JSON.
    #[serde(skip_serializing_if = "Option::is_none", with = "algorithm_name")]
    pub userinfo_signed_response_alg: Option<SignatureAlgorithm>,
    /// What its assertions must be signed with; any supported algorithm without it.
    #[serde(skip_serializing_if = "Option::is_none", with = "algorithm_name")]
    pub token_endpoint_auth_signing_alg: Option<SignatureAlgorithm>,
    /// Which `sub` it is told.
    #[serde(skip_serializing_if = "is_default")]
    pub subject_type: SubjectType,
    /// A document of redirect URIs whose host is the sector of its pairwise subjects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// Where it hears that a session is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether it needs `sid` to understand that.
    #[serde(skip_serializing_if = "is_default")]
    pub backchannel_logout_session_required: bool,
    /// `max_age` of requests that name none, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    /// Whether its ID tokens must say when the person signed in. They always do.
    #[serde(skip_serializing_if = "is_default")]
    pub require_auth_time: bool,
    /// `acr_values` of requests that name none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    /// Where somebody else can have it start a sign-in (OpenID Connect Core section 4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// A picture that people know it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Its own page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// What it does with people's data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Its terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Who answers for it: usually e-mail addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// The software it is an instance of (RFC 7591 section 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// The version of that software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// An algorithm by its name in JWA.
mod algorithm_name {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
    use wardgate_shared::jwt::SignatureAlgorithm;

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "the form that serde's `with` calls"
    )]
    pub(super) fn serialize<S: Serializer>(
        algorithm: &Option<SignatureAlgorithm>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        algorithm.map(SignatureAlgorithm::name).serialize(serializer)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Option<SignatureAlgorithm>, D::Error> {
        let Some(name) = Option::<String>::deserialize(deserializer)? else {
            return Ok(None);
        };
        SignatureAlgorithm::from_name(&name)
            .map(Some)
            .ok_or_else(|| de::Error::custom("no supported signature algorithm"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_registered_is_not_stored() {
        assert_eq!(serde_json::to_string(&ClientMetadata::default()).unwrap(), "{}");
        assert_eq!(
            serde_json::from_str::<ClientMetadata>("{}").unwrap(),
            ClientMetadata::default()
        );
    }

    #[test]
    fn members_have_the_specifications_names_and_values() {
        let text = r#"{"profile":"fapi2","id_token_signed_response_alg":"ES256","subject_type":"pairwise"}"#;
        let metadata: ClientMetadata = serde_json::from_str(text).unwrap();
        assert_eq!(metadata.profile, SecurityProfile::Fapi2);
        assert_eq!(metadata.subject_type, SubjectType::Pairwise);
        assert_eq!(
            metadata.id_token_signed_response_alg,
            Some(SignatureAlgorithm::ES256)
        );
        assert_eq!(serde_json::to_string(&metadata).unwrap(), text);
    }

    #[test]
    fn unknown_members_and_algorithms_are_refused() {
        for text in [
            r#"{"profiel":"fapi2"}"#,
            r#"{"id_token_signed_response_alg":"none"}"#,
            r#"{"id_token_signed_response_alg":"HS256"}"#,
        ] {
            assert!(serde_json::from_str::<ClientMetadata>(text).is_err(), "{text}");
        }
    }
}
