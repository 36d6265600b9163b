//! `/account/password`: a person who is signed in chooses another password.
//!
//! They prove that it is them by the present one, at the same brake as at sign-in: a browser left open is not enough. Everything else that
//! was signed in or allowed before ends; this session goes on under a new secret.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use wardgate_shared::secret::Secret;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::cookies::Cookie;
use crate::extract::{
    BrowserSession, ClientAddress, Form, FormError, SameOrigin, SignedIn, distinguishing_address,
};
use crate::login::form_token::{FormPurpose, form_token};
use crate::login::throttle::SignInThrottle;
use crate::notices::News;
use crate::password::policy::Owner;
use crate::password::{NewPasswordError, PasswordCheck};
use crate::state::AppState;
use crate::store::PasswordChange;
use crate::tokens::opaque::OpaqueSecret;
use crate::views::passwords::ChangePasswordPage;
use crate::views::{FormTargets, ProblemField, page};

use super::{done, form_of, frame, sign_in_first};

/// Where the page is.
pub const PATH: &str = "/account/password";

const DONE: [(&str, &str); 1] = [(
    "changed",
    "Your password is changed. Every other browser and every app is signed out.",
)];
const EMPTY: &str = "Please fill in both passwords.";
const WRONG: &str = "The present password is not right.";
const SAME: &str = "The new password is the present one.";
const TOO_MANY: &str = "There were too many failed attempts. Please wait a moment and try again.";
const OVERTAKEN: &str = "Your password was changed meanwhile, elsewhere. Please try again.";

/// Shows the form.
pub async fn get(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    query: RawQuery,
) -> Result<Response, PageError> {
    let Some(session) = session else {
        return sign_in_first(PATH);
    };
    show(
        &state,
        &session,
        done(query, &DONE)?,
        (&[], ProblemField::Form),
        StatusCode::OK,
    )
}

/// Changes the password.
pub async fn post(
    State(state): State<AppState>,
    State(throttle): State<Arc<SignInThrottle>>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let session = form_of(&state, session, FormPurpose::AccountPassword, &parameters)?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let again =
        |problem: &str, about, status| show(&state, &session, None, (&[problem.into()], about), status);
    let (Some(present), Some(new)) = (field("password")?, field("new_password")?) else {
        return again(EMPTY, ProblemField::Passwords, StatusCode::BAD_REQUEST);
    };
    let (present, new) = (Secret::new(String::from(present)), Secret::new(String::from(new)));
    let user = &session.user;
    let Some(known) = user.password_hash.clone() else {
        // The page shows no form then.
        return Err(PageError::Field);
    };
    let network = distinguishing_address(address, &state.config().server);
    let audit = |outcome| {
        AuditEvent::new(state.now(), AuditAction::PasswordChange, outcome)
            .with_user(&*user.id)
            .with_ip_address(address)
            .with_method("account")
    };
    let attempt = match throttle.begin(&user.email, network, state.now()) {
        Ok(attempt) => attempt,
        Err(throttled) => {
            if throttled.is_news {
                let event = audit(AuditOutcome::Failure).with_reason("throttled");
                state.store().record(event).await.map_err(InternalError::from)?;
            }
            let mut response = again(TOO_MANY, ProblemField::Form, StatusCode::TOO_MANY_REQUESTS)?;
            let seconds = HeaderValue::from(throttled.retry_after_seconds);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            return Ok(response);
        }
    };
    let check = state.passwords().verify(present.clone(), Some(&known)).await;
    match check.map_err(InternalError::from)? {
        PasswordCheck::Match { .. } => attempt.matched(),
        PasswordCheck::Mismatch => {
            attempt.mismatched(state.now());
            let event = audit(AuditOutcome::Failure).with_reason("wrong_password");
            state.store().record(event).await.map_err(InternalError::from)?;
            return again(WRONG, ProblemField::Password, StatusCode::BAD_REQUEST);
        }
    }
    if present == new {
        return again(SAME, ProblemField::NewPassword, StatusCode::BAD_REQUEST);
    }
    let owner = Owner {
        email: &user.email,
        name: &user.name,
    };
    let hash = match state.passwords().hash_chosen(new, owner).await {
        Ok(hash) => hash,
        Err(NewPasswordError::Faults(faults)) => {
            let problems: Vec<String> = faults.iter().map(ToString::to_string).collect();
            return show(
                &state,
                &session,
                None,
                (&problems, ProblemField::NewPassword),
                StatusCode::BAD_REQUEST,
            );
        }
        Err(NewPasswordError::Password(error)) => return Err(InternalError::from(error).into()),
    };
    let secret = OpaqueSecret::Session.generate().map_err(InternalError::from)?;
    let change = PasswordChange {
        user_id: user.id.clone(),
        known,
        hash,
        this: session.session.digest,
        renewed: secret.digest,
    };
    let notice = state.notices().of(user, News::PasswordChanged, state.now())?;
    let changed = state
        .store()
        .change_password(change, notice, audit(AuditOutcome::Success))
        .await
        .map_err(InternalError::from)?;
    if !changed {
        return again(OVERTAKEN, ProblemField::Form, StatusCode::CONFLICT);
    }
    let mut response = redirect::to_own_page(&format!("{PATH}?done=changed"))?;
    let cookie = Cookie::Session
        .set(secret.value.expose(), &state.config().server.public_url)
        .map_err(InternalError::from)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

fn show(
    state: &AppState,
    session: &BrowserSession,
    done: Option<&str>,
    (problems, about): (&[String], ProblemField),
    status: StatusCode,
) -> Result<Response, PageError> {
    let token = form_token(
        state.form_key(),
        session.secret.expose(),
        FormPurpose::AccountPassword,
    );
    let template = ChangePasswordPage {
        frame: frame(session, PATH),
        done,
        has_password: session.user.password_hash.is_some(),
        form_token: &token,
        rules: &state.passwords().policy().words(),
        problems,
        about,
    };
    Ok((status, page(&template, &FormTargets::own())?).into_response())
}

#[cfg(test)]
mod tests;
