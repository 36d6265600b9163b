//! Clients: registered, shown, changed, removed, given a new secret.
//!
//! What a client may be registered with is said in [`crate::registration`], as for clients that register themselves; here
//! a document may also say `client_id`, `require_pkce` and `refresh_token_grace_seconds`, and a member that nobody knows
//! is refused. Nobody registers, changes or takes over a client that may have more than they may hand out themselves (see
//! [`Allowance`]).

use serde_json::Value;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::client::{Client, ClientAuthentication, GrantType};
use crate::domain::digest::NewSecret;
use crate::domain::registration::Ceiling;
use crate::endpoints::reference;
use crate::endpoints::registration::sector;
use crate::error::internal::InternalError;
use crate::registration::{self, Document, MetadataFault, RequestedClient, Standing};
use crate::rng;
use crate::state::AppState;
use crate::store::{ClientUpdate, Insertion};
use crate::tokens::opaque::OpaqueSecret;
use crate::tokens::signed::OWN_CLIENT_ID;

use super::{Actor, Allowance, Recipient, Refusal};

/// What a document may say: RFC 7591 section 2, OpenID Connect Dynamic Client Registration section 2, and our own.
const MEMBERS: [&str; 39] = [
    "client_id",
    "client_name",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "grant_types",
    "response_types",
    "redirect_uris",
    "post_logout_redirect_uris",
    "scope",
    "require_pushed_authorization_requests",
    "require_pkce",
    "jwks",
    "jwks_uri",
    "application_type",
    "profile",
    "refresh_token_grace_seconds",
    "launch_uri",
    "dpop_bound_access_tokens",
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "subject_type",
    "sector_identifier_uri",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "default_max_age",
    "require_auth_time",
    "default_acr_values",
    "initiate_login_uri",
    "logo_uri",
    "client_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
    "software_id",
    "software_version",
    // What asks for something that is never done here is refused by its own name.
    "software_statement",
    "id_token_encrypted_response_alg",
    "userinfo_encrypted_response_alg",
    "require_signed_request_object",
];

/// A client that was registered or changed.
#[derive(Debug)]
pub struct SavedClient {
    /// The client.
    pub client: Client,
    /// Its secret, where it has just got one: shown this once.
    pub secret: Option<Secret<String>>,
}

/// Why nothing is done about a client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The document has a member that nobody knows.
    #[error("{0} is no member of a client's metadata")]
    UnknownMember(String),
    /// The client cannot be registered with this.
    #[error(transparent)]
    Metadata(#[from] MetadataFault),
    /// `client_id` cannot be one.
    #[error("client_id must be 1 to 255 printable ASCII characters without spaces, and not the issuer's own")]
    Identifier,
    /// `client_id` is another than that of the client.
    #[error("client_id stays as it is")]
    IdentifierChanged,
    /// There is a client of this id already.
    #[error("there is a client of this client_id already")]
    Taken,
    /// The scope holds one that whoever asks may not give.
    #[error("you may not give the scope {0}")]
    Beyond(String),
    /// The client may have what whoever asks may not give.
    #[error("the client may have scopes that you may not give, such as {0}")]
    NotYours(String),
    /// There is no such client.
    #[error("there is no such client")]
    NotFound,
    /// The client is not any more what it was when it was looked at.
    #[error("the client was changed meanwhile: look at it again first")]
    ChangedMeanwhile,
    /// The client has no secret to replace.
    #[error("the client has no secret")]
    NoSecret,
    /// The issuer itself failed.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl Refusal for ClientError {
    fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownMember(_)
            | Self::Metadata(_)
            | Self::Identifier
            | Self::IdentifierChanged
            | Self::NoSecret => "invalid_request",
            Self::Taken => "taken",
            Self::Beyond(_) | Self::NotYours(_) => "beyond_own_role",
            Self::NotFound => "not_found",
            Self::ChangedMeanwhile => "changed_meanwhile",
            Self::Internal(_) => return None,
        })
    }
}

/// The clients after the one of the id `after`, at most `size`, in the order of their ids.
///
/// # Errors
/// When the store cannot answer.
pub async fn list(state: &AppState, after: Option<&str>, size: usize) -> Result<Vec<Client>, InternalError> {
    Ok(state.store().clients_after(after, size).await?)
}

/// The client of this id.
///
/// # Errors
/// [`ClientError::NotFound`] or [`ClientError::Internal`].
pub async fn get(state: &AppState, client_id: &str) -> Result<Client, ClientError> {
    let client = state
        .store()
        .client(client_id)
        .await
        .map_err(InternalError::from)?;
    client.ok_or(ClientError::NotFound)
}

/// Registers a client with what `document` says.
///
/// # Errors
/// [`ClientError`].
pub async fn create(
    state: &AppState,
    actor: &Actor,
    document: &Document,
) -> Result<SavedClient, ClientError> {
    let now = state.now();
    let client_id = match document.text("client_id")? {
        Some(client_id) => String::from(client_id),
        None => rng::identifier("client-").map_err(InternalError::from)?,
    };
    let is_lawful =
        (1..=255).contains(&client_id.len()) && client_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_lawful || [OWN_CLIENT_ID, reference::client::ID].contains(&&*client_id) {
        return Err(ClientError::Identifier);
    }
    let fresh = new_secret()?;
    let standing = Standing {
        client_id,
        secret: fresh.digest,
        pkce_required: requires_pkce(document)?,
        created_at: now,
    };
    let client = requested(state, document, standing).await?;
    refuse_beyond(state, actor, &client, ClientError::Beyond).await?;
    let audit = actor
        .audit(AuditAction::ClientRegistration, AuditOutcome::Success, now)
        .with_object(&*client.client_id);
    let inserted = state.store().insert_client(client.clone(), audit).await;
    match inserted.map_err(InternalError::from)? {
        Insertion::Inserted => Ok(saved(client, fresh)),
        Insertion::AlreadyExists => Err(ClientError::Taken),
    }
}

/// Registers `old`, a client as it was looked at, anew with what `document` says: what is not in it is over. The client keeps
/// its id, and its secret if it still proves itself by one. Nothing is done if somebody else changed it meanwhile, so that
/// nothing comes back that they took away, such as a secret.
///
/// # Errors
/// [`ClientError`].
pub async fn change(
    state: &AppState,
    actor: &Actor,
    old: Client,
    document: &Document,
) -> Result<SavedClient, ClientError> {
    if document
        .text("client_id")?
        .is_some_and(|named| named != old.client_id)
    {
        return Err(ClientError::IdentifierChanged);
    }
    refuse_beyond(state, actor, &old, ClientError::NotYours).await?;
    let fresh = new_secret()?;
    let kept = match &old.authentication {
        ClientAuthentication::Secret(digest) => Some(*digest),
        ClientAuthentication::Public | ClientAuthentication::PrivateKeyJwt { .. } => None,
    };
    let standing = Standing {
        client_id: old.client_id.clone(),
        secret: kept.unwrap_or(fresh.digest),
        pkce_required: requires_pkce(document)?,
        created_at: old.created_at,
    };
    let client = Client {
        registered_itself: old.registered_itself,
        ..requested(state, document, standing).await?
    };
    refuse_beyond(state, actor, &client, ClientError::Beyond).await?;
    let audit = actor
        .audit(AuditAction::ClientUpdate, AuditOutcome::Success, state.now())
        .with_object(&*client.client_id);
    let updated = state.store().update_client(old, client.clone(), audit).await;
    match updated.map_err(InternalError::from)? {
        ClientUpdate::Done => Ok(saved(client, fresh)),
        ClientUpdate::Unknown => Err(ClientError::NotFound),
        ClientUpdate::ChangedMeanwhile => Err(ClientError::ChangedMeanwhile),
    }
}

/// Removes a client, with everything that was issued to it. Whoever administrates may remove any.
///
/// # Errors
/// [`ClientError::NotFound`] or [`ClientError::Internal`].
pub async fn remove(state: &AppState, actor: &Actor, client_id: &str) -> Result<(), ClientError> {
    let audit = actor
        .audit(AuditAction::ClientDeletion, AuditOutcome::Success, state.now())
        .with_object(client_id);
    let removed = state.store().delete_client(client_id, audit).await;
    if removed.map_err(InternalError::from)? {
        Ok(())
    } else {
        Err(ClientError::NotFound)
    }
}

/// Gives a client a new secret in place of the one it has.
///
/// # Errors
/// [`ClientError`].
pub async fn rotate_secret(
    state: &AppState,
    actor: &Actor,
    client_id: &str,
) -> Result<Secret<String>, ClientError> {
    let client = get(state, client_id).await?;
    refuse_beyond(state, actor, &client, ClientError::NotYours).await?;
    let fresh = new_secret()?;
    let audit = actor
        .audit(
            AuditAction::ClientSecretRotation,
            AuditOutcome::Success,
            state.now(),
        )
        .with_object(client_id);
    let rotated = state
        .store()
        .rotate_client_secret(client_id, fresh.digest, audit)
        .await;
    if rotated.map_err(InternalError::from)? {
        Ok(fresh.value)
    } else {
        Err(ClientError::NoSecret)
    }
}

/// What a client is registered with, as a document that [`change`] takes.
pub fn describe(client: &Client) -> serde_json::Map<String, Value> {
    let mut members = registration::describe(client);
    members.remove("client_id_issued_at");
    members.insert("require_pkce".into(), client.pkce_required.into());
    members
}

fn new_secret() -> Result<NewSecret, InternalError> {
    Ok(OpaqueSecret::ClientSecret.generate()?)
}

fn requires_pkce(document: &Document) -> Result<bool, MetadataFault> {
    match document.member("require_pkce") {
        None | Some(Value::Bool(true)) => Ok(true),
        Some(Value::Bool(false)) => Ok(false),
        Some(_) => Err(MetadataFault::Type("require_pkce")),
    }
}

/// The client that a document asks for, if everything about it is as it must be.
async fn requested(state: &AppState, document: &Document, standing: Standing) -> Result<Client, ClientError> {
    if let Some(unknown) = document.names().find(|name| !MEMBERS.contains(name)) {
        return Err(ClientError::UnknownMember(unknown.into()));
    }
    let scope = match document.text("scope")? {
        Some(text) => ScopeSet::parse(text).map_err(|_| MetadataFault::MalformedScope)?,
        None => return Err(MetadataFault::NothingOfScope.into()),
    };
    // What whoever asks may hand out is looked at afterwards, and refused then, not left out in silence.
    let ceiling = Ceiling {
        scope,
        grant_types: GrantType::ALL.to_vec(),
    };
    let mut client = RequestedClient::read(document)?.into_client(standing, &ceiling)?;
    client.registered_itself = false;
    client.metadata.refresh_token_grace_seconds = document
        .seconds("refresh_token_grace_seconds")?
        .unwrap_or_default();
    registration::check(&client, state.config())?;
    sector::check(state, &client).await?;
    Ok(client)
}

/// Refuses a client that has what `actor` may not hand out to it.
async fn refuse_beyond(
    state: &AppState,
    actor: &Actor,
    client: &Client,
    refusal: fn(String) -> ClientError,
) -> Result<(), ClientError> {
    let allowance = Allowance::of(state, actor).await?;
    match allowance.first_beyond(&client.scope, Recipient::of(client)) {
        Some(beyond) => Err(refusal(beyond.to_string())),
        None => Ok(()),
    }
}

/// The secret is shown only if it is the client's.
fn saved(client: Client, fresh: NewSecret) -> SavedClient {
    let is_its_own = client.authentication == ClientAuthentication::Secret(fresh.digest);
    SavedClient {
        client,
        secret: is_its_own.then_some(fresh.value),
    }
}
