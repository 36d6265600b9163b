//! Clients that register themselves (RFC 7591), change and end that (RFC 7592), and the tokens that let them.

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::client::{Client, ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::domain::registration::{Admission, Ceiling, ManagedClient, NewRegistration, RegistrationToken};

use super::{Insertion, Store, StoreError, audit_events, clients, sql};

const TABLE: &str = "registration_tokens";

/// What became of an attempt to register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Registration {
    /// The client is registered.
    Registered,
    /// The initial access token has been used up, revoked, or has expired.
    TokenSpent,
    /// Too many clients wait for their first token.
    Full,
}

/// A ceiling as it is stored with a client.
#[derive(Serialize, Deserialize)]
struct StoredCeiling {
    scope: String,
    grant_types: Vec<String>,
}

impl StoredCeiling {
    fn of(ceiling: &Ceiling) -> Self {
        let grant_types = ceiling.grant_types.iter();
        Self {
            scope: ceiling.scope.to_string(),
            grant_types: grant_types.map(|grant_type| grant_type.as_str().into()).collect(),
        }
    }

    fn read(text: &str) -> Option<Ceiling> {
        let stored: Self = serde_json::from_str(text).ok()?;
        let grant_types = stored.grant_types.iter();
        Some(Ceiling {
            scope: ScopeSet::parse(&stored.scope).ok()?,
            grant_types: grant_types
                .map(|name| GrantType::from_name(name))
                .collect::<Option<_>>()?,
        })
    }
}

impl Store {
    /// Registers a client that asks for it. One use of its initial access token, if it comes with one, is used up in the
    /// same transaction; `audit` is recorded only if it was registered.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when there is a client of this id.
    pub async fn register_client(
        &self,
        new: NewRegistration,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<Registration, StoreError> {
        self.write(move |connection| {
            let ceiling = match &new.admission {
                Admission::Open { limit } => {
                    if waiting_clients(connection)? >= i64::from(*limit) {
                        return Ok(Registration::Full);
                    }
                    None
                }
                Admission::Token(token) => {
                    let consume = "UPDATE registration_tokens SET uses_left = uses_left - 1
                                   WHERE digest = ?1 AND uses_left > 0 AND expires_at > ?2";
                    let parameters = params![token.digest.as_bytes(), now.seconds()];
                    if sql::change(connection, consume, parameters)? == 0 {
                        return Ok(Registration::TokenSpent);
                    }
                    let stored = serde_json::to_string(&StoredCeiling::of(&token.ceiling));
                    Some(stored.map_err(|_| StoreError::Conflict)?)
                }
            };
            // An error undoes what was done of this.
            if clients::insert(connection, &new.client)? == 0 {
                return Err(StoreError::Conflict);
            }
            sql::change(
                connection,
                "UPDATE clients SET registration_token_digest = ?2, registration_ceiling = ?3, unused_until = ?4
                 WHERE client_id = ?1",
                params![
                    new.client.client_id,
                    new.access_token.as_bytes(),
                    ceiling,
                    new.unused_until.seconds()
                ],
            )?;
            audit_events::insert(connection, &audit)?;
            Ok(Registration::Registered)
        })
        .await
    }

    /// The client of this id, if this is the digest of its registration access token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn managed_client(
        &self,
        client_id: &str,
        access_token: &SecretDigest,
    ) -> Result<Option<ManagedClient>, StoreError> {
        let (client_id, digest) = (String::from(client_id), *access_token);
        self.read(move |connection| {
            let query = "SELECT * FROM clients WHERE client_id = ?1 AND registration_token_digest = ?2";
            sql::first(connection, query, params![client_id, digest.as_bytes()], |row| {
                let ceiling: Option<String> = row.get("registration_ceiling")?;
                let ceiling =
                    ceiling.map(|text| StoredCeiling::read(&text).ok_or(StoreError::Corrupt("clients")));
                Ok(ManagedClient {
                    client: clients::from_row(row)?,
                    ceiling: ceiling.transpose()?,
                })
            })
        })
        .await
    }

    /// Replaces what a client is registered with, if this is the digest of its registration access token. A secret that an
    /// administrator gave it meanwhile stays, where it goes on to have one. Says whether it was replaced; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn update_managed_client(
        &self,
        mut client: Client,
        access_token: SecretDigest,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let current = clients::find(connection, &client.client_id)?;
            let present = current.map(|current| current.authentication);
            if let (Some(ClientAuthentication::Secret(present)), ClientAuthentication::Secret(own)) =
                (present, &mut client.authentication)
            {
                *own = present;
            }
            let updated = clients::update(connection, &client, Some(&access_token))? > 0;
            if updated {
                audit_events::insert(connection, &audit)?;
            }
            Ok(updated)
        })
        .await
    }

    /// Deletes a client with all that was issued to it, if this is the digest of its registration access token. Says
    /// whether it was; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_managed_client(
        &self,
        client_id: &str,
        access_token: &SecretDigest,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let (client_id, digest) = (String::from(client_id), *access_token);
        self.write(move |connection| {
            let delete = "DELETE FROM clients WHERE client_id = ?1 AND registration_token_digest = ?2";
            let deleted = sql::change(connection, delete, params![client_id, digest.as_bytes()])? > 0;
            if deleted {
                audit_events::insert(connection, &audit)?;
            }
            Ok(deleted)
        })
        .await
    }

    /// Stores an initial access token. `audit` is recorded only if it was new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_registration_token(
        &self,
        token: RegistrationToken,
        audit: AuditEvent,
    ) -> Result<Insertion, StoreError> {
        self.write(move |connection| {
            let grant_types = token.ceiling.grant_types.iter();
            let rows = sql::change(
                connection,
                "INSERT INTO registration_tokens
                     (id, digest, description, scope, grant_types, uses_left, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING",
                params![
                    token.id,
                    token.digest.as_bytes(),
                    token.description,
                    token.ceiling.scope.to_string(),
                    sql::to_list(grant_types.map(|grant_type| grant_type.as_str()))?,
                    token.uses_left,
                    token.created_at.seconds(),
                    token.expires_at.seconds(),
                ],
            )?;
            if rows > 0 {
                audit_events::insert(connection, &audit)?;
            }
            Ok(Insertion::of(rows))
        })
        .await
    }

    /// The initial access token of this digest that may be used at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registration_token(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<RegistrationToken>, StoreError> {
        let digest = *digest;
        self.read(move |connection| {
            let query =
                "SELECT * FROM registration_tokens WHERE digest = ?1 AND uses_left > 0 AND expires_at > ?2";
            let parameters = params![digest.as_bytes(), now.seconds()];
            sql::first(connection, query, parameters, token_from_row)
        })
        .await
    }

    /// Every initial access token, in the order of their making.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registration_tokens(&self) -> Result<Vec<RegistrationToken>, StoreError> {
        self.read(|connection| {
            let query = "SELECT * FROM registration_tokens ORDER BY created_at, id";
            sql::all(connection, query, [], token_from_row)
        })
        .await
    }

    /// Deletes an initial access token; clients that registered by it stay. Says whether there was one; only then is `audit`
    /// recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_registration_token(&self, id: &str, audit: AuditEvent) -> Result<bool, StoreError> {
        let id = String::from(id);
        self.write(move |connection| {
            let deleted = sql::change(connection, "DELETE FROM registration_tokens WHERE id = ?1", [id])? > 0;
            if deleted {
                audit_events::insert(connection, &audit)?;
            }
            Ok(deleted)
        })
        .await
    }
}

/// How many clients came without an initial access token and wait for their first token.
fn waiting_clients(connection: &Connection) -> Result<i64, StoreError> {
    let query = "SELECT count(*) AS waiting FROM clients
                 WHERE unused_until IS NOT NULL AND registration_ceiling IS NULL";
    let waiting = sql::first(connection, query, [], |row| Ok(row.get("waiting")?))?;
    Ok(waiting.unwrap_or_default())
}

fn token_from_row(row: &Row<'_>) -> Result<RegistrationToken, StoreError> {
    Ok(RegistrationToken {
        id: row.get("id")?,
        digest: sql::digest(row, "digest")?,
        description: row.get("description")?,
        ceiling: Ceiling {
            scope: sql::scope(row, TABLE)?,
            grant_types: sql::list(row, "grant_types", TABLE, |name: String| {
                GrantType::from_name(&name)
            })?,
        },
        uses_left: row.get("uses_left")?,
        created_at: sql::instant(row, "created_at")?,
        expires_at: sql::instant(row, "expires_at")?,
    })
}
