//! `/device`: the page on which a person types the code that a device shows, and allows or denies what it asks for (RFC
//! 8628 section 3.3).
//!
//! A code is looked up only by the form, which is throttled and bound to the session; an address with the code in it fills
//! in the field and nothing more, so that the person compares it with what the device shows (section 5.4).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::consent::resources_to_name;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::Client;
use crate::domain::device_authorization::{DeviceAuthorization, UserCode};
use crate::domain::grant::Grant;
use crate::domain::person_claim::AskedClaims;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{
    BrowserSession, ClientAddress, Form, FormError, Parameters, SameOrigin, SignedIn, distinguishing_address,
};
use crate::login::destination::Destination;
use crate::login::form_token::{FormPurpose, form_token, is_form_token};
use crate::login::second_factor::demand::{self, Missing};
use crate::login::second_factor::ongoing::Ongoing;
use crate::login::second_factor::{challenge, enrol};
use crate::login::throttle::SignInThrottle;
use crate::rng;
use crate::state::AppState;
use crate::tokens::granting::{self, Grantable};
use crate::tokens::launch_context::KnownContext;
use crate::tokens::subjects;
use crate::views::{
    ClientCard, DeviceCodePage, DeviceConsentPage, DeviceDonePage, FormTargets, RecordInContext, page,
    page_with_card, permissions,
};

const UNKNOWN: &str = "There is no device that waits with this code. Please compare it with what the device shows; codes \
                       are good for ten minutes.";
const TOO_MANY: &str = "There were too many wrong codes. Please wait a moment and try again.";
const NOTHING: &str = "Your account can give this app nothing of what it asks for.";

/// Where to sign in before answering the device that shows `user_code`, or before any code is typed.
fn sign_in_path(user_code: Option<&UserCode>) -> String {
    match user_code {
        Some(user_code) => format!("/login?device={user_code}"),
        None => String::from("/login?device=any"),
    }
}

/// Where the page is, with the code filled in if there is one.
pub fn path(user_code: Option<&UserCode>) -> String {
    match user_code {
        Some(user_code) => format!("/device?user_code={user_code}"),
        None => String::from("/device"),
    }
}

/// Where the person of the session has to give a second factor, or set one up, before they answer any device.
async fn factor_first(
    state: &AppState,
    session: &BrowserSession,
    user_code: Option<&UserCode>,
) -> Result<Option<String>, InternalError> {
    let page = match demand::missing_in_session(state, &session.user, &session.session, None).await? {
        Missing::Nothing | Missing::UnreachableContext => return Ok(None),
        Missing::SecondFactor => challenge::PATH,
        Missing::Enrolment => enrol::PATH,
    };
    Ok(Some(Destination::Device(user_code.cloned()).path_to(page)))
}

/// Shows the form for the code.
pub async fn get(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let typed = parameters.single("user_code").map_err(|_| PageError::Field)?;
    let user_code = typed.and_then(UserCode::parse);
    match session {
        Some(session) => {
            if let Some(first) = factor_first(&state, &session, user_code.as_ref()).await? {
                return Ok(Ongoing::in_session(&state, redirect::to_own_page(&first)?)?);
            }
            let shown = user_code.map(|code| code.to_string()).unwrap_or_default();
            ask_for_code(&state, &session, &shown, None, StatusCode::OK)
        }
        None => Ok(redirect::to_own_page(&sign_in_path(user_code.as_ref()))?),
    }
}

/// Takes the code, and shows what the device asks for; or takes the answer: `decision` is `allow` or `deny`.
pub async fn post(
    State(state): State<AppState>,
    State(throttle): State<Arc<SignInThrottle>>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let session = session.ok_or(PageError::StaleForm)?;
    let (typed, token) = (
        field("user_code")?.unwrap_or_default(),
        field("form_token")?.unwrap_or_default(),
    );
    let user_code = UserCode::parse(typed);
    if let Some(first) = factor_first(&state, &session, user_code.as_ref()).await? {
        return Ok(redirect::to_own_page(&first)?);
    }
    let answer = Answer {
        state: &state,
        session: &session,
        address,
    };
    let allowed = match field("decision")? {
        None => {
            answer.check_token(FormPurpose::DeviceCode, token)?;
            return answer.look_up(&throttle, typed, user_code).await;
        }
        Some("allow") => true,
        Some("deny") => false,
        Some(_) => return Err(PageError::Field),
    };
    let user_code = user_code.ok_or(PageError::Field)?;
    let purpose = FormPurpose::DeviceConsent {
        user_code: user_code.letters(),
    };
    answer.check_token(purpose, token)?;
    let (device, client) = answer.waiting(&user_code).await?.ok_or(PageError::RequestGone)?;
    if allowed {
        answer.allow(&device, &client).await
    } else {
        answer.deny(&device, &client).await
    }
}

/// A form that was sent.
struct Answer<'a> {
    state: &'a AppState,
    session: &'a BrowserSession,
    address: Option<IpAddr>,
}

impl Answer<'_> {
    fn check_token(&self, purpose: FormPurpose<'_>, token: &str) -> Result<(), PageError> {
        let browser = self.session.secret.expose();
        if is_form_token(self.state.form_key(), browser, purpose, token) {
            Ok(())
        } else {
            Err(PageError::StaleForm)
        }
    }

    async fn waiting(
        &self,
        user_code: &UserCode,
    ) -> Result<Option<(DeviceAuthorization, Client)>, InternalError> {
        let store = self.state.store();
        let Some(device) = store.waiting_device(user_code, self.state.now()).await? else {
            return Ok(None);
        };
        Ok(store
            .client(&device.client_id)
            .await?
            .map(|client| (device, client)))
    }

    fn grantable(&self, device: &DeviceAuthorization) -> Grantable {
        let user = &self.session.user;
        // A device chooses nobody: what it gets is the person's own.
        granting::for_person(&device.scope, user, &KnownContext::own(user))
    }

    fn event(&self, action: AuditAction, outcome: AuditOutcome) -> AuditEvent {
        AuditEvent::new(self.state.now(), action, outcome)
            .with_user(&*self.session.user.id)
            .with_ip_address(self.address)
    }

    async fn record_refusal(&self, reason: &'static str) -> Result<(), InternalError> {
        let audit = self
            .event(AuditAction::Consent, AuditOutcome::Failure)
            .with_reason(reason);
        Ok(self.state.store().record(audit).await?)
    }

    async fn refuse_code(
        &self,
        typed: &str,
        problem: &str,
        reason: &'static str,
    ) -> Result<Response, PageError> {
        self.record_refusal(reason).await?;
        ask_for_code(
            self.state,
            self.session,
            typed,
            Some(problem),
            StatusCode::BAD_REQUEST,
        )
    }

    /// Wrong codes are counted for the person and for the network (RFC 8628 section 5.1).
    async fn look_up(
        &self,
        throttle: &Arc<SignInThrottle>,
        typed: &str,
        user_code: Option<UserCode>,
    ) -> Result<Response, PageError> {
        let account = format!("device codes typed by {}", self.session.user.id);
        // An address that all visitors share says nothing about this one.
        let network = distinguishing_address(self.address, &self.state.config().server);
        let attempt = match throttle.begin(&account, network, self.state.now()) {
            Ok(attempt) => attempt,
            Err(throttled) => {
                if throttled.is_news {
                    self.record_refusal("throttled").await?;
                }
                let status = StatusCode::TOO_MANY_REQUESTS;
                let mut response = ask_for_code(self.state, self.session, typed, Some(TOO_MANY), status)?;
                let seconds = HeaderValue::from(throttled.retry_after_seconds);
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
                return Ok(response);
            }
        };
        let found = match &user_code {
            Some(user_code) => self.waiting(user_code).await?,
            None => None,
        };
        let Some((device, client)) = found else {
            attempt.mismatched(self.state.now());
            return self.refuse_code(typed, UNKNOWN, "unknown_user_code").await;
        };
        // A right code counts for nothing, not even for a new start: anybody can have a device that shows one.
        drop(attempt);
        let grantable = self.grantable(&device);
        if grantable.scope.is_empty() {
            return self.refuse_code(typed, NOTHING, "invalid_scope").await;
        }
        let purpose = FormPurpose::DeviceConsent {
            user_code: device.user_code.letters(),
        };
        let token = form_token(self.state.form_key(), self.session.secret.expose(), purpose);
        let record = match grantable.launch_context.patient_id {
            Some(_) => RecordInContext::Own,
            None => RecordInContext::None,
        };
        let card = ClientCard::of(&client);
        let template = DeviceConsentPage {
            client_name: &client.name,
            card,
            permissions: &permissions(&grantable.scope, record),
            resources: &resources_to_name(self.state.config(), &device.audiences),
            user_code: &device.user_code.to_string(),
            form_token: &token,
            user_name: &self.session.user.name,
            user_email: &self.session.user.email,
        };
        Ok(page_with_card(&template, &FormTargets::own(), &card)?)
    }

    async fn allow(&self, device: &DeviceAuthorization, client: &Client) -> Result<Response, PageError> {
        let grantable = self.grantable(device);
        if grantable.scope.is_empty() {
            return self.refuse_code("", NOTHING, "invalid_scope").await;
        }
        let session = &self.session.session;
        let grant = Grant {
            id: rng::identifier("grant-").map_err(InternalError::from)?,
            client_id: client.client_id.clone(),
            user_id: self.session.user.id.clone(),
            subject: subjects::subject(self.state, client, &self.session.user.id).await?,
            scope: grantable.scope,
            claims: AskedClaims::default(),
            audiences: device.audiences.clone(),
            launch_context: grantable.launch_context,
            launch_parameters: grantable.launch_parameters,
            authenticated_at: session.authenticated_at,
            methods: session.methods.clone(),
            nonce: None,
            session: Some(session.digest),
            session_id: Some(session.id.clone()),
            created_at: self.state.now(),
            ended_at: None,
        };
        let events = [AuditAction::Consent, AuditAction::DeviceAuthorization].map(|action| {
            self.event(action, AuditOutcome::Success)
                .with_client(&*client.client_id)
        });
        self.decide(device, client, Some(grant), events.into()).await
    }

    async fn deny(&self, device: &DeviceAuthorization, client: &Client) -> Result<Response, PageError> {
        let event = self
            .event(AuditAction::Consent, AuditOutcome::Failure)
            .with_client(&*client.client_id)
            .with_reason("access_denied");
        self.decide(device, client, None, vec![event]).await
    }

    async fn decide(
        &self,
        device: &DeviceAuthorization,
        client: &Client,
        grant: Option<Grant>,
        audit: Vec<AuditEvent>,
    ) -> Result<Response, PageError> {
        let (store, now, allowed) = (self.state.store(), self.state.now(), grant.is_some());
        let decided = store
            .decide_device_authorization(&device.user_code, grant, audit, now)
            .await
            .map_err(InternalError::from)?;
        if !decided {
            return Err(PageError::RequestGone);
        }
        let template = DeviceDonePage {
            client_name: &client.name,
            allowed,
        };
        Ok(page(&template, &FormTargets::none())?)
    }
}

fn ask_for_code(
    state: &AppState,
    session: &BrowserSession,
    typed: &str,
    problem: Option<&str>,
    status: StatusCode,
) -> Result<Response, PageError> {
    let token = form_token(state.form_key(), session.secret.expose(), FormPurpose::DeviceCode);
    let template = DeviceCodePage {
        user_code: typed,
        form_token: &token,
        problem,
        user_name: &session.user.name,
        user_email: &session.user.email,
    };
    Ok((status, page(&template, &FormTargets::own())?).into_response())
}

#[cfg(test)]
mod tests;
