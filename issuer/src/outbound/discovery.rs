//! Where an OpenID Provider's keys are: OpenID Connect Discovery 1.0 section 4.
//!
//! As with key sets: one fetch an issuer at a time, and at most one in a cool-down, so that strangers who present tokens
//! cannot make the issuer hammer a provider. The issuers are configured ones, so their number is bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use wardgate_shared::json;
use wardgate_shared::time::Timestamp;

use super::key_sets::COOL_DOWN_SECONDS;
use super::{FetchError, Outbound, check_url, freshness};

/// Where the document is, under the issuer's URL (section 4).
const PATH: &str = "/.well-known/openid-configuration";

/// Why it is not known where the keys are. Texts are for the log.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The document could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What was fetched is no such document.
    #[error("the answer is no provider metadata")]
    Malformed,
    /// The document is another issuer's (section 4.3).
    #[error("the document's issuer is not the one that was asked")]
    AnotherIssuer,
    /// A fetch failed a moment ago.
    #[error("it was not available a moment ago")]
    Pausing,
}

/// What counts of provider metadata (section 3).
#[derive(Deserialize)]
struct ProviderMetadata {
    issuer: String,
    jwks_uri: String,
}

/// What is known of providers.
#[derive(Debug)]
pub struct Providers {
    outbound: Outbound,
    entries: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Entry>>>>,
}

#[derive(Debug, Default)]
struct Entry {
    key_set_url: Option<Arc<str>>,
    fresh_until: Option<Timestamp>,
    asked_at: Option<Timestamp>,
}

impl Providers {
    /// Nothing is known yet; it will be fetched by `outbound`.
    pub fn new(outbound: Outbound) -> Self {
        Self {
            outbound,
            entries: Mutex::default(),
        }
    }

    /// The URL of the key set of `issuer`, which must be a configured one.
    ///
    /// # Errors
    /// [`DiscoveryError`].
    pub async fn key_set_url(&self, issuer: &str, now: Timestamp) -> Result<Arc<str>, DiscoveryError> {
        let entry = {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.entry(issuer.into()).or_default().clone()
        };
        // Whoever waits here finds what the one before fetched; if that one was cut off, it fetches itself.
        let mut entry = entry.lock().await;
        let fresh = entry.fresh_until.is_some_and(|until| now < until);
        if let Some(url) = entry.key_set_url.clone().filter(|_| fresh) {
            return Ok(url);
        }
        let cooling = entry
            .asked_at
            .is_some_and(|asked_at| (0..COOL_DOWN_SECONDS).contains(&now.since(asked_at)));
        if cooling {
            return Err(DiscoveryError::Pausing);
        }
        entry.asked_at = Some(now);
        let (url, seconds) = self.fetch(issuer).await?;
        entry.key_set_url = Some(url.clone());
        entry.fresh_until = Some(now.plus(seconds.max(COOL_DOWN_SECONDS)));
        Ok(url)
    }

    async fn fetch(&self, issuer: &str) -> Result<(Arc<str>, i64), DiscoveryError> {
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let fetched = self.outbound.fetch_json(&format!("{base}{PATH}")).await?;
        json::check_object(&fetched.body).map_err(|_| DiscoveryError::Malformed)?;
        let metadata: ProviderMetadata =
            serde_json::from_slice(&fetched.body).map_err(|_| DiscoveryError::Malformed)?;
        if metadata.issuer != issuer {
            return Err(DiscoveryError::AnotherIssuer);
        }
        // What may not be fetched is not worth keeping.
        check_url(&metadata.jwks_uri, &self.outbound.0.config).map_err(FetchError::Url)?;
        Ok((metadata.jwks_uri.into(), freshness::seconds(&fetched.headers)))
    }
}

#[cfg(test)]
mod tests;
