//! The thumbprint of a key (RFC 7638): one name for one key, whoever writes it down.

use alloc::format;
use alloc::string::String;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use super::public::{KeyMaterial, PublicJwk};

impl PublicJwk {
    /// The SHA-256 thumbprint of the key, base64url without padding: 43 characters.
    ///
    /// RFC 7638 section 3.2 says which members count (RFC 8037 section 2 for Ed25519), in the order of their names and
    /// without white space; base64url values need no escaping, so the text is written directly.
    pub fn thumbprint(&self) -> String {
        let encode = Base64UrlUnpadded::encode_string;
        let canonical = match self.material() {
            KeyMaterial::Rsa { modulus, exponent } => {
                format!(
                    r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
                    encode(exponent),
                    encode(modulus)
                )
            }
            KeyMaterial::P256 { x, y } => {
                format!(
                    r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                    encode(x),
                    encode(y)
                )
            }
            KeyMaterial::P384 { x, y } => {
                format!(
                    r#"{{"crv":"P-384","kty":"EC","x":"{}","y":"{}"}}"#,
                    encode(x),
                    encode(y)
                )
            }
            KeyMaterial::Ed25519 { x } => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x))
            }
        };
        encode(&Sha256::digest(canonical))
    }
}
