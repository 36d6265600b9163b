//! The domains whose people a connection signs in: claimed by many, verified by one.

use rusqlite::{Row, params};

use crate::domain::audit_event::AuditEvent;
use crate::domain::single_sign_on::{ConnectionDomain, DomainName, DomainVerification};

use super::sso_connections::{ConnectionChange, changed};
use super::{Insertion, Store, StoreError, audit_events, sql};

const TABLE: &str = "sso_domains";

impl Store {
    /// The domains of a connection, or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sso_domains(
        &self,
        connection_id: Option<&str>,
    ) -> Result<Vec<ConnectionDomain>, StoreError> {
        let id = connection_id.map(String::from);
        self.read(move |database| {
            let query = "SELECT * FROM sso_domains WHERE ?1 IS NULL OR connection_id = ?1 ORDER BY domain, created_at";
            sql::all(database, query, [id], domain_from_row)
        })
        .await
    }

    /// Claims a domain for a connection; that alone has no effect.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_sso_domain(
        &self,
        domain: ConnectionDomain,
        audit: AuditEvent,
    ) -> Result<Insertion, StoreError> {
        self.write(move |database| {
            let rows = sql::change(
                database,
                "INSERT INTO sso_domains (connection_id, domain, token, created_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
                params![
                    domain.connection_id,
                    domain.domain.as_str(),
                    domain.token,
                    domain.created_at.seconds()
                ],
            )?;
            if rows > 0 {
                audit_events::insert(database, &audit)?;
            }
            Ok(Insertion::of(rows))
        })
        .await
    }

    /// Gives a domain to the connection that claims it, unless another has it. Of many who try at once, one succeeds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn verify_sso_domain(
        &self,
        connection_id: &str,
        domain: &DomainName,
        by: DomainVerification,
        audit: AuditEvent,
    ) -> Result<ConnectionChange, StoreError> {
        let (id, domain) = (String::from(connection_id), String::from(domain.as_str()));
        self.write(move |database| {
            let update = "UPDATE sso_domains SET verified_at = ?3, verified_by = ?4
                          WHERE connection_id = ?1 AND domain = ?2 AND NOT EXISTS
                              (SELECT 1 FROM sso_domains o
                               WHERE o.domain = ?2 AND o.connection_id <> ?1 AND o.verified_at IS NOT NULL)";
            let parameters = params![id, domain, audit.at.seconds(), by.as_str()];
            if sql::change(database, update, parameters)? > 0 {
                audit_events::insert(database, &audit)?;
                return Ok(ConnectionChange::Done);
            }
            let query = "SELECT 1 FROM sso_domains WHERE connection_id = ?1 AND domain = ?2";
            Ok(match sql::first(database, query, [&id, &domain], |_| Ok(()))? {
                Some(()) => ConnectionChange::Taken,
                None => ConnectionChange::Unknown,
            })
        })
        .await
    }

    /// Takes a domain from a connection, verified or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_sso_domain(
        &self,
        connection_id: &str,
        domain: &DomainName,
        audit: AuditEvent,
    ) -> Result<ConnectionChange, StoreError> {
        let (id, domain) = (String::from(connection_id), String::from(domain.as_str()));
        self.write(move |database| {
            let delete = "DELETE FROM sso_domains WHERE connection_id = ?1 AND domain = ?2";
            changed(database, sql::change(database, delete, [&id, &domain])?, &audit)
        })
        .await
    }
}

fn domain_from_row(row: &Row<'_>) -> Result<ConnectionDomain, StoreError> {
    let domain: String = row.get("domain")?;
    let by: Option<String> = row.get("verified_by")?;
    let by = by
        .map(|name| DomainVerification::from_name(&name).ok_or(StoreError::Corrupt(TABLE)))
        .transpose()?;
    Ok(ConnectionDomain {
        connection_id: row.get("connection_id")?,
        domain: DomainName::parse(&domain).ok_or(StoreError::Corrupt(TABLE))?,
        token: row.get("token")?,
        verified: sql::optional_instant(row, "verified_at")?.zip(by),
        created_at: sql::instant(row, "created_at")?,
    })
}
