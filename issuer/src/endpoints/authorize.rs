//! `/oauth2/authorize`: the authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2, SMART App
//! Launch "Obtain authorization code").
//!
//! A request is checked ([`check`]) and stored under a random identifier; then [`decision`] says what stands between it and
//! its answer: signing in, consenting, or nothing. A POST comes from the client's site without our cookies (SMART-13), so
//! it is stored and the browser is sent to the same-site address `/oauth2/authorize/continue`, which decides.

pub mod check;
pub mod claims_parameter;
pub mod decision;
mod description;
mod launched;
pub mod pending;
mod prompt;
pub mod pushed;
pub mod refusal;

use axum::extract::{RawQuery, State};
use axum::response::Response;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect::{self, ReturnPath};
use crate::extract::{BrowserSession, ClientAddress, Form, FormError, Parameters, ParametersError, SignedIn};
use crate::login::second_factor::ongoing::Ongoing;
use crate::state::AppState;

use check::CheckedRequest;
use decision::{Decision, Denial, decide};
use pending::PendingRequest;
use refusal::Refusal;

pub use description::{describe, example};

/// A request in the query.
pub async fn get(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    SignedIn(session): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let visit = Visit {
        state: &state,
        address,
    };
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    if let Some(pushed) = visit.pushed(&parameters).await? {
        return match pushed {
            Ok(pending) => visit.go_on(&pending, session).await,
            Err(refusal) => visit.refuse(refusal).await,
        };
    }
    match visit.check(parameters).await? {
        Ok(checked) => visit.answer_new(checked, session).await,
        Err(refusal) => visit.refuse(refusal).await,
    }
}

/// The same request as a form.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let visit = Visit {
        state: &state,
        address,
    };
    let Form(parameters) = form?;
    let parameters = Ok(parameters);
    let pending = match visit.pushed(&parameters).await? {
        Some(pushed) => pushed,
        None => match visit.check(parameters).await? {
            Ok(checked) => Ok(visit.store(checked).await?),
            Err(refusal) => Err(refusal),
        },
    };
    match pending {
        Ok(pending) => Ok(redirect::to_own_page(&pending.continue_path())?),
        Err(refusal) => visit.refuse(refusal).await,
    }
}

/// Where a stored request goes on: after a POST, and after signing in.
pub async fn resume(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    SignedIn(session): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let visit = Visit {
        state: &state,
        address,
    };
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let pending = PendingRequest::load(&state, field("request")?.ok_or(PageError::RequestGone)?).await?;
    visit.go_on(&pending, session).await
}

/// One visit to the endpoint.
struct Visit<'a> {
    state: &'a AppState,
    address: Option<std::net::IpAddr>,
}

impl Visit<'_> {
    async fn check(
        &self,
        parameters: Result<Parameters, ParametersError>,
    ) -> Result<Result<CheckedRequest, Refusal>, PageError> {
        match parameters {
            Ok(parameters) => Ok(check::check(self.state, &parameters, self.state.now()).await?),
            Err(error) => Ok(Err(Refusal::malformed(error))),
        }
    }

    /// The request that was pushed, when the parameters name one.
    async fn pushed(
        &self,
        parameters: &Result<Parameters, ParametersError>,
    ) -> Result<Option<Result<PendingRequest, Refusal>>, PageError> {
        match parameters {
            Ok(parameters) => Ok(pushed::load(self.state, parameters, self.state.now()).await?),
            Err(_) => Ok(None),
        }
    }

    /// Goes on with a stored request, wherever it stands.
    async fn go_on(
        &self,
        pending: &PendingRequest,
        session: Option<BrowserSession>,
    ) -> Result<Response, PageError> {
        let session = session.as_ref();
        let decision = decide(self.state, pending, session).await?;
        match decision.denial(pending.request.prompt_none) {
            Some(denial) => {
                let user = session.map(|session| &session.user);
                pending.deny(self.state, denial, user, self.address).await
            }
            None => self.act(pending, decision, session).await,
        }
    }

    /// Decides before storing, so that a request which is refused at once leaves nothing behind.
    async fn answer_new(
        &self,
        checked: CheckedRequest,
        session: Option<BrowserSession>,
    ) -> Result<Response, PageError> {
        let pending = checked.into_pending(None)?;
        let decision = decide(self.state, &pending, session.as_ref()).await?;
        if let Some(denial) = decision.denial(pending.request.prompt_none) {
            let user = session.as_ref().map(|session| &session.user);
            return Ok(pending
                .deny_unstored(self.state, denial, user, self.address)
                .await?);
        }
        self.insert(&pending).await?;
        self.act(&pending, decision, session.as_ref()).await
    }

    async fn store(&self, checked: CheckedRequest) -> Result<PendingRequest, PageError> {
        let pending = checked.into_pending(None)?;
        self.insert(&pending).await?;
        Ok(pending)
    }

    async fn insert(&self, pending: &PendingRequest) -> Result<(), PageError> {
        let stored = self
            .state
            .store()
            .insert_authorization_request(pending.request.clone())
            .await;
        Ok(stored.map_err(InternalError::from)?)
    }

    /// Takes the next step of a stored request.
    async fn act(
        &self,
        pending: &PendingRequest,
        decision: Decision,
        session: Option<&BrowserSession>,
    ) -> Result<Response, PageError> {
        match (decision, session) {
            (Decision::Approve(grantable), Some(session)) => {
                pending
                    .approve(self.state, session, grantable, None, self.address)
                    .await
            }
            (Decision::AskConsent(_), Some(_)) => Ok(redirect::to_own_page(&pending.path_to("/consent"))?),
            (Decision::ChooseContext, Some(_)) => {
                Ok(redirect::to_own_page(&pending.path_to("/select-patient"))?)
            }
            (Decision::SecondFactor, Some(_)) => self.ask_for_factor(&pending.path_to("/login/mfa")),
            (Decision::EnrolFactor, Some(_)) => self.ask_for_factor(&pending.path_to("/login/mfa/enrol")),
            (Decision::UnreachableContext, session) => {
                let user = session.map(|session| &session.user);
                pending
                    .deny(self.state, Denial::UnreachableContext, user, self.address)
                    .await
            }
            (
                Decision::SignIn
                | Decision::SecondFactor
                | Decision::EnrolFactor
                | Decision::ChooseContext
                | Decision::AskConsent(_)
                | Decision::Approve(_),
                _,
            ) => Ok(redirect::to_own_page(&pending.path_to("/login"))?),
            (Decision::NothingToGrant, session) => {
                let user = session.map(|session| &session.user);
                pending
                    .deny(self.state, Denial::NothingToGrant, user, self.address)
                    .await
            }
            (Decision::AnotherPerson, session) => {
                let user = session.map(|session| &session.user);
                pending
                    .deny(self.state, Denial::AnotherPerson, user, self.address)
                    .await
            }
            (Decision::LaunchOfAnother, session) => {
                let user = session.map(|session| &session.user);
                pending
                    .deny(self.state, Denial::LaunchOfAnother, user, self.address)
                    .await
            }
        }
    }

    /// Asks the person of the session for a second factor, on this page.
    fn ask_for_factor(&self, page: &str) -> Result<Response, PageError> {
        Ok(Ongoing::in_session(self.state, redirect::to_own_page(page)?)?)
    }

    async fn refuse(&self, refusal: Refusal) -> Result<Response, PageError> {
        let now = self.state.now();
        let mut audit = AuditEvent::new(now, AuditAction::Authorization, AuditOutcome::Failure)
            .with_ip_address(self.address)
            .with_reason(refusal.reason());
        if let Some(client_id) = refusal.client_id() {
            audit = audit.with_client(client_id);
        }
        self.state
            .store()
            .record(audit)
            .await
            .map_err(InternalError::from)?;
        match refusal {
            Refusal::Page { error, .. } => Err(PageError::UntrustedRequest(error.description())),
            Refusal::Redirect {
                target,
                mode,
                state,
                error,
                ..
            } => {
                let path = ReturnPath {
                    target: &target,
                    mode,
                    state: state.as_deref(),
                };
                Ok(redirect::with_error(
                    self.state.config(),
                    path,
                    error.code(),
                    error.description(),
                )?)
            }
        }
    }
}

#[cfg(test)]
mod tests;
