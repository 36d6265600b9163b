//! Claims of a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).

use alloc::string::String;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::jwt::{Audiences, RegisteredClaims, deserialized};

/// `typ` of a logout token (section 2.4), so that nobody takes it for an ID token.
pub const LOGOUT_TOKEN_TYPE: &str = "logout+jwt";

/// What a logout token says besides `exp` and `iat`. It has no `nonce`: that would make it pass for an ID token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutClaims {
    /// `iss`: the issuer's URL.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// `sub`: the person, as the client's ID tokens name them.
    #[serde(rename = "sub")]
    pub subject: String,
    /// `aud`: the client.
    #[serde(rename = "aud")]
    pub audiences: Audiences,
    /// `jti`: a name of its own.
    #[serde(rename = "jti")]
    pub token_id: String,
    /// `sid`: the session, as the client's ID tokens name it.
    #[serde(rename = "sid")]
    pub session_id: String,
    /// `events`: that a session is over.
    pub events: LogoutEvents,
}

/// `events` of a logout token: one member with an empty object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogoutEvents {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    backchannel_logout: Empty,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

impl RegisteredClaims for LogoutClaims {
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

#[cfg(test)]
mod tests {
    use super::LogoutEvents;

    // OUT-13
    #[test]
    fn the_event_is_an_empty_object_under_its_name() {
        assert_eq!(
            serde_json::to_string(&LogoutEvents::default()).unwrap(),
            r#"{"http://schemas.openid.net/event/backchannel-logout":{}}"#
        );
    }
}
