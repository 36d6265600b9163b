//! Refusals as a page, for people in a browser.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::extract::FormError;
use crate::views::{ErrorPage, FormTargets, page};

use super::internal::{InternalError, RETRY_AFTER_SECONDS};

/// Why a person sees an error page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The authorization request does not say reliably which client asks, or where the answer should go; so the answer
    /// goes nowhere (RFC 6749 section 4.1.2.1).
    #[error("{0}")]
    UntrustedRequest(&'static str),
    /// The authorization request that a page belongs to is answered already, has expired, or never was.
    #[error("no such authorization request")]
    RequestGone,
    /// The form's token does not belong to this browser, person and page; or the form is old.
    #[error("the form's token is wrong")]
    StaleForm,
    /// Another site sent the form.
    #[error("the form came from another site")]
    ForeignForm,
    /// The form's body is no form.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The form lacks a field, repeats one, or has a value that the page does not offer.
    #[error("a field of the form is missing or wrong")]
    Field,
    /// The person may look at this and not change it.
    #[error("this person may not change anything")]
    Forbidden,
    /// There is no such page.
    #[error("no such page")]
    NotFound,
    /// The page does not take this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// The issuer itself failed.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl PageError {
    /// The status that says it.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::UntrustedRequest(_) | Self::RequestGone | Self::StaleForm | Self::Field => {
                StatusCode::BAD_REQUEST
            }
            Self::ForeignForm | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Form(error) => error.status(),
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Internal(error) => error.status(),
        }
    }

    /// What happened and what to do, in two fixed sentences.
    const fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::UntrustedRequest(reason) => (
                reason,
                "You were not sent back, because it is not certain where to. Please tell the makers of the app.",
            ),
            Self::RequestGone => (
                "This request has been answered already, or it took too long.",
                "Please go back to the app and start again there.",
            ),
            Self::StaleForm => (
                "This form does not belong to your present session.",
                "You may have signed in or out in another tab. Please go back to the app and start again there.",
            ),
            Self::ForeignForm => (
                "This form was sent by another site.",
                "Nothing was done. If you did not expect to see this, you can close this page.",
            ),
            Self::Form(error) => (error.description(), "Nothing was done."),
            Self::Field => (
                "The form was not filled in as it should be.",
                "Please go back and try again.",
            ),
            Self::Forbidden => (
                "You may look at this, and not change it.",
                "Nothing was done. Please ask another administrator.",
            ),
            Self::NotFound => ("There is no such page.", "Please check the address."),
            Self::MethodNotAllowed => (
                "This page cannot be used in this way.",
                "Please go back and try again.",
            ),
            Self::Internal(_) => (
                "Something went wrong on our side.",
                "Please try again in a moment.",
            ),
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        if let Self::Internal(error) = &self {
            error.log();
        }
        let (happened, advice) = self.words();
        let mut response = match page(&ErrorPage { happened, advice }, &FormTargets::none()) {
            Ok(response) => response,
            // The error page itself cannot be rendered: the words go out without it.
            Err(_) => happened.into_response(),
        };
        *response.status_mut() = self.status();
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        response
    }
}
