//! `/v1/clients`: the apps and services that ask for tokens, in the words of RFC 7591. A `PATCH` is a JSON merge patch.

mod description;

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Map, Value};

use crate::administration::clients::{self as service, ClientError, SavedClient};
use crate::administration::{AdministrationError, FieldFault};
use crate::domain::client::Client;
use crate::domain::instant;
use crate::domain::page::{Cursor, Page};
use crate::path_segment;
use crate::registration::{Document, MetadataFault};
use crate::state::AppState;

use super::answer;
use super::body::Members;
use super::call::{ApiError, Call};
use super::path_id;
use super::query::ListQuery;

pub use description::{describe, metadata};

/// Where the list is.
pub const PATH: &str = "/v1/clients";

/// A client, and its secret where it has just got one.
fn document(client: &Client, secret: Option<&str>) -> Map<String, Value> {
    let mut members = service::describe(client);
    members.insert("created_at".into(), instant::rfc3339(client.created_at).into());
    members.insert("registered_itself".into(), client.registered_itself.into());
    if let Some(secret) = secret {
        members.insert("client_secret".into(), secret.into());
    }
    members
}

fn saved(saved: &SavedClient) -> Map<String, Value> {
    document(
        &saved.client,
        saved.secret.as_ref().map(|secret| secret.expose().as_str()),
    )
}

/// Lists clients.
pub async fn list(State(state): State<AppState>, call: Call) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let query = ListQuery::parse(call.query.as_deref(), &[]).map_err(ApiError::Query)?;
        let size = query.page.size;
        let after = query.page.after.as_ref().map(|cursor| cursor.id.as_str());
        let clients = service::list(&state, after, size.saturating_add(1))
            .await
            .map_err(AdministrationError::from)?;
        let page = Page::cut(clients, size, |client| Cursor {
            at: client.created_at,
            id: client.client_id.clone(),
        });
        let entries = page.entries.iter().map(|client| document(client, None));
        let page = Page {
            entries: entries.collect(),
            next: page.next,
        };
        Ok(answer::list::<_, Map<String, Value>>(page, size))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Registers a client.
pub async fn create(
    State(state): State<AppState>,
    call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        ListQuery::none(call.query.as_deref()).map_err(ApiError::Query)?;
        let members = Members::read(&call.headers, body)?.into_map();
        let made = service::create(&state, &actor, &Document::of(members))
            .await
            .map_err(refused)?;
        let path = format!("{PATH}/{}", path_segment::encode(&made.client.client_id));
        Ok(answer::created(saved(&made), &path))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Shows a client.
pub async fn get(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let id = path_id(&call, id)?;
        let client = service::get(&state, &id).await.map_err(refused)?;
        Ok(answer::one(document(&client, None)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Changes a client.
pub async fn change(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let id = path_id(&call, id)?;
        let patch = Members::read(&call.headers, body)?.into_map();
        let client = service::get(&state, &id).await.map_err(refused)?;
        let mut members = service::describe(&client);
        // It follows from the grant types, unless somebody says it.
        members.remove("response_types");
        members.extend(patch);
        let changed = service::change(&state, &actor, client, &Document::of(members))
            .await
            .map_err(refused)?;
        Ok(answer::one(saved(&changed)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Removes a client.
pub async fn remove(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let id = path_id(&call, id)?;
        service::remove(&state, &actor, &id).await.map_err(refused)?;
        Ok(answer::gone())
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Gives a client a new secret in place of the one it has.
pub async fn rotate_secret(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let id = path_id(&call, id)?;
        let secret = service::rotate_secret(&state, &actor, &id)
            .await
            .map_err(refused)?;
        let members = serde_json::json!({ "client_id": id, "client_secret": secret.expose() });
        Ok(answer::one(members))
    };
    call.finish(&state, &actor, outcome.await).await
}

fn refused(error: ClientError) -> AdministrationError {
    let invalid =
        |field: &str, detail| AdministrationError::Invalid(vec![FieldFault::of_unknown(field, detail)]);
    match error {
        ClientError::UnknownMember(name) => invalid(&name, "is not known here"),
        ClientError::Metadata(fault) => invalid(member_of(fault), sentence_of(fault)),
        ClientError::Identifier => invalid(
            "client_id",
            "must be 1 to 255 printable ASCII characters without spaces, and not the issuer's own",
        ),
        ClientError::IdentifierChanged => invalid("client_id", "stays as it is"),
        ClientError::NoSecret => invalid("token_endpoint_auth_method", "must be one by a secret"),
        ClientError::Taken => AdministrationError::Taken("client_id"),
        ClientError::NotFound => AdministrationError::NotFound,
        ClientError::ChangedMeanwhile => AdministrationError::ChangedMeanwhile,
        ClientError::Beyond(_) | ClientError::NotYours(_) => AdministrationError::BeyondOwnRole,
        ClientError::Internal(error) => AdministrationError::Internal(error),
    }
}

/// The member that a fault is about.
fn member_of(fault: MetadataFault) -> &'static str {
    match fault {
        MetadataFault::Type(name)
        | MetadataFault::TooLong(name)
        | MetadataFault::Unsupported(name)
        | MetadataFault::NeverDone(name)
        | MetadataFault::PageUrl(name)
        | MetadataFault::CalledUrl(name) => name,
        other => crate::console::field_of(other),
    }
}

fn sentence_of(fault: MetadataFault) -> &'static str {
    match fault.description() {
        Cow::Borrowed(sentence) => sentence,
        Cow::Owned(_) => "cannot be registered with this value",
    }
}
