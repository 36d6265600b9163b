//! From a token's header to a key that verifies, by way of the cache.

use std::rc::Rc;

use wardgate_shared::jwk::JwkSet;
use wardgate_shared::jwt::SignatureAlgorithm;

use crate::config::Config;
use crate::gateway::{Gateway, Outside};
use crate::log::Incident;

use super::cache::{Found, Lookup};

/// How long a request that finds a fetch running waits before it looks again.
pub const PAUSE_MILLISECONDS: u32 = 20;

/// How often a request looks before it gives up.
///
/// Each look either ends it or is followed by a fetch or a pause. Fetches are followed by a rest, and pauses by a fetch
/// that ends within its timeout; twice that is more than any honest course takes.
pub const fn waiting_turns(config: &Config) -> u32 {
    config
        .jwks_timeout_milliseconds
        .div_ceil(PAUSE_MILLISECONDS)
        .saturating_mul(2)
        .saturating_add(4)
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The issuer has no such key.
    Unknown,
    /// The keys cannot be had now.
    Unavailable {
        /// When to try again.
        retry_after_seconds: i64,
    },
    /// The issuer published a key that the cryptographic library does not take.
    Unusable,
}

/// The key for a token whose header says `key_id` and `algorithm`.
///
/// # Errors
/// [`KeyError`].
pub async fn obtain<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    key_id: Option<&str>,
    algorithm: SignatureAlgorithm,
) -> Result<O::Key, KeyError> {
    for _ in 0..waiting_turns(&gateway.config) {
        let lookup = gateway.keys.borrow().look_up(key_id, algorithm, outside.now());
        match lookup {
            Lookup::Found { key, renew } => {
                if renew {
                    drop(outside.in_background(load(gateway, outside)));
                }
                return match key {
                    Found::Ready(key) => Ok(key),
                    Found::ToImport(jwk) => {
                        let Ok(key) = outside.import_key(&jwk, algorithm).await else {
                            outside.log(&Incident::KeyImportFailed.line());
                            return Err(KeyError::Unusable);
                        };
                        gateway.keys.borrow_mut().keep(jwk, algorithm, key.clone());
                        Ok(key)
                    }
                };
            }
            // Beside the request, so that a client that hangs up does not leave the others waiting.
            Lookup::Fetch => outside.in_background(load(gateway, outside)).await,
            Lookup::Wait => outside.pause(PAUSE_MILLISECONDS).await,
            Lookup::Unknown => return Err(KeyError::Unknown),
            Lookup::Unavailable { retry_after_seconds } => {
                return Err(KeyError::Unavailable { retry_after_seconds });
            }
        }
    }
    Err(KeyError::Unavailable {
        retry_after_seconds: 1,
    })
}

/// Fetches the issuer's keys once and notes what came of it. The attempt is noted as begun before this returns.
pub fn load<O: Outside>(gateway: &Rc<Gateway<O::Key>>, outside: &O) -> impl Future<Output = ()> + 'static {
    let (gateway, outside) = (Rc::clone(gateway), outside.clone());
    let started = gateway.keys.borrow_mut().start(outside.now());
    async move {
        let Config {
            jwks_url,
            jwks_timeout_milliseconds,
            ..
        } = &gateway.config;
        let set = match outside.fetch_document(jwks_url, *jwks_timeout_milliseconds).await {
            Ok(text) => JwkSet::parse(&text).map_err(|_| Incident::KeysMalformed),
            Err(failure) => Err(Incident::KeysUnreachable(failure)),
        };
        match set {
            Ok(set) => gateway.keys.borrow_mut().accept(started, set),
            Err(incident) => {
                gateway.keys.borrow_mut().fail(started, outside.now());
                outside.log(&incident.line());
            }
        }
    }
}
