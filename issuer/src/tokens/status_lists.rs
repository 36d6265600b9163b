//! Status lists as they are given out: signed, kept for a while, and made anew when something in them changes
//! (draft-ietf-oauth-status-list section 5.1).
//!
//! Anybody may fetch a list as often as they like, so what a fetch costs is bounded. The store is asked at most once a
//! second for each list; signed is only when a bit changed, or when half of the list's time is over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64ct::{Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest, Sha256};
use wardgate_shared::claims::{STATUS_LIST_TYPE, StatusListClaims};
use wardgate_shared::denial;
use wardgate_shared::status_list::{StatusBits, StatusList, TokenStatus};
use wardgate_shared::time::Timestamp;

use crate::config::PublicUrl;
use crate::domain::denial::Denial;
use crate::domain::status_list::StatusListShard;
use crate::error::InternalError;
use crate::state::AppState;

/// Where lists live: under this path, each by its id.
pub const PATH: &str = "/oauth2/status";
/// How many times its `ttl` a list lives (`exp`): so long may a verifier that cannot reach the issuer go by the last list
/// it saw, and so long may somebody who holds a network up hide a revocation.
const LIFETIMES: i64 = 10;

/// The URI of a list: the `uri` of tokens in it, and its own `sub`.
pub fn uri(public_url: &PublicUrl, id: &str) -> String {
    format!("{}{PATH}/{id}", public_url.as_str())
}

/// A list, signed.
#[derive(Clone, Debug)]
pub struct PublishedStatusList {
    /// The token in compact form.
    pub token: Bytes,
    /// Names this token and no other, for caches.
    pub entity_tag: HeaderValue,
    /// When a copy of it is no longer fresh: `iat` and `ttl` together.
    pub fresh_until: Timestamp,
    signed_at: Timestamp,
}

/// The lists that were asked for.
#[derive(Debug, Default)]
pub struct StatusLists {
    kept: Mutex<HashMap<String, Kept>>,
    /// Held by whoever makes a list, so that many who ask at once cause one.
    making: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Kept {
    published: Arc<PublishedStatusList>,
    /// The places whose bits are set.
    revoked: Vec<u32>,
    denials: Vec<Denial>,
    /// When the store was asked.
    checked_at: Timestamp,
    expires_at: Timestamp,
}

impl StatusLists {
    /// The list of this id, as it stood at most a second before `now`. `None` when there is none, or no more.
    ///
    /// # Errors
    /// When the store cannot answer or no key may sign.
    pub async fn get(
        &self,
        state: &AppState,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<PublishedStatusList>>, InternalError> {
        if let Some(kept) = self.checked(id, now) {
            return Ok(Some(kept.published));
        }
        // Invented names are looked up side by side; only makers of real lists wait for one another.
        if !self.kept().contains_key(id) && state.store().status_list(id, now).await?.is_none() {
            return Ok(None);
        }
        let _turn = self.making.lock().await;
        if let Some(kept) = self.checked(id, now) {
            return Ok(Some(kept.published));
        }
        let Some((shard, revoked)) = state.store().status_list(id, now).await? else {
            self.kept().remove(id);
            return Ok(None);
        };
        let denials = state.store().denials(now).await?;
        let before = self.kept().get(id).cloned();
        if before.as_ref().is_some_and(|kept| kept.denials != denials) {
            // A key may be among them: it must not sign the list that denies it.
            state.keys().reload(state.store()).await?;
        }
        let half = i64::from(state.config().tokens.status_list_seconds) / 2;
        let published = match before {
            Some(kept)
                if (&kept.revoked, &kept.denials) == (&revoked, &denials)
                    && now.since(kept.published.signed_at) < half.max(1) =>
            {
                kept.published
            }
            Some(_) | None => Arc::new(sign(state, &shard, &revoked, &denials, now)?),
        };
        let mut lists = self.kept();
        lists.retain(|_, kept| kept.expires_at > now);
        let kept = Kept {
            published: Arc::clone(&published),
            revoked,
            denials,
            checked_at: now,
            expires_at: shard.expires_at,
        };
        lists.insert(shard.id, kept);
        Ok(Some(published))
    }

    /// A kept list, if nothing can have happened to it since the store was asked.
    fn checked(&self, id: &str, now: Timestamp) -> Option<Kept> {
        self.kept().get(id).filter(|kept| kept.checked_at == now).cloned()
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sign(
    state: &AppState,
    shard: &StatusListShard,
    revoked: &[u32],
    denials: &[Denial],
    now: Timestamp,
) -> Result<PublishedStatusList, InternalError> {
    let config = state.config();
    let mut list = StatusList::all_valid(StatusBits::One, shard.entries);
    for index in revoked {
        if !list.set(u64::from(*index), TokenStatus::Invalid) {
            return Err(InternalError::Dangling("a token's place in its status list"));
        }
    }
    let seconds = config.tokens.status_list_seconds;
    let claims = StatusListClaims {
        issuer: config.server.public_url.as_str().into(),
        uri: uri(&config.server.public_url, &shard.id),
        time_to_live_seconds: Some(seconds),
        status_list: list.compress(),
        deny_before: (!denials.is_empty()).then(|| {
            let issuer = config.server.public_url.as_str();
            let published: Vec<_> = denials.iter().map(|denial| denial.published(issuer)).collect();
            denial::encode(&published)
        }),
    };
    let expires_at = now.plus(i64::from(seconds).saturating_mul(LIFETIMES));
    let token = state
        .keys()
        .sign(STATUS_LIST_TYPE, claims, now, expires_at, now)?;
    let digest = Base64UrlUnpadded::encode_string(&Sha256::digest(&token));
    Ok(PublishedStatusList {
        token: Bytes::from(token),
        entity_tag: HeaderValue::from_str(&format!("\"{digest}\""))?,
        fresh_until: now.plus(i64::from(seconds)),
        signed_at: now,
    })
}
