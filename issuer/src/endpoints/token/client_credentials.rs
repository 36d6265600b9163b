//! `grant_type=client_credentials`: a client acts for itself (RFC 6749 section 4.4, SMART Backend Services).

use axum::response::Response;
use wardgate_shared::scope::ScopeSet;

use crate::domain::audit_event::AuditOutcome;
use crate::domain::client::GrantType;
use crate::endpoints::resources;
use crate::error::internal::InternalError;
use crate::tokens::granting;
use crate::tokens::response::TokenResponse;
use crate::tokens::signed::{self, AccessTokenFacts, Subject};

use super::error::{ScopeRefusal, TokenError};
use super::{Exchange, success};

/// Issues an access token in the client's own name. There is no refresh token (RFC 6749 section 4.4.3).
pub(super) async fn issue(exchange: &Exchange<'_>, scope: Option<ScopeSet>) -> Result<Response, TokenError> {
    let client = exchange.client.client();
    // Anybody can claim to be a public client (RFC 6749 section 4.4).
    if client.is_public() {
        return Err(TokenError::GrantNotAllowed);
    }
    let audiences = resources::requested(exchange.state.config(), exchange.parameters)
        .map_err(|_| TokenError::UnknownTarget)?;
    let granted = granting::for_client_itself(scope.as_ref(), client);
    if granted.is_empty() {
        return Err(TokenError::Scope(ScopeRefusal::NothingToGrant));
    }
    if !granting::fits_into_a_token(&granted) {
        return Err(TokenError::Scope(ScopeRefusal::TooLong));
    }
    let facts = AccessTokenFacts {
        subject: Subject::Client,
        client_id: &client.client_id,
        scope: &granted,
        audiences: &audiences,
        algorithm: exchange.access_token_algorithm(),
        proof: exchange.proof.as_ref(),
    };
    let access = signed::access_token(exchange.state, facts, exchange.now)?;
    let audit = exchange.audit(GrantType::ClientCredentials.as_str(), AuditOutcome::Success);
    exchange
        .state
        .store()
        .record_access_token(access.record.clone(), audit)
        .await
        .map_err(InternalError::from)?;
    Ok(success(&TokenResponse::new(&access, &granted)))
}
