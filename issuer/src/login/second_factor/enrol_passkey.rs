//! `/login/mfa/enrol/passkey`: the page on which somebody makes a passkey.
//!
//! Making one is using it: the authenticator verifies its person (WebAuthn section 7.1), so what is made is given, too.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::factor::{Factor, FactorKind, FactorUse};
use crate::domain::passkey::NewCredential;
use crate::domain::session::AuthenticationMethod;
use crate::domain::user_agent::UserAgent;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{ClientAddress, Form, FormError, Parameters, SameOrigin, SignedIn};
use crate::login::completion::Browser;
use crate::login::destination::Destination;
use crate::login::form_token::FormPurpose;
use crate::login::passkey::STALE;
use crate::passkeys::{Binding, OpenCeremony, PasskeyRefusal};
use crate::rng;
use crate::state::AppState;
use crate::views::{AddPasskeyPage, ClientCard, page_with_passkeys};

use super::confirmation::{self, Working};
use super::enrol;
use super::ongoing::Ongoing;

/// Where the page is.
pub const PATH: &str = "/login/mfa/enrol/passkey";

/// What a passkey is called that was given no name that can be kept.
const NAME: &str = "Passkey";
const REFUSED: &str = "Your browser's answer could not be used. Please try again.";
const CANNOT_BE_ADDED: &str =
    "That passkey is known already, or you have as many second factors as one may have.";

/// Shows the page, with a ceremony for the browser.
pub async fn get(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let destination = Destination::read(&state, &parameters).await?;
    let ongoing = Ongoing::find(&state, &headers, session).await?;
    let ongoing = match enrol::may_enrol(&state, ongoing, &destination).await? {
        Ok(ongoing) => ongoing,
        Err(path) => return Ok(redirect::to_own_page(&path)?),
    };
    let enrolment = Enrolment {
        state: &state,
        destination: &destination,
        ongoing: &ongoing,
    };
    enrolment.show(&suggested_name(&headers), true, None).await
}

/// Takes the browser's answer, and keeps the passkey.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let destination = Destination::read(&state, &parameters).await?;
    let Some(ongoing) = Ongoing::find(&state, &headers, session).await? else {
        return Ok(redirect::to_own_page(&destination.path_to("/login"))?);
    };
    let token = field("form_token")?.unwrap_or_default();
    ongoing.check_token(&state, FormPurpose::FactorEnrolment, token)?;
    let ongoing = match enrol::may_enrol(&state, Some(ongoing), &destination).await? {
        Ok(ongoing) => ongoing,
        Err(path) => return Ok(redirect::to_own_page(&path)?),
    };
    let enrolment = Enrolment {
        state: &state,
        destination: &destination,
        ongoing: &ongoing,
    };
    let remember = field("remember")?.is_some();
    // By now the authenticator has made the passkey: it is kept, by whatever name.
    let name = field("name")?.and_then(Factor::lawful_name).unwrap_or(NAME);
    let browser = Browser {
        headers: &headers,
        address,
    };
    let refusal = match enrolment.made(&parameters)? {
        Ok((ceremony, credential)) => {
            let id = enrol::new_id()?;
            let factor = enrol::unconfirmed(&state, &ongoing, FactorKind::Passkey, id, name.into(), None);
            let kept = state
                .store()
                .insert_passkey(factor.clone(), credential, ceremony.answered)
                .await;
            if let Some(refusal) = PasskeyRefusal::of_insertion(kept.map_err(InternalError::from)?) {
                refusal
            } else {
                let working = Working {
                    factor: &factor,
                    used: FactorUse::Checked {
                        factor_id: factor.id.clone(),
                    },
                    name,
                    remember,
                };
                let done = confirmation::confirm(&state, browser, &ongoing, working, &destination).await?;
                // What was kept a moment ago is gone only when it was reset in between.
                return done.map_or_else(|| Err(PageError::StaleForm), Ok);
            }
        }
        Err(refusal) => refusal,
    };
    let event = AuditEvent::new(state.now(), AuditAction::FactorEnrolment, AuditOutcome::Failure)
        .with_user(&*ongoing.user().id)
        .with_ip_address(address)
        .with_method(AuthenticationMethod::Passkey.as_str())
        .with_reason(refusal.reason());
    state.record_refusal(event).await.map_err(InternalError::from)?;
    let problem = match refusal {
        PasskeyRefusal::CannotBeAdded => CANNOT_BE_ADDED,
        refusal if refusal.is_stale() => STALE,
        _ => REFUSED,
    };
    enrolment.show(name, remember, Some(problem)).await
}

/// What a passkey of this browser might be called.
fn suggested_name(headers: &HeaderMap) -> String {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .and_then(UserAgent::clean);
    agent
        .and_then(|agent| agent.system())
        .map_or_else(String::new, String::from)
}

/// Somebody who makes a passkey.
struct Enrolment<'a> {
    state: &'a AppState,
    destination: &'a Destination,
    ongoing: &'a Ongoing,
}

impl Enrolment<'_> {
    /// The credential that the form brings, and the ceremony in which it was made.
    fn made(
        &self,
        parameters: &Parameters,
    ) -> Result<Result<(OpenCeremony, NewCredential), PasskeyRefusal>, PageError> {
        let field = |name| parameters.single(name).map_err(|_| PageError::Field);
        let ceremony = field("ceremony")?.ok_or(PageError::Field)?;
        let credential = field("credential")?.ok_or(PageError::Field)?;
        let binding = Binding::Registration(self.ongoing.secret());
        let passkeys = self.state.passkeys();
        let open = passkeys.open(ceremony, &binding, self.state.now());
        Ok(open.and_then(|open| {
            let made = passkeys.finish_registration(&open, credential)?;
            Ok((open, made))
        }))
    }

    async fn show(&self, name: &str, remember: bool, problem: Option<&str>) -> Result<Response, PageError> {
        let (state, store, user) = (self.state, self.state.store(), self.ongoing.user());
        let candidate = rng::bytes::<16>().map_err(InternalError::from)?;
        let handle = store
            .user_handle(&user.id, candidate)
            .await
            .map_err(InternalError::from)?;
        let existing = store.passkeys_of(&user.id).await.map_err(InternalError::from)?;
        let binding = Binding::Registration(self.ongoing.secret());
        let offer = state
            .passkeys()
            .begin_registration(user, handle, &existing, &binding, state.now())
            .map_err(InternalError::from)?;
        let carried = self.destination.field();
        let template = AddPasskeyPage {
            carried: carried.as_ref().map(|(name, value)| (*name, value.as_str())),
            passkey: offer.as_ref(),
            name,
            form_token: &self.ongoing.form_token(state, FormPurpose::FactorEnrolment),
            remember,
            back: &self.destination.path_to(enrol::PATH),
            problem,
        };
        let targets = self.destination.form_targets();
        let page = page_with_passkeys(&template, &targets, &ClientCard::default())?;
        let status = match problem {
            Some(_) => StatusCode::BAD_REQUEST,
            None => StatusCode::OK,
        };
        Ok((status, page).into_response())
    }
}

#[cfg(test)]
mod tests;
