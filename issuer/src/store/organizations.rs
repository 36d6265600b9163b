//! Organizations that people act for.

use rusqlite::{Connection, Row, params};

use crate::domain::audit_event::AuditEvent;
use crate::domain::organization::Organization;

use super::{Insertion, Store, StoreError, audit_events, roles, sql};

const TABLE: &str = "organizations";

impl Store {
    /// Enters an organization. `audit` is recorded only if its id was not taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_organization(
        &self,
        organization: Organization,
        audit: AuditEvent,
    ) -> Result<Insertion, StoreError> {
        self.write(move |connection| {
            let rows = sql::change(
                connection,
                "INSERT INTO organizations (id, name, second_factor, created_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
                params![
                    organization.id,
                    organization.name,
                    organization.second_factor.as_str(),
                    organization.created_at.seconds(),
                ],
            )?;
            if rows > 0 {
                audit_events::insert(connection, &audit)?;
            }
            Ok(Insertion::of(rows))
        })
        .await
    }

    /// The organization of this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn organization(&self, id: &str) -> Result<Option<Organization>, StoreError> {
        let id = String::from(id);
        self.look_up(move |connection| find(connection, &id)).await
    }
}

/// The organization of this id.
pub(super) fn find(connection: &Connection, id: &str) -> Result<Option<Organization>, StoreError> {
    sql::first(
        connection,
        "SELECT * FROM organizations WHERE id = ?1",
        [id],
        from_row,
    )
}

pub(super) fn from_row(row: &Row<'_>) -> Result<Organization, StoreError> {
    let second_factor: String = row.get("second_factor")?;
    Ok(Organization {
        id: row.get("id")?,
        name: row.get("name")?,
        second_factor: roles::policy(&second_factor, TABLE)?,
        created_at: sql::instant(row, "created_at")?,
    })
}
