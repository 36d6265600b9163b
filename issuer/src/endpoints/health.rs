//! `/health/live` and `/health/ready`: for whatever starts, watches and balances the issuer.

mod description;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::error::internal::InternalError;
use crate::keys::{ID_TOKEN_ALGORITHMS, KeyError};
use crate::state::AppState;

pub use description::describe;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// The process runs.
pub async fn live() -> Response {
    Json(Health { status: "ok" }).into_response()
}

/// Requests can be answered: the process was not told to stop, the store reads and writes, and every algorithm has a key that
/// may sign now.
pub async fn ready(State(state): State<AppState>) -> Response {
    if state.is_stopping() {
        let health = Health { status: "stopping" };
        return (StatusCode::SERVICE_UNAVAILABLE, Json(health)).into_response();
    }
    match check(&state).await {
        Ok(()) => Json(Health { status: "ok" }).into_response(),
        Err(error) => {
            error.log();
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(Health {
                    status: "unavailable",
                }),
            )
                .into_response()
        }
    }
}

async fn check(state: &AppState) -> Result<(), InternalError> {
    state.store().check().await?;
    let (lives, now) = (state.keys().lives(), state.now());
    // An algorithm that was configured lately may still wait, and RS256 signs for it.
    let all_sign = ID_TOKEN_ALGORITHMS.into_iter().all(|algorithm| {
        lives
            .iter()
            .any(|key| key.algorithm == algorithm && key.may_sign(now))
    });
    if all_sign {
        Ok(())
    } else {
        Err(KeyError::NoSigningKey.into())
    }
}
