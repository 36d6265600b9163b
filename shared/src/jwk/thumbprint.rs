//! The thumbprint of a key (RFC 7638): one name for one key, whoever writes it down.

use alloc::string::String;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use super::public::{KeyMaterial, PublicJwk};

impl PublicJwk {
    /// The SHA-256 thumbprint of the key, base64url without padding: 43 characters.
    pub fn thumbprint(&self) -> String {
        Base64UrlUnpadded::encode_string(&Sha256::digest(self.canonical().as_bytes()))
    }

    /// The key in the form that its thumbprint is made of, which is a JWK of the members that make the key and no other.
    ///
    /// RFC 7638 section 3.2 says which members count (RFC 8037 section 2 for Ed25519), in the order of their names and
    /// without white space; base64url values need no escaping, so the text is written directly.
    pub fn canonical(&self) -> String {
        let (start, first, between, second): (_, _, _, &[u8]) = match self.material() {
            KeyMaterial::Rsa { modulus, exponent } => {
                (r#"{"e":""#, exponent, r#"","kty":"RSA","n":""#, modulus)
            }
            KeyMaterial::P256 { x, y } => (r#"{"crv":"P-256","kty":"EC","x":""#, x, r#"","y":""#, y),
            KeyMaterial::P384 { x, y } => (r#"{"crv":"P-384","kty":"EC","x":""#, x, r#"","y":""#, y),
            KeyMaterial::Ed25519 { x } => (r#"{"crv":"Ed25519","kty":"OKP","x":""#, x, "", &[]),
        };
        let mut text = String::from(start);
        text.push_str(&Base64UrlUnpadded::encode_string(first));
        text.push_str(between);
        text.push_str(&Base64UrlUnpadded::encode_string(second));
        text.push_str("\"}");
        text
    }
}
