//! `/oauth2/userinfo`: who the person is (OpenID Connect Core section 5.3).
//!
//! Told is what the scopes of the token open (section 5.4) and what the client asked for by name (section 5.5), as far as
//! the account holds it; `sub` always. `email_verified` and `phone_number_verified` are true only where the operator said so:
//! the issuer has not checked by itself that either reaches the person. The answer is JSON, or, for clients that registered
//! `userinfo_signed_response_alg`, a signed JWT.

mod description;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::domain::person_claim::{PersonClaim, told};
use crate::error::bearer::BearerError;
use crate::error::internal::InternalError;
use crate::error::json_body::{json_error, json_internal};
use crate::extract::{Form, FormError, Parameters, RequestTarget};
use crate::state::AppState;
use crate::tokens::own::LiveAccessToken;
use crate::tokens::signed;

use super::bearer_authentication;

pub use description::describe;

/// The scope that makes an access token one of OpenID Connect.
const SCOPE: &str = "openid";

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
        Ok(Ok(response)) => Ok(response),
        Ok(Err(refusal)) => refusal.respond(state.config(), headers),
        Err(error) => Err(error),
    };
    match told {
        Ok(mut response) => {
            // A cache that keeps answers in spite of `no-store` must not give one person's to another.
            let vary = HeaderValue::from_static("Authorization");
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
) -> Result<Result<Response, BearerError>, InternalError> {
    let live = match bearer_authentication::authenticate(state, target, headers, form, SCOPE).await? {
        Ok(live) => live,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let client_id = live.token.claims().client_id.clone();
    let Some(members) = members(state, live) else {
        // A client that acts for itself is nobody.
        return Ok(Err(BearerError::InsufficientScope(SCOPE)));
    };
    let client = state.store().client(&client_id).await?;
    let algorithm = client.and_then(|client| client.metadata.userinfo_signed_response_alg);
    let Some(algorithm) = algorithm else {
        return Ok(Ok(Json(members).into_response()));
    };
    let jwt = signed::user_info(state, algorithm, &client_id, members, state.now())?;
    let mut response = jwt.expose().clone().into_response();
    let content_type = HeaderValue::from_static("application/jwt");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Ok(Ok(response))
}

/// The claims; none when the token speaks for no person.
fn members(state: &AppState, live: LiveAccessToken) -> Option<Map<String, Value>> {
    let LiveAccessToken { token, user, grant } = live;
    let (user, claims) = (user?, token.into_claims());
    // A token that another client got by an exchange has the grant, and nobody agreed to tell that client these.
    let own_grant = grant.as_ref().filter(|grant| grant.client_id == claims.client_id);
    let asked = own_grant.map(|grant| &grant.claims.userinfo);
    let is_open = |claim: PersonClaim| {
        claims.scope.split(' ').any(|own| own == claim.scope())
            || asked.is_some_and(|asked| asked.contains(&claim))
    };
    // As the token names it, since that is what the resources are told.
    let fhir_user = claims.fhir_user.clone().or_else(|| {
        let audiences = grant.as_ref().map_or(&[][..], |grant| &grant.audiences);
        signed::fhir_user_reference(state.config(), &user, audiences)
    });
    let mut members = told(&user, fhir_user.as_deref(), is_open);
    members.insert("sub".into(), claims.subject.into());
    Some(members)
}

#[cfg(test)]
mod tests;
