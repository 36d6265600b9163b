//! JSON in a request body.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

/// The bytes of an `application/json` body, not yet parsed. How long a body may be is said by the router's layer.
#[derive(Debug)]
pub struct JsonBody(pub Bytes);

/// Why a body is no JSON. Handlers answer it in the form of their endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonBodyError {
    /// `Content-Type` is absent, doubled or something else.
    NotJson,
    /// The body is longer than the router's limit.
    TooLong,
    /// The body broke off.
    Interrupted,
}

impl JsonBodyError {
    /// The status that says it.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson | Self::Interrupted => StatusCode::BAD_REQUEST,
        }
    }

    /// The reason in words that never repeat anything of the request.
    pub const fn description(self) -> &'static str {
        match self {
            Self::NotJson => "The request body must be application/json",
            Self::TooLong => "The request body is too long",
            Self::Interrupted => "The request body could not be read",
        }
    }
}

impl IntoResponse for JsonBodyError {
    fn into_response(self) -> Response {
        (self.status(), self.description()).into_response()
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = JsonBodyError;

    async fn from_request(request: Request, state: &S) -> Result<Self, JsonBodyError> {
        let mut content_types = request.headers().get_all(header::CONTENT_TYPE).iter();
        let is_json = content_types
            .next()
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                let essence = value.split(';').next().unwrap_or_default().trim();
                essence.eq_ignore_ascii_case("application/json")
            });
        if !is_json || content_types.next().is_some() {
            return Err(JsonBodyError::NotJson);
        }
        let body = Bytes::from_request(request, state).await;
        body.map(Self).map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                JsonBodyError::TooLong
            } else {
                JsonBodyError::Interrupted
            }
        })
    }
}
