//! The document at `sector_identifier_uri`, fetched when a client registers (OpenID Connect Dynamic Client Registration
//! section 5): whoever serves it vouches that the redirect URIs belong together.

use crate::domain::client::Client;
use crate::registration::MetadataFault;
use crate::state::AppState;

/// Checks that the document, if the client names one, lists every redirect URI, character by character.
pub(crate) async fn check(state: &AppState, client: &Client) -> Result<(), MetadataFault> {
    let Some(url) = &client.metadata.sector_identifier_uri else {
        return Ok(());
    };
    let fetched = state.outbound().fetch_json(url).await.map_err(|error| {
        tracing::info!(%error, "a sector identifier document could not be fetched");
        MetadataFault::SectorUnavailable
    })?;
    let listed: Vec<String> =
        serde_json::from_slice(&fetched.body).map_err(|_| MetadataFault::SectorUnavailable)?;
    let mut registered = client.redirect_uris.iter();
    if registered.all(|uri| listed.iter().any(|entry| entry == uri.as_str())) {
        Ok(())
    } else {
        Err(MetadataFault::SectorMismatch)
    }
}
