//! The state of a ceremony, sealed for the browser that takes part in it.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wardgate_shared::time::Timestamp;

use crate::domain::digest::SecretDigest;
use crate::domain::passkey::AnsweredCeremony;
use crate::keys::Sealer;
use crate::rng::NoRandomness;

use super::PasskeyRefusal;

/// What a ceremony is for, and the cookie value of the browser that it is for. Both are part of the seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding<'a> {
    /// Making a passkey, in this session.
    Registration(&'a str),
    /// Signing in without a password, in the browser with this value in the cookie of its sign-in form.
    SignIn(&'a str),
    /// Giving a second factor in this sign-in, which has begun.
    SecondFactor(&'a str),
}

impl Binding<'_> {
    fn context(self) -> String {
        let (purpose, secret) = match self {
            Self::Registration(secret) => ("registration", secret),
            Self::SignIn(secret) => ("sign-in", secret),
            Self::SecondFactor(secret) => ("second-factor", secret),
        };
        let browser = Base64UrlUnpadded::encode_string(SecretDigest::of(secret).as_bytes());
        format!("passkey ceremony {purpose} {browser}")
    }
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed<S> {
    expires_at: i64,
    state: S,
}

/// A ceremony of this browser that has not expired.
#[derive(Debug)]
pub struct OpenCeremony {
    /// What is used up with its answer.
    pub answered: AnsweredCeremony,
    state: serde_json::Value,
}

/// Seals `state` until `expires_at`; none when it cannot be written.
pub(super) fn seal(
    sealer: &Sealer,
    state: &impl Serialize,
    binding: &Binding<'_>,
    expires_at: Timestamp,
) -> Result<Option<String>, NoRandomness> {
    let plain = serde_json::to_vec(&Sealed {
        expires_at: expires_at.seconds(),
        state,
    });
    let Ok(plain) = plain else {
        return Ok(None);
    };
    let bytes = sealer.seal(&plain, &binding.context())?;
    Ok(Some(Base64UrlUnpadded::encode_string(&bytes)))
}

impl OpenCeremony {
    pub(super) fn open(
        sealer: &Sealer,
        text: &str,
        binding: &Binding<'_>,
        now: Timestamp,
    ) -> Result<Self, PasskeyRefusal> {
        let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| PasskeyRefusal::Foreign)?;
        let plain = sealer
            .open(&bytes, &binding.context())
            .map_err(|_| PasskeyRefusal::Foreign)?;
        let inner: Sealed<serde_json::Value> =
            serde_json::from_slice(&plain).map_err(|_| PasskeyRefusal::Foreign)?;
        let expires_at = Timestamp::from_seconds(inner.expires_at);
        if now >= expires_at {
            return Err(PasskeyRefusal::Expired);
        }
        Ok(Self {
            answered: AnsweredCeremony {
                // Of the bytes, not of the text, which could be spelt in another way.
                digest: SecretDigest::from_bytes(Sha256::digest(&bytes).into()),
                expires_at,
            },
            state: inner.state,
        })
    }

    pub(super) fn state<S: DeserializeOwned>(&self) -> Result<S, PasskeyRefusal> {
        serde_json::from_value(self.state.clone()).map_err(|_| PasskeyRefusal::Foreign)
    }
}
