//! Proof Key for Code Exchange (RFC 7636), S256 only.
//!
//! `plain` is no protection against whoever can read the authorization request, so it is refused, and so is a challenge
//! without a method, which RFC 7636 section 4.3 would read as `plain` (SMART-24).

use alloc::string::String;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::secret::constant_time_eq;

/// Why a PKCE parameter is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// `code_challenge_method` is absent or not `S256`.
    #[error("code_challenge_method must be S256")]
    MethodNotS256,
    /// `code_challenge` is not the base64url form of 32 bytes: 43 characters without padding.
    #[error("code_challenge must be the base64url form of a SHA-256 digest, 43 characters without padding")]
    MalformedChallenge,
    /// `code_verifier` is not 43 to 128 unreserved characters (RFC 7636 section 4.1).
    #[error("code_verifier must be 43 to 128 characters from A-Z a-z 0-9 - . _ ~")]
    MalformedVerifier,
    /// The verifier does not belong to the challenge.
    #[error("code_verifier does not match the code_challenge")]
    Mismatch,
}

/// A challenge as an authorization request brings it: the SHA-256 digest of a verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeChallenge([u8; 32]);

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method`.
    ///
    /// # Errors
    /// [`PkceError::MethodNotS256`] or [`PkceError::MalformedChallenge`].
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, PkceError> {
        if method != Some("S256") {
            return Err(PkceError::MethodNotS256);
        }
        Self::from_encoded(challenge)
    }

    /// Reads a challenge known to be S256, as [`CodeChallenge::encoded`] writes it.
    ///
    /// # Errors
    /// [`PkceError::MalformedChallenge`].
    pub fn from_encoded(challenge: &str) -> Result<Self, PkceError> {
        let mut digest = [0; 32];
        match Base64UrlUnpadded::decode(challenge, &mut digest) {
            Ok(decoded) if decoded.len() == 32 => Ok(Self(digest)),
            _ => Err(PkceError::MalformedChallenge),
        }
    }

    /// The challenge that belongs to `verifier`, as a client computes it.
    ///
    /// # Errors
    /// [`PkceError::MalformedVerifier`].
    pub fn of(verifier: &str) -> Result<Self, PkceError> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
            return Err(PkceError::MalformedVerifier);
        }
        Ok(Self(Sha256::digest(verifier.as_bytes()).into()))
    }

    /// Whether `verifier` is the one behind this challenge; compared in constant time.
    ///
    /// # Errors
    /// [`PkceError::MalformedVerifier`] or [`PkceError::Mismatch`].
    pub fn verify(&self, verifier: &str) -> Result<(), PkceError> {
        let presented = Self::of(verifier)?;
        if constant_time_eq(&self.0, &presented.0) {
            Ok(())
        } else {
            Err(PkceError::Mismatch)
        }
    }

    /// The challenge in base64url, 43 characters.
    pub fn encoded(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::{CodeChallenge, PkceError};

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    // SMART-23
    #[test]
    fn the_verifier_of_rfc_7636_appendix_b_opens_its_challenge() {
        let challenge = CodeChallenge::parse(CHALLENGE, Some("S256")).unwrap();
        assert_eq!(challenge.verify(VERIFIER), Ok(()));
        assert_eq!(challenge.encoded(), CHALLENGE);
    }

    #[test]
    fn refuses_plain_and_an_absent_method() {
        for method in [None, Some("plain"), Some("s256"), Some("")] {
            assert_eq!(
                CodeChallenge::parse(CHALLENGE, method),
                Err(PkceError::MethodNotS256),
                "{method:?}"
            );
        }
    }

    #[test]
    fn refuses_a_challenge_that_is_no_digest() {
        let padded = alloc::format!("{CHALLENGE}=");
        for challenge in [
            "",
            "abc",
            &padded,
            &CHALLENGE.replace('-', "+"),
            CHALLENGE.strip_prefix("E9").unwrap(),
        ] {
            let refused = CodeChallenge::parse(challenge, Some("S256"));
            assert_eq!(refused, Err(PkceError::MalformedChallenge), "{challenge}");
        }
    }

    #[test]
    fn refuses_another_verifier() {
        let challenge = CodeChallenge::parse(CHALLENGE, Some("S256")).unwrap();
        assert_eq!(
            challenge.verify(&VERIFIER.replace('d', "e")),
            Err(PkceError::Mismatch)
        );
    }

    // SMART-23
    #[test]
    fn holds_verifiers_to_the_grammar() {
        let challenge = CodeChallenge::parse(CHALLENGE, Some("S256")).unwrap();
        for verifier in [
            &"a".repeat(42),
            &"a".repeat(129),
            &"ä".repeat(30),
            &"a b".repeat(20),
            &String::new(),
        ] {
            assert_eq!(
                challenge.verify(verifier),
                Err(PkceError::MalformedVerifier),
                "{verifier}"
            );
        }
        for verifier in [&"a".repeat(43), &"~".repeat(128)] {
            assert!(CodeChallenge::of(verifier).is_ok(), "{verifier}");
        }
    }

    proptest! {
        #[test]
        fn every_lawful_verifier_opens_its_own_challenge_only(
            verifier in "[A-Za-z0-9._~-]{43,128}", other in "[A-Za-z0-9._~-]{43,128}"
        ) {
            let challenge = CodeChallenge::of(&verifier).unwrap();
            let again = CodeChallenge::parse(&challenge.encoded(), Some("S256")).unwrap();
            prop_assert_eq!(again.verify(&verifier), Ok(()));
            prop_assert_eq!(again.verify(&other).is_ok(), verifier == other);
        }

        #[test]
        fn no_text_panics(challenge in ".*", verifier in ".*") {
            if let Ok(challenge) = CodeChallenge::parse(&challenge, Some("S256")) {
                let _ = challenge.verify(&verifier);
            }
        }
    }
}
