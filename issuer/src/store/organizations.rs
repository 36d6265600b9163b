//! Organizations that people act for.

use rusqlite::{Connection, Row, params};

use crate::domain::audit_event::AuditEvent;
use crate::domain::organization::Organization;
use crate::domain::page::{Cursor, Page, PageRequest};
use crate::domain::role::SecondFactorPolicy;

use super::{Insertion, Refused, Store, StoreError, audit_events, roles, sql};

const TABLE: &str = "organizations";

/// What of an organization changes; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganizationChange {
    /// The name.
    pub name: Option<String>,
    /// What it asks of its people.
    pub second_factor: Option<SecondFactorPolicy>,
}

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

    /// Changes an organization; `giver` as in [`Store::create_account`]: only administrators without a limit let it ask less
    /// of its people.
    ///
    /// # Errors
    /// [`StoreError`]. Inside the `Ok`: [`Refused`].
    pub async fn change_organization(
        &self,
        id: &str,
        change: OrganizationChange,
        giver: Option<String>,
        audit: AuditEvent,
    ) -> Result<Result<Organization, Refused>, StoreError> {
        let id = String::from(id);
        self.write(move |connection| {
            let Some(before) = find(connection, &id)? else {
                return Ok(Err(Refused::NotFound));
            };
            let asks_as_before = match change.second_factor {
                Some(SecondFactorPolicy::Offered) => !before.requires_second_factor(),
                Some(SecondFactorPolicy::Required) | None => true,
            };
            if !asks_as_before && !roles::is_unlimited(connection, giver.as_deref())? {
                return Ok(Err(Refused::BeyondGiver));
            }
            let organization = Organization {
                name: change.name.unwrap_or(before.name),
                second_factor: change.second_factor.unwrap_or(before.second_factor),
                ..before
            };
            let update = "UPDATE organizations SET name = ?2, second_factor = ?3 WHERE id = ?1";
            let values = params![id, organization.name, organization.second_factor.as_str()];
            sql::change(connection, update, values)?;
            audit_events::insert(connection, &audit)?;
            Ok(Ok(organization))
        })
        .await
    }

    /// Removes an organization that nobody acts for; `giver` as in [`Store::change_organization`].
    ///
    /// # Errors
    /// [`StoreError`]. Inside the `Ok`: [`Refused`].
    pub async fn remove_organization(
        &self,
        id: &str,
        giver: Option<String>,
        audit: AuditEvent,
    ) -> Result<Result<(), Refused>, StoreError> {
        let id = String::from(id);
        let removed = self.write(move |connection| {
            let Some(organization) = find(connection, &id)? else {
                return Ok(Err(Refused::NotFound));
            };
            if organization.requires_second_factor() && !roles::is_unlimited(connection, giver.as_deref())? {
                return Ok(Err(Refused::BeyondGiver));
            }
            let query = "SELECT 1 FROM users WHERE organization_id = ?1 LIMIT 1";
            if sql::first(connection, query, [&id], |_| Ok(()))?.is_some() {
                return Ok(Err(Refused::InUse));
            }
            sql::change(connection, "DELETE FROM organizations WHERE id = ?1", [&id])?;
            audit_events::insert(connection, &audit)?;
            Ok(Ok(()))
        });
        match removed.await {
            // Something else than a person refers to it.
            Err(StoreError::Conflict) => Ok(Err(Refused::InUse)),
            removed => removed,
        }
    }

    /// A page of the organizations, or of those of this exact name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn organizations(
        &self,
        name: Option<String>,
        page: PageRequest,
    ) -> Result<Page<Organization>, StoreError> {
        self.read(move |connection| {
            let (at, id) = sql::place(page.after.as_ref());
            let entries = sql::all(
                connection,
                "SELECT * FROM organizations WHERE (?1 IS NULL OR name = ?1) AND (created_at, id) > (?2, ?3)
                 ORDER BY created_at, id LIMIT ?4",
                params![name, at, id, sql::one_more_than(page.size)],
                from_row,
            )?;
            Ok(Page::cut(entries, page.size, |organization| Cursor {
                at: organization.created_at,
                id: organization.id.clone(),
            }))
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
