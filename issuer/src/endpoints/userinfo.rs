//! `/oauth2/userinfo`: who the person is (OpenID Connect Core section 5.3).
//!
//! What is told depends on the scopes of the token, and is only what the account holds: `sub` always, `name` for `profile`,
//! the address for `email`, `fhirUser` for `fhirUser`. `email_verified` is false: addresses are entered by whoever made
//! the account, and the issuer has not checked that they reach the person.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::error::bearer::BearerError;
use crate::error::internal::InternalError;
use crate::error::json_body::{json_error, json_internal};
use crate::extract::{Form, FormError, Parameters, RequestTarget};
use crate::state::AppState;

use super::bearer_authentication;

/// The scope that makes an access token one of OpenID Connect.
const SCOPE: &str = "openid";

/// The answer.
#[derive(Serialize)]
struct UserInfo {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(rename = "fhirUser", skip_serializing_if = "Option::is_none")]
    fhir_user: Option<String>,
}

/// Answers for the token in the header.
pub async fn get(State(state): State<AppState>, target: RequestTarget, headers: HeaderMap) -> Response {
    answer(&state, &target, &headers, None).await
}

/// Answers for the token in the header or in the form (RFC 6750 section 2.2). A request with the header needs no body.
pub async fn post(
    State(state): State<AppState>,
    target: RequestTarget,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Response {
    match form {
        Ok(Form(parameters)) => answer(&state, &target, &headers, Some(&parameters)).await,
        Err(FormError::NotAForm) => answer(&state, &target, &headers, None).await,
        Err(error) => json_error(
            state.config(),
            error.status(),
            OAuthErrorCode::InvalidRequest,
            error.description(),
        ),
    }
}

/// Answers every other method.
pub async fn other_method(State(state): State<AppState>) -> Response {
    let description = "The userinfo endpoint takes GET and POST only";
    json_error(
        state.config(),
        StatusCode::METHOD_NOT_ALLOWED,
        OAuthErrorCode::InvalidRequest,
        description,
    )
}

async fn answer(
    state: &AppState,
    target: &RequestTarget,
    headers: &HeaderMap,
    form: Option<&Parameters>,
) -> Response {
    let told = match user_info(state, target, headers, form).await {
        Ok(Ok(info)) => Ok(Json(info).into_response()),
        Ok(Err(refusal)) => refusal.respond(state.config(), headers),
        Err(error) => Err(error),
    };
    match told {
        Ok(mut response) => {
            // A cache that keeps answers in spite of `no-store` must not give one person's to another.
            let vary = http::HeaderValue::from_static("Authorization");
            response.headers_mut().append(header::VARY, vary);
            response
        }
        Err(error) => json_internal(state.config(), &error),
    }
}

async fn user_info(
    state: &AppState,
    target: &RequestTarget,
    headers: &HeaderMap,
    form: Option<&Parameters>,
) -> Result<Result<UserInfo, BearerError>, InternalError> {
    let live = match bearer_authentication::authenticate(state, target, headers, form, SCOPE).await? {
        Ok(live) => live,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Some(user) = live.user else {
        // A client that acts for itself is nobody.
        return Ok(Err(BearerError::InsufficientScope(SCOPE)));
    };
    let claims = live.token.into_claims();
    let granted = |scope| claims.scope.split(' ').any(|own| own == scope);
    let email = granted("email").then_some(user.email);
    Ok(Ok(UserInfo {
        name: granted("profile").then_some(user.name),
        email_verified: email.is_some().then_some(false),
        email,
        fhir_user: claims.fhir_user,
        sub: user.id,
    }))
}

#[cfg(test)]
mod tests;
