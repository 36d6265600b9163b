//! API keys: made, listed, given a new secret, revoked.
//!
//! A key acts for itself. What it is made with is what was asked for, cut by what can be had for oneself (see
//! [`granting`]) and by what whoever makes it may hand out (see [`Allowance`]); what was left out is said. The secret is
//! shown once, and stored as a digest.

use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::domain::api_key::{ApiKey, ApiKeyState};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::error::internal::InternalError;
use crate::rng;
use crate::state::AppState;
use crate::store::Insertion;
use crate::tokens::granting;

use super::{Actor, Allowance, Recipient, Refusal};

/// The longest name, in bytes.
const MAXIMUM_NAME_BYTES: usize = 200;
/// The longest time for which the secret before a rotation may go on: 30 days, in seconds.
pub const LONGEST_OVERLAP_SECONDS: i64 = 2_592_000;

/// What a key is to be.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
    /// What it is to do.
    pub scope: ScopeSet,
    /// When it ends; never, without.
    pub expires_at: Option<Timestamp>,
}

/// A key that was made.
#[derive(Debug)]
pub struct MadeApiKey {
    /// The key.
    pub key: ApiKey,
    /// Its secret, this once.
    pub secret: Secret<String>,
    /// What it was to do and may not.
    pub left_out: ScopeSet,
}

/// A key with a new secret.
#[derive(Debug)]
pub struct RotatedApiKey {
    /// The key.
    pub key: ApiKey,
    /// Its new secret, this once.
    pub secret: Secret<String>,
}

/// Why nothing is done about a key.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// The name is empty, too long, or has characters that are not shown.
    #[error("must be 1 to 200 bytes of text without control characters")]
    Name,
    /// Nothing of the scope can be had by a key, or may be given by whoever asks.
    #[error("none of these scopes can be given to an API key by you")]
    NothingOfScope,
    /// All of it would not fit into a token.
    #[error("must not be longer than 4096 characters together")]
    ScopeTooLong,
    /// It would have ended already.
    #[error("must be an instant to come")]
    Expiry,
    /// The secret of before cannot go on for that long.
    #[error("must be 0 to 2592000 seconds")]
    Overlap,
    /// There is no such key.
    #[error("there is no such API key")]
    NotFound,
    /// The key may do what whoever asks may not give.
    #[error("the API key may do more than you may give")]
    NotYours,
    /// It is revoked or expired.
    #[error("the API key is revoked or expired")]
    NotActive,
    /// The issuer itself failed.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl Refusal for ApiKeyError {
    fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Name
            | Self::NothingOfScope
            | Self::ScopeTooLong
            | Self::Expiry
            | Self::Overlap
            | Self::NotActive => "invalid_request",
            Self::NotFound => "not_found",
            Self::NotYours => "beyond_own_role",
            Self::Internal(_) => return None,
        })
    }
}

/// The keys after the one of the id `after`, at most `size`, in the order of their making.
///
/// # Errors
/// When the store cannot answer.
pub async fn list(state: &AppState, after: Option<&str>, size: usize) -> Result<Vec<ApiKey>, InternalError> {
    Ok(state.store().api_keys(after, size).await?)
}

/// The key of this id.
///
/// # Errors
/// [`ApiKeyError::NotFound`] or [`ApiKeyError::Internal`].
pub async fn get(state: &AppState, id: &str) -> Result<ApiKey, ApiKeyError> {
    let key = state.store().api_key(id).await.map_err(InternalError::from)?;
    key.ok_or(ApiKeyError::NotFound)
}

/// Makes a key.
///
/// # Errors
/// [`ApiKeyError`].
pub async fn create(state: &AppState, actor: &Actor, new: NewApiKey) -> Result<MadeApiKey, ApiKeyError> {
    let now = state.now();
    let name = String::from(new.name.trim());
    if name.is_empty() || name.len() > MAXIMUM_NAME_BYTES || name.contains(char::is_control) {
        return Err(ApiKeyError::Name);
    }
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(ApiKeyError::Expiry);
    }
    let scope = Allowance::of(state, actor)
        .await?
        .cut(&granting::for_itself(&new.scope), Recipient::Service);
    if scope.is_empty() {
        return Err(ApiKeyError::NothingOfScope);
    }
    if !granting::fits_into_a_token(&scope) {
        return Err(ApiKeyError::ScopeTooLong);
    }
    let prefix = &state.config().api_keys.prefix;
    let secret = prefix.secret(&rng::bytes().map_err(InternalError::from)?);
    let key = ApiKey {
        id: rng::dated_identifier("apikey-", now).map_err(InternalError::from)?,
        key: prefix.key(&rng::bytes().map_err(InternalError::from)?),
        name,
        scope,
        secret: SecretDigest::of(secret.expose()),
        previous: None,
        created_by: actor.user_id.clone().or_else(|| actor.client_id.clone()),
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    let audit = actor
        .audit(AuditAction::ApiKeyCreation, AuditOutcome::Success, now)
        .with_object(&*key.id);
    match state.store().insert_api_key(key.clone(), audit).await {
        Ok(Insertion::Inserted) => {}
        // 128 random bits twice: it does not happen.
        Ok(Insertion::AlreadyExists) => return Err(InternalError::Dangling("api_keys").into()),
        Err(error) => return Err(InternalError::from(error).into()),
    }
    Ok(MadeApiKey {
        left_out: new.scope.difference(&key.scope),
        key,
        secret,
    })
}

/// Gives a key a new secret. The one of before is taken for `overlap_seconds` more.
///
/// # Errors
/// [`ApiKeyError`].
pub async fn rotate(
    state: &AppState,
    actor: &Actor,
    id: &str,
    overlap_seconds: i64,
) -> Result<RotatedApiKey, ApiKeyError> {
    if !(0..=LONGEST_OVERLAP_SECONDS).contains(&overlap_seconds) {
        return Err(ApiKeyError::Overlap);
    }
    let now = state.now();
    let key = get(state, id).await?;
    if key.state(now) != ApiKeyState::Active {
        return Err(ApiKeyError::NotActive);
    }
    // Who has its secret can do what it can.
    if Allowance::of(state, actor)
        .await?
        .first_beyond(&key.scope, Recipient::Service)
        .is_some()
    {
        return Err(ApiKeyError::NotYours);
    }
    let random = rng::bytes().map_err(InternalError::from)?;
    let secret = state.config().api_keys.prefix.secret(&random);
    let audit = actor
        .audit(AuditAction::ApiKeyRotation, AuditOutcome::Success, now)
        .with_object(id);
    let digest = SecretDigest::of(secret.expose());
    let until = now.plus(overlap_seconds);
    let rotated = state.store().rotate_api_key(id, digest, until, audit).await;
    if !rotated.map_err(InternalError::from)? {
        return Err(ApiKeyError::NotActive);
    }
    let key = get(state, id).await?;
    Ok(RotatedApiKey { key, secret })
}

/// Ends a key. Whoever administrates may end any.
///
/// # Errors
/// [`ApiKeyError::NotFound`], [`ApiKeyError::NotActive`] when it is revoked already, or [`ApiKeyError::Internal`].
pub async fn revoke(state: &AppState, actor: &Actor, id: &str) -> Result<(), ApiKeyError> {
    get(state, id).await?;
    let audit = actor
        .audit(AuditAction::ApiKeyRevocation, AuditOutcome::Success, state.now())
        .with_object(id);
    let revoked = state.store().revoke_api_key(id, audit).await;
    if revoked.map_err(InternalError::from)? {
        Ok(())
    } else {
        Err(ApiKeyError::NotActive)
    }
}
