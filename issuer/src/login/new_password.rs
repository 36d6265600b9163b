//! `/password/reset`: where the link of a mail leads: a form for a new password.
//!
//! Opening the link changes nothing, since programs open the links of mails to look for harm; sending the form spends it. After
//! that the person signs in as always, second factor included: whoever reads somebody's mail has not got further than to a
//! password. A link that is spent, expired, replaced, foreign or none gets one and the same page.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use wardgate_shared::secret::Secret;

use crate::domain::account_link::{AccountLink, LinkPurpose};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::domain::user::User;
use crate::error::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{ClientAddress, Form, FormError, Parameters, SameOrigin};
use crate::notices::News;
use crate::password::NewPasswordError;
use crate::password::policy::Owner;
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;
use crate::views::passwords::{LinkGonePage, NewPasswordPage, PasswordSetPage};
use crate::views::{FormTargets, page};

use super::form_cookie::{self, FormCookie};
use super::form_token::FormPurpose;

/// Where people read that their password is set.
pub const DONE_PATH: &str = "/password/reset/done";

const NO_PASSWORD: &str = "Please fill in the password that you want to have.";

/// Shows the form, to whoever has a link that works.
pub async fn get(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let token = parameters.single("token").map_err(|_| PageError::Field)?;
    let Some(found) = Found::by(&state, token).await? else {
        return gone(&state, &headers);
    };
    found.show(&state, &headers, &[], StatusCode::OK)
}

/// Sets the password and spends the link.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    form_cookie::check(&state, &headers, FormPurpose::NewPassword, &parameters)?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let refused = || {
        AuditEvent::new(state.now(), AuditAction::PasswordChange, AuditOutcome::Failure)
            .with_ip_address(address)
            .with_reason("link_gone")
    };
    let Some(found) = Found::by(&state, field("token")?).await? else {
        state
            .record_refusal(refused())
            .await
            .map_err(InternalError::from)?;
        return gone(&state, &headers);
    };
    let Some(password) = field("new_password")?.map(|password| Secret::new(password.into())) else {
        return found.show(&state, &headers, &[NO_PASSWORD.into()], StatusCode::BAD_REQUEST);
    };
    let owner = Owner {
        email: &found.user.email,
        name: &found.user.name,
    };
    let hash = match state.passwords().hash_chosen(password, owner).await {
        Ok(hash) => hash,
        Err(NewPasswordError::Faults(faults)) => {
            let problems: Vec<String> = faults.iter().map(ToString::to_string).collect();
            return found.show(&state, &headers, &problems, StatusCode::BAD_REQUEST);
        }
        Err(NewPasswordError::Password(error)) => return Err(InternalError::from(error).into()),
    };
    let now = state.now();
    // Who sets their first password had none that could have been changed.
    let notice = match found.user.password_hash {
        Some(_) => state.notices().of(&found.user, News::PasswordChanged, now)?,
        None => None,
    };
    let audit = AuditEvent::new(now, AuditAction::PasswordChange, AuditOutcome::Success)
        .with_user(&*found.user.id)
        .with_ip_address(address)
        .with_method(found.link.purpose.as_str());
    let set = state
        .store()
        .set_password_by_link(&found.link.digest, hash, notice, audit)
        .await
        .map_err(InternalError::from)?;
    if set {
        return Ok(redirect::to_own_page(DONE_PATH)?);
    }
    // Somebody else was faster.
    let audit = refused().with_user(&*found.user.id);
    state.record_refusal(audit).await.map_err(InternalError::from)?;
    gone(&state, &headers)
}

/// Says that the password is set, and what that ended.
pub async fn done() -> Result<Response, PageError> {
    Ok(page(&PasswordSetPage {}, &FormTargets::none())?)
}

/// A link that works, and whose it is.
struct Found<'a> {
    token: &'a str,
    link: AccountLink,
    user: User,
}

impl<'a> Found<'a> {
    async fn by(state: &AppState, token: Option<&'a str>) -> Result<Option<Self>, InternalError> {
        let Some(token) = token.filter(|token| OpaqueSecret::AccountLink.is_shape_of(token)) else {
            return Ok(None);
        };
        let digest = SecretDigest::of(token);
        let found = state.store().account_link(&digest, state.now()).await?;
        Ok(found.map(|(link, user)| Self { token, link, user }))
    }

    fn show(
        &self,
        state: &AppState,
        headers: &HeaderMap,
        problems: &[String],
        status: StatusCode,
    ) -> Result<Response, PageError> {
        let cookie = FormCookie::of(state, headers)?;
        let template = NewPasswordPage {
            is_first: self.link.purpose != LinkPurpose::Reset,
            email: &self.user.email,
            token: self.token,
            form_token: &cookie.token(state, FormPurpose::NewPassword),
            rules: &state.passwords().policy().words(),
            problems,
        };
        let mut response = (status, page(&template, &FormTargets::own())?).into_response();
        cookie.set_on(state, &mut response)?;
        Ok(response)
    }
}

/// The page for every link that does not work, with the way to a new one.
fn gone(state: &AppState, headers: &HeaderMap) -> Result<Response, PageError> {
    let cookie = FormCookie::of(state, headers)?;
    let template = LinkGonePage {
        form_token: &cookie.token(state, FormPurpose::ForgottenPassword),
        is_mail_sent: crate::messages::are_sent(state.config(), crate::domain::message::Channel::Mail),
    };
    let mut response = (StatusCode::GONE, page(&template, &FormTargets::own())?).into_response();
    cookie.set_on(state, &mut response)?;
    Ok(response)
}

#[cfg(test)]
mod tests;
