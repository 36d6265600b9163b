//! Section `api_keys`: what the keys of integrations look like, and how long the tokens live that they are exchanged for.

use wardgate_shared::api_key::ApiKeyPrefix;

use super::reader::Reader;

/// API keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeysConfig {
    /// The word that they begin with.
    pub prefix: ApiKeyPrefix,
    /// How long an access token lives that a key was exchanged for, in seconds.
    pub token_seconds: i64,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<ApiKeysConfig> {
    let prefix = reader.parsed("api_keys.prefix", |text| {
        ApiKeyPrefix::parse(text).ok_or("must be 1 to 16 lower case letters and digits")
    });
    let token_seconds = reader.number("api_keys.token_seconds", 60..=3600, "seconds");
    Some(ApiKeysConfig {
        prefix: prefix?,
        token_seconds: token_seconds?,
    })
}
