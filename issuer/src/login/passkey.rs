//! `/login/passkey`: signing in with a passkey in place of address and password; and the check of a passkey that all pages
//! share.
//!
//! The browser is told of no credential beforehand, so the page says nothing about who has an account. What comes back names
//! the credential, and by that the person; their authenticator has verified them. Whatever is wrong gets one of two
//! sentences.
//!
//! Where people of a domain sign in at a provider, a passkey opens only the accounts that a password would open.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::passkey::Passkey;
use crate::domain::session::AuthenticationMethod;
use crate::domain::user::User;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::extract::cookies::Cookie;
use crate::extract::{ClientAddress, Form, FormError, Parameters, SameOrigin, distinguishing_address};
use crate::passkeys::{Assertion, Binding, PasskeyRefusal};
use crate::single_sign_on::home_realm;
use crate::state::AppState;

use super::completion::{self, Browser, Proof};
use super::destination::Destination;
use super::form_token::{FormPurpose, is_form_token};
use super::sign_in;
use super::throttle::{SignInThrottle, Throttled};

/// Where the form is sent.
pub const PATH: &str = "/login/passkey";

/// What people read whose passkey is refused.
pub const REFUSED: &str = "That passkey cannot be used here. Please sign in in another way.";
/// What they read when it took too long, or was sent twice.
pub const STALE: &str = "That took too long. Please try again.";
const TOO_MANY: &str = "There were too many failed attempts. Please wait a moment and try again.";

/// Whether `problem` is one of those of a passkey, and about no field of the sign-in page.
pub fn is_own_problem(problem: &str) -> bool {
    [REFUSED, STALE, TOO_MANY].contains(&problem)
}

/// Takes the browser's answer: `ceremony` as the form had it, and in `credential` the JSON of a `PublicKeyCredential`.
pub async fn post(
    State(state): State<AppState>,
    State(throttle): State<Arc<SignInThrottle>>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let secret = Cookie::SignInForm
        .read(&headers, &state.config().server.public_url)
        .ok_or(PageError::StaleForm)?;
    let token = field("form_token")?.ok_or(PageError::StaleForm)?;
    if !is_form_token(state.form_key(), secret, FormPurpose::SignIn, token) {
        return Err(PageError::StaleForm);
    }
    let destination = Destination::read(&state, &parameters).await?;
    let now = state.now();
    let answer = Answer {
        state: &state,
        throttle: &throttle,
        address,
        binding: Binding::SignIn(secret),
    };
    let user = match answer.check(&parameters, now).await? {
        Ok((user, _)) => user,
        Err(refused) => {
            let event = refused.event(AuditAction::SignIn, address, now);
            let event = match destination.pending() {
                Some(pending) => event.with_client(&*pending.client.client_id),
                None => event,
            };
            let throttled = match refused {
                Refused::Throttled(throttled) => Some(throttled),
                Refused::Answer { .. } => None,
            };
            // One line stands for all that follow it.
            if throttled.is_none_or(|throttled| throttled.is_news) {
                state.record_refusal(event).await.map_err(InternalError::from)?;
            }
            let (words, status) = refused.words();
            let mut response = sign_in::show_problem(&state, &headers, &destination, words, status).await?;
            if let Some(throttled) = throttled {
                let seconds = HeaderValue::from(throttled.retry_after_seconds);
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
            }
            return Ok(response);
        }
    };
    let browser = Browser {
        headers: &headers,
        address,
    };
    let proof = Proof {
        user,
        methods: vec![AuthenticationMethod::Passkey],
        at: now,
        password: None,
    };
    completion::proceed(&state, browser, proof, &destination).await
}

/// A browser's answer on the sign-in page.
struct Answer<'a> {
    state: &'a AppState,
    throttle: &'a Arc<SignInThrottle>,
    address: Option<IpAddr>,
    binding: Binding<'a>,
}

/// Why an answer counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Something is wrong with it.
    Answer {
        /// What.
        refusal: PasskeyRefusal,
        /// Whose passkey it names.
        user_id: Option<String>,
    },
    /// There were too many wrong ones.
    Throttled(Throttled),
}

impl Answer<'_> {
    /// Checks the fields `ceremony` and `credential`, and uses the passkey: whose it is, and which.
    ///
    /// # Errors
    /// When the store cannot answer, or a field is missing. Inside the `Ok`: why the answer counts for nothing.
    async fn check(
        &self,
        parameters: &Parameters,
        now: Timestamp,
    ) -> Result<Result<(User, Passkey), Refused>, PageError> {
        let field = |name| parameters.single(name).map_err(|_| PageError::Field);
        let ceremony = field("ceremony")?.ok_or(PageError::Field)?;
        let credential = field("credential")?.ok_or(PageError::Field)?;
        // Nobody guesses a signature; the brake is on the work that trying makes.
        let account = match Assertion::parse(credential) {
            Ok(assertion) => format!("passkey {:?}", assertion.credential_id()),
            Err(_) => String::from("passkeys that cannot be read"),
        };
        let network = distinguishing_address(self.address, &self.state.config().server);
        let attempt = match self.throttle.begin(&account, network, now) {
            Ok(attempt) => attempt,
            Err(throttled) => return Ok(Err(Refused::Throttled(throttled))),
        };
        let outcome = verify(self.state, &self.binding, None, (ceremony, credential), now).await?;
        match &outcome {
            Ok(_) => attempt.matched(),
            Err(Refused::Answer { refusal, .. }) if refusal.is_stale() => drop(attempt),
            Err(_) => attempt.mismatched(now),
        }
        Ok(outcome)
    }
}

/// Checks a browser's answer to a ceremony that was offered for `binding`, and uses the passkey: whose it is, and which. It must
/// be that of `expected`, where that is known.
///
/// # Errors
/// When the store cannot answer. Inside the `Ok`: why the answer counts for nothing.
pub async fn verify(
    state: &AppState,
    binding: &Binding<'_>,
    expected: Option<&str>,
    (ceremony, credential): (&str, &str),
    now: Timestamp,
) -> Result<Result<(User, Passkey), Refused>, InternalError> {
    let refused = |refusal, user_id: Option<&str>| {
        let user_id = user_id.or(expected).map(String::from);
        Ok(Err(Refused::Answer { refusal, user_id }))
    };
    let (passkeys, store) = (state.passkeys(), state.store());
    let opened = passkeys.open(ceremony, binding, now);
    let (ceremony, assertion) = match opened.and_then(|open| Ok((open, Assertion::parse(credential)?))) {
        Ok(both) => both,
        Err(refusal) => return refused(refusal, None),
    };
    let Some(passkey) = store.passkey(assertion.credential_id()).await? else {
        return refused(PasskeyRefusal::Unknown, None);
    };
    let owner = passkey.user_id.as_str();
    if expected.is_some_and(|expected| expected != owner) {
        return refused(PasskeyRefusal::OtherPerson, None);
    }
    let verified = match passkeys.finish_use(&ceremony, &assertion, &passkey) {
        Ok(verified) => verified,
        Err(refusal) => return refused(refusal, Some(owner)),
    };
    let Some(user) = store.user(owner).await?.filter(User::is_active) else {
        return refused(PasskeyRefusal::Unknown, Some(owner));
    };
    if expected.is_none()
        && home_realm::connection_for(state, &user.email).await?.is_some()
        && !store.may_sign_in_locally(owner).await?
    {
        return refused(PasskeyRefusal::SignsInElsewhere, Some(owner));
    }
    match PasskeyRefusal::of_use(store.use_passkey(verified, now).await?) {
        None => Ok(Ok((user, passkey))),
        Some(refusal) => refused(refusal, Some(owner)),
    }
}

impl Refused {
    /// The line of the audit trail.
    pub fn event(&self, action: AuditAction, address: Option<IpAddr>, now: Timestamp) -> AuditEvent {
        let event = AuditEvent::new(now, action, AuditOutcome::Failure)
            .with_ip_address(address)
            .with_method(AuthenticationMethod::Passkey.as_str())
            .with_reason(self.reason());
        match self {
            Self::Answer {
                user_id: Some(user_id),
                ..
            } => event.with_user(&**user_id),
            Self::Answer { user_id: None, .. } | Self::Throttled(_) => event,
        }
    }

    /// The reason in the audit trail.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Answer { refusal, .. } => refusal.reason(),
            Self::Throttled(_) => "throttled",
        }
    }

    /// Whether it only took too long, or was sent twice: nobody guesses so.
    pub const fn is_stale(&self) -> bool {
        matches!(self, Self::Answer { refusal, .. } if refusal.is_stale())
    }

    /// What the person reads, and the status that goes with it.
    pub const fn words(&self) -> (&'static str, StatusCode) {
        match self {
            Self::Answer { refusal, .. } if refusal.is_stale() => (STALE, StatusCode::BAD_REQUEST),
            Self::Answer { .. } => (REFUSED, StatusCode::BAD_REQUEST),
            Self::Throttled(_) => (TOO_MANY, StatusCode::TOO_MANY_REQUESTS),
        }
    }
}

#[cfg(test)]
mod tests;
