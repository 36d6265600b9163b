//! The authorization endpoint's answers that travel through the browser to the client (RFC 6749 section 4.1.2,
//! RFC 9207).
//!
//! A redirect, or a form that posts itself, can only be built on a [`RedirectTarget`], which only a registered URI yields;
//! so no request can make the issuer send the browser anywhere else.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::redirect_uri::RedirectTarget;

use crate::config::Config;
use crate::domain::authorization_request::ResponseMode;
use crate::views::form_post;

use super::internal::InternalError;
use crate::endpoints::documentation::error_uri;

/// 303, so that a POST is never repeated at the client with what was typed into our page (RFC 9700 section 4.12).
fn redirect(location: &str) -> Result<Response, InternalError> {
    let location = HeaderValue::from_str(location)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// Sends the browser to another page of the issuer. `path` starts with a slash and is made of known parts only.
///
/// # Errors
/// When `path` cannot be a header.
pub fn to_own_page(path: &str) -> Result<Response, InternalError> {
    redirect(path)
}

/// Sends the browser to another page of the issuer with these parameters in the query.
///
/// # Errors
/// When the location cannot be a header.
pub fn to_own_page_with<'a>(
    path: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Response, InternalError> {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    if query.is_empty() {
        redirect(path)
    } else {
        redirect(&format!("{path}?{query}"))
    }
}

/// Sends the browser on to the client whose person signed out, with nothing but `state` (OUT-02, OUT-03).
///
/// # Errors
/// When the location cannot be a header.
pub fn after_logout(target: &RedirectTarget, state: Option<&str>) -> Result<Response, InternalError> {
    redirect(&target.with_parameters(state.map(|state| ("state", state))))
}

/// How to reach the client of an authorization request.
#[derive(Clone, Copy, Debug)]
pub struct ReturnPath<'a> {
    /// Where.
    pub target: &'a RedirectTarget,
    /// By what means.
    pub mode: ResponseMode,
    /// `state`, given back as it came.
    pub state: Option<&'a str>,
}

impl ReturnPath<'_> {
    /// Sends the browser back with `parameters`, `state` and `iss`.
    fn send(self, config: &Config, answer: &[(&str, &str)]) -> Result<Response, InternalError> {
        let mut parameters = answer.to_vec();
        parameters.extend(self.state.map(|state| ("state", state)));
        parameters.push(("iss", config.server.public_url.as_str()));
        match self.mode {
            ResponseMode::Query => redirect(&self.target.with_parameters(parameters)),
            ResponseMode::FormPost => form_post(self.target, &parameters),
        }
    }
}

/// Sends the browser back to the client with a code.
///
/// # Errors
/// When the answer cannot be built.
pub fn with_code(config: &Config, path: ReturnPath<'_>, code: &str) -> Result<Response, InternalError> {
    path.send(config, &[("code", code)])
}

/// Sends the browser back to the client with an error. `description` obeys OIDC-28: printable ASCII without `"` and `\`.
///
/// # Errors
/// When the answer cannot be built.
pub fn with_error(
    config: &Config,
    path: ReturnPath<'_>,
    code: OAuthErrorCode,
    description: &'static str,
) -> Result<Response, InternalError> {
    let uri = error_uri(config, code);
    let parameters = [
        ("error", code.as_str()),
        ("error_description", description),
        ("error_uri", uri.as_str()),
    ];
    path.send(config, &parameters)
}
