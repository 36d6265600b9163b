//! Browsers that are remembered, by a cookie that outlives their closing.

use axum::http::HeaderValue;
use wardgate_shared::time::Timestamp;

use crate::domain::digest::SecretDigest;
use crate::domain::remembered_device::RememberedDevice;
use crate::domain::sign_in::DeviceChange;
use crate::error::internal::InternalError;
use crate::extract::cookies::Cookie;
use crate::login::completion::Browser;
use crate::rng;
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;

/// A browser that does not say what it is.
const UNKNOWN: &str = "An unknown browser";

/// The browser as this person had it remembered, if a second factor given there still counts.
///
/// # Errors
/// When the store cannot answer.
pub async fn recognise(
    state: &AppState,
    browser: Browser<'_>,
    user_id: &str,
    now: Timestamp,
) -> Result<Option<RememberedDevice>, InternalError> {
    let Some(digest) = digest_in(state, browser) else {
        return Ok(None);
    };
    let device = state.store().remembered_device(&digest, user_id, now).await?;
    let lifetime = state.config().second_factor.lifetime;
    Ok(device.filter(|device| lifetime.holds(device.last_factor_at, device.last_seen_at, now)))
}

/// What becomes of the browser when its person has given a second factor, and the cookie that goes with it.
///
/// # Errors
/// When there is no randomness.
pub fn change(
    state: &AppState,
    browser: Browser<'_>,
    user_id: &str,
    remember: bool,
    now: Timestamp,
) -> Result<(DeviceChange, Option<HeaderValue>), InternalError> {
    let before = digest_in(state, browser);
    if !remember {
        // The cookie stays: others may be remembered by it.
        return Ok((
            before.map_or(DeviceChange::None, |digest| DeviceChange::Forget { digest }),
            None,
        ));
    }
    let lifetime = state.config().second_factor.lifetime;
    let seconds = lifetime.interval_seconds.saturating_add(lifetime.idle_seconds);
    let secret = OpaqueSecret::Device.generate()?;
    let cookie = Cookie::Device.keep(secret.value.expose(), seconds, &state.config().server.public_url)?;
    let device = RememberedDevice {
        id: rng::identifier("device-")?,
        digest: secret.digest,
        user_id: user_id.into(),
        label: label(browser),
        created_at: now,
        last_factor_at: now,
        last_seen_at: now,
        expires_at: now.plus(seconds),
    };
    Ok((DeviceChange::Remember { device, before }, Some(cookie)))
}

fn digest_in(state: &AppState, browser: Browser<'_>) -> Option<SecretDigest> {
    Cookie::Device
        .read(browser.headers, &state.config().server.public_url)
        .filter(|value| OpaqueSecret::Device.is_shape_of(value))
        .map(SecretDigest::of)
}

/// What a person knows the browser by.
fn label(browser: Browser<'_>) -> String {
    let Some(user_agent) = browser.user_agent() else {
        return UNKNOWN.into();
    };
    match (user_agent.browser(), user_agent.system()) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.into(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => UNKNOWN.into(),
    }
}
