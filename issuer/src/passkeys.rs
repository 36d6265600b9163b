//! Passkeys: the two ceremonies of WebAuthn level 3, in which a credential is made and in which one is used.
//!
//! The relying party is the host of the public URL, and the origin is that URL to the character. The person is always
//! verified by their authenticator. The state of a ceremony travels sealed with the browser ([`ceremony`]), bound to the
//! cookie that it was shown to, for [`CEREMONY_SECONDS`]; the store sees that it is answered once. So a page writes nothing
//! when it is shown, but the random name by which authenticators know a person, once.
//!
//! Trusted on entry: public URL and sealing key. Left out on purpose: attestation. Whoever has signed in may register
//! whichever authenticator they like.

mod ceremony;
mod refusal;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey as Credential, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder,
};

use crate::config::PublicUrl;
use crate::domain::passkey::{CEREMONY_SECONDS, NewCredential, Passkey, PasskeyUse, UserHandle};
use crate::domain::user::User;
use crate::keys::Sealer;
use crate::rng::NoRandomness;

pub use ceremony::{Binding, OpenCeremony};
pub use refusal::PasskeyRefusal;

/// What authenticators show as the name of this service.
const RELYING_PARTY_NAME: &str = "Wardgate";

/// Begins and checks ceremonies.
#[derive(Debug)]
pub struct Passkeys {
    /// None where the public URL has an address in place of a name: WebAuthn binds credentials to domains.
    webauthn: Option<Webauthn>,
    sealer: Sealer,
}

/// A ceremony for a page to offer.
#[derive(Clone, Debug)]
pub struct Offer {
    /// `PublicKeyCredentialCreationOptions` or `PublicKeyCredentialRequestOptions` as JSON.
    pub options: String,
    /// The sealed state, to come back with the answer.
    pub ceremony: String,
}

/// An assertion: a browser's answer to a ceremony in which a passkey is used.
#[derive(Debug)]
pub struct Assertion(PublicKeyCredential);

impl Assertion {
    /// Reads the JSON of a `PublicKeyCredential`.
    ///
    /// # Errors
    /// [`PasskeyRefusal::Unreadable`].
    pub fn parse(text: &str) -> Result<Self, PasskeyRefusal> {
        serde_json::from_str(text)
            .map(Self)
            .map_err(|_| PasskeyRefusal::Unreadable)
    }

    /// The credential that it names.
    pub fn credential_id(&self) -> &[u8] {
        self.0.get_credential_id()
    }
}

impl Passkeys {
    /// The ceremonies of the service at `public_url`. `key` seals their state, and nothing else.
    pub fn new(public_url: &PublicUrl, key: Secret<[u8; 32]>) -> Self {
        let webauthn = Url::parse(public_url.as_str()).ok().and_then(|origin| {
            let host = String::from(origin.domain()?);
            let timeout = u64::try_from(CEREMONY_SECONDS).unwrap_or_default();
            let builder = WebauthnBuilder::new(&host, &origin).ok()?;
            builder
                .rp_name(RELYING_PARTY_NAME)
                .timeout(std::time::Duration::from_secs(timeout))
                .build()
                .ok()
        });
        Self {
            webauthn,
            sealer: Sealer::new(key),
        }
    }

    /// Whether there can be passkeys here at all.
    pub const fn are_possible(&self) -> bool {
        self.webauthn.is_some()
    }

    /// Begins the making of a passkey for `user`, on an authenticator that holds none of `existing`. None where there can be no
    /// passkeys.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn begin_registration(
        &self,
        user: &User,
        handle: UserHandle,
        existing: &[Passkey],
        binding: &Binding<'_>,
        now: Timestamp,
    ) -> Result<Option<Offer>, NoRandomness> {
        let Some(webauthn) = &self.webauthn else {
            return Ok(None);
        };
        let excluded = existing
            .iter()
            .map(|passkey| passkey.credential_id.clone())
            .collect();
        let handle = Uuid::from_bytes(handle);
        let begun = webauthn.start_passkey_registration(handle, &user.email, &user.name, Some(excluded));
        let Ok((challenge, state)) = begun else {
            return Ok(None);
        };
        let mut options = public_key_options(&challenge);
        // Discoverable, so that it can be used without saying first who one is.
        if let Some(selection) = options
            .get_mut("authenticatorSelection")
            .and_then(Value::as_object_mut)
        {
            selection.insert("residentKey".into(), "required".into());
            selection.insert("requireResidentKey".into(), true.into());
        }
        self.offer(&options, &state, binding, now)
    }

    /// Checks the answer to [`Passkeys::begin_registration`]: `text` is the JSON of a `PublicKeyCredential`.
    ///
    /// # Errors
    /// [`PasskeyRefusal`].
    pub fn finish_registration(
        &self,
        ceremony: &OpenCeremony,
        text: &str,
    ) -> Result<NewCredential, PasskeyRefusal> {
        let answer: RegisterPublicKeyCredential =
            serde_json::from_str(text).map_err(|_| PasskeyRefusal::Unreadable)?;
        let webauthn = self.webauthn.as_ref().ok_or(PasskeyRefusal::Unreadable)?;
        let state: PasskeyRegistration = ceremony.state()?;
        let made = webauthn.finish_passkey_registration(&answer, &state)?;
        let credential = serde_json::to_value(&made).map_err(|_| PasskeyRefusal::Unreadable)?;
        let counter = credential.pointer("/cred/counter").and_then(Value::as_u64);
        Ok(NewCredential {
            credential_id: made.cred_id().clone(),
            counter: counter
                .and_then(|counter| u32::try_from(counter).ok())
                .ok_or(PasskeyRefusal::Unreadable)?,
            credential,
        })
    }

    /// Begins the use of a passkey: of one of `allowed`, or, where that is empty, of whichever the person chooses. None where
    /// there can be no passkeys.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn begin_use(
        &self,
        allowed: &[Passkey],
        binding: &Binding<'_>,
        now: Timestamp,
    ) -> Result<Option<Offer>, NoRandomness> {
        let begun = self
            .webauthn
            .as_ref()
            .map(Webauthn::start_discoverable_authentication);
        let Some(Ok((challenge, state))) = begun else {
            return Ok(None);
        };
        let mut options = public_key_options(&challenge);
        let allowed: Vec<Value> = allowed
            .iter()
            .map(|passkey| {
                let id = Base64UrlUnpadded::encode_string(&passkey.credential_id);
                json!({ "type": "public-key", "id": id })
            })
            .collect();
        if let Some(options) = options.as_object_mut() {
            options.insert("allowCredentials".into(), allowed.into());
        }
        self.offer(&options, &state, binding, now)
    }

    /// Opens the state of a ceremony that comes back from the browser.
    ///
    /// # Errors
    /// [`PasskeyRefusal::Foreign`] when it was not sealed here for this `binding`, and [`PasskeyRefusal::Expired`].
    pub fn open(
        &self,
        ceremony: &str,
        binding: &Binding<'_>,
        now: Timestamp,
    ) -> Result<OpenCeremony, PasskeyRefusal> {
        OpenCeremony::open(&self.sealer, ceremony, binding, now)
    }

    /// Checks the answer to [`Passkeys::begin_use`]: it must be signed by `passkey`, the one that it names, and about its person.
    ///
    /// # Errors
    /// [`PasskeyRefusal`].
    pub fn finish_use(
        &self,
        ceremony: &OpenCeremony,
        assertion: &Assertion,
        passkey: &Passkey,
    ) -> Result<PasskeyUse, PasskeyRefusal> {
        let webauthn = self.webauthn.as_ref().ok_or(PasskeyRefusal::Unreadable)?;
        // Where the authenticator says whose the credential is, it must be theirs (WebAuthn section 7.2 step 6).
        let is_about_them = assertion
            .0
            .get_user_unique_id()
            .is_none_or(|handle| handle == passkey.user_handle);
        if !is_about_them {
            return Err(PasskeyRefusal::OtherPerson);
        }
        let state: DiscoverableAuthentication = ceremony.state()?;
        let mut credential: Credential =
            serde_json::from_value(passkey.credential.clone()).map_err(|_| PasskeyRefusal::Unreadable)?;
        let result = webauthn.finish_discoverable_authentication_v2(&assertion.0, state, &credential)?;
        if !result.user_verified() {
            return Err(PasskeyRefusal::Unverified);
        }
        credential.update_credential(&result);
        Ok(PasskeyUse {
            ceremony: ceremony.answered,
            factor_id: passkey.factor_id.clone(),
            user_id: passkey.user_id.clone(),
            credential: serde_json::to_value(&credential).map_err(|_| PasskeyRefusal::Unreadable)?,
            counter: result.counter(),
        })
    }

    fn offer(
        &self,
        options: &Value,
        state: &impl serde::Serialize,
        binding: &Binding<'_>,
        now: Timestamp,
    ) -> Result<Option<Offer>, NoRandomness> {
        let sealed = ceremony::seal(&self.sealer, state, binding, now.plus(CEREMONY_SECONDS))?;
        Ok(sealed.map(|ceremony| Offer {
            options: options.to_string(),
            ceremony,
        }))
    }
}

/// What `navigator.credentials` takes under the name `publicKey`.
fn public_key_options(challenge: &impl serde::Serialize) -> Value {
    let mut options = serde_json::to_value(challenge).unwrap_or_default();
    options.get_mut("publicKey").map(Value::take).unwrap_or_default()
}

#[cfg(test)]
mod tests;
