//! `/admin/clients`: the clients, and what can be done about one.

pub(in crate::console) mod form;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use crate::administration::clients::{self as service, ClientError};
use crate::domain::client::{Client, ClientAuthentication};
use crate::error::page::PageError;
use crate::extract::{FormError, Parameters};
use crate::state::AppState;
use crate::views::Moment;
use crate::views::console::{
    ClientEntry, ClientPage, ClientsPage, ConfirmPage, Fact, FieldFault, FormState, Question, SecretOf,
    SecretPage, ShownSecret,
};

use super::{Administrator, PAGE_SIZE, Submission, done, links, segment, show};

const LIST: &str = "/admin/clients";

/// Where the page of a client is.
fn path_of(client_id: &str) -> String {
    format!("{LIST}/{}", segment(client_id))
}

fn entry(client: &Client) -> ClientEntry<'_> {
    ClientEntry {
        client_id: &client.client_id,
        path: path_of(&client.client_id),
        name: &client.name,
        is_public: client.is_public(),
        has_secret: matches!(client.authentication, ClientAuthentication::Secret(_)),
        registered_itself: client.registered_itself,
        scope: client.scope.to_string(),
        created: Moment::at(client.created_at),
    }
}

/// Shows the list.
pub(super) async fn list(
    State(state): State<AppState>,
    administrator: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let after = query.single("after").map_err(|_| PageError::Field)?;
    let mut clients = service::list(&state, after, PAGE_SIZE.saturating_add(1)).await?;
    let has_more = clients.len() > PAGE_SIZE;
    clients.truncate(PAGE_SIZE);
    let entries: Vec<ClientEntry<'_>> = clients.iter().map(entry).collect();
    let last = entries.last().filter(|_| has_more).map(|client| client.client_id);
    show(&ClientsPage {
        frame: administrator.frame(),
        clients: &entries,
        pages: links(LIST, &[], after, last),
    })
}

/// The client that the path names.
async fn named(state: &AppState, id: Result<Path<String>, PathRejection>) -> Result<Client, PageError> {
    let Ok(Path(id)) = id else {
        return Err(PageError::NotFound);
    };
    match service::get(state, &id).await {
        Ok(client) => Ok(client),
        Err(ClientError::Internal(error)) => Err(error.into()),
        Err(_) => Err(PageError::NotFound),
    }
}

/// Shows one.
pub(super) async fn get(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let client = named(&state, id).await?;
    let facts: Vec<Fact> = service::describe(&client)
        .into_iter()
        .map(|(name, value)| Fact {
            name,
            value: value.as_str().map_or_else(|| value.to_string(), String::from),
        })
        .collect();
    show(&ClientPage {
        frame: administrator.frame(),
        client: &entry(&client),
        facts: &facts,
    })
}

/// Asks whether a client is to have a new secret.
pub(super) async fn ask_rotate(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let client = named(&state, id).await?;
    let form = administrator.form(&state, administrator.path());
    ask(&administrator, Question::RotateClientSecret, &client, &form)
}

/// Gives a client a new secret and shows it.
pub(super) async fn rotate(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let client = named(&state, id).await?;
    let administrator = &submission.administrator;
    let outcome = service::rotate_secret(&state, &administrator.actor, &client.client_id).await;
    match submission.recorded(&state, outcome).await? {
        Ok(secret) => show(&SecretPage {
            frame: administrator.frame(),
            shown: ShownSecret {
                what: SecretOf::Client,
                name: &client.client_id,
                secret: secret.expose(),
                previous_until: None,
                left_out: "",
                back: &path_of(&client.client_id),
            },
        }),
        Err(error) => {
            let form = submission.again(&state, &[], vec![fault(error)?]);
            ask(administrator, Question::RotateClientSecret, &client, &form)
        }
    }
}

/// Asks whether a client is to be removed.
pub(super) async fn ask_remove(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let client = named(&state, id).await?;
    let form = administrator.form(&state, administrator.path());
    ask(&administrator, Question::RemoveClient, &client, &form)
}

/// Removes a client.
pub(super) async fn remove(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let client = named(&state, id).await?;
    let outcome = service::remove(&state, &submission.administrator.actor, &client.client_id).await;
    match submission.recorded(&state, outcome).await? {
        Ok(()) => done(LIST, "removed"),
        Err(ClientError::Internal(error)) => Err(error.into()),
        Err(_) => done(LIST, "gone"),
    }
}

fn ask(
    administrator: &Administrator,
    question: Question,
    client: &Client,
    form: &FormState,
) -> Result<Response, PageError> {
    show(&ConfirmPage {
        frame: administrator.frame(),
        question,
        name: &client.name,
        form,
        action: administrator.path(),
        back: &path_of(&client.client_id),
    })
}

/// What an error says, beside the field that it is about.
fn fault(error: ClientError) -> Result<FieldFault, PageError> {
    let field = match &error {
        ClientError::UnknownMember(_) => "metadata",
        ClientError::Metadata(fault) => form::field_of(*fault),
        ClientError::Identifier | ClientError::IdentifierChanged | ClientError::Taken => "client_id",
        ClientError::Beyond(_) => "scope",
        ClientError::NotYours(_)
        | ClientError::NotFound
        | ClientError::ChangedMeanwhile
        | ClientError::NoSecret
        | ClientError::Internal(_) => "",
    };
    match error {
        ClientError::Internal(error) => Err(error.into()),
        other => Ok(FieldFault {
            field: field.into(),
            text: other.to_string(),
        }),
    }
}
