//! `/consent`: the page on which a person allows or denies what a client asks for.
//!
//! The form is bound to the session and to the request: an answer counts for the person who was shown the page, and once.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use wardgate_shared::claims::LaunchContext;

use crate::config::Config;
use crate::domain::consent::Consent;
use crate::domain::launch::Choice;
use crate::domain::user::User;
use crate::endpoints::authorize::decision::{Denial, authenticated};
use crate::endpoints::authorize::pending::PendingRequest;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{BrowserSession, ClientAddress, Form, FormError, Parameters, SameOrigin, SignedIn};
use crate::login::form_token::{FormPurpose, form_token, is_form_token};
use crate::state::AppState;
use crate::tokens::granting;
use crate::tokens::launch_context::{ContextState, KnownContext};
use crate::views::{
    ClientCard, ConsentPage, FormTargets, RecordInContext, claim_permissions, page_with_card, permissions,
};

/// Shows the page for `?request=`.
pub async fn get(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    SignedIn(session): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let id = parameters
        .single("request")
        .map_err(|_| PageError::Field)?
        .ok_or(PageError::RequestGone)?;
    let pending = PendingRequest::load(&state, id).await?;
    let session = match authenticated(&state, &pending, session.as_ref()).await? {
        Ok(session) => session,
        Err(first) => return Ok(redirect::to_own_page(&first.detour(&pending))?),
    };
    let Some(context) = settled_context(&state, &pending, session) else {
        return Ok(redirect::to_own_page(&pending.continue_path())?);
    };
    let grantable = granting::for_person(&pending.request.scope, &session.user, &context);
    if grantable.scope.is_empty() {
        return pending
            .deny(&state, Denial::NothingToGrant, Some(&session.user), address)
            .await;
    }
    let words = ContextWords::of(&pending, &session.user, &grantable.launch_context);
    let mut permissions = permissions(&grantable.scope, words.record);
    permissions.extend(claim_permissions(
        &pending.request.claims.beyond(&grantable.scope),
    ));
    let form_token = form_token(
        state.form_key(),
        session.secret.expose(),
        FormPurpose::Consent {
            request: &subject_of(&pending),
        },
    );
    let card = ClientCard::of(&pending.client);
    let template = ConsentPage {
        client_name: &pending.client.name,
        card,
        permissions: &permissions,
        patient: words.patient.as_deref(),
        encounter: words.encounter.as_deref(),
        chosen: words.chosen,
        resources: &resources_to_name(state.config(), &pending.request.audiences),
        destination: pending.request.redirect_target.as_str(),
        request: pending.id(),
        form_token: &form_token,
        user_name: &session.user.name,
        user_email: &session.user.email,
    };
    Ok(page_with_card(
        &template,
        &FormTargets::client(&pending.request.redirect_target),
        &card,
    )?)
}

/// Takes the answer: `decision` is `allow` or `deny`.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let id = field("request")?.ok_or(PageError::RequestGone)?;
    let session = session.ok_or(PageError::StaleForm)?;
    let pending = PendingRequest::load(&state, id).await?;
    let subject = subject_of(&pending);
    let purpose = FormPurpose::Consent { request: &subject };
    let token = field("form_token")?.unwrap_or_default();
    if !is_form_token(state.form_key(), session.secret.expose(), purpose, token) {
        return Err(PageError::StaleForm);
    }
    if let Err(first) = authenticated(&state, &pending, Some(&session)).await? {
        return Ok(redirect::to_own_page(&first.detour(&pending))?);
    }
    match field("decision")? {
        Some("deny") => {
            pending
                .deny(&state, Denial::AccessDenied, Some(&session.user), address)
                .await
        }
        Some("allow") => {
            let Some(context) = settled_context(&state, &pending, &session) else {
                return Ok(redirect::to_own_page(&pending.continue_path())?);
            };
            let grantable = granting::for_person(&pending.request.scope, &session.user, &context);
            if grantable.scope.is_empty() {
                return pending
                    .deny(&state, Denial::NothingToGrant, Some(&session.user), address)
                    .await;
            }
            let consent = Consent {
                user_id: session.user.id.clone(),
                client_id: pending.client.client_id.clone(),
                scope: grantable.scope.clone(),
                claims: pending.request.claims.beyond(&grantable.scope),
                audiences: pending.request.audiences.clone(),
                granted_at: state.now(),
            };
            pending
                .approve(&state, &session, grantable, Some(consent), address)
                .await
        }
        Some(_) | None => Err(PageError::Field),
    }
}

/// What the form answers: this request, in the context that the page shows. Whoever chooses another patient in another tab
/// is asked anew.
fn subject_of(pending: &PendingRequest) -> String {
    format!("{} {:?}", pending.id(), pending.request.context)
}

/// The context in words.
struct ContextWords {
    record: RecordInContext,
    patient: Option<String>,
    encounter: Option<String>,
    chosen: bool,
}

impl ContextWords {
    fn of(pending: &PendingRequest, user: &User, granted: &LaunchContext) -> Self {
        let context = &pending.request.context;
        let mut words = Self {
            record: RecordInContext::None,
            patient: None,
            encounter: None,
            chosen: false,
        };
        let Some(patient_id) = &granted.patient_id else {
            return words;
        };
        let chosen = context.chosen.as_ref().filter(|chosen| chosen.user_id == user.id);
        let label = |choice: Option<&Choice>, id: Option<&String>, what: &str| {
            let chosen = choice.filter(|choice| choice.id() == id.map(String::as_str));
            let label = chosen.and_then(|choice| choice.label().map(String::from));
            label.or_else(|| id.map(|id| format!("{what} {id}")))
        };
        let encounter = chosen.and_then(|chosen| chosen.encounter.as_ref());
        words.encounter = label(encounter, granted.encounter_id.as_ref(), "Encounter");
        if user.own_launch_context().patient_id.as_ref() == Some(patient_id) {
            words.record = RecordInContext::Own;
            words.patient = words.encounter.is_some().then(|| String::from("yourself"));
            return words;
        }
        let patient = chosen.and_then(|chosen| chosen.patient.as_ref());
        words.record = RecordInContext::OfPatient;
        words.chosen = patient.is_some();
        words.patient = label(patient, Some(patient_id), "the record that is open, number");
        words
    }
}

/// The context in which the person would give access; `None` while something else comes before the question.
fn settled_context(
    state: &AppState,
    pending: &PendingRequest,
    session: &BrowserSession,
) -> Option<KnownContext> {
    match pending.context_of(state, &session.user) {
        ContextState::Known(context) => Some(context),
        ContextState::PatientWanted | ContextState::EncounterWanted { .. } | ContextState::NotTheirs => None,
    }
}

/// The resources that the page names: none where there is only the one that everybody uses.
pub fn resources_to_name<'a>(config: &Config, audiences: &'a [String]) -> Vec<&'a str> {
    let only = config.resources.len() <= 1 && audiences.iter().all(|name| name == config.default_audience());
    if only {
        Vec::new()
    } else {
        audiences.iter().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests;
