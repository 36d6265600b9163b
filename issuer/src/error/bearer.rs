//! Refusals of access tokens at the issuer's own endpoints (RFC 6750 section 3).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::config::Config;

use super::internal::InternalError;
use super::json_body::json_error;

/// Why a bearer token does not open an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerError {
    /// There is none. The answer names no error then (RFC 6750 section 3.1).
    NoToken,
    /// There are several, or it is not where or what a token may be.
    Malformed,
    /// It was not issued here, has expired, or was revoked.
    InvalidToken,
    /// It lacks this scope.
    InsufficientScope(&'static str),
}

impl BearerError {
    /// The reason for the client's developers.
    pub const fn description(self) -> &'static str {
        match self {
            Self::NoToken => "An access token is missing",
            Self::Malformed => "The request must carry exactly one access token, by one method",
            Self::InvalidToken => "The access token is unknown, has expired, or was revoked",
            Self::InsufficientScope(_) => "The access token lacks the scope that this endpoint needs",
        }
    }

    /// The reason for the audit trail.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoToken => "no_access_token",
            Self::Malformed => "malformed_access_token",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope(_) => "insufficient_scope",
        }
    }

    /// The answer: status, challenge, and, except where there was no token, the body of RFC 6749 section 5.2.
    ///
    /// # Errors
    /// When the challenge cannot be a header.
    pub fn respond(self, config: &Config) -> Result<Response, InternalError> {
        let (status, code) = match self {
            Self::NoToken => {
                let challenge = HeaderValue::from_static(r#"Bearer realm="wardgate""#);
                let headers = [(header::WWW_AUTHENTICATE, challenge)];
                return Ok((StatusCode::UNAUTHORIZED, headers).into_response());
            }
            Self::Malformed => (StatusCode::BAD_REQUEST, OAuthErrorCode::InvalidRequest),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, OAuthErrorCode::InvalidToken),
            Self::InsufficientScope(_) => (StatusCode::FORBIDDEN, OAuthErrorCode::InsufficientScope),
        };
        let scope = match self {
            Self::InsufficientScope(scope) => format!(r#", scope="{scope}""#),
            Self::NoToken | Self::Malformed | Self::InvalidToken => String::new(),
        };
        let description = self.description();
        let challenge = HeaderValue::from_str(&format!(
            r#"Bearer realm="wardgate", error="{code}", error_description="{description}"{scope}"#
        ))?;
        let mut response = json_error(config, status, code, description);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        Ok(response)
    }
}
