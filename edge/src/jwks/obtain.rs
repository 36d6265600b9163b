//! From a token's header to a key that verifies, by way of the cache.

use std::rc::Rc;

use wardgate_shared::jwk::JwkSet;
use wardgate_shared::jwt::SignatureAlgorithm;

use crate::issuers::Issuer;
use crate::log::Incident;
use crate::outside::Outside;

use super::cache::{Found, Lookup};

/// The largest key set that is read, in bytes: 64 keys of 4096 bits take about 50 kB.
pub const MAXIMUM_DOCUMENT_BYTES: u32 = 64 * 1024;

/// How long a request that finds a fetch running waits before it looks again.
pub const PAUSE_MILLISECONDS: u32 = 20;

/// How often a request looks before it gives up.
///
/// Each look either ends it or is followed by a fetch or a pause. Fetches are followed by a rest, and pauses by a fetch
/// that ends within its timeout; twice that is more than any honest course takes.
pub const fn waiting_turns(timeout_milliseconds: u32) -> u32 {
    timeout_milliseconds
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

/// The issuer's key for a token whose header says `key_id` and `algorithm`.
///
/// # Errors
/// [`KeyError`].
pub async fn obtain<O: Outside>(
    issuer: &Rc<Issuer<O::Key>>,
    outside: &O,
    key_id: Option<&str>,
    algorithm: SignatureAlgorithm,
) -> Result<O::Key, KeyError> {
    for _ in 0..waiting_turns(issuer.timeout_milliseconds) {
        let lookup = issuer.keys.borrow().look_up(key_id, algorithm, outside.now());
        match lookup {
            Lookup::Found { key, renew } => {
                if renew {
                    drop(outside.in_background(load(issuer, outside)));
                }
                return match key {
                    Found::Ready(key) => Ok(key),
                    Found::ToImport(jwk) => {
                        let Ok(key) = outside.import_key(&jwk, algorithm).await else {
                            outside.log(&Incident::KeyImportFailed.line(&issuer.trusted.issuer));
                            return Err(KeyError::Unusable);
                        };
                        issuer.keys.borrow_mut().keep(jwk, algorithm, key.clone());
                        Ok(key)
                    }
                };
            }
            // Beside the request, so that a client that hangs up does not leave the others waiting.
            Lookup::Fetch => outside.in_background(load(issuer, outside)).await,
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
pub fn load<O: Outside>(issuer: &Rc<Issuer<O::Key>>, outside: &O) -> impl Future<Output = ()> + 'static {
    let (issuer, outside) = (Rc::clone(issuer), outside.clone());
    let started = issuer.keys.borrow_mut().start(outside.now());
    async move {
        let fetched = outside
            .fetch_document(
                &issuer.trusted.jwks_url,
                issuer.timeout_milliseconds,
                MAXIMUM_DOCUMENT_BYTES,
            )
            .await;
        let set = match fetched {
            Ok(text) => JwkSet::parse(&text).map_err(|_| Incident::KeysMalformed),
            Err(failure) => Err(Incident::KeysUnreachable(failure)),
        };
        match set {
            Ok(set) => issuer.keys.borrow_mut().accept(started, set),
            Err(incident) => {
                issuer.keys.borrow_mut().fail(started, outside.now());
                outside.log(&incident.line(&issuer.trusted.issuer));
            }
        }
    }
}
