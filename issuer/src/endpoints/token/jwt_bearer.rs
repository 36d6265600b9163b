//! `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`: a trusted issuer's assertion about a person becomes an access
//! token, once (RFC 7523 sections 2.1 and 3).

use axum::response::Response;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;

use crate::domain::client::GrantType;
use crate::domain::digest::SecretDigest;
use crate::store::UsedAssertion;

use super::Exchange;
use super::direct_grant::DirectGrant;
use super::error::TokenError;
use super::foreign_token::{self, ForeignTokenFault, Purpose, account};

/// Exchanges an assertion. It is used up in the transaction that stores the grant, so that one which was refused for
/// another reason can come again.
pub(super) async fn exchange(
    exchange: &Exchange<'_>,
    assertion: &Secret<String>,
    scope: Option<ScopeSet>,
) -> Result<Response, TokenError> {
    let (state, now) = (exchange.state, exchange.now);
    let token = foreign_token::verify(state, assertion.expose(), Purpose::Assertion, now)
        .await
        .map_err(TokenError::Foreign)?;
    let id = token.id().ok_or(TokenError::Foreign(ForeignTokenFault::NoId))?;
    let consumed = UsedAssertion {
        issuer: token.issuer.issuer.clone(),
        digest: SecretDigest::of(id),
        expires_at: token.refused_from(),
    };
    let user = account::find(state, &token, token.issuer.match_by)
        .await?
        .map_err(TokenError::Foreign)?;
    let grant = DirectGrant {
        user,
        authenticated_at: token.authenticated_at(now),
        scope,
        assertion: Some(consumed),
        method: GrantType::JwtBearer.as_str(),
        issued_token_type: None,
    };
    grant.issue(exchange).await
}
