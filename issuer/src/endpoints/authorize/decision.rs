//! What stands between an authorization request and its answer.

use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::redirect_uri::RedirectTarget;

use crate::domain::authorization_request::REQUEST_LIFETIME_SECONDS;
use crate::domain::client::Client;
use crate::domain::session::Session;
use crate::error::internal::InternalError;
use crate::extract::BrowserSession;
use crate::login::second_factor::demand::{self, Missing};
use crate::state::AppState;
use crate::tokens::granting::{self, Grantable};
use crate::tokens::launch_context::ContextState;

use super::pending::PendingRequest;

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Somebody has to sign in, perhaps again.
    SignIn,
    /// They have to give a second factor.
    SecondFactor,
    /// They have to set up a second factor.
    EnrolFactor,
    /// They have to choose a patient or an encounter.
    ChooseContext,
    /// The person has to be asked.
    AskConsent(Grantable),
    /// They agreed to all of it before.
    Approve(Grantable),
    /// They can give none of what is asked for.
    NothingToGrant,
    /// Somebody else than `id_token_hint`, `claims` or the launch names has signed in for this request.
    AnotherPerson,
    /// The launch opens a record that is not this person's to open.
    LaunchOfAnother,
    /// The request insists on an `acr` that this person cannot reach.
    UnreachableContext,
}

/// An error that the client gets instead of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// `prompt=none`, and nobody is signed in freshly enough.
    LoginRequired,
    /// `prompt=none`, and the person would have to choose a patient or an encounter.
    InteractionRequired,
    /// `prompt=none`, and the person would have to be asked.
    ConsentRequired,
    /// The person can give none of the scopes.
    NothingToGrant,
    /// The person said no.
    AccessDenied,
    /// The person who signed in is not the one whom `id_token_hint`, `claims` or the launch names.
    AnotherPerson,
    /// The launch opens a record that is not this person's to open.
    LaunchOfAnother,
    /// The launch was spent by another request.
    LaunchSpent,
    /// `prompt=none`, and the person would have to give a second factor.
    SecondFactorRequired,
    /// `prompt=none`, and the person would have to set up a second factor.
    FactorEnrolmentRequired,
    /// The request insists on an `acr` that this person cannot reach.
    UnreachableContext,
}

impl Denial {
    /// The code for the client.
    pub const fn code(self) -> OAuthErrorCode {
        match self {
            Self::LoginRequired | Self::AnotherPerson | Self::SecondFactorRequired => {
                OAuthErrorCode::LoginRequired
            }
            Self::UnreachableContext => OAuthErrorCode::UnmetAuthenticationRequirements,
            Self::InteractionRequired | Self::FactorEnrolmentRequired => OAuthErrorCode::InteractionRequired,
            Self::ConsentRequired => OAuthErrorCode::ConsentRequired,
            Self::NothingToGrant => OAuthErrorCode::InvalidScope,
            Self::AccessDenied | Self::LaunchOfAnother => OAuthErrorCode::AccessDenied,
            Self::LaunchSpent => OAuthErrorCode::InvalidRequest,
        }
    }

    /// The reason for the client's developers.
    pub const fn description(self) -> &'static str {
        match self {
            Self::LoginRequired => "Nobody is signed in, and prompt=none forbids asking",
            Self::InteractionRequired => {
                "The person has to choose a patient or an encounter, and prompt=none forbids asking"
            }
            Self::ConsentRequired => {
                "The person has not agreed to this access, and prompt=none forbids asking"
            }
            Self::NothingToGrant => {
                "The person can give none of the requested scopes; patient scopes need a patient in context"
            }
            Self::AccessDenied => "The person did not allow the access",
            Self::AnotherPerson => {
                "The person who signed in is not the one whom id_token_hint, claims or the launch names"
            }
            Self::LaunchOfAnother => "The launch opens a record that the person who signed in may not open",
            Self::LaunchSpent => "The launch has been used already",
            Self::SecondFactorRequired => {
                "The person has to give a second factor, and prompt=none forbids asking"
            }
            Self::FactorEnrolmentRequired => {
                "The person has to set up a second factor, and prompt=none forbids asking"
            }
            Self::UnreachableContext => "The person cannot be authenticated as the request insists on (acr)",
        }
    }
}

impl Decision {
    /// Where a page of the request sends somebody who has to do something else first: to sign in, or back to the authorization
    /// endpoint, which knows.
    pub fn detour(&self, pending: &PendingRequest) -> String {
        match self {
            Self::SignIn => pending.path_to("/login"),
            Self::SecondFactor
            | Self::EnrolFactor
            | Self::ChooseContext
            | Self::AskConsent(_)
            | Self::Approve(_)
            | Self::NothingToGrant
            | Self::AnotherPerson
            | Self::LaunchOfAnother
            | Self::UnreachableContext => pending.continue_path(),
        }
    }

    /// The error in which the decision ends at once, when pages are allowed or not.
    pub const fn denial(&self, prompt_none: bool) -> Option<Denial> {
        match (self, prompt_none) {
            (Self::NothingToGrant, _) => Some(Denial::NothingToGrant),
            (Self::AnotherPerson, _) => Some(Denial::AnotherPerson),
            (Self::LaunchOfAnother, _) => Some(Denial::LaunchOfAnother),
            (Self::UnreachableContext, _) => Some(Denial::UnreachableContext),
            (Self::SignIn, true) => Some(Denial::LoginRequired),
            (Self::SecondFactor, true) => Some(Denial::SecondFactorRequired),
            (Self::EnrolFactor, true) => Some(Denial::FactorEnrolmentRequired),
            (Self::ChooseContext, true) => Some(Denial::InteractionRequired),
            (Self::AskConsent(_), true) => Some(Denial::ConsentRequired),
            (
                Self::SignIn
                | Self::SecondFactor
                | Self::EnrolFactor
                | Self::ChooseContext
                | Self::AskConsent(_),
                false,
            )
            | (Self::Approve(_), _) => None,
        }
    }
}

/// Decides for the browser's present session.
///
/// # Errors
/// When the store cannot answer.
pub async fn decide(
    state: &AppState,
    pending: &PendingRequest,
    session: Option<&BrowserSession>,
) -> Result<Decision, InternalError> {
    if session.is_some_and(|session| is_another_person_s(pending, &session.session)) {
        return Ok(Decision::AnotherPerson);
    }
    let session = match authenticated(state, pending, session).await? {
        Ok(session) => session,
        Err(first) => return Ok(first),
    };
    let context = match pending.context_of(state, &session.user) {
        ContextState::Known(context) => context,
        ContextState::NotTheirs => return Ok(Decision::LaunchOfAnother),
        ContextState::PatientWanted | ContextState::EncounterWanted { .. } => {
            return Ok(Decision::ChooseContext);
        }
    };
    let grantable = granting::for_person(&pending.request.scope, &session.user, &context);
    if grantable.scope.is_empty() {
        return Ok(Decision::NothingToGrant);
    }
    if pending.request.consent_forced
        || !consent_may_be_remembered(&pending.client, &pending.request.redirect_target)
    {
        return Ok(Decision::AskConsent(grantable));
    }
    let individually = pending.request.claims.beyond(&grantable.scope);
    let (user_id, client_id) = (&session.user.id, &pending.client.client_id);
    for audience in &pending.request.audiences {
        let agreed = state.store().agreed_scope(user_id, client_id, audience).await?;
        if !agreed.is_some_and(|agreed| grantable.scope.is_subset(&agreed)) {
            return Ok(Decision::AskConsent(grantable));
        }
        if !individually.is_empty() {
            let agreed = state.store().agreed_claims(user_id, client_id, audience).await?;
            if !individually.is_subset(&agreed) {
                return Ok(Decision::AskConsent(grantable));
            }
        }
    }
    Ok(Decision::Approve(grantable))
}

/// The session, if its person is authenticated as the request wants; else what has to be done about that first.
///
/// # Errors
/// When the store cannot answer.
pub async fn authenticated<'a>(
    state: &AppState,
    pending: &PendingRequest,
    session: Option<&'a BrowserSession>,
) -> Result<Result<&'a BrowserSession, Decision>, InternalError> {
    let Some(session) = session.filter(|session| counts(pending, &session.session)) else {
        return Ok(Err(Decision::SignIn));
    };
    let missing = demand::missing_in_session(state, &session.user, &session.session, Some(pending)).await?;
    Ok(match missing {
        Missing::Nothing => Ok(session),
        Missing::SecondFactor => Err(Decision::SecondFactor),
        Missing::Enrolment => Err(Decision::EnrolFactor),
        Missing::UnreachableContext => Err(Decision::UnreachableContext),
    })
}

/// Whether the session satisfies `prompt=login` and `max_age`, and is that of the person whom `id_token_hint` or `claims`
/// names. One that was begun for this very request is always fresh.
fn counts(pending: &PendingRequest, session: &Session) -> bool {
    let request = &pending.request;
    let is_fresh_enough = request
        .authenticated_after
        .is_none_or(|after| session.authenticated_at >= after)
        || session.request == Some(request.digest);
    is_fresh_enough && is_about(pending, session)
}

fn is_about(pending: &PendingRequest, session: &Session) -> bool {
    let hinted = pending.request.hinted_user_id.as_ref();
    hinted.is_none_or(|hinted| *hinted == session.user_id)
}

/// Whether somebody signed in for this request who is not the person it is about: asking again would not help (OpenID
/// Connect Core section 3.1.2.1). A session from before the request may be replaced.
fn is_another_person_s(pending: &PendingRequest, session: &Session) -> bool {
    let requested_at = pending.request.expires_at.minus(REQUEST_LIFETIME_SECONDS);
    let is_for_it = session.request == Some(pending.request.digest);
    !is_about(pending, session) && (is_for_it || session.authenticated_at > requested_at)
}

/// Whether a remembered answer may stand for a new one. Any program on the person's device can pretend to be a public
/// client that is answered there, so for those the person is asked each time (RFC 8252 section 8.6).
fn consent_may_be_remembered(client: &Client, target: &RedirectTarget) -> bool {
    !client.is_public() || target.as_str().starts_with("https://")
}
