//! Registered clients.

use rusqlite::{Connection, Row, params};
use wardgate_shared::jwk::JwkSet;
use wardgate_shared::redirect_uri::RegisteredRedirectUri;

use crate::domain::audit_event::AuditEvent;
use crate::domain::client::{Client, ClientAuthentication, ClientKeys, ClientMetadata, GrantType};
use crate::domain::digest::SecretDigest;

use super::{Insertion, Store, StoreError, audit_events, sql};

const TABLE: &str = "clients";

/// What became of a change of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum ClientUpdate {
    /// It is made.
    Done,
    /// There is no such client.
    Unknown,
    /// Somebody else changed the client first.
    ChangedMeanwhile,
}

impl Store {
    /// Registers a client. `audit` is recorded only if it was new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_client(&self, client: Client, audit: AuditEvent) -> Result<Insertion, StoreError> {
        self.write(move |connection| {
            let rows = insert(connection, &client)?;
            if rows > 0 {
                audit_events::insert(connection, &audit)?;
            }
            Ok(Insertion::of(rows))
        })
        .await
    }

    /// The client of this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn client(&self, client_id: &str) -> Result<Option<Client>, StoreError> {
        let client_id = String::from(client_id);
        self.look_up(move |connection| find(connection, &client_id)).await
    }

    /// Every client, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        self.read(|connection| {
            sql::all(
                connection,
                "SELECT * FROM clients ORDER BY client_id",
                [],
                from_row,
            )
        })
        .await
    }

    /// The clients after the one of the id `after`, at most `size`, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients_after(&self, after: Option<&str>, size: usize) -> Result<Vec<Client>, StoreError> {
        let after = String::from(after.unwrap_or_default());
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        self.read(move |connection| {
            let query = "SELECT * FROM clients WHERE client_id > ?1 ORDER BY client_id LIMIT ?2";
            sql::all(connection, query, params![after, size], from_row)
        })
        .await
    }

    /// Replaces what a client is registered with, by whoever administers it, if it still is what it was `before`; only then is
    /// `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn update_client(
        &self,
        before: Client,
        client: Client,
        audit: AuditEvent,
    ) -> Result<ClientUpdate, StoreError> {
        self.write(move |connection| {
            match find(connection, &client.client_id)? {
                None => return Ok(ClientUpdate::Unknown),
                Some(current) if current != before => return Ok(ClientUpdate::ChangedMeanwhile),
                Some(_) => {}
            }
            update(connection, &client, None)?;
            audit_events::insert(connection, &audit)?;
            Ok(ClientUpdate::Done)
        })
        .await
    }

    /// Replaces the secret of a client that has one. Says whether it was; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rotate_client_secret(
        &self,
        client_id: &str,
        secret: SecretDigest,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let client_id = String::from(client_id);
        self.write(move |connection| {
            let rotate =
                "UPDATE clients SET secret_digest = ?2 WHERE client_id = ?1 AND secret_digest IS NOT NULL";
            let rotated = sql::change(connection, rotate, params![client_id, secret.as_bytes()])? > 0;
            if rotated {
                audit_events::insert(connection, &audit)?;
            }
            Ok(rotated)
        })
        .await
    }

    /// Deletes a client with all that was issued to it. Says whether there was one; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_client(&self, client_id: &str, audit: AuditEvent) -> Result<bool, StoreError> {
        let client_id = String::from(client_id);
        self.write(move |connection| {
            let delete = "DELETE FROM clients WHERE client_id = ?1";
            let deleted = sql::change(connection, delete, [client_id])? > 0;
            if deleted {
                audit_events::insert(connection, &audit)?;
            }
            Ok(deleted)
        })
        .await
    }
}

/// The client of this id.
pub(super) fn find(connection: &Connection, client_id: &str) -> Result<Option<Client>, StoreError> {
    let query = "SELECT * FROM clients WHERE client_id = ?1";
    sql::first(connection, query, [client_id], from_row)
}

/// Inserts a client, and says how many rows that were: none when there is one of its id.
pub(super) fn insert(connection: &Connection, client: &Client) -> Result<usize, StoreError> {
    let columns = Columns::of(client)?;
    sql::change(
        connection,
        "INSERT INTO clients
             (client_id, name, secret_digest, jwks, jwks_uri, grant_types, redirect_uris, scope, pkce_required,
              created_at, post_logout_redirect_uris, push_required, metadata)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (client_id) DO NOTHING",
        params![
            client.client_id,
            client.name,
            columns.secret,
            columns.jwks,
            columns.jwks_uri,
            columns.grant_types,
            columns.redirect_uris,
            client.scope.to_string(),
            client.pkce_required,
            client.created_at.seconds(),
            columns.post_logout_redirect_uris,
            client.push_required,
            columns.metadata,
        ],
    )
}

/// Replaces everything of a client but its id and its age, if this is its registration access token where one is given, and
/// says how many rows that were.
pub(super) fn update(
    connection: &Connection,
    client: &Client,
    access_token: Option<&SecretDigest>,
) -> Result<usize, StoreError> {
    let columns = Columns::of(client)?;
    sql::change(
        connection,
        "UPDATE clients SET name = ?3, secret_digest = ?4, jwks = ?5, jwks_uri = ?6, grant_types = ?7, redirect_uris = ?8,
             scope = ?9, pkce_required = ?10, post_logout_redirect_uris = ?11, push_required = ?12, metadata = ?13
         WHERE client_id = ?1 AND (?2 IS NULL OR registration_token_digest = ?2)",
        params![
            client.client_id,
            access_token.map(SecretDigest::as_bytes),
            client.name,
            columns.secret,
            columns.jwks,
            columns.jwks_uri,
            columns.grant_types,
            columns.redirect_uris,
            client.scope.to_string(),
            client.pkce_required,
            columns.post_logout_redirect_uris,
            client.push_required,
            columns.metadata,
        ],
    )
}

/// The columns that are not a member of the client as it is.
struct Columns<'a> {
    secret: Option<&'a [u8]>,
    jwks: Option<String>,
    jwks_uri: Option<&'a str>,
    grant_types: String,
    redirect_uris: String,
    post_logout_redirect_uris: String,
    metadata: String,
}

impl<'a> Columns<'a> {
    fn of(client: &'a Client) -> Result<Self, StoreError> {
        let (secret, jwks, jwks_uri) = match &client.authentication {
            ClientAuthentication::Public => (None, None, None),
            ClientAuthentication::Secret(digest) => (Some(digest.as_bytes().as_slice()), None, None),
            ClientAuthentication::PrivateKeyJwt { keys } => match keys {
                ClientKeys::Inline(keys) => (None, Some(keys.to_json().to_string()), None),
                ClientKeys::Url(url) => (None, None, Some(url.as_str())),
            },
        };
        let uris =
            |uris: &[RegisteredRedirectUri]| sql::to_list(uris.iter().map(RegisteredRedirectUri::as_str));
        Ok(Self {
            secret,
            jwks,
            jwks_uri,
            grant_types: sql::to_list(client.grant_types.iter().map(|grant_type| grant_type.as_str()))?,
            redirect_uris: uris(&client.redirect_uris)?,
            post_logout_redirect_uris: uris(&client.post_logout_redirect_uris)?,
            metadata: serde_json::to_string(&client.metadata).map_err(|_| StoreError::Conflict)?,
        })
    }
}

pub(super) fn from_row(row: &Row<'_>) -> Result<Client, StoreError> {
    let authentication = authentication(row)?;
    Ok(Client {
        client_id: row.get("client_id")?,
        name: row.get("name")?,
        authentication,
        grant_types: sql::list(row, "grant_types", TABLE, |name: String| {
            GrantType::from_name(&name)
        })?,
        redirect_uris: sql::list(row, "redirect_uris", TABLE, |uri: String| {
            RegisteredRedirectUri::parse(&uri).ok()
        })?,
        post_logout_redirect_uris: sql::list(row, "post_logout_redirect_uris", TABLE, |uri: String| {
            RegisteredRedirectUri::parse(&uri).ok()
        })?,
        scope: sql::scope(row, TABLE)?,
        pkce_required: row.get("pkce_required")?,
        push_required: row.get("push_required")?,
        metadata: metadata(row)?,
        registered_itself: sql::optional_digest(row, "registration_token_digest")?.is_some(),
        created_at: sql::instant(row, "created_at")?,
    })
}

fn metadata(row: &Row<'_>) -> Result<ClientMetadata, StoreError> {
    let text: String = row.get("metadata")?;
    serde_json::from_str(&text).map_err(|_| StoreError::Corrupt(TABLE))
}

fn authentication(row: &Row<'_>) -> Result<ClientAuthentication, StoreError> {
    let secret = sql::optional_digest(row, "secret_digest")?;
    let (jwks, jwks_uri): (Option<String>, Option<String>) = (row.get("jwks")?, row.get("jwks_uri")?);
    let keys = match (secret, jwks, jwks_uri) {
        (None, None, None) => return Ok(ClientAuthentication::Public),
        (Some(digest), None, None) => return Ok(ClientAuthentication::Secret(digest)),
        (None, Some(jwks), None) => {
            ClientKeys::Inline(JwkSet::parse(jwks.as_bytes()).map_err(|_| StoreError::Corrupt(TABLE))?)
        }
        (None, None, Some(url)) => ClientKeys::Url(url),
        // Two ways at once: nobody stored that.
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
            return Err(StoreError::Corrupt(TABLE));
        }
    };
    Ok(ClientAuthentication::PrivateKeyJwt { keys })
}
