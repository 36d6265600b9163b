//! Refusals of access tokens at the issuer's own endpoints (RFC 6750 section 3, RFC 9449 section 7.1).

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::config::Config;
use crate::endpoints::bearer_authentication::Scheme;

use super::dpop::{ProofRefusal, algorithm_names};
use super::internal::InternalError;
use super::json_body::json_error;

/// Why an access token does not open an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerError {
    /// There is none. The answer names no error then (RFC 6750 section 3.1).
    NoToken,
    /// There are several, or it is not where or what a token may be.
    Malformed,
    /// It was not issued here, has expired, or was revoked.
    InvalidToken,
    /// It is bound to a key, and came without the scheme that shows the key (RFC 9449 section 7.2).
    Bound,
    /// It came with the scheme DPoP, and is not bound to the key of the proof.
    AnotherKey,
    /// The proof beside it is not good.
    Proof(ProofRefusal),
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
            Self::Bound => {
                "The access token is bound to a key: use the scheme DPoP, with a proof made with that key"
            }
            Self::AnotherKey => "The access token is not bound to the key of the DPoP proof",
            Self::Proof(refusal) => refusal.description(),
            Self::InsufficientScope(_) => "The access token lacks the scope that this endpoint needs",
        }
    }

    /// The reason for the audit trail.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoToken => "no_access_token",
            Self::Malformed => "malformed_access_token",
            Self::InvalidToken => "invalid_token",
            Self::Bound => "bound_access_token",
            Self::AnotherKey => "dpop_key_mismatch",
            Self::Proof(refusal) => match refusal.reason() {
                Some(reason) => reason,
                None => refusal.code().as_str(),
            },
            Self::InsufficientScope(_) => "insufficient_scope",
        }
    }

    /// The answer to a request with these headers: status, challenges, and, except where there was no token, the body of
    /// RFC 6749 section 5.2. Both schemes are offered, the one that was used first and with the error.
    ///
    /// # Errors
    /// When a challenge cannot be a header.
    pub fn respond(self, config: &Config, headers: &HeaderMap) -> Result<Response, InternalError> {
        let (status, code) = match self {
            Self::NoToken => {
                let response = StatusCode::UNAUTHORIZED.into_response();
                return with_challenges(response, Scheme::Bearer, "");
            }
            Self::Malformed => (StatusCode::BAD_REQUEST, OAuthErrorCode::InvalidRequest),
            Self::InvalidToken | Self::Bound | Self::AnotherKey => {
                (StatusCode::UNAUTHORIZED, OAuthErrorCode::InvalidToken)
            }
            Self::Proof(refusal) => (StatusCode::UNAUTHORIZED, refusal.code()),
            Self::InsufficientScope(_) => (StatusCode::FORBIDDEN, OAuthErrorCode::InsufficientScope),
        };
        let scope = match self {
            Self::InsufficientScope(scope) => format!(r#", scope="{scope}""#),
            Self::NoToken
            | Self::Malformed
            | Self::InvalidToken
            | Self::Bound
            | Self::AnotherKey
            | Self::Proof(_) => String::new(),
        };
        let description = self.description();
        let used = headers.get(header::AUTHORIZATION).and_then(Scheme::of);
        let error = format!(r#", error="{code}", error_description="{description}"{scope}"#);
        let response = json_error(config, status, code, description);
        with_challenges(response, used.unwrap_or(Scheme::Bearer), &error)
    }
}

/// Adds both challenges; `error` goes with the scheme that was `used`.
fn with_challenges(mut response: Response, used: Scheme, error: &str) -> Result<Response, InternalError> {
    let bearer = |error| format!(r#"Bearer realm="wardgate"{error}"#);
    let algorithms = algorithm_names();
    let dpop = |error| format!(r#"DPoP realm="wardgate"{error}, algs="{algorithms}""#);
    let challenges = match used {
        Scheme::Bearer => [bearer(error), dpop("")],
        Scheme::Dpop => [dpop(error), bearer("")],
    };
    for challenge in challenges {
        let value = HeaderValue::from_str(&challenge)?;
        response.headers_mut().append(header::WWW_AUTHENTICATE, value);
    }
    Ok(response)
}
