//! Nonces of DPoP proofs (RFC 9449 sections 8 and 9): proof that a proof was made just now, whatever its maker's clock says.
//!
//! Nothing is stored. A nonce is HMAC-SHA-256, under a key derived from the master key, over the number of the present slot
//! of time. Nobody can make one ahead of time; that all clients get the same one does no harm, since it is no secret.
//! Where nonces are not required none is given, and what a proof says in `nonce` is not looked at.

use aws_lc_rs::hmac;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64ct::{Base64UrlUnpadded, Encoding};
use http::{HeaderName, HeaderValue};
use wardgate_shared::dpop::{HEADER, NONCE_HEADER};
use wardgate_shared::time::Timestamp;

use crate::config::DpopNonces;
use crate::error::json_body::json_internal;
use crate::state::AppState;

/// How long a slot lasts, in seconds. A nonce is good in its own slot and the next one.
pub const SLOT_SECONDS: i64 = 300;

/// The nonce that is given at `now`.
pub fn current(state: &AppState, now: Timestamp) -> String {
    let tag = hmac::sign(&key(state), &slot(now).to_be_bytes());
    Base64UrlUnpadded::encode_string(tag.as_ref())
}

/// Whether `nonce` was given by this server in this slot or the one before; compared in constant time.
pub fn is_good(state: &AppState, nonce: &str, now: Timestamp) -> bool {
    let Ok(tag) = Base64UrlUnpadded::decode_vec(nonce) else {
        return false;
    };
    let key = key(state);
    let slots = [slot(now), slot(now).saturating_sub(1)];
    slots
        .iter()
        .any(|slot| hmac::verify(&key, &slot.to_be_bytes(), &tag).is_ok())
}

/// The layer that gives the nonce: in every answer to a request with a proof, good or bad, where nonces are required.
pub async fn give(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let gives = match state.config().dpop.nonce {
        DpopNonces::Required => request.headers().contains_key(HEADER),
        DpopNonces::Off => false,
    };
    let mut response = next.run(request).await;
    if gives {
        match HeaderValue::from_str(&current(&state, state.now())) {
            Ok(nonce) => {
                let name = HeaderName::from_static(NONCE_HEADER);
                response.headers_mut().insert(name, nonce);
            }
            Err(error) => return json_internal(state.config(), &error.into()),
        }
    }
    response
}

fn key(state: &AppState) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, state.nonce_key().expose())
}

const fn slot(now: Timestamp) -> i64 {
    now.seconds().div_euclid(SLOT_SECONDS)
}
