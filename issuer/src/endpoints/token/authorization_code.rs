//! `grant_type=authorization_code`: a code becomes tokens, once (RFC 6749 section 4.1.3, RFC 7636 section 4.6).

use axum::response::Response;

use crate::domain::audit_event::AuditOutcome;
use crate::domain::authorization_code::{AuthorizationCode, CodeRedemption};
use crate::domain::client::GrantType;
use crate::domain::digest::SecretDigest;
use crate::domain::user::User;
use crate::endpoints::resources;
use crate::error::internal::InternalError;
use crate::tokens::granting;

use super::error::{InvalidGrant, ScopeRefusal, TokenError};
use super::first_tokens::FirstTokens;
use super::request::CodeGrant;
use super::{Exchange, success};

const METHOD: &str = GrantType::AuthorizationCode.as_str();

/// Exchanges a code. Everything the code is bound to is compared before it is redeemed, from facts that never change; a
/// code that is presented wrongly is spent, since whoever presents it should not have it, or will not present it better.
pub(super) async fn exchange(exchange: &Exchange<'_>, offered: CodeGrant) -> Result<Response, TokenError> {
    let store = exchange.state.store();
    let digest = SecretDigest::of(offered.code.expose());
    let code = store
        .authorization_code(&digest)
        .await
        .map_err(InternalError::from)?;
    let code = code.ok_or(TokenError::Grant(InvalidGrant::Code))?;
    if let Err(invalid) = check_bindings(&code, exchange, &offered) {
        let error = TokenError::Grant(invalid);
        if let Some(reason) = error.audit_reason() {
            let audit = exchange
                .audit(METHOD, AuditOutcome::Failure)
                .with_user(&*code.grant.user_id)
                .with_reason(reason);
            store
                .spend_code(&digest, exchange.now, audit)
                .await
                .map_err(InternalError::from)?;
        }
        return Err(TokenError::Recorded(Box::new(error)));
    }
    let mut grant = code.grant;
    let audiences = resources::narrowed(exchange.state.config(), exchange.parameters, &grant.audiences)
        .map_err(|_| TokenError::UnknownTarget)?;
    let user = store.user(&grant.user_id).await.map_err(InternalError::from)?;
    let user = user
        .filter(User::is_active)
        .ok_or(TokenError::Grant(InvalidGrant::Code))?;

    grant.scope =
        granting::still_allowed(&grant, &user).ok_or(TokenError::Scope(ScopeRefusal::NothingForPerson))?;

    let tokens = FirstTokens::make(exchange, &grant, &user, &audiences).await?;
    let audit = exchange
        .audit(METHOD, AuditOutcome::Success)
        .with_user(&*grant.user_id);
    let redeemed = store
        .redeem_code(
            &digest,
            tokens.refresh_record.clone(),
            tokens.access.record.clone(),
            exchange.now,
            audit,
        )
        .await;
    match redeemed.map_err(InternalError::from)? {
        CodeRedemption::Redeemed => Ok(success(&tokens.response(&grant))),
        CodeRedemption::Replayed => Err(TokenError::Recorded(Box::new(TokenError::Grant(
            InvalidGrant::CodeReplayed,
        )))),
        CodeRedemption::Dead => Err(TokenError::Grant(InvalidGrant::Code)),
    }
}

fn check_bindings(
    code: &AuthorizationCode,
    exchange: &Exchange<'_>,
    offered: &CodeGrant,
) -> Result<(), InvalidGrant> {
    if code.grant.client_id != exchange.client.client().client_id {
        return Err(InvalidGrant::Code);
    }
    match &offered.redirect_uri {
        Some(presented) if *presented == code.redirect_uri => {}
        None if !code.redirect_uri_given => {}
        Some(_) | None => return Err(InvalidGrant::RedirectUri),
    }
    exchange.check_key(code.dpop_jkt.as_deref())?;
    match (&code.challenge, &offered.verifier) {
        (Some(challenge), Some(verifier)) => challenge
            .verify(verifier.expose())
            .map_err(|_| InvalidGrant::Verifier),
        (Some(_), None) => Err(InvalidGrant::NoVerifier),
        (None, Some(_)) => Err(InvalidGrant::UnexpectedVerifier),
        (None, None) => Ok(()),
    }
}
