//! `/admin/connections`: the identity providers of organizations, and what can be done about one.

pub(super) mod domains;
pub(super) mod explain;
pub(super) mod form;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::administration::sso_connections::{self as service, ConnectionError};
use crate::domain::single_sign_on::{Connection, ConnectionDomain};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::single_sign_on::CALLBACK_PATH;
use crate::state::AppState;
use crate::views::console::{
    ConfirmPage, ConnectionEntry, ConnectionPage, ConnectionsPage, DomainEntry, FieldFault, FormState,
    Question, UnlinkPage,
};

use super::{Administrator, Submission, done, segment, show};

const LIST: &str = "/admin/connections";
const NOT_LINKED: &str = "Nobody with this address is linked with the identity provider.";

/// Where the page of a connection is.
fn path_of(id: &str) -> String {
    format!("{LIST}/{}", segment(id))
}

/// Where the page of a domain is. Its name is made of letters, digits, hyphens and dots.
fn domain_path(domain: &ConnectionDomain) -> String {
    format!(
        "{}/domains/{}",
        path_of(&domain.connection_id),
        domain.domain.as_str()
    )
}

fn entry<'a>(connection: &'a Connection, domains: &'a [ConnectionDomain]) -> ConnectionEntry<'a> {
    let own = domains
        .iter()
        .filter(|domain| domain.connection_id == connection.id)
        .map(|domain| DomainEntry::of(domain, domain_path(domain)));
    ConnectionEntry::of(connection, path_of(&connection.id), own.collect())
}

/// Shows the list; there are few, so that is one page.
pub(super) async fn list(
    State(state): State<AppState>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let connections = service::list(state.store()).await.map_err(missing)?;
    let domains = state.store().sso_domains(None).await;
    let domains = domains.map_err(InternalError::from)?;
    let entries: Vec<ConnectionEntry<'_>> = connections
        .iter()
        .map(|connection| entry(connection, &domains))
        .collect();
    show(&ConnectionsPage {
        frame: administrator.frame(),
        connections: &entries,
    })
}

/// The connection that the path names, with its domains.
async fn named(
    state: &AppState,
    id: Result<Path<String>, PathRejection>,
) -> Result<(Connection, Vec<ConnectionDomain>), PageError> {
    let Ok(Path(id)) = id else {
        return Err(PageError::NotFound);
    };
    service::get(state.store(), &id).await.map_err(missing)
}

/// Shows one.
pub(super) async fn get(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let (connection, domains) = named(&state, id).await?;
    let form = administrator.form(&state, &domains::path_of_all(&connection));
    show_one(&state, &administrator, (&connection, &domains), &form).await
}

/// The page of a connection, with the form for another domain.
async fn show_one(
    state: &AppState,
    administrator: &Administrator,
    (connection, domains): (&Connection, &[ConnectionDomain]),
    form: &FormState,
) -> Result<Response, PageError> {
    let roles = form::roles(state).await?;
    let settings = &connection.settings;
    let public_url = &state.config().server.public_url;
    let lines: Vec<String> = settings
        .role_rules
        .iter()
        .map(|rule| form::line(rule, &roles))
        .collect();
    show(&ConnectionPage {
        frame: administrator.frame(),
        form,
        domains_path: &domains::path_of_all(connection),
        connection: &entry(connection, domains),
        default_role: settings
            .default_role
            .as_deref()
            .map(|id| form::name_of(id, &roles)),
        role_rules: &lines,
        redirect_uri: &public_url.join(CALLBACK_PATH),
        sign_out_uri: &public_url.join("/logout"),
    })
}

fn ask(
    administrator: &Administrator,
    question: Question,
    connection: &Connection,
    form: &FormState,
) -> Result<Response, PageError> {
    show(&ConfirmPage {
        frame: administrator.frame(),
        question,
        name: &connection.settings.name,
        form,
        action: administrator.path(),
        back: &path_of(&connection.id),
    })
}

async fn ask_first(
    state: &AppState,
    administrator: Administrator,
    question: Question,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let (connection, _) = named(state, id).await?;
    let form = administrator.form(state, administrator.path());
    ask(&administrator, question, &connection, &form)
}

/// What came of an answer: another page, or the question once more with what is in the way.
async fn answered<T>(
    state: &AppState,
    submission: &Submission,
    question: Question,
    connection: &Connection,
    outcome: Result<T, ConnectionError>,
    (path, word): (&str, &str),
) -> Result<Response, PageError> {
    match submission.recorded(state, outcome).await? {
        Ok(_) => done(path, word),
        Err(error) => {
            let form = submission.again(state, &[], vec![fault(error)?]);
            ask(&submission.administrator, question, connection, &form)
        }
    }
}

/// Asks for the administrator's word that the provider asks everybody for more than one factor.
pub(super) async fn ask_attest(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    ask_first(&state, administrator, Question::AttestConnection, id).await
}

/// Records it.
pub(super) async fn attest(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let (connection, _) = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let outcome = service::attest_mfa(state.store(), actor, &connection.id, state.now()).await;
    let then = (&*path_of(&connection.id), "attested");
    let question = Question::AttestConnection;
    answered(&state, &submission, question, &connection, outcome, then).await
}

/// Asks whether people are to be sent to the provider.
pub(super) async fn ask_enable(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    ask_first(&state, administrator, Question::EnableConnection, id).await
}

/// Lets people be sent there.
pub(super) async fn enable(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let (connection, _) = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let outcome = service::enable(state.store(), actor, &connection.id, state.now()).await;
    let then = (&*path_of(&connection.id), "enabled");
    let question = Question::EnableConnection;
    answered(&state, &submission, question, &connection, outcome, then).await
}

/// Asks whether nobody is to be sent to the provider any more.
pub(super) async fn ask_disable(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    ask_first(&state, administrator, Question::DisableConnection, id).await
}

/// Sends nobody there any more.
pub(super) async fn disable(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let (connection, _) = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let outcome = service::disable(state.store(), actor, &connection.id, state.now()).await;
    let then = (&*path_of(&connection.id), "disabled");
    let question = Question::DisableConnection;
    answered(&state, &submission, question, &connection, outcome, then).await
}

/// Asks whether a connection is to be removed.
pub(super) async fn ask_remove(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    ask_first(&state, administrator, Question::RemoveConnection, id).await
}

/// Removes a connection.
pub(super) async fn remove(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let (connection, _) = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let outcome = service::remove(state.store(), actor, &connection.id, state.now()).await;
    let question = Question::RemoveConnection;
    answered(
        &state,
        &submission,
        question,
        &connection,
        outcome,
        (LIST, "removed"),
    )
    .await
}

fn show_unlink(
    administrator: &Administrator,
    connection: &Connection,
    form: &FormState,
) -> Result<Response, PageError> {
    show(&UnlinkPage {
        frame: administrator.frame(),
        form,
        action: administrator.path(),
        name: &connection.settings.name,
        back: &path_of(&connection.id),
    })
}

/// Asks who is to be forgotten at the provider.
pub(super) async fn ask_unlink(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let (connection, _) = named(&state, id).await?;
    let form = administrator.form(&state, administrator.path());
    show_unlink(&administrator, &connection, &form)
}

/// Forgets who somebody is there.
pub(super) async fn unlink(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let (connection, _) = named(&state, id).await?;
    let (actor, email) = (&submission.administrator.actor, submission.field("email")?);
    let outcome = service::unlink(state.store(), actor, &connection.id, email, state.now()).await;
    let fault = match submission.recorded(&state, outcome).await? {
        Ok(()) => return done(&path_of(&connection.id), "unlinked"),
        Err(ConnectionError::NotFound) => FieldFault {
            field: "email".into(),
            text: NOT_LINKED.into(),
        },
        Err(error) => fault(error)?,
    };
    let form = submission.again(&state, &["email"], vec![fault]);
    show_unlink(&submission.administrator, &connection, &form)
}

/// What an error says, beside the field that it is about.
pub(super) fn fault(error: ConnectionError) -> Result<FieldFault, PageError> {
    let field = match &error {
        ConnectionError::Invalid { field, .. } | ConnectionError::Taken(field) => field,
        ConnectionError::Provider(_) => "issuer",
        ConnectionError::BeyondOwnRole
        | ConnectionError::NotAttested
        | ConnectionError::Dns(_)
        | ConnectionError::NoRecord { .. }
        | ConnectionError::NotFound
        | ConnectionError::Internal(_) => "",
    };
    match error {
        ConnectionError::Internal(_) | ConnectionError::NotFound => Err(missing(error)),
        other => Ok(FieldFault {
            field: field.into(),
            text: other.to_string(),
        }),
    }
}

/// What a page cannot show: everything but a failure of the issuer is no such page.
fn missing(error: ConnectionError) -> PageError {
    match error {
        ConnectionError::Internal(error) => error.into(),
        ConnectionError::Invalid { .. }
        | ConnectionError::NotFound
        | ConnectionError::Taken(_)
        | ConnectionError::BeyondOwnRole
        | ConnectionError::NotAttested
        | ConnectionError::Provider(_)
        | ConnectionError::Dns(_)
        | ConnectionError::NoRecord { .. } => PageError::NotFound,
    }
}
