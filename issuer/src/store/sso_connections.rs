//! Connections to identity providers.

use rusqlite::{Connection as Database, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::single_sign_on::{
    ClientCredential, Connection, ConnectionSettings, DomainName, MfaAttestation, Preset, ProviderMetadata,
    UnknownPeople,
};

use super::{Insertion, Store, StoreError, audit_events, sql};

const TABLE: &str = "sso_connections";

/// What became of an attempt to change something about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum ConnectionChange {
    /// It was done.
    Done,
    /// There is no such connection, or no such domain of it.
    Unknown,
    /// Another connection has that name, or has verified that domain.
    Taken,
    /// Nobody has attested that the provider asks for more than one factor.
    NotAttested,
}

impl Store {
    /// Makes a connection. `audit` is recorded only if its name was not taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_sso_connection(
        &self,
        connection: Connection,
        audit: AuditEvent,
    ) -> Result<Insertion, StoreError> {
        self.write(move |database| {
            let settings = &connection.settings;
            let rows = sql::change(
                database,
                "INSERT INTO sso_connections (id, name, preset, issuer, client_id, client_authentication, client_secret,
                     scopes, required_amr, required_acr, unknown_people, default_role, role_rules, grants_administration,
                     provider, checked_at, refresh_at, mfa_attested_at, mfa_attested_by, enabled, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
                 ON CONFLICT DO NOTHING",
                params![
                    connection.id,
                    settings.name,
                    settings.preset.as_str(),
                    settings.issuer,
                    settings.client_id,
                    settings.credential.method(),
                    settings.credential.sealed(),
                    sql::to_list(&settings.scopes)?,
                    sql::to_list(&settings.required_amr)?,
                    sql::to_list(&settings.required_acr)?,
                    settings.unknown_people.as_str(),
                    settings.default_role,
                    sql::to_list(&settings.role_rules)?,
                    settings.grants_administration,
                    sql::to_json(&connection.provider)?,
                    connection.checked_at.seconds(),
                    connection.refresh_at.seconds(),
                    connection.mfa_attestation.as_ref().map(|attestation| attestation.at.seconds()),
                    connection.mfa_attestation.as_ref().map(|attestation| &attestation.by),
                    connection.enabled,
                    connection.created_at.seconds(),
                ],
            )?;
            if rows > 0 {
                audit_events::insert(database, &audit)?;
            }
            Ok(Insertion::of(rows))
        })
        .await
    }

    /// The connection of this id, or of this name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sso_connection(&self, id_or_name: &str) -> Result<Option<Connection>, StoreError> {
        let id = String::from(id_or_name);
        self.read(move |database| {
            let query = "SELECT * FROM sso_connections WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC";
            sql::first(database, query, [id], from_row)
        })
        .await
    }

    /// Every connection, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sso_connections(&self) -> Result<Vec<Connection>, StoreError> {
        self.read(|database| {
            let query = "SELECT * FROM sso_connections ORDER BY name";
            sql::all(database, query, [], from_row)
        })
        .await
    }

    /// Whether any connection is enabled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_sso(&self) -> Result<bool, StoreError> {
        self.look_up(|database| {
            let query = "SELECT 1 FROM sso_connections WHERE enabled = 1";
            Ok(sql::first(database, query, [], |_| Ok(()))?.is_some())
        })
        .await
    }

    /// The enabled connection whose verified domain this is: where its people sign in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sso_connection_for(&self, domain: &DomainName) -> Result<Option<Connection>, StoreError> {
        let domain = String::from(domain.as_str());
        self.look_up(move |database| {
            sql::first(
                database,
                "SELECT c.* FROM sso_domains d JOIN sso_connections c ON c.id = d.connection_id
                 WHERE d.domain = ?1 AND d.verified_at IS NOT NULL AND c.enabled = 1",
                [&domain],
                from_row,
            )
        })
        .await
    }

    /// Changes what is settled about a connection, with what its provider says of itself. With another issuer or client id
    /// the links of before mean nothing and are dropped; with another issuer it has to be attested and enabled anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_sso_connection(
        &self,
        id: &str,
        settings: ConnectionSettings,
        provider: (ProviderMetadata, Timestamp),
        audit: AuditEvent,
    ) -> Result<ConnectionChange, StoreError> {
        let id = String::from(id);
        self.write(move |database| {
            let query = "SELECT * FROM sso_connections WHERE id = ?1";
            let Some(before) = sql::first(database, query, [&id], from_row)? else {
                return Ok(ConnectionChange::Unknown);
            };
            let query = "SELECT 1 FROM sso_connections WHERE name = ?1 AND id <> ?2";
            if sql::first(database, query, [&settings.name, &id], |_| Ok(()))?.is_some() {
                return Ok(ConnectionChange::Taken);
            }
            let is_another = before.settings.issuer != settings.issuer;
            if is_another || before.settings.client_id != settings.client_id {
                sql::change(database, "DELETE FROM sso_links WHERE connection_id = ?1", [&id])?;
                sql::change(database, "DELETE FROM sso_attempts WHERE connection_id = ?1", [&id])?;
            }
            if is_another {
                let update = "UPDATE sso_connections SET enabled = 0, mfa_attested_at = NULL, mfa_attested_by = NULL
                              WHERE id = ?1";
                sql::change(database, update, [&id])?;
            }
            let (provider, checked_at) = &provider;
            sql::change(
                database,
                "UPDATE sso_connections SET name = ?2, preset = ?3, issuer = ?4, client_id = ?5, client_authentication = ?6,
                     client_secret = ?7, scopes = ?8, required_amr = ?9, required_acr = ?10, unknown_people = ?11,
                     default_role = ?12, role_rules = ?13, grants_administration = ?14, provider = ?15, checked_at = ?16
                 WHERE id = ?1",
                params![
                    id,
                    settings.name,
                    settings.preset.as_str(),
                    settings.issuer,
                    settings.client_id,
                    settings.credential.method(),
                    settings.credential.sealed(),
                    sql::to_list(&settings.scopes)?,
                    sql::to_list(&settings.required_amr)?,
                    sql::to_list(&settings.required_acr)?,
                    settings.unknown_people.as_str(),
                    settings.default_role,
                    sql::to_list(&settings.role_rules)?,
                    settings.grants_administration,
                    sql::to_json(provider)?,
                    checked_at.seconds(),
                ],
            )?;
            audit_events::insert(database, &audit)?;
            Ok(ConnectionChange::Done)
        })
        .await
    }

    /// Keeps what the provider `issuer` says of itself now, or that it could not be asked, until `refresh_at`. Where the
    /// connection has got another issuer meanwhile, nothing is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refresh_sso_provider(
        &self,
        (id, issuer): (&str, &str),
        provider: Option<ProviderMetadata>,
        now: Timestamp,
        refresh_at: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, issuer) = (String::from(id), String::from(issuer));
        self.write(move |database| {
            match &provider {
                Some(provider) => sql::change(
                    database,
                    "UPDATE sso_connections SET provider = ?2, checked_at = ?3, refresh_at = ?4
                     WHERE id = ?1 AND issuer = ?5",
                    params![
                        id,
                        sql::to_json(provider)?,
                        now.seconds(),
                        refresh_at.seconds(),
                        issuer
                    ],
                )?,
                None => sql::change(
                    database,
                    "UPDATE sso_connections SET refresh_at = ?2 WHERE id = ?1 AND issuer = ?3",
                    params![id, refresh_at.seconds(), issuer],
                )?,
            };
            Ok(())
        })
        .await
    }

    /// Removes a connection with its domains and links. Says whether there was one; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_sso_connection(&self, id: &str, audit: AuditEvent) -> Result<bool, StoreError> {
        let id = String::from(id);
        self.write(move |database| {
            let found = sql::change(database, "DELETE FROM sso_connections WHERE id = ?1", [&id])? > 0;
            if found {
                audit_events::insert(database, &audit)?;
            }
            Ok(found)
        })
        .await
    }

    /// Records that the provider of a connection asks everybody for more than one factor.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attest_sso_mfa(
        &self,
        id: &str,
        attestation: MfaAttestation,
        audit: AuditEvent,
    ) -> Result<ConnectionChange, StoreError> {
        let id = String::from(id);
        self.write(move |database| {
            let update =
                "UPDATE sso_connections SET mfa_attested_at = ?2, mfa_attested_by = ?3 WHERE id = ?1";
            let parameters = params![id, attestation.at.seconds(), attestation.by];
            changed(database, sql::change(database, update, parameters)?, &audit)
        })
        .await
    }

    /// Lets people be sent to a connection's provider, once somebody has attested what it asks for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn enable_sso_connection(
        &self,
        id: &str,
        audit: AuditEvent,
    ) -> Result<ConnectionChange, StoreError> {
        let id = String::from(id);
        self.write(move |database| {
            let update =
                "UPDATE sso_connections SET enabled = 1 WHERE id = ?1 AND mfa_attested_at IS NOT NULL";
            if sql::change(database, update, [&id])? > 0 {
                audit_events::insert(database, &audit)?;
                return Ok(ConnectionChange::Done);
            }
            let query = "SELECT 1 FROM sso_connections WHERE id = ?1";
            Ok(match sql::first(database, query, [&id], |_| Ok(()))? {
                Some(()) => ConnectionChange::NotAttested,
                None => ConnectionChange::Unknown,
            })
        })
        .await
    }

    /// Sends nobody to a connection's provider any more, and takes no answer from there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn disable_sso_connection(
        &self,
        id: &str,
        audit: AuditEvent,
    ) -> Result<ConnectionChange, StoreError> {
        let id = String::from(id);
        self.write(move |database| {
            let update = "UPDATE sso_connections SET enabled = 0 WHERE id = ?1";
            changed(database, sql::change(database, update, [&id])?, &audit)
        })
        .await
    }
}

/// Records `audit` where something was changed.
pub(super) fn changed(
    database: &Database,
    rows: usize,
    audit: &AuditEvent,
) -> Result<ConnectionChange, StoreError> {
    if rows == 0 {
        return Ok(ConnectionChange::Unknown);
    }
    audit_events::insert(database, audit)?;
    Ok(ConnectionChange::Done)
}

/// A connection from a row of its table.
pub(super) fn from_row(row: &Row<'_>) -> Result<Connection, StoreError> {
    let text = |column: &str| -> Result<String, StoreError> { Ok(row.get(column)?) };
    let method = text("client_authentication")?;
    let secret: Option<Vec<u8>> = row.get("client_secret")?;
    let credential = match (method.as_str(), secret) {
        ("none", None) => ClientCredential::None,
        ("client_secret_basic", Some(sealed)) => ClientCredential::Basic(sealed),
        ("client_secret_post", Some(sealed)) => ClientCredential::Post(sealed),
        (_, _) => return Err(StoreError::Corrupt(TABLE)),
    };
    let attested_at = sql::optional_instant(row, "mfa_attested_at")?;
    let attested_by: Option<String> = row.get("mfa_attested_by")?;
    Ok(Connection {
        id: text("id")?,
        settings: ConnectionSettings {
            name: text("name")?,
            preset: Preset::from_name(&text("preset")?).ok_or(StoreError::Corrupt(TABLE))?,
            issuer: text("issuer")?,
            client_id: text("client_id")?,
            credential,
            scopes: sql::list(row, "scopes", TABLE, Some)?,
            required_amr: sql::list(row, "required_amr", TABLE, Some)?,
            required_acr: sql::list(row, "required_acr", TABLE, Some)?,
            unknown_people: UnknownPeople::from_name(&text("unknown_people")?)
                .ok_or(StoreError::Corrupt(TABLE))?,
            default_role: row.get("default_role")?,
            role_rules: sql::list(row, "role_rules", TABLE, Some)?,
            grants_administration: row.get("grants_administration")?,
        },
        provider: sql::json(row, "provider", TABLE)?,
        checked_at: sql::instant(row, "checked_at")?,
        refresh_at: sql::instant(row, "refresh_at")?,
        mfa_attestation: attested_at
            .zip(attested_by)
            .map(|(at, by)| MfaAttestation { at, by }),
        enabled: row.get("enabled")?,
        created_at: sql::instant(row, "created_at")?,
    })
}
