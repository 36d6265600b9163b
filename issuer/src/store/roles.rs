//! Roles, and the one that a person has.
//!
//! A change is checked in the transaction that makes it: nobody gets more by it than whoever makes it has, and somebody who
//! may administrate is left.

use rusqlite::{Connection, Row, params};
use wardgate_shared::scope::ScopeSet;

use crate::domain::audit_event::AuditEvent;
use crate::domain::page::{Cursor, Page, PageRequest};
use crate::domain::role::{self, Role, SecondFactorPolicy};

use super::{Insertion, Refused, Store, StoreError, accounts, audit_events, sql, users};

const TABLE: &str = "roles";

/// What of a role changes; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleChange {
    /// The name.
    pub name: Option<String>,
    /// The ceiling.
    pub ceiling: Option<ScopeSet>,
    /// What it asks of its people.
    pub second_factor: Option<SecondFactorPolicy>,
}

impl Store {
    /// Makes a role. `audit` is recorded only if neither its id nor its name was taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_role(&self, role: Role, audit: AuditEvent) -> Result<Insertion, StoreError> {
        self.write(move |connection| {
            let rows = insert(connection, &role)?;
            if rows > 0 {
                audit_events::insert(connection, &audit)?;
            }
            Ok(Insertion::of(rows))
        })
        .await
    }

    /// Makes a role, if it allows nothing that `giver`'s own role does not; `giver` as in [`Store::create_account`].
    ///
    /// # Errors
    /// [`StoreError`]. Inside the `Ok`: [`Refused`].
    pub async fn create_role(
        &self,
        role: Role,
        giver: Option<String>,
        audit: AuditEvent,
    ) -> Result<Result<Role, Refused>, StoreError> {
        self.write(move |connection| {
            if !is_within_giver(connection, giver.as_deref(), role.ceiling.as_ref())? {
                return Ok(Err(Refused::BeyondGiver));
            }
            if insert(connection, &role)? == 0 {
                return Ok(Err(Refused::Taken));
            }
            audit_events::insert(connection, &audit)?;
            Ok(Ok(role))
        })
        .await
    }

    /// Changes a role; `giver` as in [`Store::create_account`]: neither what it allows nor what it is to allow is more than
    /// theirs.
    ///
    /// # Errors
    /// [`StoreError`]. Inside the `Ok`: [`Refused`].
    pub async fn change_role(
        &self,
        id: &str,
        change: RoleChange,
        giver: Option<String>,
        audit: AuditEvent,
    ) -> Result<Result<Role, Refused>, StoreError> {
        let id = String::from(id);
        self.write(move |connection| {
            let Some(before) = find(connection, &id)? else {
                return Ok(Err(Refused::NotFound));
            };
            let role = Role {
                name: change.name.unwrap_or_else(|| before.name.clone()),
                ceiling: change.ceiling.or_else(|| before.ceiling.clone()),
                second_factor: change.second_factor.unwrap_or(before.second_factor),
                ..before.clone()
            };
            if before.built_in && role.name != before.name {
                return Ok(Err(Refused::BuiltIn));
            }
            for ceiling in [&before.ceiling, &role.ceiling] {
                if !is_within_giver(connection, giver.as_deref(), ceiling.as_ref())? {
                    return Ok(Err(Refused::BeyondGiver));
                }
            }
            let query = "SELECT 1 FROM roles WHERE name = ?1 AND id <> ?2";
            if sql::first(connection, query, [&role.name, &id], |_| Ok(()))?.is_some() {
                return Ok(Err(Refused::Taken));
            }
            let goes_on = match id.as_str() {
                role::BUILDER_ADMIN => role.administers(),
                _ => administers_all(connection, Some(&role))?,
            };
            let stops = !goes_on && administers_all(connection, Some(&before))?;
            if stops
                && has_active_people(connection, &id)?
                && !is_administered_without(connection, None, Some(&id))?
            {
                return Ok(Err(Refused::LastAdministrator));
            }
            sql::change(
                connection,
                "UPDATE roles SET name = ?2, scope = ?3, second_factor = ?4 WHERE id = ?1",
                params![
                    id,
                    role.name,
                    role.ceiling.as_ref().map(ToString::to_string),
                    role.second_factor.as_str(),
                ],
            )?;
            audit_events::insert(connection, &audit)?;
            Ok(Ok(role))
        })
        .await
    }

    /// Removes a role that nobody has and no connection names; `giver` as in [`Store::create_account`].
    ///
    /// # Errors
    /// [`StoreError`]. Inside the `Ok`: [`Refused`].
    pub async fn remove_role(
        &self,
        id: &str,
        giver: Option<String>,
        audit: AuditEvent,
    ) -> Result<Result<(), Refused>, StoreError> {
        let id = String::from(id);
        let removed = self.write(move |connection| {
            let Some(role) = find(connection, &id)? else {
                return Ok(Err(Refused::NotFound));
            };
            if role.built_in {
                return Ok(Err(Refused::BuiltIn));
            }
            if !is_within_giver(connection, giver.as_deref(), role.ceiling.as_ref())? {
                return Ok(Err(Refused::BeyondGiver));
            }
            // People to come would get another one in its place, or none.
            let query = "SELECT 1 FROM users WHERE role_id = ?1
                         UNION ALL
                         SELECT 1 FROM sso_connections c
                         WHERE c.default_role = ?1
                             OR EXISTS (SELECT 1 FROM json_each(c.role_rules) r WHERE r.value ->> 'role' = ?1)
                         LIMIT 1";
            if sql::first(connection, query, [&id], |_| Ok(()))?.is_some() {
                return Ok(Err(Refused::InUse));
            }
            sql::change(connection, "DELETE FROM roles WHERE id = ?1", [&id])?;
            audit_events::insert(connection, &audit)?;
            Ok(Ok(()))
        });
        match removed.await {
            // Something else than a person refers to it.
            Err(StoreError::Conflict) => Ok(Err(Refused::InUse)),
            removed => removed,
        }
    }

    /// A page of the roles, or of those of this exact name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn roles_page(
        &self,
        name: Option<String>,
        page: PageRequest,
    ) -> Result<Page<Role>, StoreError> {
        self.read(move |connection| {
            let (at, id) = sql::place(page.after.as_ref());
            let entries = sql::all(
                connection,
                "SELECT * FROM roles WHERE (?1 IS NULL OR name = ?1) AND (created_at, id) > (?2, ?3)
                 ORDER BY created_at, id LIMIT ?4",
                params![name, at, id, sql::one_more_than(page.size)],
                from_row,
            )?;
            Ok(Page::cut(entries, page.size, |role| Cursor {
                at: role.created_at,
                id: role.id.clone(),
            }))
        })
        .await
    }

    /// Whether the person `giver` may do whatever the built-in role for administrators allows; `giver` as in
    /// [`Store::create_account`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_unlimited_administrator(&self, giver: Option<&str>) -> Result<bool, StoreError> {
        let giver = giver.map(String::from);
        self.read(move |connection| is_unlimited(connection, giver.as_deref()))
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

/// Stores a role, unless its id or name is taken. Gives the number of rows.
fn insert(connection: &Connection, role: &Role) -> Result<usize, StoreError> {
    sql::change(
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
    )
}

/// Whether the person `giver` may give what is under `ceiling`. Without a giver, everything.
pub(super) fn is_within_giver(
    connection: &Connection,
    giver: Option<&str>,
    ceiling: Option<&ScopeSet>,
) -> Result<bool, StoreError> {
    let Some(giver) = giver else {
        return Ok(true);
    };
    let giver = users::find(connection, giver)?.filter(accounts::is_giver);
    let own = giver.and_then(|giver| giver.role);
    Ok(own.is_some_and(|own| role::is_within(ceiling, &own)))
}

/// Whether the person `giver` is an administrator without a limit. Without a giver, yes.
pub(super) fn is_unlimited(connection: &Connection, giver: Option<&str>) -> Result<bool, StoreError> {
    let Some(giver) = giver else {
        return Ok(true);
    };
    let giver = users::find(connection, giver)?.filter(accounts::is_giver);
    administers_all(connection, giver.and_then(|giver| giver.role).as_ref())
}

/// Whether people of this role are administrators without a limit.
pub(super) fn administers_all(connection: &Connection, role: Option<&Role>) -> Result<bool, StoreError> {
    let highest = find(connection, role::BUILDER_ADMIN)?;
    Ok(role
        .zip(highest)
        .is_some_and(|(role, highest)| role.administers_all(&highest)))
}

/// Whether there are active administrators without a limit other than the person `without_user`, by other roles than
/// `without_role`.
pub(super) fn is_administered_without(
    connection: &Connection,
    without_user: Option<&str>,
    without_role: Option<&str>,
) -> Result<bool, StoreError> {
    let all = sql::all(connection, "SELECT * FROM roles", [], from_row)?;
    let Some(highest) = all.iter().find(|role| role.id == role::BUILDER_ADMIN) else {
        return Ok(false);
    };
    let administering = all
        .iter()
        .filter(|role| role.administers_all(highest) && Some(role.id.as_str()) != without_role);
    for role in administering {
        let query =
            "SELECT 1 FROM users WHERE role_id = ?1 AND deactivated_at IS NULL AND id IS NOT ?2 LIMIT 1";
        if sql::first(connection, query, params![role.id, without_user], |_| Ok(()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_active_people(connection: &Connection, role_id: &str) -> Result<bool, StoreError> {
    let query = "SELECT 1 FROM users WHERE role_id = ?1 AND deactivated_at IS NULL LIMIT 1";
    Ok(sql::first(connection, query, [role_id], |_| Ok(()))?.is_some())
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
