//! The public keys of a client that signs assertions, from a file or at a URL.

use wardgate_shared::jwk::{JwkError, JwkSet};

use crate::config::Config;
use crate::domain::client::ClientKeys;
use crate::outbound;

use super::AddClient;

impl AddClient {
    /// The keys, or what is wrong with the arguments. A URL is not fetched: the client may not be running yet.
    pub(super) fn keys(&self, config: &Config) -> Result<ClientKeys, String> {
        match (&self.jwks, &self.jwks_uri) {
            (Some(path), None) => {
                let text = std::fs::read(path)
                    .map_err(|error| format!("--jwks {} cannot be read: {error}", path.display()))?;
                read(&text)
                    .map(ClientKeys::Inline)
                    .map_err(|problem| format!("--jwks {} {problem}", path.display()))
            }
            (None, Some(url)) => match outbound::check_url(url, &config.outbound) {
                Ok(_) => Ok(ClientKeys::Url(url.clone())),
                Err(refusal) => Err(format!("--jwks-uri {url} {refusal}")),
            },
            (Some(_), Some(_)) | (None, None) => Err(String::from(
                "--auth private_key_jwt needs either --jwks FILE or --jwks-uri URL",
            )),
        }
    }
}

fn read(text: &[u8]) -> Result<JwkSet, String> {
    let keys = JwkSet::parse(text).map_err(|error| match error {
        JwkError::NotPublic => String::from(
            "holds a private or symmetric key: give the public keys only, and regard that key as lost",
        ),
        JwkError::Malformed
        | JwkError::Unsupported
        | JwkError::NotForSignatures
        | JwkError::Weak
        | JwkError::WrongLength
        | JwkError::DuplicateKeyId
        | JwkError::TooMany => format!("cannot be used: {error}"),
    })?;
    if keys.iter().next().is_none() {
        return Err(String::from("holds no key that can verify signatures here"));
    }
    Ok(keys)
}
