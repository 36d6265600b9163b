//! `request_uri`: an authorization request that its client pushed before (RFC 9126 section 4).
//!
//! Only what was pushed counts; whatever else stands beside `client_id` and `request_uri` is not even read (FAPI-08). The
//! reference is bound to its client, may be visited for a minute, and is consumed when the request is answered, not by a
//! visit (FAPI-15 to FAPI-17). Until the stored request is found there is no address that could be trusted, so every
//! refusal is a page.

use wardgate_shared::time::Timestamp;

use crate::error::internal::InternalError;
use crate::extract::Parameters;
use crate::state::AppState;

use super::pending::PendingRequest;
use super::refusal::{Refusal, UntrustedRequest};

/// What every `request_uri` of ours begins with (RFC 9126 section 2.2).
pub const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The pushed request that the parameters name; `None` when they name none.
///
/// # Errors
/// Inside the `Some`: the [`Refusal`]. Outside: what the store could not answer.
pub async fn load(
    state: &AppState,
    parameters: &Parameters,
    now: Timestamp,
) -> Result<Option<Result<PendingRequest, Refusal>>, InternalError> {
    if !parameters.all("request_uri").any(|uri| uri.starts_with(PREFIX)) {
        return Ok(None);
    }
    let page = |error| {
        Ok(Some(Err(Refusal::Page {
            error,
            client_id: None,
        })))
    };
    let Ok(Some(client_id)) = parameters.single("client_id") else {
        return page(UntrustedRequest::NoClient);
    };
    let Ok(reference) = parameters.single("request_uri") else {
        return page(UntrustedRequest::PushedRequestGone);
    };
    let id = reference
        .and_then(|uri| uri.strip_prefix(PREFIX))
        .unwrap_or_default();
    match PendingRequest::load_pushed(state, id, client_id, now).await? {
        Some(pending) => Ok(Some(Ok(pending))),
        None => page(UntrustedRequest::PushedRequestGone),
    }
}
