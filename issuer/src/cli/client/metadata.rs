//! The optional metadata of a client, from a file.

use std::path::Path;

use crate::domain::client::ClientMetadata;

/// The metadata in the JSON file at `path`, or what is wrong with it; none without a file.
pub(super) fn read(path: Option<&Path>) -> Result<ClientMetadata, String> {
    let Some(path) = path else {
        return Ok(ClientMetadata::default());
    };
    let text = std::fs::read(path)
        .map_err(|error| format!("--metadata {} cannot be read: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("--metadata {}: {error}", path.display()))
}
