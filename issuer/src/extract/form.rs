//! A form in a request body.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use super::parameters::{Parameters, ParametersError};

/// The media type of a form.
pub(super) const FORM_TYPE: &str = "application/x-www-form-urlencoded";

/// The parameters of an `application/x-www-form-urlencoded` body. How long a body may be is said by the router's layer.
#[derive(Debug)]
pub struct Form(pub Parameters);

/// Why a body is no form. Handlers answer it in the form of their endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// `Content-Type` is absent, doubled or something else.
    #[error("The body must be application/x-www-form-urlencoded")]
    NotAForm,
    /// The same, where JSON is taken too.
    #[error("The body must be application/x-www-form-urlencoded or application/json")]
    NeitherFormNorJson,
    /// The body is longer than the router's limit.
    #[error("The body is too long")]
    TooLong,
    /// The body broke off.
    #[error("The body could not be read")]
    Interrupted,
    /// The body is no JSON object, or repeats a member.
    #[error("The body is not a JSON object whose members have distinct names")]
    Json,
    /// A member of the JSON object is no text.
    #[error("Every member of the JSON object must be a text")]
    NotAText,
    /// The body is not made of parameters.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
}

impl FormError {
    /// The status that says it.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NeitherFormNorJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAForm | Self::Interrupted | Self::Json | Self::NotAText | Self::Parameters(_) => {
                StatusCode::BAD_REQUEST
            }
        }
    }

    /// The reason in words that never repeat anything of the request.
    pub const fn description(self) -> &'static str {
        match self {
            Self::NotAForm => "The request body must be application/x-www-form-urlencoded",
            Self::NeitherFormNorJson => {
                "The request body must be application/x-www-form-urlencoded or application/json"
            }
            Self::TooLong => "The request body is too long",
            Self::Interrupted => "The request body could not be read",
            Self::Json => "The request body is not a JSON object whose members have distinct names",
            Self::NotAText => "Every member of the JSON object must be a text",
            Self::Parameters(ParametersError::Malformed) => "The parameters are not percent-encoded UTF-8",
            Self::Parameters(ParametersError::TooMany) => "There are too many parameters",
        }
    }
}

impl IntoResponse for FormError {
    fn into_response(self) -> Response {
        (self.status(), self.description()).into_response()
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = FormError;

    async fn from_request(request: Request, state: &S) -> Result<Self, FormError> {
        if !has_type(request.headers(), FORM_TYPE) {
            return Err(FormError::NotAForm);
        }
        Ok(Self(Parameters::parse(&body(request, state).await?)?))
    }
}

/// Whether a body is of this media type: said once, and in whatever letter case.
pub(super) fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    let mut content_types = headers.get_all(header::CONTENT_TYPE).iter();
    let is_wanted = content_types
        .next()
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case(wanted)
        });
    is_wanted && content_types.next().is_none()
}

/// The whole body of a request.
pub(super) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, FormError> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            FormError::TooLong
        } else {
            FormError::Interrupted
        }
    })
}
