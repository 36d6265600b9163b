//! Tokens that come back: which of them this issuer signed, and which of those are still good.
//!
//! A signature and times say that a token was issued; that it was not revoked, and that its person may still sign in, only
//! the store knows. Nothing here decides what the token may be used for.

use std::borrow::Cow;

use wardgate_shared::claims::{ACCESS_TOKEN_TYPE, AccessClaims, ID_TOKEN_TYPE, IdClaims};
use wardgate_shared::jwt::{self, MAXIMUM_JWT_BYTES, Policy, RegisteredClaims, UnverifiedJwt, VerifiedJwt};
use wardgate_shared::time::Timestamp;

use crate::domain::client::Client;
use crate::domain::grant::Grant;
use crate::domain::user::User;
use crate::error::InternalError;
use crate::state::AppState;

use super::subjects;

/// Whether a token that has expired counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It does not.
    Counts,
    /// It does: only who issued the token matters.
    Ignored,
}

/// A living access token.
#[derive(Clone, Debug)]
pub struct LiveAccessToken {
    /// What it says.
    pub token: VerifiedJwt<AccessClaims>,
    /// The person in whose name it speaks, who is active; none when the client acts for itself.
    pub user: Option<User>,
    /// The grant that it was made from; none when the client acts for itself.
    pub grant: Option<Grant>,
}

/// The access token behind `text`, if this issuer signed it for one of its resources.
pub async fn access_token(
    state: &AppState,
    text: &str,
    expiry: Expiry,
    now: Timestamp,
) -> Option<VerifiedJwt<AccessClaims>> {
    let audiences: Vec<String> = state
        .config()
        .resources
        .iter()
        .map(|resource| resource.identifier.clone())
        .collect();
    let unverified = UnverifiedJwt::parse(text, MAXIMUM_JWT_BYTES).ok()?;
    verify(state, &unverified, ACCESS_TOKEN_TYPE, audiences, expiry, now).await
}

/// The access token behind `text`, if it is neither expired nor revoked and its person may sign in.
///
/// # Errors
/// When the store cannot answer.
pub async fn live_access_token(
    state: &AppState,
    text: &str,
    now: Timestamp,
) -> Result<Option<LiveAccessToken>, InternalError> {
    let Some(token) = access_token(state, text, Expiry::Counts, now).await else {
        return Ok(None);
    };
    let claims = token.claims();
    if !state.store().is_access_token_live(&claims.token_id, now).await? {
        return Ok(None);
    }
    if claims.is_client_itself() {
        return Ok(Some(LiveAccessToken {
            token,
            user: None,
            grant: None,
        }));
    }
    // The token may call the person by a name that only its client knows.
    let grant = state.store().grant_of_access_token(&claims.token_id).await?;
    let user_id = grant.as_ref().map_or(&claims.subject, |grant| &grant.user_id);
    let user = state.store().user(user_id).await?;
    Ok(user.filter(User::is_active).map(|user| LiveAccessToken {
        token,
        user: Some(user),
        grant,
    }))
}

/// The account that the ID token behind `text` is about, and the registered client that it was issued to. The token may be
/// in any algorithm of ours, and expired: what an `id_token_hint` may be (OpenID Connect Core section 3.1.2.1, RP-Initiated
/// Logout section 2).
///
/// # Errors
/// When the store cannot answer.
pub async fn id_token(
    state: &AppState,
    text: &str,
    now: Timestamp,
) -> Result<Option<(String, Client)>, InternalError> {
    let Ok(unverified) = UnverifiedJwt::parse(text, MAXIMUM_JWT_BYTES) else {
        return Ok(None);
    };
    let [audience] = unverified.audience_hint().try_into().unwrap_or_default();
    let Some(client) = state.store().client(&audience).await? else {
        return Ok(None);
    };
    let verified = verify::<IdClaims>(
        state,
        &unverified,
        ID_TOKEN_TYPE,
        vec![audience],
        Expiry::Ignored,
        now,
    );
    let Some(token) = verified.await else {
        return Ok(None);
    };
    let user_id = subjects::account_of_own(state, token.into_claims().subject).await?;
    Ok(Some((user_id, client)))
}

async fn verify<C: RegisteredClaims>(
    state: &AppState,
    unverified: &UnverifiedJwt<'_>,
    token_type: &'static str,
    audiences: Vec<String>,
    expiry: Expiry,
    now: Timestamp,
) -> Option<VerifiedJwt<C>> {
    let key = state
        .keys()
        .verifying_key(unverified.key_id()?, unverified.algorithm(), now)?;
    let policy = Policy {
        token_type: Some(Cow::Borrowed(token_type)),
        issuer: Cow::Borrowed(state.config().server.public_url.as_str()),
        audiences: Cow::Owned(audiences),
        skew_seconds: match expiry {
            Expiry::Counts => 0,
            Expiry::Ignored => i64::MAX,
        },
        maximum_lifetime_seconds: None,
    };
    jwt::verify(unverified, &key, &policy, now).await.ok()
}
