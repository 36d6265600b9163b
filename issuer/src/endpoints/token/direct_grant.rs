//! A grant that no page was shown for: a trusted issuer says who the person is.
//!
//! Consent is the administrator's here: by registering the client for the grant type, and by trusting the issuer. What is
//! granted goes through the same steps as what a person allows: what the client may have, then what this person can give.
//! There is no session, so that a refresh token comes with `offline_access` alone, and only when it was asked for by name.
//! No ID token comes either: the person signed in elsewhere, and that issuer said so already.

use axum::response::Response;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditOutcome;
use crate::domain::client::Client;
use crate::domain::grant::Grant;
use crate::domain::person_claim::AskedClaims;
use crate::domain::user::User;
use crate::endpoints::resources;
use crate::error::internal::InternalError;
use crate::rng;
use crate::store::{DirectIssue, UsedAssertion};
use crate::tokens::granting;
use crate::tokens::launch_context::KnownContext;
use crate::tokens::subjects;

use super::error::{ScopeRefusal, TokenError};
use super::first_tokens::FirstTokens;
use super::foreign_token::ForeignTokenFault;
use super::{Exchange, success};

/// What a direct grant is made of.
pub(super) struct DirectGrant {
    /// In whose name.
    pub(super) user: User,
    /// When they were authenticated, wherever that was.
    pub(super) authenticated_at: Timestamp,
    /// `scope` of the request.
    pub(super) scope: Option<ScopeSet>,
    /// The assertion that is used up by it.
    pub(super) assertion: Option<UsedAssertion>,
    /// The grant type, for the audit trail.
    pub(super) method: &'static str,
    /// `issued_token_type` of the answer (RFC 8693 section 2.2.1).
    pub(super) issued_token_type: Option<&'static str>,
}

impl DirectGrant {
    /// Makes the grant and its first tokens, stores them all at once, and answers with the tokens.
    pub(super) async fn issue(self, exchange: &Exchange<'_>) -> Result<Response, TokenError> {
        let client = exchange.client.client();
        let audiences = resources::requested(exchange.state.config(), exchange.parameters)
            .map_err(|_| TokenError::UnknownTarget)?;
        let requested = self
            .scope
            .as_ref()
            .map_or_else(|| usual_scope(client), without_session);
        let context = KnownContext::own(&self.user);
        let givable = granting::for_request(&requested, client);
        let granted = granting::for_person(&givable, &self.user, &context);
        if granted.scope.is_empty() {
            return Err(TokenError::Scope(ScopeRefusal::NothingForPerson));
        }
        if !granting::fits_into_a_token(&granted.scope) {
            return Err(TokenError::Scope(ScopeRefusal::TooLong));
        }
        let grant = Grant {
            id: rng::identifier("grant-").map_err(InternalError::from)?,
            client_id: client.client_id.clone(),
            user_id: self.user.id.clone(),
            subject: subjects::subject(exchange.state, client, &self.user.id).await?,
            scope: granted.scope,
            audiences,
            launch_context: granted.launch_context,
            launch_parameters: granted.launch_parameters,
            authenticated_at: self.authenticated_at,
            // By what means, only the other issuer knows.
            methods: Vec::new(),
            nonce: None,
            claims: AskedClaims::default(),
            session: None,
            session_id: None,
            created_at: exchange.now,
            ended_at: None,
        };
        let tokens = FirstTokens::without_id_token(exchange, &grant, &self.user, &grant.audiences).await?;
        let audit = exchange
            .audit(self.method, AuditOutcome::Success)
            .with_user(&*grant.user_id);
        let issued = exchange
            .state
            .store()
            .issue_directly(
                grant.clone(),
                tokens.refresh_record.clone(),
                tokens.access.record.clone(),
                self.assertion,
                audit,
            )
            .await
            .map_err(InternalError::from)?;
        match issued {
            DirectIssue::Issued => {
                let response = tokens.response(&grant);
                Ok(success(&response.with_issued_token_type(self.issued_token_type)))
            }
            DirectIssue::Replayed => Err(TokenError::Foreign(ForeignTokenFault::Replayed)),
            DirectIssue::Deactivated => Err(TokenError::Foreign(ForeignTokenFault::Deactivated)),
        }
    }
}

/// What a request that names no scope asks for: all that the client is registered for, but nothing that lasts.
fn usual_scope(client: &Client) -> ScopeSet {
    without("offline_access", &without_session(&client.scope))
}

/// There is no session that `online_access` could live in.
fn without_session(scope: &ScopeSet) -> ScopeSet {
    without("online_access", scope)
}

fn without(name: &str, set: &ScopeSet) -> ScopeSet {
    set.iter()
        .filter(|scope| scope.as_str() != name)
        .cloned()
        .collect()
}
