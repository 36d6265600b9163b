//! An access token of our own becomes a narrower one, for the same person and in the same grant.
//!
//! Whoever holds a bearer token can use it, so that nothing is gained by exchanging it: the new token has no more scope,
//! names no other resource, lives no longer and ends with the same grant. Tokens that are bound to a key stay with whoever
//! has the key. A client registered for the grant type may exchange tokens of other clients, which is how an API calls the
//! next one; a public client, which anybody can claim to be, narrows its own tokens alone.

use axum::response::Response;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;

use crate::domain::audit_event::AuditOutcome;
use crate::endpoints::resources;
use crate::error::internal::InternalError;
use crate::tokens::exchanged::{self, ExchangeFacts, MOST_ACTORS};
use crate::tokens::granting;
use crate::tokens::own;
use crate::tokens::response::TokenResponse;
use crate::tokens::subjects;

use super::super::error::{ScopeRefusal, TokenError};
use super::super::{Exchange, success};
use super::{ACCESS_TOKEN, ExchangeRefusal, METHOD};

/// Exchanges one of our access tokens.
pub(super) async fn exchange(
    exchange: &Exchange<'_>,
    text: &Secret<String>,
    requested: Option<ScopeSet>,
) -> Result<Response, TokenError> {
    let refused = TokenError::Exchange;
    let client = exchange.client.client();
    let live = own::live_access_token(exchange.state, text.expose(), exchange.now).await?;
    let live = live.ok_or(refused(ExchangeRefusal::SubjectToken))?;
    let claims = live.token.claims();
    let user = live.user.ok_or(refused(ExchangeRefusal::ClientsOwn))?;
    if claims.confirmation.is_some() {
        return Err(refused(ExchangeRefusal::Bound));
    }
    if claims.client_id != client.client_id && client.is_public() {
        return Err(refused(ExchangeRefusal::AnotherClient));
    }
    let actor = exchanged::actor(claims, &client.client_id);
    if actor.count() > MOST_ACTORS {
        return Err(refused(ExchangeRefusal::TooManyActors));
    }
    let held: Vec<String> = claims.audiences.iter().map(String::from).collect();
    let audiences = resources::narrowed(exchange.state.config(), exchange.parameters, &held)
        .map_err(|_| TokenError::UnknownTarget)?;
    let held = ScopeSet::parse(&claims.scope).map_err(|_| refused(ExchangeRefusal::SubjectToken))?;
    let scope = granting::for_exchange(requested.as_ref(), &held, client)
        .ok_or(TokenError::Scope(ScopeRefusal::Wider))?;
    let scope = user.allowed(&scope, claims.launch_context.patient_id.is_some());
    if scope.is_empty() {
        return Err(TokenError::Scope(ScopeRefusal::NothingForPerson));
    }

    let facts = ExchangeFacts {
        // As this client knows them: another one's pairwise name is nothing to it.
        subject: subjects::subject(exchange.state, client, &user.id).await?,
        user_id: user.id.clone(),
        actor,
        scope: &scope,
        audiences: &audiences,
        algorithm: exchange.access_token_algorithm(),
        proof: exchange.proof.as_ref(),
    };
    let access = exchanged::access_token(exchange.state, &live.token, facts, exchange.now)?;
    let audit = exchange.audit(METHOD, AuditOutcome::Success).with_user(&*user.id);
    let stored = exchange
        .state
        .store()
        .exchange_access_token(&claims.token_id, access.record.clone(), exchange.now, audit)
        .await
        .map_err(InternalError::from)?;
    if !stored {
        return Err(refused(ExchangeRefusal::SubjectToken));
    }
    Ok(success(
        &TokenResponse::new(&access, &scope).with_issued_token_type(Some(ACCESS_TOKEN)),
    ))
}
