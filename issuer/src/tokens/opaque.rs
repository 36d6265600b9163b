//! Secrets that say nothing by themselves: a prefix, so that a leaked one is recognised, and 256 random bits.

use base64ct::{Base64UrlUnpadded, Encoding};
use wardgate_shared::secret::Secret;

use crate::domain::digest::{NewSecret, SecretDigest};
use crate::rng::{self, NoRandomness};

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpaqueSecret {
    /// An authorization code.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
    /// The value of the session cookie.
    Session,
    /// The identifier of an authorization request that waits for its person.
    AuthorizationRequest,
    /// A device code (RFC 8628).
    DeviceCode,
    /// A client secret.
    ClientSecret,
    /// An initial access token (RFC 7591 section 3).
    InitialAccessToken,
    /// A registration access token (RFC 7592).
    RegistrationAccessToken,
    /// The value of an EHR launch.
    Launch,
    /// The value of the cookie that ties a sign-in form to its browser.
    SignInForm,
    /// The value of the cookie of a sign-in that is not finished.
    SignIn,
    /// The value of the cookie by which a browser is remembered.
    Device,
    /// The token in the link by which a person sets their password.
    AccountLink,
    /// `state` of a browser that is sent to an identity provider.
    ProviderState,
    /// The value of the cookie that such a browser gets.
    ProviderBrowser,
}

impl OpaqueSecret {
    const fn prefix(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "wgc_",
            Self::RefreshToken => "wgr_",
            Self::Session => "wgs_",
            Self::AuthorizationRequest => "wga_",
            Self::DeviceCode => "wgd_",
            Self::ClientSecret => "wgsec_",
            Self::InitialAccessToken => "wgi_",
            Self::RegistrationAccessToken => "wgm_",
            Self::Launch => "wgl_",
            Self::SignInForm => "wgf_",
            Self::SignIn => "wgp_",
            Self::Device => "wgb_",
            Self::AccountLink => "wgu_",
            Self::ProviderState => "wgq_",
            Self::ProviderBrowser => "wgx_",
        }
    }

    /// A new secret.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate(self) -> Result<NewSecret, NoRandomness> {
        let value = format!(
            "{}{}",
            self.prefix(),
            Base64UrlUnpadded::encode_string(&rng::bytes::<32>()?)
        );
        let digest = SecretDigest::of(&value);
        Ok(NewSecret {
            value: Secret::new(value),
            digest,
        })
    }

    /// Whether `text` looks like such a secret: what is made of other characters cannot be one, and need not be looked up.
    pub fn is_shape_of(self, text: &str) -> bool {
        text.strip_prefix(self.prefix()).is_some_and(|random| {
            random.len() == 43
                && random
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::OpaqueSecret;
    use crate::domain::digest::SecretDigest;

    // OIDC-59, FAPI-39
    #[test]
    fn a_secret_has_its_shape_and_its_digest() {
        let secret = OpaqueSecret::AuthorizationCode.generate().unwrap();
        assert!(OpaqueSecret::AuthorizationCode.is_shape_of(secret.value.expose()));
        assert!(!OpaqueSecret::RefreshToken.is_shape_of(secret.value.expose()));
        assert_eq!(secret.digest, SecretDigest::of(secret.value.expose()));
    }

    #[test]
    fn no_two_are_the_same() {
        let one = OpaqueSecret::RefreshToken.generate().unwrap();
        assert!(one.value != OpaqueSecret::RefreshToken.generate().unwrap().value);
    }

    #[test]
    fn other_text_has_another_shape() {
        for text in [
            "",
            "wga_",
            "wga_x y",
            "wgc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(!OpaqueSecret::AuthorizationRequest.is_shape_of(text), "{text}");
        }
    }
}
