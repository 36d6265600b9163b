//! `/password/forgot`: who forgot their password asks for a link to set a new one.
//!
//! The answer is the same whether there is such an account or not, in its text and in its time: whether there is one is found out
//! after the answer, by [`crate::background`]. Nobody is sent more than a few links an hour, whoever asks for them; who asks often is
//! slowed down, by address and by network, as who guesses passwords is.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::account_links::{LinkMaker, Made, Way};
use crate::domain::account_link::{LinkPurpose, RESETS_PER_HOUR};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::message::Channel;
use crate::domain::user::normalize_email;
use crate::error::InternalError;
use crate::error::page::PageError;
use crate::extract::{ClientAddress, Form, FormError, SameOrigin, distinguishing_address};
use crate::messages;
use crate::state::AppState;
use crate::views::passwords::ForgottenPasswordPage;
use crate::views::{FormTargets, page};

use super::form_cookie::{self, FormCookie};
use super::form_token::FormPurpose;
use super::throttle::SignInThrottle;

/// Where the page is.
pub const PATH: &str = "/password/forgot";

const NO_ADDRESS: &str = "Please fill in your e-mail address.";
const TOO_MANY: &str = "You asked for this often. Please wait a moment and try again.";

/// Counts who asks for links. Apart from the counters of sign-ins: asking does not keep anybody from signing in.
#[derive(Clone, Debug, Default)]
pub struct ResetThrottle(Arc<SignInThrottle>);

/// Shows the form; or what follows once it was sent.
pub async fn get(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let shown = Shown {
        is_sent: query.as_deref() == Some("sent"),
        ..Shown::default()
    };
    show(&state, &headers, &shown, StatusCode::OK)
}

/// Has a link sent, if there is somebody to send one to.
pub async fn post(
    State(state): State<AppState>,
    State(ResetThrottle(throttle)): State<ResetThrottle>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    form_cookie::check(&state, &headers, FormPurpose::ForgottenPassword, &parameters)?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let Some(email) = field("email")? else {
        let shown = Shown {
            problem: Some(NO_ADDRESS),
            ..Shown::default()
        };
        return show(&state, &headers, &shown, StatusCode::BAD_REQUEST);
    };
    if !messages::are_sent(state.config(), Channel::Mail) {
        return show(&state, &headers, &Shown::default(), StatusCode::OK);
    }
    let (normalized, now) = (normalize_email(email), state.now());
    let network = distinguishing_address(address, &state.config().server);
    match throttle.begin(&normalized, network, now) {
        // Asking is what is counted, since nobody is to know whether it was in vain.
        Ok(attempt) => attempt.mismatched(now),
        Err(throttled) => {
            let shown = Shown {
                problem: Some(TOO_MANY),
                email,
                ..Shown::default()
            };
            let mut response = show(&state, &headers, &shown, StatusCode::TOO_MANY_REQUESTS)?;
            let seconds = HeaderValue::from(throttled.retry_after_seconds);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            return Ok(response);
        }
    }
    let audit = AuditEvent::new(now, AuditAction::PasswordResetRequest, AuditOutcome::Success)
        .with_ip_address(address);
    let own = state.clone();
    let begun = state.background().begin(async move {
        if let Err(error) = send_link(&own, &normalized, audit).await {
            error.log();
        }
    });
    if !begun {
        tracing::warn!("somebody's wish for a new password was dropped, since too many came at once");
    }
    Ok(crate::error::redirect::to_own_page(&format!("{PATH}?sent"))?)
}

/// One transaction, whether there is such an account or not.
async fn send_link(state: &AppState, email: &str, audit: AuditEvent) -> Result<(), InternalError> {
    let failure = |audit: AuditEvent, reason| {
        let audit = AuditEvent {
            outcome: AuditOutcome::Failure,
            ..audit
        };
        state.store().record(audit.with_reason(reason))
    };
    let Some(user) = state.store().user_by_email(email).await? else {
        return Ok(failure(audit, "unknown_account").await?);
    };
    let audit = audit.with_user(&*user.id);
    if !user.is_active() {
        return Ok(failure(audit, "deactivated_account").await?);
    }
    let made = LinkMaker::of(state)
        .make(
            &user,
            LinkPurpose::Reset,
            Way::Mail,
            Some(RESETS_PER_HOUR),
            audit.clone(),
        )
        .await?;
    match made {
        Made::Mailed { .. } | Made::ToHandOver { .. } => Ok(()),
        Made::CannotBeMailed => Ok(failure(audit, "cannot_be_mailed").await?),
        Made::Refused => Ok(failure(audit, "throttled").await?),
    }
}

/// What the page shows.
#[derive(Default)]
struct Shown<'a> {
    is_sent: bool,
    email: &'a str,
    problem: Option<&'a str>,
}

fn show(
    state: &AppState,
    headers: &HeaderMap,
    shown: &Shown<'_>,
    status: StatusCode,
) -> Result<Response, PageError> {
    let cookie = FormCookie::of(state, headers)?;
    let template = ForgottenPasswordPage {
        is_mail_sent: messages::are_sent(state.config(), Channel::Mail),
        is_sent: shown.is_sent,
        email: shown.email,
        form_token: &cookie.token(state, FormPurpose::ForgottenPassword),
        problem: shown.problem,
    };
    let mut response = (status, page(&template, &FormTargets::own())?).into_response();
    cookie.set_on(state, &mut response)?;
    Ok(response)
}

#[cfg(test)]
mod tests;
