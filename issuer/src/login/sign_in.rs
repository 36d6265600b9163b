//! `/login`: the sign-in page. It asks for the e-mail address first, since that decides how a person signs in, and then for
//! the password.
//!
//! A wrong password, an address without an account and a deactivated account get the same answer after the same work.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use wardgate_shared::secret::Secret;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::session::AuthenticationMethod;
use crate::domain::single_sign_on::Connection;
use crate::domain::user::{User, normalize_email};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::extract::cookies::Cookie;
use crate::extract::{ClientAddress, Form, FormError, Parameters, SameOrigin, distinguishing_address};
use crate::passkeys::Binding;
use crate::password::PasswordCheck;
use crate::single_sign_on::{callback, departure, home_realm};
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;
use crate::views::{
    PasskeyForm, SignInPage, local_path, page_with_card, page_with_passkeys, provider_problem,
};

use super::completion::{self, Browser, Proof};
use super::destination::Destination;
use super::form_token::{FormPurpose, form_token, is_form_token};
use super::passkey;
use super::throttle::{SignInThrottle, Throttled};

/// What everybody reads whose e-mail address and password do not open an account.
const WRONG: &str = "The e-mail address or the password is not right.";
const NO_ADDRESS: &str = "Please fill in your e-mail address.";
const NO_PASSWORD: &str = "Please fill in your password.";
const TOO_MANY: &str = "There were too many failed attempts. Please wait a moment and try again.";

/// Shows the form for the address. What the person signs in for stands in the query, see [`Destination::read`].
pub async fn get(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let destination = Destination::read(&state, &parameters).await?;
    let hint = destination
        .pending()
        .and_then(|pending| pending.request.login_hint.clone())
        .unwrap_or_default();
    let shown = SignInForm {
        destination: &destination,
        step: Step::Email,
        email: &hint,
        local: is_local(&parameters)?,
        has_providers: has_providers(&state).await?,
        problem: None,
    };
    show(&state, &headers, &shown, StatusCode::OK)
}

/// Takes the address and shows how this person signs in; or takes address and password, and signs in.
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
    let destination = Destination::read(&state, &parameters).await?;
    let has_providers = has_providers(&state).await?;
    let form = |step, problem| SignInForm {
        destination: &destination,
        step,
        email: fields.email.unwrap_or_default(),
        local: fields.local,
        has_providers,
        problem,
    };
    let Some(email) = fields.email else {
        let again = form(Step::Email, Some(NO_ADDRESS));
        return show(&state, &headers, &again, StatusCode::BAD_REQUEST);
    };
    let provider = home_realm::connection_for(&state, email).await?;
    let Some(password) = fields.password else {
        if let Some(connection) = provider.filter(|_| !fields.local) {
            return send_to_provider(&state, connection, email, &destination, address).await;
        }
        return match fields.step {
            Step::Email => show(&state, &headers, &form(Step::Password, None), StatusCode::OK),
            Step::Password => {
                let again = form(Step::Password, Some(NO_PASSWORD));
                show(&state, &headers, &again, StatusCode::BAD_REQUEST)
            }
        };
    };
    let again = |problem| form(Step::Password, Some(problem));
    let (email, now) = (normalize_email(email), state.now());
    let failure = |reason| {
        let event = AuditEvent::new(now, AuditAction::SignIn, AuditOutcome::Failure)
            .with_ip_address(address)
            .with_method(AuthenticationMethod::Password.as_str())
            .with_reason(reason);
        match destination.pending() {
            Some(pending) => event.with_client(&*pending.client.client_id),
            None => event,
        }
    };

    // An address that all visitors share says nothing about this one.
    let network = distinguishing_address(address, &state.config().server);
    let attempt = match throttle.begin(&email, network, now) {
        Ok(attempt) => attempt,
        Err(throttled) => {
            if throttled.is_news {
                let event = failure("throttled");
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
    let user = match check_password(&state, &email, password, provider.is_some()).await? {
        Ok(user) => user,
        Err(refused) => {
            attempt.mismatched(state.now());
            let event = failure(refused.reason);
            let event = match refused.user_id {
                Some(user_id) => event.with_user(user_id),
                None => event,
            };
            state.store().record(event).await.map_err(InternalError::from)?;
            return show(&state, &headers, &again(WRONG), StatusCode::BAD_REQUEST);
        }
    };
    attempt.matched();

    let browser = Browser {
        headers: &headers,
        address,
    };
    let proof = Proof {
        password: user.password_hash.clone(),
        user,
        methods: vec![AuthenticationMethod::Password],
        at: now,
    };
    completion::proceed(&state, browser, proof, &destination).await
}

/// Which question the form asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Who is it?
    Email,
    /// Their password.
    Password,
}

/// The fields of the form.
struct Fields<'a> {
    email: Option<&'a str>,
    password: Option<Secret<String>>,
    /// The question that the form asked.
    step: Step,
    /// Whether the person wants to sign in here even if their organization has a provider.
    local: bool,
    form_token: &'a str,
}

impl<'a> Fields<'a> {
    fn read(parameters: &'a Parameters) -> Result<Self, PageError> {
        let field = |name| parameters.single(name).map_err(|_| PageError::Field);
        Ok(Self {
            email: field("email")?,
            password: field("password")?.map(|password| Secret::new(password.into())),
            step: match field("step")? {
                Some("password") => Step::Password,
                Some(_) | None => Step::Email,
            },
            local: is_local(parameters)?,
            form_token: field("form_token")?.ok_or(PageError::StaleForm)?,
        })
    }
}

/// Whether `local` asks for the password whatever the address.
fn is_local(parameters: &Parameters) -> Result<bool, PageError> {
    let local = parameters.single("local").map_err(|_| PageError::Field)?;
    Ok(local == Some("1"))
}

async fn has_providers(state: &AppState) -> Result<bool, InternalError> {
    Ok(state.store().has_sso().await?)
}

/// Sends the person to their organization's provider, or says that it cannot be reached.
async fn send_to_provider(
    state: &AppState,
    connection: Connection,
    email: &str,
    destination: &Destination,
    address: Option<IpAddr>,
) -> Result<Response, PageError> {
    let (id, name) = (connection.id.clone(), connection.settings.name.clone());
    match departure::depart(state, connection, email.trim(), destination).await? {
        Ok(response) => Ok(response),
        Err(fault) => {
            let event = callback::refusal(state, fault, Some(&id), address, None);
            state.record_refusal(event).await.map_err(InternalError::from)?;
            Ok(provider_problem(fault, Some(&name), destination)?)
        }
    }
}

/// Why nobody is signed in: for the audit trail, never for the page.
struct SignInFailure {
    reason: &'static str,
    user_id: Option<String>,
}

/// `has_provider` says that people of this domain sign in elsewhere: here a password opens only the accounts that may be
/// opened without the provider.
async fn check_password(
    state: &AppState,
    email: &str,
    password: Secret<String>,
    has_provider: bool,
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
    let is_elsewhere = has_provider && !state.store().may_sign_in_locally(&user.id).await?;
    match check {
        PasswordCheck::Match { .. } if is_elsewhere => Ok(Err(SignInFailure {
            reason: "sso_required",
            user_id: Some(user.id),
        })),
        PasswordCheck::Match { .. } if !user.is_active() => Ok(Err(SignInFailure {
            reason: "deactivated_account",
            user_id: Some(user.id),
        })),
        PasswordCheck::Match { rehash } => {
            let mut user = user;
            // A password that cannot be hashed anew (too short for today's rules, or too many wait) still signs in.
            if rehash
                && let Some(known) = user.password_hash.clone()
                && let Ok(hash) = state.passwords().hash(password).await
                && state
                    .store()
                    .rehash_password(&user.id, known, hash.clone())
                    .await?
            {
                user.password_hash = Some(hash);
            }
            Ok(Ok(user))
        }
        PasswordCheck::Mismatch => Ok(Err(SignInFailure {
            reason: "wrong_password",
            user_id: Some(user.id),
        })),
    }
}

/// Shows the form for the address, and why nobody is signed in.
///
/// # Errors
/// When the store cannot answer, or the page cannot be rendered.
pub(super) async fn show_problem(
    state: &AppState,
    headers: &HeaderMap,
    destination: &Destination,
    problem: &str,
    status: StatusCode,
) -> Result<Response, PageError> {
    let shown = SignInForm {
        destination,
        step: Step::Email,
        email: "",
        local: false,
        has_providers: has_providers(state).await?,
        problem: Some(problem),
    };
    show(state, headers, &shown, status)
}

/// What the form shows.
struct SignInForm<'a> {
    destination: &'a Destination,
    step: Step,
    email: &'a str,
    local: bool,
    /// Whether the form may lead to a provider.
    has_providers: bool,
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
    // The first page asks nobody in particular, so whichever passkey they have will do.
    let offer = match form.step {
        Step::Email => state
            .passkeys()
            .begin_use(&[], &Binding::SignIn(browser), state.now())
            .map_err(InternalError::from)?,
        Step::Password => None,
    };
    let card = form.destination.client_card();
    let (carried, start) = (
        form.destination.field(),
        if form.local {
            local_path(form.destination)
        } else {
            form.destination.path_to("/login")
        },
    );
    let template = SignInPage {
        card,
        client_name: form.destination.client_name(),
        carried: carried.as_ref().map(|(name, value)| (*name, value.as_str())),
        start: &start,
        form_token: &token,
        email: form.email,
        asks_password: form.step == Step::Password,
        local: form.local,
        problem: form.problem,
        passkey: offer.as_ref().map(|offer| PasskeyForm {
            action: passkey::PATH,
            button: "Sign in with a passkey",
            options: &offer.options,
            ceremony: &offer.ceremony,
            conditional: true,
        }),
    };
    let mut targets = form.destination.form_targets();
    if form.step == Step::Email && form.has_providers {
        targets = targets.and_providers(state.config().outbound.allow_loopback_http);
    }
    let page = if offer.is_some() {
        page_with_passkeys(&template, &targets, &card)?
    } else {
        page_with_card(&template, &targets, &card)?
    };
    let mut response = (status, page).into_response();
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
