//! `/account/sessions`: the browsers in which a person is signed in. They can end each of them, or all but this one.
//!
//! A session that ends takes along what was granted for its length, and the clients that wish to hear of it do (OpenID
//! Connect Back-Channel Logout 1.0).

use axum::extract::{RawQuery, State};
use axum::response::Response;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::user_agent::UserAgent;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{ClientAddress, Form, FormError, SameOrigin, SignedIn};
use crate::login::form_token::{FormPurpose, form_token};
use crate::state::AppState;
use crate::views::{FormTargets, Moment, SessionEntry, SessionsPage, page};

use super::{done, form_of, frame, sign_in_first};

/// Where the page is.
pub const PATH: &str = "/account/sessions";

const DONE: [(&str, &str); 3] = [
    ("ended", "That browser is signed out."),
    ("others", "All other browsers are signed out."),
    ("over", "That session was over already."),
];

/// Shows the list.
pub async fn get(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    query: RawQuery,
) -> Result<Response, PageError> {
    let Some(session) = session else {
        return sign_in_first(PATH);
    };
    let idle_seconds = state.config().sessions.idle_seconds;
    let living = state
        .store()
        .sessions_of(&session.user.id, idle_seconds, state.now())
        .await
        .map_err(InternalError::from)?;
    let entries: Vec<SessionEntry<'_>> = living
        .iter()
        .map(|entry| SessionEntry {
            id: &entry.id,
            is_this: entry.digest == session.session.digest,
            browser: entry.user_agent.as_ref().and_then(UserAgent::browser),
            system: entry.user_agent.as_ref().and_then(UserAgent::system),
            user_agent: entry.user_agent.as_ref().map(UserAgent::as_str),
            address: entry.ip_address,
            signed_in: Moment::at(entry.authenticated_at),
            methods: &entry.methods,
            last_seen: Moment::at(entry.last_seen_at),
        })
        .collect();
    let token = form_token(
        state.form_key(),
        session.secret.expose(),
        FormPurpose::AccountSessions,
    );
    let template = SessionsPage {
        frame: frame(&session, PATH),
        done: done(query, &DONE)?,
        sessions: &entries,
        form_token: &token,
    };
    Ok(page(&template, &FormTargets::own())?)
}

/// Ends the session that the field `session` names, or all but this one where `end` is `others`.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let session = form_of(&state, session, FormPurpose::AccountSessions, &parameters)?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let user_id = &*session.user.id;
    let audit = AuditEvent::new(state.now(), AuditAction::SessionRevocation, AuditOutcome::Success)
        .with_user(user_id)
        .with_ip_address(address);
    let store = state.store();
    let done = match (field("session")?, field("end")?) {
        (Some(id), None) => {
            let ended = store.end_session_of(user_id, id, audit.with_object(id)).await;
            if ended.map_err(InternalError::from)? {
                "ended"
            } else {
                "over"
            }
        }
        (None, Some("others")) => {
            let ended = store.end_other_sessions_of(user_id, &session.session.digest, audit);
            ended.await.map_err(InternalError::from)?;
            "others"
        }
        (_, _) => return Err(PageError::Field),
    };
    Ok(redirect::to_own_page(&format!("{PATH}?done={done}"))?)
}
