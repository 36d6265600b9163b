//! An authorization request that waits for its person, and the two ways in which it ends.

use std::net::IpAddr;

use axum::response::Response;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::authorization_code::{AuthorizationCode, CODE_LIFETIME_SECONDS};
use crate::domain::authorization_request::{AuthorizationRequest, REQUEST_LIFETIME_SECONDS};
use crate::domain::client::Client;
use crate::domain::consent::Consent;
use crate::domain::digest::SecretDigest;
use crate::domain::grant::Grant;
use crate::domain::user::User;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect::{self, ReturnPath};
use crate::extract::BrowserSession;
use crate::fhir::FhirServer;
use crate::rng;
use crate::state::AppState;
use crate::store::Approval;
use crate::tokens::granting::Grantable;
use crate::tokens::launch_context::{self, ContextState};
use crate::tokens::opaque::OpaqueSecret;
use crate::tokens::subjects;

use super::decision::Denial;

/// A checked request, its identifier in clear, and its client.
#[derive(Clone, Debug)]
pub struct PendingRequest {
    id: Secret<String>,
    /// The request.
    pub request: AuthorizationRequest,
    /// Who asks.
    pub client: Client,
}

impl PendingRequest {
    /// A request that was just checked.
    pub const fn new(id: Secret<String>, request: AuthorizationRequest, client: Client) -> Self {
        Self { id, request, client }
    }

    /// The stored request of this identifier.
    ///
    /// # Errors
    /// [`PageError::RequestGone`] when it is answered, expired or unknown.
    pub async fn load(state: &AppState, id: &str) -> Result<Self, PageError> {
        if !OpaqueSecret::AuthorizationRequest.is_shape_of(id) {
            return Err(PageError::RequestGone);
        }
        let digest = SecretDigest::of(id);
        let found = state
            .store()
            .authorization_request(&digest, state.now())
            .await
            .map_err(InternalError::from)?;
        let request = found.ok_or(PageError::RequestGone)?;
        let client = state
            .store()
            .client(&request.client_id)
            .await
            .map_err(InternalError::from)?;
        let client = client.ok_or(PageError::RequestGone)?;
        Ok(Self {
            id: Secret::new(id.into()),
            request,
            client,
        })
    }

    /// The request that `client_id` pushed under this identifier, while its `request_uri` may be used; `None` otherwise.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn load_pushed(
        state: &AppState,
        id: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Option<Self>, InternalError> {
        if !OpaqueSecret::AuthorizationRequest.is_shape_of(id) {
            return Ok(None);
        }
        let (store, expires_at) = (state.store(), now.plus(REQUEST_LIFETIME_SECONDS));
        let digest = SecretDigest::of(id);
        let found = store
            .visit_pushed_request(&digest, client_id, now, expires_at)
            .await?;
        let Some(request) = found else {
            return Ok(None);
        };
        Ok(store.client(client_id).await?.map(|client| Self {
            id: Secret::new(id.into()),
            request,
            client,
        }))
    }

    /// The identifier, for the forms of the pages that answer the request.
    pub fn id(&self) -> &str {
        self.id.expose()
    }

    /// The address of one of the pages, for this request. Identifiers have URL-safe characters only.
    pub fn path_to(&self, page: &str) -> String {
        format!("{page}?request={}", self.id())
    }

    /// Where the request goes on once somebody has signed in.
    pub fn continue_path(&self) -> String {
        self.path_to("/oauth2/authorize/continue")
    }

    /// How far its clinical context is settled for `user`.
    pub fn context_of(&self, state: &AppState, user: &User) -> ContextState {
        let searchable = FhirServer::of(state, &self.request.audiences).is_some();
        launch_context::resolve(&self.request.scope, &self.request.context, user, searchable)
    }

    /// Ends the request with a code for the client. `consent` is what the person just agreed to, when they were asked.
    ///
    /// # Errors
    /// [`PageError::RequestGone`] when the request has been answered meanwhile; nothing is issued then.
    pub async fn approve(
        &self,
        state: &AppState,
        session: &BrowserSession,
        grantable: Grantable,
        consent: Option<Consent>,
        address: Option<IpAddr>,
    ) -> Result<Response, PageError> {
        let now = state.now();
        let secret = OpaqueSecret::AuthorizationCode
            .generate()
            .map_err(InternalError::from)?;
        let audit = |action| {
            AuditEvent::new(now, action, AuditOutcome::Success)
                .with_user(&*session.user.id)
                .with_client(&*self.client.client_id)
                .with_ip_address(address)
        };
        let mut events = Vec::new();
        if consent.is_some() {
            events.push(audit(AuditAction::Consent));
        }
        events.push(audit(AuditAction::Authorization));
        let grant = Grant {
            id: rng::identifier("grant-").map_err(InternalError::from)?,
            client_id: self.client.client_id.clone(),
            user_id: session.user.id.clone(),
            subject: subjects::subject(state, &self.client, &session.user.id).await?,
            scope: grantable.scope,
            claims: self.request.claims.clone(),
            audiences: self.request.audiences.clone(),
            launch_context: grantable.launch_context,
            launch_parameters: grantable.launch_parameters,
            authenticated_at: session.session.authenticated_at,
            methods: session.session.methods.clone(),
            nonce: self.request.nonce.clone(),
            session: Some(session.session.digest),
            session_id: Some(session.session.id.clone()),
            created_at: now,
            ended_at: None,
        };
        let code = AuthorizationCode {
            digest: secret.digest,
            grant,
            redirect_uri: self.request.redirect_target.as_str().into(),
            redirect_uri_given: self.request.redirect_uri_given,
            challenge: self.request.challenge,
            dpop_jkt: self.request.dpop_jkt.clone(),
            expires_at: now.plus(CODE_LIFETIME_SECONDS),
        };
        let approved = state
            .store()
            .approve_authorization(&self.request.digest, code, consent, events, now)
            .await
            .map_err(InternalError::from)?;
        match approved {
            Approval::Approved => {}
            Approval::RequestGone => return Err(PageError::RequestGone),
            Approval::LaunchSpent => return Ok(self.denial_redirect(state, Denial::LaunchSpent)?),
        }
        Ok(redirect::with_code(
            state.config(),
            self.return_path(),
            secret.value.expose(),
        )?)
    }

    /// Ends the stored request with an error for the client.
    ///
    /// # Errors
    /// [`PageError::RequestGone`] when the request has been answered meanwhile.
    pub async fn deny(
        &self,
        state: &AppState,
        denial: Denial,
        user: Option<&User>,
        address: Option<IpAddr>,
    ) -> Result<Response, PageError> {
        let audit = self.denial_event(state, denial, user, address);
        let (digest, now) = (&self.request.digest, state.now());
        if !state
            .store()
            .deny_authorization(digest, audit, now)
            .await
            .map_err(InternalError::from)?
        {
            return Err(PageError::RequestGone);
        }
        Ok(self.denial_redirect(state, denial)?)
    }

    /// Answers a request that was never stored with an error for the client.
    ///
    /// # Errors
    /// When the store cannot record it.
    pub async fn deny_unstored(
        &self,
        state: &AppState,
        denial: Denial,
        user: Option<&User>,
        address: Option<IpAddr>,
    ) -> Result<Response, InternalError> {
        state
            .store()
            .record(self.denial_event(state, denial, user, address))
            .await?;
        self.denial_redirect(state, denial)
    }

    fn denial_event(
        &self,
        state: &AppState,
        denial: Denial,
        user: Option<&User>,
        address: Option<IpAddr>,
    ) -> AuditEvent {
        let action = match denial {
            Denial::AccessDenied => AuditAction::Consent,
            Denial::LoginRequired
            | Denial::InteractionRequired
            | Denial::ConsentRequired
            | Denial::NothingToGrant
            | Denial::AnotherPerson
            | Denial::LaunchOfAnother
            | Denial::LaunchSpent
            | Denial::SecondFactorRequired
            | Denial::FactorEnrolmentRequired
            | Denial::UnreachableContext => AuditAction::Authorization,
        };
        let event = AuditEvent::new(state.now(), action, AuditOutcome::Failure)
            .with_client(&*self.client.client_id)
            .with_ip_address(address)
            .with_reason(denial.code().as_str());
        match user {
            Some(user) => event.with_user(&*user.id),
            None => event,
        }
    }

    fn denial_redirect(&self, state: &AppState, denial: Denial) -> Result<Response, InternalError> {
        redirect::with_error(
            state.config(),
            self.return_path(),
            denial.code(),
            denial.description(),
        )
    }

    fn return_path(&self) -> ReturnPath<'_> {
        ReturnPath {
            target: &self.request.redirect_target,
            mode: self.request.response_mode,
            state: self.request.state.as_deref(),
        }
    }
}
