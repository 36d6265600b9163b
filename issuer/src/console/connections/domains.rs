//! The domains of a connection: claimed, verified, taken on an administrator's word, given up.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::administration::sso_connections as service;
use crate::domain::single_sign_on::{Connection, ConnectionDomain};
use crate::error::page::PageError;
use crate::outbound::Dns;
use crate::state::AppState;
use crate::views::console::{ConfirmPage, DomainEntry, DomainPage, FormState, Question};

use super::{Administrator, Submission, domain_path, done, fault, missing, named, path_of, show, show_one};

type Ids = Result<Path<(String, String)>, PathRejection>;

/// Where domains are added.
pub(super) fn path_of_all(connection: &Connection) -> String {
    format!("{}/domains", path_of(&connection.id))
}

/// The domain that the path names, and its connection.
async fn found(state: &AppState, ids: Ids) -> Result<(Connection, ConnectionDomain), PageError> {
    let Ok(Path((id, name))) = ids else {
        return Err(PageError::NotFound);
    };
    let (connection, domains) = service::get(state.store(), &id).await.map_err(missing)?;
    let domain = domains.into_iter().find(|domain| domain.domain.as_str() == name);
    Ok((connection, domain.ok_or(PageError::NotFound)?))
}

/// Claims a domain. Its page says what its owner has to publish.
pub(in crate::console) async fn add(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let (connection, domains) = named(&state, id).await?;
    let (actor, name) = (&submission.administrator.actor, submission.field("domain")?);
    let outcome = service::add_domain(state.store(), actor, &connection.id, name, state.now()).await;
    match submission.recorded(&state, outcome).await? {
        Ok(claimed) => done(&domain_path(&claimed), "claimed"),
        Err(error) => {
            let form = submission.again(&state, &["domain"], vec![fault(error)?]);
            show_one(&state, &submission.administrator, (&connection, &domains), &form).await
        }
    }
}

fn show_domain(
    administrator: &Administrator,
    connection: &Connection,
    domain: &ConnectionDomain,
    form: &FormState,
) -> Result<Response, PageError> {
    show(&DomainPage {
        frame: administrator.frame(),
        form,
        connection: &connection.settings.name,
        back: &path_of(&connection.id),
        domain: &DomainEntry::of(domain, domain_path(domain)),
    })
}

/// Shows one, with the record that proves it.
pub(in crate::console) async fn get(
    State(state): State<AppState>,
    administrator: Administrator,
    ids: Ids,
) -> Result<Response, PageError> {
    let (connection, domain) = found(&state, ids).await?;
    let form = administrator.form(&state, &format!("{}/verify", domain_path(&domain)));
    show_domain(&administrator, &connection, &domain, &form)
}

/// Looks for the record.
pub(in crate::console) async fn verify(
    State(state): State<AppState>,
    ids: Ids,
    submission: Submission,
) -> Result<Response, PageError> {
    let (connection, domain) = found(&state, ids).await?;
    let (dns, actor) = (Dns::of_machine(), &submission.administrator.actor);
    let (id, name) = (&connection.id, domain.domain.as_str());
    let outcome = service::verify_domain(state.store(), &dns, actor, id, name, state.now()).await;
    match submission.recorded(&state, outcome).await? {
        Ok(_) => done(&domain_path(&domain), "verified"),
        Err(error) => {
            let form = submission.again(&state, &[], vec![fault(error)?]);
            show_domain(&submission.administrator, &connection, &domain, &form)
        }
    }
}

fn ask(
    administrator: &Administrator,
    question: Question,
    domain: &ConnectionDomain,
    form: &FormState,
) -> Result<Response, PageError> {
    show(&ConfirmPage {
        frame: administrator.frame(),
        question,
        name: domain.domain.as_str(),
        form,
        action: administrator.path(),
        back: &domain_path(domain),
    })
}

async fn ask_first(
    state: &AppState,
    administrator: Administrator,
    question: Question,
    ids: Ids,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let (_, domain) = found(state, ids).await?;
    let form = administrator.form(state, administrator.path());
    ask(&administrator, question, &domain, &form)
}

/// Asks for the administrator's word that a domain is this organization's.
pub(in crate::console) async fn ask_override(
    State(state): State<AppState>,
    administrator: Administrator,
    ids: Ids,
) -> Result<Response, PageError> {
    ask_first(&state, administrator, Question::OverrideDomain, ids).await
}

/// Takes it.
pub(in crate::console) async fn take_word_for(
    State(state): State<AppState>,
    ids: Ids,
    submission: Submission,
) -> Result<Response, PageError> {
    let (connection, domain) = found(&state, ids).await?;
    let actor = &submission.administrator.actor;
    let (id, name) = (&connection.id, domain.domain.as_str());
    let outcome = service::override_domain(state.store(), actor, id, name, state.now()).await;
    match submission.recorded(&state, outcome).await? {
        Ok(_) => done(&domain_path(&domain), "verified"),
        Err(error) => {
            let form = submission.again(&state, &[], vec![fault(error)?]);
            let administrator = &submission.administrator;
            ask(administrator, Question::OverrideDomain, &domain, &form)
        }
    }
}

/// Asks whether a domain is to be given up.
pub(in crate::console) async fn ask_remove(
    State(state): State<AppState>,
    administrator: Administrator,
    ids: Ids,
) -> Result<Response, PageError> {
    ask_first(&state, administrator, Question::RemoveDomain, ids).await
}

/// Gives it up.
pub(in crate::console) async fn remove(
    State(state): State<AppState>,
    ids: Ids,
    submission: Submission,
) -> Result<Response, PageError> {
    let (connection, domain) = found(&state, ids).await?;
    let actor = &submission.administrator.actor;
    let (id, name) = (&connection.id, domain.domain.as_str());
    let outcome = service::remove_domain(state.store(), actor, id, name, state.now()).await;
    match submission.recorded(&state, outcome).await? {
        Ok(()) => done(&path_of(id), "removed"),
        Err(error) => {
            let form = submission.again(&state, &[], vec![fault(error)?]);
            let administrator = &submission.administrator;
            ask(administrator, Question::RemoveDomain, &domain, &form)
        }
    }
}
