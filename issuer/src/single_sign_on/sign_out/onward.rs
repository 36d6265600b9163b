//! Where a browser goes on once its person signed out at the provider: to the app that asked them to sign out here.
//!
//! It travels through the provider as `state` (OpenID Connect RP-Initiated Logout 1.0 sections 2 and 3), sealed, so that
//! nobody else can make one. What comes back is believed no further than that: the browser goes only to a URI that is
//! registered at that client when it comes back.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use wardgate_shared::redirect_uri::RedirectTarget;

use crate::error::internal::InternalError;
use crate::keys::Sealer;
use crate::rng::NoRandomness;
use crate::store::Store;

const CONTEXT: &str = "sign-out onward";
/// The longest `state` that a provider is asked to carry, in bytes.
const LONGEST_STATE: usize = 2048;

/// What a client asked for in its logout request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Onward {
    /// The client.
    pub client_id: String,
    /// Where the browser goes: one of its `post_logout_redirect_uris`.
    pub redirect_uri: String,
    /// `state`, given back to the client as it came.
    pub state: Option<String>,
}

impl Onward {
    /// The text that a provider carries; empty where it would be too long for an address.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn seal(&self, sealer: &Sealer) -> Result<String, NoRandomness> {
        let plain = serde_json::to_vec(self).unwrap_or_default();
        let text = Base64UrlUnpadded::encode_string(&sealer.seal(&plain, CONTEXT)?);
        Ok(if text.len() > LONGEST_STATE {
            String::new()
        } else {
            text
        })
    }

    /// What [`Onward::seal`] sealed; `None` for every other text.
    pub fn open(text: &str, sealer: &Sealer) -> Option<Self> {
        let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        let plain = sealer.open(&bytes, CONTEXT).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// The place, if the client has it registered.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn target(&self, store: &Store) -> Result<Option<RedirectTarget>, InternalError> {
        let client = store.client(&self.client_id).await?;
        Ok(client.and_then(|client| client.post_logout_target(&self.redirect_uri)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wardgate_shared::secret::Secret;

    use super::{LONGEST_STATE, Onward};
    use crate::keys::Sealer;

    fn onward(state: Option<&str>) -> Onward {
        Onward {
            client_id: "web".into(),
            redirect_uri: "https://web.example/signed-out".into(),
            state: state.map(String::from),
        }
    }

    #[test]
    fn what_was_sealed_opens_under_the_same_key_only() {
        let sealer = Sealer::new(Secret::new([7; 32]));
        for state in [None, Some("a b&c")] {
            let text = onward(state).seal(&sealer).unwrap();
            assert_eq!(Onward::open(&text, &sealer), Some(onward(state)));
            assert_eq!(Onward::open(&text, &Sealer::new(Secret::new([8; 32]))), None);
        }
    }

    #[test]
    fn what_is_too_long_for_an_address_is_not_carried() {
        let sealer = Sealer::new(Secret::new([7; 32]));
        let long = "x".repeat(LONGEST_STATE);
        assert_eq!(onward(Some(&long)).seal(&sealer).unwrap(), "");
    }

    proptest! {
        #[test]
        fn no_other_text_opens(text in ".{0,200}") {
            prop_assert_eq!(Onward::open(&text, &Sealer::new(Secret::new([7; 32]))), None);
        }
    }
}
