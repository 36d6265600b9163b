//! Section `api_keys`: what the keys of integrations look like.

use wardgate_shared::api_key::ApiKeyPrefix;

use super::reader::Reader;

/// API keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeysConfig {
    /// The word that they begin with.
    pub prefix: ApiKeyPrefix,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<ApiKeysConfig> {
    let prefix = reader.parsed("api_keys.prefix", |text| {
        ApiKeyPrefix::parse(text).ok_or("must be 1 to 16 lower case letters and digits")
    });
    Some(ApiKeysConfig { prefix: prefix? })
}
