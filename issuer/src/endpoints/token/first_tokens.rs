//! The tokens that a grant becomes when its code is redeemed, whichever way the person gave it.

use wardgate_shared::secret::Secret;

use crate::domain::grant::{Grant, RefreshToken};
use crate::domain::user::User;
use crate::error::internal::InternalError;
use crate::tokens::granting;
use crate::tokens::response::TokenResponse;
use crate::tokens::signed::{self, AccessTokenFacts, SignedAccessToken, Subject};

use super::Exchange;
use super::refresh_token::{self, lifetime_end};

/// Tokens that are made and not yet given: they leave once their records are stored.
pub(super) struct FirstTokens {
    /// The access token and its record.
    pub(super) access: SignedAccessToken,
    /// The record of the refresh token, where there is one.
    pub(super) refresh_record: Option<RefreshToken>,
    refresh_value: Option<Secret<String>>,
    id_token: Option<Secret<String>>,
}

impl FirstTokens {
    /// Makes the tokens of `grant`, which `user` gave, for these `audiences`. An ID token comes with `openid`, a refresh token
    /// with the client's registration for it and only while the grant may be refreshed.
    pub(super) async fn make(
        exchange: &Exchange<'_>,
        grant: &Grant,
        user: &User,
        audiences: &[String],
    ) -> Result<Self, InternalError> {
        let mut tokens = Self::without_id_token(exchange, grant, user, audiences).await?;
        if grant.scope.contains("openid") {
            tokens.id_token = Some(signed::id_token(
                exchange.state,
                exchange.rules().id_token_algorithm,
                grant,
                user,
                &tokens.access.value,
                exchange.now,
            )?);
        }
        Ok(tokens)
    }

    /// Makes the same without an ID token, for a person who signed in elsewhere.
    pub(super) async fn without_id_token(
        exchange: &Exchange<'_>,
        grant: &Grant,
        user: &User,
        audiences: &[String],
    ) -> Result<Self, InternalError> {
        let facts = AccessTokenFacts {
            subject: Subject::Person { grant, user },
            client_id: &grant.client_id,
            scope: &grant.scope,
            audiences,
            algorithm: exchange.access_token_algorithm(),
            proof: exchange.proof.as_ref(),
        };
        let access = signed::access_token(exchange.state, facts, exchange.now)?;
        let refresh_ends_at = if granting::comes_with_refresh_token(exchange.client.client()) {
            lifetime_end(exchange, grant).await?
        } else {
            None
        };
        let refresh = refresh_ends_at
            .map(|end| refresh_token::generate(exchange, grant, end))
            .transpose()?;
        let (refresh_value, refresh_record) = refresh.unzip();
        Ok(Self {
            access,
            refresh_record,
            refresh_value,
            id_token: None,
        })
    }

    /// The answer that gives them away.
    pub(super) fn response<'a>(&'a self, grant: &'a Grant) -> TokenResponse<'a> {
        TokenResponse::new(&self.access, &grant.scope)
            .with_refresh_token(self.refresh_value.as_ref())
            .with_id_token(self.id_token.as_ref())
            .with_launch_context(grant)
    }
}
