//! API keys: a key and its secret are exchanged at an issuer for an access token, and from there on it is a token like any
//! other.
//!
//! | module | what it answers |
//! |---|---|
//! | [`cache`] | Is there a token for this key and secret, and may the issuer be asked for one? |
//! | [`mod@obtain`] | From key and secret to a token |
//!
//! The checksum of both halves is looked at first ([`wardgate_shared::api_key`]), so that what was mistyped costs nobody
//! anything. The issuer is asked as OAuth has it: the grant `client_credentials`, the key as `client_id` (RFC 6749
//! sections 2.3.1 and 4.4). What it answers goes through [`authenticate`] and is trusted for its signature, never for where
//! it came from.

use std::rc::Rc;

use wardgate_shared::api_key::{ApiKeyPart, recognize};

use crate::authenticate::{Holder, TokenError, authenticate};
use crate::config::Api;
use crate::error::Refusal;
use crate::explain::Trail;
use crate::gateway::Gateway;
use crate::log::Incident;
use crate::outside::Outside;

pub mod cache;
pub mod obtain;

use obtain::{Exchange, obtain};

/// The two headers, the key's and its secret's.
pub const HEADERS: [&str; 2] = ["x-api-key", "x-api-secret"];

/// Who holds the token that this key and secret are exchanged for.
///
/// # Errors
/// [`Refusal::Token`] when key and secret are not good, [`Refusal::Undecided`] when nothing can be said about them.
pub async fn authenticate_key<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    api: &Api,
    key: &str,
    secret: &str,
    trail: &mut Trail,
) -> Result<Rc<Holder>, Refusal> {
    trail.step("exchange");
    if recognize(key) != Some(ApiKeyPart::Key) || recognize(secret) != Some(ApiKeyPart::Secret) {
        return Err(TokenError::ApiKeyMistyped.into());
    }
    let exchange = Exchange::of(gateway, outside, api, key, secret)?;
    trail.found("issuer", &exchange.issuer);
    let mut is_fresh = false;
    loop {
        let token = obtain(gateway, outside, &exchange).await?;
        let outcome = authenticate(gateway, outside, api, &token, trail).await;
        let Err(Refusal::Token(error)) = outcome else {
            return outcome;
        };
        let mut cache = gateway.api_keys.borrow_mut();
        if is_fresh {
            let retry_after_seconds = cache.distrust(&exchange.name, &token, outside.now());
            if error == TokenError::Revoked {
                return Err(error.into());
            }
            // Fresh from the issuer, and not to be accepted: the fault is in how both are set up, not with who asks.
            outside.log(&Incident::ApiKeyTokenRefused.line(&exchange.issuer));
            return Err(Refusal::Undecided { retry_after_seconds });
        }
        // It may have ended before its time, as it does when the key gets a new secret: another one tells.
        cache.forget(&exchange.name, &token);
        is_fresh = true;
    }
}

/// Whether there is a token for this key and secret.
pub fn is_known<O: Outside>(
    gateway: &Gateway<O::Key>,
    outside: &O,
    api: &Api,
    key: &str,
    secret: &str,
) -> bool {
    let mut cache = gateway.api_keys.borrow_mut();
    let name = cache.name(&api.name, key, secret, &|| outside.random_bytes());
    cache.holds(&name, outside.now())
}

#[cfg(test)]
mod tests;
