//! `/account/factors/passkey`: the page on which a person adds a passkey.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::factor::{Factor, FactorKind};
use crate::domain::passkey::NewCredential;
use crate::domain::session::AuthenticationMethod;
use crate::domain::user_agent::UserAgent;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{BrowserSession, ClientAddress, Form, FormError, Parameters, SameOrigin, SignedIn};
use crate::login::form_token::{FormPurpose, form_token};
use crate::login::passkey::STALE;
use crate::login::reauthentication::recently_authenticated;
use crate::passkeys::{Binding, OpenCeremony, PasskeyRefusal};
use crate::rng;
use crate::state::AppState;
use crate::views::{AddPasskeyPage, ClientCard, FormTargets, page_with_passkeys};

use super::factors::PATH as LIST;
use super::{form_of, frame};

/// Where the page is.
pub const PATH: &str = "/account/factors/passkey";

const NO_NAME: &str = "Please give it a name of at most 60 characters.";
const REFUSED: &str = "Your browser's answer could not be used. Please try again.";
const CANNOT_BE_ADDED: &str =
    "That passkey is known already, or you have as many second factors as one may have.";

/// Shows the page, with a ceremony for the browser.
pub async fn get(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    match recently_authenticated(&state, session, PATH).await? {
        Ok(session) => show(&state, &session, &suggested_name(&headers), None).await,
        Err(response) => Ok(response),
    }
}

/// Takes the browser's answer and keeps the passkey.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let session = form_of(&state, session, FormPurpose::AccountPasskey, &parameters)?;
    let session = match recently_authenticated(&state, Some(session), PATH).await? {
        Ok(session) => session,
        Err(response) => return Ok(response),
    };
    let typed = parameters.single("name").map_err(|_| PageError::Field)?;
    let Some(name) = typed.and_then(Factor::lawful_name) else {
        return show(&state, &session, "", Some(NO_NAME)).await;
    };
    let now = state.now();
    let event = |outcome| {
        AuditEvent::new(now, AuditAction::FactorEnrolment, outcome)
            .with_user(&*session.user.id)
            .with_ip_address(address)
            .with_method(AuthenticationMethod::Passkey.as_str())
    };
    let refusal = match made(&state, &session, &parameters)? {
        Ok((ceremony, credential)) => {
            let factor = Factor {
                id: rng::identifier("factor-").map_err(InternalError::from)?,
                user_id: session.user.id.clone(),
                kind: FactorKind::Passkey,
                name: name.into(),
                sealed: None,
                detail: None,
                created_at: now,
                // Its person has just used it.
                confirmed_at: Some(now),
                last_used_at: None,
                last_step: None,
            };
            let kept = state
                .store()
                .insert_passkey(
                    factor,
                    credential,
                    ceremony.answered,
                    event(AuditOutcome::Success),
                )
                .await
                .map_err(InternalError::from)?;
            PasskeyRefusal::of_insertion(kept)
        }
        Err(refusal) => Some(refusal),
    };
    let Some(refusal) = refusal else {
        return Ok(redirect::to_own_page(LIST)?);
    };
    let event = event(AuditOutcome::Failure).with_reason(refusal.reason());
    state.record_refusal(event).await.map_err(InternalError::from)?;
    let problem = match refusal {
        PasskeyRefusal::CannotBeAdded => CANNOT_BE_ADDED,
        refusal if refusal.is_stale() => STALE,
        _ => REFUSED,
    };
    show(&state, &session, name, Some(problem)).await
}

/// The credential that the form brings, and the ceremony in which it was made.
fn made(
    state: &AppState,
    session: &BrowserSession,
    parameters: &Parameters,
) -> Result<Result<(OpenCeremony, NewCredential), PasskeyRefusal>, PageError> {
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let ceremony = field("ceremony")?.ok_or(PageError::Field)?;
    let credential = field("credential")?.ok_or(PageError::Field)?;
    let binding = Binding::Registration(session.secret.expose());
    let open = state.passkeys().open(ceremony, &binding, state.now());
    Ok(open.and_then(|open| {
        let made = state.passkeys().finish_registration(&open, credential)?;
        Ok((open, made))
    }))
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

async fn show(
    state: &AppState,
    session: &BrowserSession,
    name: &str,
    problem: Option<&str>,
) -> Result<Response, PageError> {
    let (store, user) = (state.store(), &session.user);
    let candidate = rng::bytes::<16>().map_err(InternalError::from)?;
    let handle = store
        .user_handle(&user.id, candidate)
        .await
        .map_err(InternalError::from)?;
    let existing = store.passkeys_of(&user.id).await.map_err(InternalError::from)?;
    let secret = session.secret.expose();
    let offer = state
        .passkeys()
        .begin_registration(
            user,
            handle,
            &existing,
            &Binding::Registration(secret),
            state.now(),
        )
        .map_err(InternalError::from)?;
    let token = form_token(state.form_key(), secret, FormPurpose::AccountPasskey);
    let template = AddPasskeyPage {
        frame: frame(session, LIST),
        passkey: offer.as_ref(),
        name,
        form_token: &token,
        problem,
    };
    let page = page_with_passkeys(&template, &FormTargets::own(), &ClientCard::default())?;
    let status = match problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    Ok((status, page).into_response())
}

#[cfg(test)]
mod tests;
