//! Cross-origin calls of the token, revocation, userinfo, pushed request and device endpoints: for browser apps, from the
//! origins of registered redirect URIs and no others (SMART-81, SMART-83).
//!
//! The layer answers preflights and adds the one header to answers. It is no access control: a program can send any
//! `Origin`. Cookies are never allowed, and these endpoints look at none.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};

use crate::error::internal::InternalError;
use crate::error::json_body::json_internal;
use crate::state::AppState;
use crate::views::web_origin;

/// How long a browser may remember a preflight's answer, in seconds.
const PREFLIGHT_MAXIMUM_AGE: &str = "600";

/// The layer.
pub async fn registered_origins(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let allowed = match origin {
        Some(origin) => match is_registered(&state, &origin).await {
            Ok(registered) => registered.then_some(origin),
            Err(error) => return json_internal(state.config(), &error),
        },
        None => None,
    };
    let mut response = match (is_preflight, &allowed) {
        (true, Some(_)) => preflight(),
        (true, None) => StatusCode::NO_CONTENT.into_response(),
        (false, _) => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("www-authenticate, retry-after, x-request-id, dpop-nonce"),
        );
    }
    response
}

fn preflight() -> Response {
    let headers = [
        // Userinfo takes GET too, which browsers allow without its being named, as they do POST.
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, dpop",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAXIMUM_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

async fn is_registered(state: &AppState, origin: &HeaderValue) -> Result<bool, InternalError> {
    let clients = state.store().clients().await?;
    let mut uris = clients.iter().flat_map(|client| &client.redirect_uris);
    Ok(uris.any(|uri| web_origin(uri.as_str()).is_some_and(|own| *origin == own)))
}

#[cfg(test)]
mod tests;
