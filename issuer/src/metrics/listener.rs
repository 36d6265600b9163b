//! The listener for whoever watches: `/metrics`, and the checks in detail. It has an address of its own, which is never the one that
//! the world reaches, and asks for a token where one is configured.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use tower_http::timeout::TimeoutLayer;

use crate::endpoints::health;
use crate::layers;
use crate::state::AppState;

use super::MEDIA_TYPE;

/// Everything that the listener serves.
pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready_in_detail))
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(from_fn_with_state(state.clone(), authorized))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            layers::LONGEST_ANSWER,
        ))
        .layer(from_fn(layers::no_store))
        .with_state(state)
}

async fn metrics(State(state): State<AppState>) -> Response {
    let text = state.metrics().text(&state).await;
    (
        [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))],
        text,
    )
        .into_response()
}

/// Lets nobody through without the token, if there is one (RFC 6750 section 2.1).
async fn authorized(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let wanted = state
        .config()
        .metrics
        .as_ref()
        .and_then(|metrics| metrics.token.as_ref());
    let Some(wanted) = wanted else {
        return next.run(request).await;
    };
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .map_or("", |(_, token)| token);
    // Digests have one length, so that the comparison tells nothing of the token's.
    let (given, wanted) = (Sha256::digest(given), Sha256::digest(wanted.expose()));
    if aws_lc_rs::constant_time::verify_slices_are_equal(&given, &wanted).is_ok() {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
    (StatusCode::UNAUTHORIZED, challenge).into_response()
}
