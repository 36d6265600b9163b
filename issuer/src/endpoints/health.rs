//! `/health/live` and `/health/ready`: for whatever starts, watches and balances the issuer.
//!
//! The world is told no more than whether: each check's outcome is told on the listener for metrics alone ([`crate::metrics`]).

mod description;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::readiness::Health;
use crate::state::AppState;

pub use description::describe;

#[derive(Serialize)]
struct Told {
    status: &'static str,
}

/// The process runs, and its event loop answers.
pub async fn live() -> Response {
    Json(Told { status: "ok" }).into_response()
}

/// Requests can be answered: see [`crate::readiness`].
pub async fn ready(State(state): State<AppState>) -> Response {
    if state.is_stopping() {
        let told = Told { status: "stopping" };
        return (StatusCode::SERVICE_UNAVAILABLE, Json(told)).into_response();
    }
    let health = state.readiness().check(&state).await;
    let told = Told {
        status: if health.is_ready() { "ok" } else { "unavailable" },
    };
    (status(&health), Json(told)).into_response()
}

/// The same, with each check's outcome.
pub async fn ready_in_detail(State(state): State<AppState>) -> Response {
    let health = state.readiness().check(&state).await;
    let media_type = HeaderValue::from_static("application/health+json");
    let body = health.document().to_string();
    (status(&health), [(header::CONTENT_TYPE, media_type)], body).into_response()
}

fn status(health: &Health) -> StatusCode {
    if health.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
