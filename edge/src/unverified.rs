//! The platform's own limit for requests of which nothing is known: a flood of them ends here, before any cryptography.
//!
//! It counts by network, in the machine that the request came to, and is exact nowhere: a sieve before the limits of
//! [`crate::quota`], which keep their bound without it. It is asked for whatever addresses an API and has no token that was
//! verified a moment ago, whether the credential is missing, malformed or only not known yet; what is known passes without.
//! The configuration names it, and says where addresses come from that can be believed.
//!
//! While the platform does not answer, every request is admitted: whatever comes after it holds all the same.

use crate::api_keys;
use crate::config::Api;
use crate::credentials::{self, Credential};
use crate::error::Refusal;
use crate::gateway::Gateway;
use crate::headers;
use crate::outside::Outside;
use crate::quota::network_of;
use crate::request::Incoming;

/// How long a request waits for the platform, in milliseconds. What it counts lies beside the Worker.
const TIMEOUT_MILLISECONDS: u32 = 100;

/// When to try again, in seconds. The platform counts by ten seconds or by a minute and does not say which.
pub const RETRY_AFTER: &str = "60";

/// Asks the platform about a request, unless its token is known.
///
/// # Errors
/// [`Refusal::TooManyUnverified`].
pub async fn admit<O: Outside>(
    gateway: &Gateway<O::Key>,
    outside: &O,
    api: &Api,
    request: &Incoming<'_>,
) -> Result<(), Refusal> {
    let config = &gateway.config;
    let Some(binding) = &config.unverified_limit else {
        return Ok(());
    };
    // Each kind of credential has its way to be known.
    let is_known = match credentials::present(request, config.takes_api_keys(api)) {
        Ok(Credential::Bearer(token) | Credential::Dpop(token)) => {
            gateway.tokens.borrow().holds(token, &api.name)
        }
        Ok(Credential::ApiKey { key, secret }) => api_keys::is_known(gateway, outside, api, key, secret),
        Err(_) => false,
    };
    if is_known {
        return Ok(());
    }
    let address = headers::client_address(config.client_address, request).unwrap_or_default();
    let network = network_of(address);
    match outside
        .ask_platform_limit(binding, &network, TIMEOUT_MILLISECONDS)
        .await
    {
        Some(false) => Err(Refusal::TooManyUnverified),
        Some(true) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
