//! `/login`: the sign-in page.
//!
//! A wrong password, an address without an account and a deactivated account get the same answer after the same work.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::device;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::device_authorization::UserCode;
use crate::domain::digest::SecretDigest;
use crate::domain::session::{AuthenticationMethod, Session};
use crate::domain::user::{User, normalize_email};
use crate::endpoints::authorize::pending::PendingRequest;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::cookies::Cookie;
use crate::extract::{ClientAddress, Form, FormError, Parameters, SameOrigin, distinguishing_address};
use crate::password::PasswordCheck;
use crate::rng;
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;
use crate::views::{ClientCard, FormTargets, SignInPage, page_with_card};

use super::form_token::{FormPurpose, form_token, is_form_token};
use super::throttle::{SignInThrottle, Throttled};

/// What everybody reads whose e-mail address and password do not open an account.
const WRONG: &str = "The e-mail address or the password is not right.";
const INCOMPLETE: &str = "Please fill in both the e-mail address and the password.";
const TOO_MANY: &str = "There were too many failed attempts. Please wait a moment and try again.";

/// What `device` says when no code was typed yet. Not a user code: those have other letters.
const ANY_DEVICE: &str = "any";

/// The device page to go on with: the way back is a page of ours and at most a code, never an address.
fn device_path(device: &str) -> String {
    device::path(UserCode::parse(device).as_ref())
}

/// `device` as the form carries it on.
fn read_device(device: Option<&str>) -> Option<String> {
    device.map(|device| UserCode::parse(device).map_or_else(|| ANY_DEVICE.into(), |code| code.to_string()))
}

/// Shows the form. `?request=` names the authorization request to go on with, `?device=` a device.
pub async fn get(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let pending = match parameters.single("request").map_err(|_| PageError::Field)? {
        Some(id) => Some(PendingRequest::load(&state, id).await?),
        None => None,
    };
    let hint = pending
        .as_ref()
        .and_then(|pending| pending.request.login_hint.clone())
        .unwrap_or_default();
    let shown = SignInForm {
        pending: pending.as_ref(),
        device: read_device(parameters.single("device").map_err(|_| PageError::Field)?),
        email: &hint,
        problem: None,
    };
    show(&state, &headers, &shown, StatusCode::OK)
}

/// Signs in.
pub async fn post(
    State(state): State<AppState>,
    State(throttle): State<Arc<SignInThrottle>>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let fields = Fields::read(&parameters)?;
    let public_url = &state.config().server.public_url;
    let browser = Cookie::SignInForm
        .read(&headers, public_url)
        .ok_or(PageError::StaleForm)?;
    if !is_form_token(state.form_key(), browser, FormPurpose::SignIn, fields.form_token) {
        return Err(PageError::StaleForm);
    }
    let pending = match fields.request {
        Some(id) => Some(PendingRequest::load(&state, id).await?),
        None => None,
    };
    let again = |problem| SignInForm {
        pending: pending.as_ref(),
        device: read_device(fields.device),
        email: fields.email,
        problem: Some(problem),
    };
    let Some(password) = fields.password else {
        return show(&state, &headers, &again(INCOMPLETE), StatusCode::BAD_REQUEST);
    };
    let (email, now) = (normalize_email(fields.email), state.now());
    let client_id = pending.as_ref().map(|pending| pending.client.client_id.as_str());
    let audit = |outcome| {
        let event = AuditEvent::new(now, AuditAction::SignIn, outcome)
            .with_ip_address(address)
            .with_method(AuthenticationMethod::Password.as_str());
        match client_id {
            Some(client_id) => event.with_client(client_id),
            None => event,
        }
    };

    // An address that all visitors share says nothing about this one.
    let network = distinguishing_address(address, &state.config().server);
    let attempt = match throttle.begin(&email, network, now) {
        Ok(attempt) => attempt,
        Err(throttled) => {
            if throttled.is_news {
                let event = audit(AuditOutcome::Failure).with_reason("throttled");
                let user = state.store().user_by_email(&email).await;
                let event = match user.map_err(InternalError::from)? {
                    Some(user) => event.with_user(user.id),
                    None => event,
                };
                state.store().record(event).await.map_err(InternalError::from)?;
            }
            return show_throttled(&state, &headers, &again(TOO_MANY), throttled);
        }
    };
    let user = match check_password(&state, &email, password).await? {
        Ok(user) => user,
        Err(failure) => {
            attempt.mismatched(state.now());
            let event = audit(AuditOutcome::Failure).with_reason(failure.reason);
            let event = match failure.user_id {
                Some(user_id) => event.with_user(user_id),
                None => event,
            };
            state.store().record(event).await.map_err(InternalError::from)?;
            return show(&state, &headers, &again(WRONG), StatusCode::BAD_REQUEST);
        }
    };
    attempt.matched();

    let audit = audit(AuditOutcome::Success).with_user(&*user.id);
    let cookie = begin_session(&state, &headers, user, pending.as_ref(), now, audit).await?;
    let location = match &pending {
        Some(pending) => pending.continue_path(),
        None => fields.device.map_or_else(|| String::from("/"), device_path),
    };
    let mut response = redirect::to_own_page(&location)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// The fields of the form.
struct Fields<'a> {
    email: &'a str,
    /// None when either the address or the password is missing.
    password: Option<Secret<String>>,
    request: Option<&'a str>,
    device: Option<&'a str>,
    form_token: &'a str,
}

impl<'a> Fields<'a> {
    fn read(parameters: &'a Parameters) -> Result<Self, PageError> {
        let field = |name| parameters.single(name).map_err(|_| PageError::Field);
        let (email, password) = (field("email")?, field("password")?);
        Ok(Self {
            email: email.unwrap_or_default(),
            password: email.and(password).map(|password| Secret::new(password.into())),
            request: field("request")?,
            device: field("device")?,
            form_token: field("form_token")?.ok_or(PageError::StaleForm)?,
        })
    }
}

/// Why nobody is signed in: for the audit trail, never for the page.
struct SignInFailure {
    reason: &'static str,
    user_id: Option<String>,
}

async fn check_password(
    state: &AppState,
    email: &str,
    password: Secret<String>,
) -> Result<Result<User, SignInFailure>, InternalError> {
    let user = state.store().user_by_email(email).await?;
    let stored = user.as_ref().and_then(|user| user.password_hash.as_ref());
    let check = state.passwords().verify(password.clone(), stored).await?;
    let Some(user) = user else {
        return Ok(Err(SignInFailure {
            reason: "unknown_account",
            user_id: None,
        }));
    };
    match check {
        PasswordCheck::Match { .. } if !user.is_active() => Ok(Err(SignInFailure {
            reason: "deactivated_account",
            user_id: Some(user.id),
        })),
        PasswordCheck::Match { rehash } => {
            // A password that cannot be hashed anew (too short for today's rules, or too many wait) still signs in.
            if rehash && let Ok(hash) = state.passwords().hash(password).await {
                state.store().set_password_hash(&user.id, hash, None).await?;
            }
            Ok(Ok(user))
        }
        PasswordCheck::Mismatch => Ok(Err(SignInFailure {
            reason: "wrong_password",
            user_id: Some(user.id),
        })),
    }
}

/// Stores a session with a new secret, ends the one this browser had, and gives the cookie to set.
async fn begin_session(
    state: &AppState,
    headers: &HeaderMap,
    user: User,
    pending: Option<&PendingRequest>,
    now: Timestamp,
    audit: AuditEvent,
) -> Result<HeaderValue, InternalError> {
    let public_url = &state.config().server.public_url;
    let secret = OpaqueSecret::Session.generate()?;
    let session = Session {
        digest: secret.digest,
        id: rng::identifier("session-")?,
        user_id: user.id,
        authenticated_at: now,
        methods: vec![AuthenticationMethod::Password],
        last_seen_at: now,
        request: pending.map(|pending| pending.request.digest),
        expires_at: now.plus(state.config().sessions.absolute_seconds),
    };
    let replaced = Cookie::Session.read(headers, public_url).map(SecretDigest::of);
    state.store().begin_session(session, replaced, audit).await?;
    Ok(Cookie::Session.set(secret.value.expose(), public_url)?)
}

/// What the form shows.
struct SignInForm<'a> {
    pending: Option<&'a PendingRequest>,
    device: Option<String>,
    email: &'a str,
    problem: Option<&'a str>,
}

fn show(
    state: &AppState,
    headers: &HeaderMap,
    form: &SignInForm<'_>,
    status: StatusCode,
) -> Result<Response, PageError> {
    let public_url = &state.config().server.public_url;
    let known = Cookie::SignInForm
        .read(headers, public_url)
        .filter(|value| OpaqueSecret::SignInForm.is_shape_of(value));
    let fresh = match known {
        Some(_) => None,
        None => Some(
            OpaqueSecret::SignInForm
                .generate()
                .map_err(InternalError::from)?
                .value,
        ),
    };
    let browser = known.unwrap_or_else(|| fresh.as_ref().map_or("", |value| value.expose().as_str()));
    let token = form_token(state.form_key(), browser, FormPurpose::SignIn);
    let card = form
        .pending
        .map_or_else(ClientCard::default, |pending| ClientCard::of(&pending.client));
    let template = SignInPage {
        card,
        client_name: form.pending.map(|pending| pending.client.name.as_str()),
        request: form.pending.map(PendingRequest::id),
        device: form.device.as_deref(),
        form_token: &token,
        email: form.email,
        problem: form.problem,
    };
    let targets = form.pending.map_or_else(FormTargets::own, |pending| {
        FormTargets::client(&pending.request.redirect_target)
    });
    let mut response = (status, page_with_card(&template, &targets, &card)?).into_response();
    if let Some(value) = fresh {
        let cookie = Cookie::SignInForm
            .set(value.expose(), public_url)
            .map_err(InternalError::from)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn show_throttled(
    state: &AppState,
    headers: &HeaderMap,
    form: &SignInForm<'_>,
    throttled: Throttled,
) -> Result<Response, PageError> {
    let mut response = show(state, headers, form, StatusCode::TOO_MANY_REQUESTS)?;
    response.headers_mut().insert(
        header::RETRY_AFTER,
        HeaderValue::from(throttled.retry_after_seconds),
    );
    Ok(response)
}

#[cfg(test)]
mod tests;
