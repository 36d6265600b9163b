//! The JSON body of RFC 6749 section 5.2: `error`, `error_description`, `error_uri`.

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::config::Config;
use crate::endpoints::documentation::error_uri;

use super::internal::{InternalError, RETRY_AFTER_SECONDS};

#[derive(Serialize)]
struct Body {
    error: OAuthErrorCode,
    error_description: Cow<'static, str>,
    error_uri: String,
}

/// An error answer. `description` is text of our own in the characters that RFC 6749 section 5.2 allows: printable ASCII
/// without `"` and `\`.
pub fn json_error(
    config: &Config,
    status: StatusCode,
    code: OAuthErrorCode,
    description: impl Into<Cow<'static, str>>,
) -> Response {
    let body = Body {
        error: code,
        error_description: description.into(),
        error_uri: error_uri(config, code),
    };
    let mut response = (status, Json(body)).into_response();
    // For the layers around the endpoints, which have no other way to know.
    response.extensions_mut().insert(code);
    response
}

/// The answer to a failed client authentication: 401 and a challenge (RFC 6749 section 5.2).
pub fn json_client_challenge(config: &Config, description: &'static str) -> Response {
    let mut response = json_error(
        config,
        StatusCode::UNAUTHORIZED,
        OAuthErrorCode::InvalidClient,
        description,
    );
    let challenge = HeaderValue::from_static(r#"Basic realm="wardgate", charset="UTF-8""#);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// The answer when the issuer itself failed. Logs the cause.
pub fn json_internal(config: &Config, error: &InternalError) -> Response {
    error.log();
    if !error.is_temporary() {
        let description = "The server met an unexpected condition";
        return json_error(config, error.status(), OAuthErrorCode::ServerError, description);
    }
    unavailable(config, error.status(), "The server cannot answer at the moment")
}

/// The answer when somebody else, whom the answer depends on, cannot be asked now. `description` as in [`json_error`].
pub fn json_unavailable(config: &Config, description: &'static str) -> Response {
    unavailable(config, StatusCode::SERVICE_UNAVAILABLE, description)
}

fn unavailable(config: &Config, status: StatusCode, description: &'static str) -> Response {
    let mut response = json_error(
        config,
        status,
        OAuthErrorCode::TemporarilyUnavailable,
        description,
    );
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    response
}
