//! The optional metadata of a client, from a file.

use std::path::Path;

use crate::config::Config;
use crate::domain::client::ClientMetadata;
use crate::outbound;

/// The metadata in the JSON file at `path`, or what is wrong with it; none without a file.
pub(super) fn read(path: Option<&Path>) -> Result<ClientMetadata, String> {
    let Some(path) = path else {
        return Ok(ClientMetadata::default());
    };
    let text = std::fs::read(path)
        .map_err(|error| format!("--metadata {} cannot be read: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("--metadata {}: {error}", path.display()))
}

/// Refuses URLs that the configuration does not let the issuer reach.
pub(super) fn check_urls(metadata: &ClientMetadata, config: &Config) -> Result<(), String> {
    let Some(url) = &metadata.backchannel_logout_uri else {
        return Ok(());
    };
    match outbound::check_url(url, &config.outbound) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(format!("--metadata: backchannel_logout_uri {url} {refusal}")),
    }
}
