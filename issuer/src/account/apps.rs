//! `/account/apps`: the apps that a person has allowed something, and the way to take it back: the remembered answer and
//! every grant and token of that app in that person's name, at once.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use crate::consent::resources_to_name;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::connected_app::ConnectedApp;
use crate::domain::user::User;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{ClientAddress, Form, FormError, SameOrigin, SignedIn};
use crate::login::form_token::{FormPurpose, form_token};
use crate::state::AppState;
use crate::views::{
    AppEntry, AppsPage, FormTargets, Moment, RecordInContext, claim_permissions, page, permissions,
};

use super::{done, form_of, frame, sign_in_first};

/// Where the page is.
pub const PATH: &str = "/account/apps";

const DONE: [(&str, &str); 2] = [
    ("withdrawn", "That app has no access any more."),
    ("none", "That app had no access already."),
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
    let apps = state
        .store()
        .connected_apps(&session.user.id, state.now())
        .await
        .map_err(InternalError::from)?;
    let audiences: Vec<Vec<String>> = apps.iter().map(audiences).collect();
    let entries: Vec<AppEntry<'_>> = apps
        .iter()
        .zip(&audiences)
        .map(|(app, audiences)| entry(&state, &session.user, app, audiences))
        .collect();
    let token = form_token(
        state.form_key(),
        session.secret.expose(),
        FormPurpose::AccountApps,
    );
    let template = AppsPage {
        frame: frame(&session, PATH),
        done: done(query, &DONE)?,
        apps: &entries,
        form_token: &token,
    };
    Ok(page(&template, &FormTargets::own())?)
}

/// Takes back what the client that the field `client` names was given.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let session = form_of(&state, session, FormPurpose::AccountApps, &parameters)?;
    let client_id = parameters
        .single("client")
        .map_err(|_| PageError::Field)?
        .ok_or(PageError::Field)?;
    let audit = AuditEvent::new(state.now(), AuditAction::ConsentWithdrawal, AuditOutcome::Success)
        .with_user(&*session.user.id)
        .with_client(client_id)
        .with_ip_address(address);
    let withdrawn = state
        .store()
        .withdraw_consent(&session.user.id, client_id, audit)
        .await
        .map_err(InternalError::from)?;
    let done = if withdrawn { "withdrawn" } else { "none" };
    Ok(redirect::to_own_page(&format!("{PATH}?done={done}"))?)
}

/// The resources of all answers and grants, each once.
fn audiences(app: &ConnectedApp) -> Vec<String> {
    let consents = app.consents.iter().flat_map(|consent| &consent.audiences);
    let mut audiences: Vec<String> = consents
        .chain(app.grants.iter().flat_map(|grant| &grant.audiences))
        .cloned()
        .collect();
    audiences.sort();
    audiences.dedup();
    audiences
}

fn entry<'a>(
    state: &'a AppState,
    user: &User,
    app: &'a ConnectedApp,
    audiences: &'a [String],
) -> AppEntry<'a> {
    let record = match user.own_launch_context().patient_id {
        Some(_) => RecordInContext::Own,
        None => RecordInContext::OfAnyPatient,
    };
    let scope = app.scope();
    let mut permissions = permissions(&scope, record);
    let claims = app
        .consents
        .iter()
        .flat_map(|consent| consent.claims.iter().copied());
    permissions.extend(claim_permissions(&claims.collect()));
    AppEntry {
        client_id: &app.client.client_id,
        name: &app.client.name,
        permissions,
        resources: resources_to_name(state.config(), audiences),
        allowed: app
            .consents
            .iter()
            .map(|consent| consent.granted_at)
            .max()
            .map(Moment::at),
        is_at_work: app.is_at_work(),
        works_offline: app.works_offline(),
    }
}
