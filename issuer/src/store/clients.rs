//! Registered clients.

use rusqlite::{Row, params};
use wardgate_shared::jwk::JwkSet;
use wardgate_shared::redirect_uri::RegisteredRedirectUri;

use crate::domain::audit_event::AuditEvent;
use crate::domain::client::{Client, ClientAuthentication, ClientKeys, ClientMetadata, GrantType};

use super::{Insertion, Store, StoreError, audit_events, sql};

const TABLE: &str = "clients";

impl Store {
    /// Registers a client. `audit` is recorded only if it was new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_client(&self, client: Client, audit: AuditEvent) -> Result<Insertion, StoreError> {
        self.write(move |connection| {
            let (secret, jwks, jwks_uri) = match &client.authentication {
                ClientAuthentication::Public => (None, None, None),
                ClientAuthentication::Secret(digest) => (Some(digest.as_bytes().as_slice()), None, None),
                ClientAuthentication::PrivateKeyJwt { keys } => match keys {
                    ClientKeys::Inline(keys) => (None, Some(keys.to_json().to_string()), None),
                    ClientKeys::Url(url) => (None, None, Some(url)),
                },
            };
            let rows = sql::change(
                connection,
                "INSERT INTO clients
                     (client_id, name, secret_digest, jwks, jwks_uri, grant_types, redirect_uris, scope, pkce_required,
                      created_at, post_logout_redirect_uris, push_required, metadata)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (client_id) DO NOTHING",
                params![
                    client.client_id,
                    client.name,
                    secret,
                    jwks,
                    jwks_uri,
                    sql::to_list(client.grant_types.iter().map(|grant_type| grant_type.as_str()))?,
                    sql::to_list(client.redirect_uris.iter().map(RegisteredRedirectUri::as_str))?,
                    client.scope.to_string(),
                    client.pkce_required,
                    client.created_at.seconds(),
                    sql::to_list(client.post_logout_redirect_uris.iter().map(RegisteredRedirectUri::as_str))?,
                    client.push_required,
                    serde_json::to_string(&client.metadata).map_err(|_| StoreError::Conflict)?,
                ],
            )?;
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
        self.read(move |connection| {
            sql::first(
                connection,
                "SELECT * FROM clients WHERE client_id = ?1",
                [client_id],
                from_row,
            )
        })
        .await
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
}

fn from_row(row: &Row<'_>) -> Result<Client, StoreError> {
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
