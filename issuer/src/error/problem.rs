//! Problem documents (RFC 9457): refusals of the endpoints that are neither OAuth's nor pages.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::problem::{PROBLEM_MEDIA_TYPE, Problem};

use crate::administration::FieldFault;
use crate::config::Config;

use super::bearer::BearerError;
use super::internal::{InternalError, RETRY_AFTER_SECONDS};

/// A problem document with the extension member `errors` (RFC 9457 section 3.2).
#[derive(Serialize)]
struct WithErrors<'a> {
    #[serde(flatten)]
    problem: Problem,
    errors: Vec<ErrorEntry<'a>>,
}

#[derive(Serialize)]
struct ErrorEntry<'a> {
    field: &'a str,
    detail: &'a str,
}

/// A refusal. `title` says the kind and is the same each time; `detail` says what is wrong with this request.
pub fn problem(status: StatusCode, title: &'static str, detail: Option<Cow<'static, str>>) -> Response {
    let document = Problem {
        kind: Cow::Borrowed("about:blank"),
        title: Cow::Borrowed(title),
        status: status.as_u16(),
        detail,
    };
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE))];
    match serde_json::to_vec(&document) {
        Ok(body) => (status, content_type, body).into_response(),
        // Four members of text always serialise.
        Err(_) => status.into_response(),
    }
}

/// A refusal that names what is wrong with each member: `errors` has an entry with `field` and `detail` for each.
pub fn problem_errors(
    status: StatusCode,
    title: &'static str,
    detail: &'static str,
    errors: &[FieldFault],
) -> Response {
    let document = WithErrors {
        problem: Problem {
            kind: Cow::Borrowed("about:blank"),
            title: Cow::Borrowed(title),
            status: status.as_u16(),
            detail: Some(Cow::Borrowed(detail)),
        },
        errors: errors
            .iter()
            .map(|fault| ErrorEntry {
                field: &fault.field,
                detail: &fault.detail,
            })
            .collect(),
    };
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE))];
    match serde_json::to_vec(&document) {
        Ok(body) => (status, content_type, body).into_response(),
        // Texts always serialise.
        Err(_) => status.into_response(),
    }
}

/// The refusal of the access token of a request with these headers, with the challenges of RFC 6750 section 3 and RFC 9449
/// section 7.1.
pub fn problem_bearer(config: &Config, headers: &HeaderMap, error: BearerError) -> Response {
    let answer = match error.respond(config, headers) {
        Ok(answer) => answer,
        Err(failure) => return problem_internal(&failure),
    };
    let mut response = problem(
        answer.status(),
        "The access token does not open this endpoint",
        Some(Cow::Borrowed(error.description())),
    );
    for challenge in answer.headers().get_all(header::WWW_AUTHENTICATE) {
        response
            .headers_mut()
            .append(header::WWW_AUTHENTICATE, challenge.clone());
    }
    // Whoever counts failures tells a call that lacks only the server's nonce from a bad one by it.
    if let Some(code) = answer.extensions().get::<OAuthErrorCode>() {
        response.extensions_mut().insert(*code);
    }
    response
}

/// The answer when the issuer itself failed. Logs the cause.
pub fn problem_internal(error: &InternalError) -> Response {
    error.log();
    let mut response = problem(error.status(), "The server cannot answer", None);
    if error.is_temporary() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::error::dpop::ProofRefusal;
    use crate::testing;

    #[test]
    fn a_refused_token_keeps_the_code_by_which_failures_are_told_apart() {
        let config = testing::config(Path::new(""));
        for (error, code) in [
            (BearerError::InvalidToken, Some(OAuthErrorCode::InvalidToken)),
            (
                BearerError::Proof(ProofRefusal::Nonce),
                Some(OAuthErrorCode::UseDpopNonce),
            ),
            (BearerError::NoToken, None),
        ] {
            let answer = problem_bearer(&config, &HeaderMap::new(), error);
            assert_eq!(
                answer.extensions().get::<OAuthErrorCode>(),
                code.as_ref(),
                "{error:?}"
            );
        }
    }
}
