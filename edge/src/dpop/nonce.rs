//! Nonces of proofs (RFC 9449 section 9): evidence that a proof was made just now, whatever its maker's clock says.
//!
//! Nothing is stored, and isolates need not speak to one another: a nonce is HMAC-SHA-256 (RFC 2104) over the number of the
//! present slot of time, under a secret that all of them have. Nobody else can make one ahead of time; that all clients are given the
//! same one does no harm, since it is no secret.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use wardgate_shared::secret::constant_time_eq;
use wardgate_shared::time::Timestamp;

use crate::config::Config;

/// How long a slot lasts, in seconds. A nonce is good in its own slot and the next one.
pub const SLOT_SECONDS: i64 = 300;

/// The block of SHA-256, in bytes.
const BLOCK_BYTES: usize = 64;

/// The nonce that is given at `now`; none without a secret.
pub fn current(config: &Config, now: Timestamp) -> Option<String> {
    of_slot(config, slot(now))
}

/// Whether `nonce` was given in this slot or the one before; compared in constant time.
pub fn is_good(config: &Config, nonce: Option<&str>, now: Timestamp) -> bool {
    let said = nonce.unwrap_or_default();
    [slot(now), slot(now).saturating_sub(1)].iter().any(|slot| {
        of_slot(config, *slot).is_some_and(|good| constant_time_eq(good.as_bytes(), said.as_bytes()))
    })
}

fn of_slot(config: &Config, slot: i64) -> Option<String> {
    let key = config.dpop.nonce_secret.as_ref()?;
    // The prefix keeps what is made here apart from whatever else may be made of the same secret some day.
    let message = [b"dpop-nonce ".as_slice(), &slot.to_be_bytes()].concat();
    Some(Base64UrlUnpadded::encode_string(&hmac(
        key.expose().as_bytes(),
        &message,
    )))
}

const fn slot(now: Timestamp) -> i64 {
    now.seconds().div_euclid(SLOT_SECONDS)
}

/// HMAC-SHA-256.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let hashed = Sha256::digest(key);
    let key = if key.len() > BLOCK_BYTES { &hashed[..] } else { key };
    let mut block = [0; BLOCK_BYTES];
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36), message].concat().as_slice());
    Sha256::digest(
        [&block.map(|byte| byte ^ 0x5c), inner.as_slice()]
            .concat()
            .as_slice(),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
    use proptest::prelude::*;

    use super::{SLOT_SECONDS, current, hmac, is_good};
    use crate::testing::{NOW, config, config_with};
    use wardgate_shared::time::Timestamp;

    const SECRET: &str = "thirty-two characters or more of it";

    #[test]
    fn a_nonce_is_good_in_its_slot_and_the_next_for_whoever_has_the_secret() {
        let own = config_with(&[("WARDGATE_DPOP_NONCE_SECRET", SECRET)]);
        let stranger = config_with(&[("WARDGATE_DPOP_NONCE_SECRET", &SECRET.to_uppercase())]);
        let start = Timestamp::from_seconds(NOW.div_euclid(SLOT_SECONDS) * SLOT_SECONDS);
        let nonce = current(&own, start).unwrap();
        for (after, good) in [
            (0, true),
            (2 * SLOT_SECONDS - 1, true),
            (2 * SLOT_SECONDS, false),
            (-1, false),
        ] {
            assert_eq!(is_good(&own, Some(&nonce), start.plus(after)), good, "{after}");
        }
        assert!(!is_good(&stranger, Some(&nonce), start));
        assert!(!is_good(&own, None, start));
        assert!(!is_good(&own, nonce.get(1..), start));
        assert_eq!(current(&config(), start), None);
        assert!(!is_good(&config(), Some(""), start));
        // Legal characters of a nonce (RFC 9449 section 8.1).
        assert!(
            nonce
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
    }

    proptest! {
        #[test]
        fn hmac_is_the_one_of_aws_lc(
            key in proptest::collection::vec(any::<u8>(), 0..130),
            message in proptest::collection::vec(any::<u8>(), 0..130),
        ) {
            let expected = sign(&Key::new(HMAC_SHA256, &key), &message);
            prop_assert_eq!(&hmac(&key, &message)[..], expected.as_ref());
        }
    }
}
