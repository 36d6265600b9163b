//! `launch`: the EHR launch that an authorization request comes with (SMART App Launch 2.2 "EHR launch"; SMART-19).
//!
//! The value is a secret of 256 random bits that the store knows by its digest. It holds for the client and the FHIR base
//! that it was made for, and is spent when the request is approved, not here: an app may try again.

use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use crate::domain::digest::SecretDigest;
use crate::domain::launch::Launch;
use crate::error::internal::InternalError;
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;

use super::refusal::AuthorizationError;

/// The request that a launch came with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The value of the launch, if one came.
    pub(super) launch: Option<&'a str>,
    /// Who asks.
    pub(super) client_id: &'a str,
    /// What for, cut to what the client may have.
    pub(super) scope: &'a ScopeSet,
    /// At which resources.
    pub(super) audiences: &'a [String],
}

/// What had to be looked up for it.
#[derive(Debug)]
pub(super) struct LookedUp {
    /// The only person who may answer the request.
    pub(super) hinted_user_id: Option<String>,
    /// The launch.
    pub(super) launch: Option<Launch>,
}

/// The launch that a request came with. Whom it is for, nobody else may answer; it must agree with `id_token_hint`.
///
/// # Errors
/// Inside the `Ok`: why the request is refused. Outside: what the store could not answer.
pub(super) async fn look_up(
    state: &AppState,
    asked: Asked<'_>,
    hinted_user_id: Option<String>,
    now: Timestamp,
) -> Result<Result<LookedUp, AuthorizationError>, InternalError> {
    let Some(value) = asked.launch else {
        return Ok(Ok(LookedUp {
            hinted_user_id,
            launch: None,
        }));
    };
    let launch = match find(state, value, asked, now).await? {
        Ok(launch) => launch,
        Err(error) => return Ok(Err(error)),
    };
    let hinted_user_id = match (hinted_user_id, launch.context.user_id.clone()) {
        (Some(hinted), Some(launched)) if hinted != launched => {
            return Ok(Err(AuthorizationError::UnknownLaunch));
        }
        (hinted, launched) => hinted.or(launched),
    };
    Ok(Ok(LookedUp {
        hinted_user_id,
        launch: Some(launch),
    }))
}

/// The launch of this value.
async fn find(
    state: &AppState,
    value: &str,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<Result<Launch, AuthorizationError>, InternalError> {
    if !asked.scope.contains("launch") {
        return Ok(Err(AuthorizationError::LaunchWithoutScope));
    }
    if !OpaqueSecret::Launch.is_shape_of(value) {
        return Ok(Err(AuthorizationError::UnknownLaunch));
    }
    let found = state
        .store()
        .launch(&SecretDigest::of(value), asked.client_id, now)
        .await?;
    let launch = found.filter(|launch| asked.audiences.contains(&launch.audience));
    Ok(launch.ok_or(AuthorizationError::UnknownLaunch))
}
