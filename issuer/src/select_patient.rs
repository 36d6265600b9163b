//! `/select-patient`: the page on which a health professional chooses the patient, and the encounter, that an app is to
//! work with (SMART App Launch 2.2 "Standalone launch"; SMART-20, SMART-21).
//!
//! Search terms travel in the body of a form, so that names and dates stand in no address, log or history. What is chosen
//! is read from the FHIR server before it counts, and is kept with the waiting request, for the person who chose. When the
//! server does not answer, the page says so and keeps what was typed.
//!
//! Who may choose is decided in [`crate::tokens::launch_context`]. What they may then do with the record, the API decides.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::fhir_reference::is_fhir_id;
use crate::domain::launch::{Choice, ChosenContext};
use crate::endpoints::authorize::decision::authenticated;
use crate::endpoints::authorize::pending::PendingRequest;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{BrowserSession, ClientAddress, Form, FormError, Parameters, SameOrigin, SignedIn};
use crate::fhir::{FhirError, FhirServer, PatientQuery, Summary};
use crate::login::form_token::{FormPurpose, form_token, is_form_token};
use crate::state::AppState;
use crate::tokens::launch_context::ContextState;
use crate::views::{FormTargets, SelectEncounterPage, SelectPatientPage, page};

const DOWN: &str = "The system that keeps the records does not answer. What you typed is still here: please try again in a moment.";
const NO_TERMS: &str = "Please type a name, a date of birth or a record number.";
const NO_DATE: &str = "The date of birth must be a year, a month or a day: 1980, 1980-02 or 1980-02-29.";
const TOO_LONG: &str = "Please type at most 100 characters in a field.";
const NO_PATIENT: &str = "There is no such patient any more. Please search again.";
const NO_ENCOUNTER: &str = "This patient has no such visit any more. Please choose again.";
/// The longest search term, in characters.
const MAXIMUM_TERM_CHARACTERS: usize = 100;

/// Shows the page for `?request=`; with `again`, also to somebody who has chosen already.
pub async fn get(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    SignedIn(session): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let id = field("request")?.ok_or(PageError::RequestGone)?;
    let pending = PendingRequest::load(&state, id).await?;
    let session = match authenticated(&state, &pending, session.as_ref()).await? {
        Ok(session) => session,
        Err(first) => return Ok(redirect::to_own_page(&first.detour(&pending))?),
    };
    let again = field("again")?.is_some();
    let picker = Picker::new(&state, &pending, session, address);
    match pending.context_of(&state, &session.user) {
        ContextState::PatientWanted => picker.patients(&PatientQuery::default(), None, None),
        _ if again && picker.may_choose_patient() => picker.patients(&PatientQuery::default(), None, None),
        ContextState::EncounterWanted { patient_id } => picker.encounters(&patient_id, None).await,
        ContextState::Known(_) | ContextState::NotTheirs => {
            Ok(redirect::to_own_page(&pending.continue_path())?)
        }
    }
}

/// Takes a search, or a choice: `patient`, `encounter`, or `none` of either.
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
    let purpose = FormPurpose::SelectPatient { request: id };
    let token = field("form_token")?.unwrap_or_default();
    if !is_form_token(state.form_key(), session.secret.expose(), purpose, token) {
        return Err(PageError::StaleForm);
    }
    let pending = PendingRequest::load(&state, id).await?;
    if let Err(first) = authenticated(&state, &pending, Some(&session)).await? {
        return Ok(redirect::to_own_page(&first.detour(&pending))?);
    }
    let term = |name| Ok::<_, PageError>(field(name)?.unwrap_or_default().trim().into());
    let query = PatientQuery {
        name: term("name")?,
        birthdate: term("birthdate")?,
        identifier: term("identifier")?,
    };
    let picker = Picker::new(&state, &pending, &session, address);
    match (field("patient")?, field("encounter")?, field("none")?) {
        (Some(id), None, None) => picker.choose_patient(id, &query).await,
        (None, Some(id), None) => picker.choose_encounter(id).await,
        (None, None, Some("patient")) if picker.may_choose_patient() => {
            picker.keep(Some(Choice::Nothing), None).await
        }
        (None, None, Some("encounter")) => picker.keep(None, Some(Choice::Nothing)).await,
        (None, None, None) if picker.may_choose_patient() => picker.search(&query).await,
        (_, _, _) => Err(PageError::Field),
    }
}

/// One visit to the page.
struct Picker<'a> {
    state: &'a AppState,
    pending: &'a PendingRequest,
    session: &'a BrowserSession,
    address: Option<std::net::IpAddr>,
    form_token: String,
}

impl<'a> Picker<'a> {
    fn new(
        state: &'a AppState,
        pending: &'a PendingRequest,
        session: &'a BrowserSession,
        address: Option<std::net::IpAddr>,
    ) -> Self {
        let purpose = FormPurpose::SelectPatient {
            request: pending.id(),
        };
        Self {
            state,
            pending,
            session,
            address,
            form_token: form_token(state.form_key(), session.secret.expose(), purpose),
        }
    }

    /// Whether the patient of this request is for this person to choose.
    fn may_choose_patient(&self) -> bool {
        let (user, context) = (&self.session.user, &self.pending.request.context);
        let is_launched = context
            .launched
            .as_ref()
            .is_some_and(|launched| launched.patient_id.is_some());
        user.may_choose_patients() && user.own_launch_context().patient_id.is_none() && !is_launched
    }

    fn server(&self) -> Result<FhirServer<'a>, PageError> {
        FhirServer::of(self.state, &self.pending.request.audiences).ok_or(PageError::Field)
    }

    async fn search(&self, query: &PatientQuery) -> Result<Response, PageError> {
        let is_long =
            |term: &str| term.chars().count() > MAXIMUM_TERM_CHARACTERS || term.contains(char::is_control);
        let problem = if query.is_empty() {
            NO_TERMS
        } else if [&query.name, &query.birthdate, &query.identifier]
            .iter()
            .any(|term| is_long(term))
        {
            TOO_LONG
        } else if query.has_lawful_date() {
            let found = self.server()?.patients(query).await;
            self.record_search(found.is_ok()).await?;
            return match found {
                Ok(found) => self.patients(query, Some(&found), None),
                Err(error) => {
                    note(error)?;
                    self.patients(query, None, Some((DOWN, StatusCode::SERVICE_UNAVAILABLE)))
                }
            };
        } else {
            NO_DATE
        };
        self.patients(query, None, Some((problem, StatusCode::BAD_REQUEST)))
    }

    /// The FHIR server sees the issuer ask: who asked it, only the audit trail knows.
    async fn record_search(&self, answered: bool) -> Result<(), InternalError> {
        let event = |outcome| self.event(AuditAction::PatientSearch, outcome);
        let audit = if answered {
            event(AuditOutcome::Success)
        } else {
            event(AuditOutcome::Failure).with_reason("fhir_server_unavailable")
        };
        Ok(self.state.store().record(audit).await?)
    }

    fn event(&self, action: AuditAction, outcome: AuditOutcome) -> AuditEvent {
        AuditEvent::new(self.state.now(), action, outcome)
            .with_user(&*self.session.user.id)
            .with_client(&*self.pending.client.client_id)
            .with_ip_address(self.address)
    }

    async fn choose_patient(&self, id: &str, query: &PatientQuery) -> Result<Response, PageError> {
        if !self.may_choose_patient() || !is_fhir_id(id) {
            return Err(PageError::Field);
        }
        match self.server()?.patient(id).await {
            Ok(Some(patient)) => {
                let choice = Choice::Resource {
                    label: patient.label(),
                    id: patient.id,
                };
                self.keep(Some(choice), None).await
            }
            Ok(None) => self.patients(query, None, Some((NO_PATIENT, StatusCode::BAD_REQUEST))),
            Err(error) => {
                note(error)?;
                self.patients(query, None, Some((DOWN, StatusCode::SERVICE_UNAVAILABLE)))
            }
        }
    }

    async fn choose_encounter(&self, id: &str) -> Result<Response, PageError> {
        let ContextState::EncounterWanted { patient_id } =
            self.pending.context_of(self.state, &self.session.user)
        else {
            return Err(PageError::Field);
        };
        if !is_fhir_id(id) {
            return Err(PageError::Field);
        }
        match self.server()?.encounter(id, &patient_id).await {
            Ok(Some(encounter)) => {
                let choice = Choice::Resource {
                    label: encounter.label(),
                    id: encounter.id,
                };
                self.keep(None, Some(choice)).await
            }
            Ok(None) => {
                let problem = Some((NO_ENCOUNTER, StatusCode::BAD_REQUEST));
                self.encounters(&patient_id, problem).await
            }
            Err(error) => {
                note(error)?;
                self.encounter_page(None, Some((DOWN, StatusCode::SERVICE_UNAVAILABLE)))
            }
        }
    }

    /// Keeps a choice with the request, and goes on with it. Another patient has other encounters.
    async fn keep(&self, patient: Option<Choice>, encounter: Option<Choice>) -> Result<Response, PageError> {
        let user_id = &self.session.user.id;
        let mut context = self.pending.request.context.clone();
        let before = context.chosen.take().filter(|chosen| chosen.user_id == *user_id);
        context.chosen = Some(ChosenContext {
            user_id: user_id.clone(),
            patient: patient.or_else(|| before.and_then(|before| before.patient)),
            encounter,
        });
        let now = self.state.now();
        let audit = self.event(AuditAction::ContextChoice, AuditOutcome::Success);
        let kept = self
            .state
            .store()
            .set_request_context(&self.pending.request.digest, context, now, audit)
            .await
            .map_err(InternalError::from)?;
        if !kept {
            return Err(PageError::RequestGone);
        }
        Ok(redirect::to_own_page(&self.pending.continue_path())?)
    }

    fn patients(
        &self,
        query: &PatientQuery,
        found: Option<&[Summary]>,
        problem: Option<(&str, StatusCode)>,
    ) -> Result<Response, PageError> {
        let template = SelectPatientPage {
            client_name: &self.pending.client.name,
            query,
            found,
            request: self.pending.id(),
            form_token: &self.form_token,
            problem: problem.map(|(words, _)| words),
            user_name: &self.session.user.name,
            user_email: &self.session.user.email,
        };
        Ok(answer(page(&template, &self.targets())?, problem))
    }

    async fn encounters(
        &self,
        patient_id: &str,
        problem: Option<(&str, StatusCode)>,
    ) -> Result<Response, PageError> {
        match self.server()?.encounters(patient_id).await {
            Ok(found) => self.encounter_page(Some(&found), problem),
            Err(error) => {
                note(error)?;
                self.encounter_page(None, Some((DOWN, StatusCode::SERVICE_UNAVAILABLE)))
            }
        }
    }

    fn encounter_page(
        &self,
        found: Option<&[Summary]>,
        problem: Option<(&str, StatusCode)>,
    ) -> Result<Response, PageError> {
        let chosen = self.pending.request.context.chosen.as_ref();
        let template = SelectEncounterPage {
            client_name: &self.pending.client.name,
            patient: chosen.and_then(|chosen| chosen.patient.as_ref()?.label()),
            found,
            request: self.pending.id(),
            form_token: &self.form_token,
            problem: problem.map(|(words, _)| words),
            user_name: &self.session.user.name,
            user_email: &self.session.user.email,
        };
        Ok(answer(page(&template, &self.targets())?, problem))
    }

    /// After a choice the request may be answered at once, so the forms may lead to the client.
    fn targets(&self) -> FormTargets {
        FormTargets::client(&self.pending.request.redirect_target)
    }
}

/// The page, with the status of its problem.
fn answer(page: Response, problem: Option<(&str, StatusCode)>) -> Response {
    match problem {
        Some((_, status)) => (status, page).into_response(),
        None => page,
    }
}

/// Logs why the FHIR server is of no use. The reason names no patient.
fn note(error: FhirError) -> Result<(), PageError> {
    match error {
        FhirError::Unavailable(reason) => {
            tracing::warn!(reason, "patients cannot be looked for");
            Ok(())
        }
        FhirError::Internal(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
