//! `grant_type=refresh_token`: a refresh token becomes an access token and its own successor (RFC 6749 section 6, RFC 9700
//! section 4.14).
//!
//! A client that lost the answer may ask again until the successor is used; any later replay ends the family. The rules
//! are the store's ([`crate::store::Store::rotate_refresh_token`]), where they hold for requests at once as well.

use axum::response::Response;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditOutcome;
use crate::domain::client::GrantType;
use crate::domain::digest::SecretDigest;
use crate::domain::grant::{Grant, RefreshToken};
use crate::endpoints::resources;
use crate::error::internal::InternalError;
use crate::store::{PresentedRefreshToken, RefreshRotation};
use crate::tokens::granting;
use crate::tokens::opaque::OpaqueSecret;
use crate::tokens::response::TokenResponse;
use crate::tokens::signed::{self, AccessTokenFacts, Subject};

use super::error::{InvalidGrant, ScopeRefusal, TokenError};
use super::{Exchange, success};

const METHOD: &str = GrantType::RefreshToken.as_str();

/// Exchanges a refresh token.
pub(super) async fn exchange(
    exchange: &Exchange<'_>,
    offered: Secret<String>,
    requested: Option<ScopeSet>,
) -> Result<Response, TokenError> {
    let store = exchange.state.store();
    let digest = SecretDigest::of(offered.expose());
    let found = store.refresh_token_and_user(&digest).await;
    let invalid = || TokenError::Grant(InvalidGrant::RefreshToken);
    let (token, grant, user) = found.map_err(InternalError::from)?.ok_or_else(invalid)?;
    // A foreign client's attempt changes nothing: the token is still its owner's (OIDC-62).
    if grant.client_id != exchange.client.client().client_id {
        return Err(invalid());
    }
    let presented = PresentedRefreshToken {
        digest,
        grace_seconds: exchange.rules().refresh_token_grace_seconds,
    };
    let audit = exchange
        .audit(METHOD, AuditOutcome::Success)
        .with_user(&*grant.user_id);
    // Before anything else is looked at: a replay ends the family, whatever the rest of the request says.
    if token.is_superseded() {
        let ended = store.end_replayed_family(presented, exchange.now, audit.clone());
        if ended.await.map_err(InternalError::from)? {
            return Err(replayed());
        }
    }
    exchange.check_key(token.dpop_jkt.as_deref())?;
    let end = lifetime_end(exchange, &grant)
        .await?
        .ok_or(TokenError::Grant(InvalidGrant::SessionEnded))?;
    if !user.is_active() {
        return Err(invalid());
    }
    let scope = granting::for_refresh(requested.as_ref(), &grant.scope)
        .ok_or(TokenError::Scope(ScopeRefusal::Wider))?;
    // What the role has lost since is gone; whoever asks for it by name is told by what is granted.
    let scope = granting::within_role(&scope, &grant, &user)
        .ok_or(TokenError::Scope(ScopeRefusal::NothingForPerson))?;
    let audiences = resources::narrowed(exchange.state.config(), exchange.parameters, &grant.audiences)
        .map_err(|_| TokenError::UnknownTarget)?;

    let facts = AccessTokenFacts {
        subject: Subject::Person {
            grant: &grant,
            user: &user,
        },
        client_id: &grant.client_id,
        scope: &scope,
        audiences: &audiences,
        algorithm: exchange.access_token_algorithm(),
        proof: exchange.proof.as_ref(),
    };
    let access = signed::access_token(exchange.state, facts, exchange.now)?;
    let (value, successor) = generate(exchange, &grant, end)?;
    let rotated = store
        .rotate_refresh_token(presented, successor, access.record.clone(), exchange.now, audit)
        .await;
    match rotated.map_err(InternalError::from)? {
        RefreshRotation::Rotated | RefreshRotation::Retried | RefreshRotation::Tolerated => Ok(success(
            &TokenResponse::new(&access, &scope)
                .with_refresh_token(Some(&value))
                .with_launch_context(&grant),
        )),
        RefreshRotation::Replayed => Err(replayed()),
        RefreshRotation::Dead => Err(invalid()),
    }
}

/// The refusal of a replay, which the store has recorded with the end of the family.
fn replayed() -> TokenError {
    TokenError::Recorded(Box::new(TokenError::Grant(InvalidGrant::RefreshTokenReplayed)))
}

/// A new refresh token for `grant` that dies at `end`: its value and its record.
pub(super) fn generate(
    exchange: &Exchange<'_>,
    grant: &Grant,
    end: Timestamp,
) -> Result<(Secret<String>, RefreshToken), InternalError> {
    let secret = OpaqueSecret::RefreshToken.generate()?;
    let record = RefreshToken {
        digest: secret.digest,
        grant_id: grant.id.clone(),
        issued_at: exchange.now,
        expires_at: end,
        rotated_at: None,
        replaced_at: None,
        dpop_jkt: exchange.key_of_public_client(),
    };
    Ok((secret.value, record))
}

/// When a refresh token of `grant` made now would die: after the configured time, or with the session that the grant
/// lives in. `None` when that session is over.
pub(super) async fn lifetime_end(
    exchange: &Exchange<'_>,
    grant: &Grant,
) -> Result<Option<Timestamp>, InternalError> {
    let longest = exchange
        .now
        .plus(exchange.state.config().tokens.refresh_token_seconds);
    if !grant.ends_with_session() {
        return Ok(Some(longest));
    }
    let Some(session) = &grant.session else {
        return Ok(None);
    };
    // Whether the person was seen at the issuer lately does not matter: they are at the app.
    let idle_seconds = exchange.state.config().sessions.absolute_seconds;
    let found = exchange
        .state
        .store()
        .session(session, idle_seconds, exchange.now)
        .await?;
    Ok(found.map(|(session, _)| session.expires_at.min(longest)))
}
