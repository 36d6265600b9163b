//! Roles, and the one that a person has.

use rusqlite::{Connection, Row, params};
use wardgate_shared::scope::ScopeSet;

use crate::domain::audit_event::AuditEvent;
use crate::domain::role::{Role, SecondFactorPolicy};

use super::{Insertion, Store, StoreError, audit_events, sql};

const TABLE: &str = "roles";

impl Store {
    /// Makes a role. `audit` is recorded only if neither its id nor its name was taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_role(&self, role: Role, audit: AuditEvent) -> Result<Insertion, StoreError> {
        self.write(move |connection| {
            let rows = sql::change(
                connection,
                "INSERT INTO roles (id, name, built_in, scope, second_factor, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
                params![
                    role.id,
                    role.name,
                    role.built_in,
                    role.ceiling.as_ref().map(ToString::to_string),
                    role.second_factor.as_str(),
                    role.created_at.seconds(),
                ],
            )?;
            if rows > 0 {
                audit_events::insert(connection, &audit)?;
            }
            Ok(Insertion::of(rows))
        })
        .await
    }

    /// Every role, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        self.read(|connection| sql::all(connection, "SELECT * FROM roles ORDER BY name", [], from_row))
            .await
    }

    /// The role of this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn role(&self, id: &str) -> Result<Option<Role>, StoreError> {
        let id = String::from(id);
        self.look_up(move |connection| find(connection, &id)).await
    }

    /// The role of this exact name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn role_by_name(&self, name: &str) -> Result<Option<Role>, StoreError> {
        let name = String::from(name);
        self.read(move |connection| {
            sql::first(
                connection,
                "SELECT * FROM roles WHERE name = ?1",
                [name],
                from_row,
            )
        })
        .await
    }
}

/// The role of this id.
pub(super) fn find(connection: &Connection, id: &str) -> Result<Option<Role>, StoreError> {
    sql::first(connection, "SELECT * FROM roles WHERE id = ?1", [id], from_row)
}

/// The role of a person, from a row of the view `people`.
pub(super) fn of_person(row: &Row<'_>) -> Result<Option<Role>, StoreError> {
    let Some(id) = row.get("role_id")? else {
        return Ok(None);
    };
    let scope: Option<String> = row.get("role_scope")?;
    let second_factor: String = row.get("role_second_factor")?;
    Ok(Some(Role {
        id,
        name: row.get("role_name")?,
        built_in: row.get("role_built_in")?,
        ceiling: ceiling(scope)?,
        second_factor: policy(&second_factor, TABLE)?,
        created_at: sql::instant(row, "role_created_at")?,
    }))
}

pub(super) fn from_row(row: &Row<'_>) -> Result<Role, StoreError> {
    let scope: Option<String> = row.get("scope")?;
    let second_factor: String = row.get("second_factor")?;
    Ok(Role {
        id: row.get("id")?,
        name: row.get("name")?,
        built_in: row.get("built_in")?,
        ceiling: ceiling(scope)?,
        second_factor: policy(&second_factor, TABLE)?,
        created_at: sql::instant(row, "created_at")?,
    })
}

/// The empty text is the empty ceiling.
fn ceiling(text: Option<String>) -> Result<Option<ScopeSet>, StoreError> {
    text.map(|text| match text.as_str() {
        "" => Ok(ScopeSet::empty()),
        text => ScopeSet::parse(text).map_err(|_| StoreError::Corrupt(TABLE)),
    })
    .transpose()
}

/// A policy column.
pub(super) fn policy(name: &str, table: &'static str) -> Result<SecondFactorPolicy, StoreError> {
    SecondFactorPolicy::from_name(name).ok_or(StoreError::Corrupt(table))
}
