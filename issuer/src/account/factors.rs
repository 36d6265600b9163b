//! `/account/factors`: a person's second factors, and their recovery codes. They can add, rename and remove factors, and have
//! new codes made.
//!
//! Nothing is shown or changed unless the person has signed in a short while ago, with a second factor if they have one. The
//! last factor stays where one is required. Removing one forgets every remembered browser: who removes a factor may have lost
//! it, with the browser in which it was given.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::factor::{Factor, FactorKind};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{BrowserSession, ClientAddress, Form, FormError, SameOrigin, SignedIn};
use crate::login::destination::{Destination, OwnPage};
use crate::login::form_token::{FormPurpose, form_token};
use crate::login::reauthentication::recently_authenticated;
use crate::login::second_factor::enrol::{self, OFFERED};
use crate::login::second_factor::ongoing::Ongoing;
use crate::login::second_factor::recovery::NewCodes;
use crate::login::second_factor::{demand, is_usable};
use crate::notices::News;
use crate::state::AppState;
use crate::store::FactorRemoval;
use crate::views::{FactorEntry, FactorsPage, FormTargets, Moment, RecoveryCodesPage, page};

use super::{done, form_of, frame, sign_in_first};

/// Where the page is.
pub const PATH: &str = "/account/factors";

const DONE: [(&str, &str); 3] = [
    ("renamed", "The second factor has its new name."),
    ("removed", "That second factor is removed."),
    ("none", "That second factor was removed already."),
];
const BAD_NAME: &str = "Please give it a name of at most 60 characters.";
const LAST_ONE: &str =
    "Your account must have a second factor, and this is your last one. Please add another first.";
const NO_FACTOR: &str =
    "Recovery codes stand in for a second factor, and you have none. Please add one first.";

/// Shows the list.
pub async fn get(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    query: RawQuery,
) -> Result<Response, PageError> {
    let done = done(query, &DONE)?;
    match recently_authenticated(&state, session, PATH).await? {
        Ok(session) => show(&state, &session, done, None).await,
        Err(response) => Ok(response),
    }
}

/// Does what the form wants: `kind` adds a factor, `rename` with `name` and `remove` name one by its id, and `codes` makes new
/// recovery codes.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let session = form_of(&state, session, FormPurpose::AccountFactors, &parameters)?;
    let session = match recently_authenticated(&state, Some(session), PATH).await? {
        Ok(session) => session,
        Err(response) => return Ok(response),
    };
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let event = |action| {
        AuditEvent::new(state.now(), action, AuditOutcome::Success)
            .with_user(&*session.user.id)
            .with_ip_address(address)
    };
    match (
        field("kind")?,
        field("rename")?,
        field("remove")?,
        field("codes")?,
    ) {
        (Some(kind), None, None, None) => add(&state, session, kind).await,
        (None, Some(id), None, None) => {
            let Some(name) = field("name")?.and_then(Factor::lawful_name) else {
                return show(&state, &session, None, Some(BAD_NAME)).await;
            };
            let factor = state.store().factor(&session.user.id, id).await;
            let Some(factor) = factor.map_err(InternalError::from)? else {
                return back("none");
            };
            let audit = about(event(AuditAction::FactorChange), &factor);
            let renamed = state.store().rename_factor(&session.user.id, id, name, audit);
            let renamed = renamed.await.map_err(InternalError::from)?;
            back(if renamed { "renamed" } else { "none" })
        }
        (None, None, Some(id), None) => {
            let audit = event(AuditAction::FactorRemoval);
            remove(&state, &session, id, audit).await
        }
        (None, None, None, Some("new")) => {
            new_codes(&state, &session, event(AuditAction::RecoveryCodes)).await
        }
        (_, _, _, _) => Err(PageError::Field),
    }
}

/// The line of the audit trail, with the factor that it is about.
fn about(audit: AuditEvent, factor: &Factor) -> AuditEvent {
    audit
        .with_method(factor.kind.method().as_str())
        .with_object(&*factor.id)
}

/// Leads to where a factor of this kind is set up.
async fn add(state: &AppState, session: BrowserSession, kind: &str) -> Result<Response, PageError> {
    let kind = FactorKind::from_name(kind).ok_or(PageError::Field)?;
    let page = PATH.strip_prefix('/').and_then(OwnPage::parse);
    let destination = page.map_or(Destination::Home, Destination::Page);
    let ongoing = Ongoing::Session(Box::new(session));
    let response = enrol::begin(state, &ongoing, &destination, kind).await?;
    Ok(Ongoing::in_session(state, response)?)
}

async fn remove(
    state: &AppState,
    session: &BrowserSession,
    id: &str,
    audit: AuditEvent,
) -> Result<Response, PageError> {
    let needs_one = demand::is_required(state, &session.user).await?;
    let keeps = session.session.digest;
    let (store, user) = (state.store(), &session.user);
    let found = store.factor(&user.id, id).await.map_err(InternalError::from)?;
    let Some(factor) = found else {
        return back("none");
    };
    let notice = state
        .notices()
        .of(user, News::FactorRemoved(factor.kind), audit.at)?;
    let audit = about(audit, &factor);
    let removal = store.remove_factor(&user.id, id, needs_one, keeps, notice, audit);
    match removal.await.map_err(InternalError::from)? {
        FactorRemoval::Removed => back("removed"),
        FactorRemoval::NotFound => back("none"),
        FactorRemoval::LastOne => show(state, session, None, Some(LAST_ONE)).await,
    }
}

/// Makes recovery codes in place of those from before, and shows them, once.
async fn new_codes(
    state: &AppState,
    session: &BrowserSession,
    audit: AuditEvent,
) -> Result<Response, PageError> {
    let (store, user_id) = (state.store(), &session.user.id);
    let factors = store.factors(user_id).await.map_err(InternalError::from)?;
    if factors.is_empty() {
        return show(state, session, None, Some(NO_FACTOR)).await;
    }
    let codes = NewCodes::generate()?;
    let of = session.session.digest;
    let notice = state
        .notices()
        .of(&session.user, News::NewRecoveryCodes, audit.at)?;
    let replaced = store
        .replace_recovery_codes(user_id, codes.digests, of, notice, audit)
        .await;
    if !replaced.map_err(InternalError::from)? {
        return sign_in_first(PATH);
    }
    let shown: Vec<&str> = codes.shown.iter().map(|code| code.expose().as_str()).collect();
    let template = RecoveryCodesPage {
        codes: &shown,
        next: PATH,
    };
    Ok(page(&template, &FormTargets::none())?)
}

fn back(done: &str) -> Result<Response, PageError> {
    Ok(redirect::to_own_page(&format!("{PATH}?done={done}"))?)
}

async fn show(
    state: &AppState,
    session: &BrowserSession,
    done: Option<&str>,
    problem: Option<&str>,
) -> Result<Response, PageError> {
    let (store, user) = (state.store(), &session.user);
    let factors = store.factors(&user.id).await.map_err(InternalError::from)?;
    let recovery_codes = store.unused_recovery_codes(&user.id).await;
    let entries: Vec<FactorEntry<'_>> = factors
        .iter()
        .map(|factor| FactorEntry {
            id: &factor.id,
            kind: factor.kind,
            name: &factor.name,
            added: Moment::at(factor.created_at),
            last_used: factor.last_used_at.map(Moment::at),
        })
        .collect();
    let token = form_token(
        state.form_key(),
        session.secret.expose(),
        FormPurpose::AccountFactors,
    );
    let offers: Vec<FactorKind> = OFFERED
        .into_iter()
        .filter(|kind| is_usable(state, *kind))
        .collect();
    let template = FactorsPage {
        frame: frame(session, PATH),
        done,
        problem,
        factors: &entries,
        needs_one: demand::is_required(state, user).await?,
        recovery_codes: recovery_codes.map_err(InternalError::from)?,
        offers: &offers,
        form_token: &token,
    };
    let status = match problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    Ok((status, page(&template, &FormTargets::own())?).into_response())
}

#[cfg(test)]
mod tests;
