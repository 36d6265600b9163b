//! People's accounts.

use rusqlite::{Connection, Row, params};
use wardgate_shared::secret::Secret;

use crate::domain::audit_event::AuditEvent;
use crate::domain::user::{Profile, User, UserType};

use super::{Insertion, Store, StoreError, audit_events, roles, sql};

const TABLE: &str = "users";

impl Store {
    /// Makes an account. `audit` is recorded only if neither its id nor its address was taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_user(&self, user: User, audit: AuditEvent) -> Result<Insertion, StoreError> {
        self.write(move |connection| {
            let rows = insert(connection, &user)?;
            if rows > 0 {
                audit_events::insert(connection, &audit)?;
            }
            Ok(Insertion::of(rows))
        })
        .await
    }

    /// The person of this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user(&self, id: &str) -> Result<Option<User>, StoreError> {
        let id = String::from(id);
        self.look_up(move |connection| find(connection, &id)).await
    }

    /// The person who signs in with this address, given as [`crate::domain::user::normalize_email`] makes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_by_email(&self, normalized: &str) -> Result<Option<User>, StoreError> {
        let email = String::from(normalized);
        self.read(move |connection| {
            sql::first(
                connection,
                "SELECT * FROM people WHERE email = ?1",
                [email],
                from_row,
            )
        })
        .await
    }

    /// Everybody with this role, the oldest account first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn people_of_role(&self, role_id: &str) -> Result<Vec<User>, StoreError> {
        let role_id = String::from(role_id);
        self.read(move |connection| {
            let query = "SELECT * FROM people WHERE role_id = ?1 ORDER BY created_at, id";
            sql::all(connection, query, [role_id], from_row)
        })
        .await
    }

    /// Stores what is known of a person. Says whether there is such a person; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_profile(
        &self,
        user_id: &str,
        profile: Profile,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let id = String::from(user_id);
        self.write(move |connection| {
            let update = "UPDATE users SET profile = ?2 WHERE id = ?1";
            let found = sql::change(connection, update, params![id, sql::to_json(&profile)?])? > 0;
            if found {
                audit_events::insert(connection, &audit)?;
            }
            Ok(found)
        })
        .await
    }

    /// Stores the same password under another hash, in place of `known`. Says whether that was done: not when the person has
    /// another password by now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rehash_password(
        &self,
        user_id: &str,
        known: Secret<String>,
        hash: Secret<String>,
    ) -> Result<bool, StoreError> {
        let id = String::from(user_id);
        self.write(move |connection| {
            let update = "UPDATE users SET password_hash = ?2 WHERE id = ?1 AND password_hash = ?3";
            Ok(sql::change(connection, update, params![id, hash.expose(), known.expose()])? > 0)
        })
        .await
    }
}

/// Whether this is the hash of the person's password; yes, when nothing hangs on a password.
pub(super) fn has_password_hash(
    connection: &Connection,
    user_id: &str,
    hash: Option<&Secret<String>>,
) -> Result<bool, StoreError> {
    let Some(hash) = hash else {
        return Ok(true);
    };
    let query = "SELECT 1 FROM users WHERE id = ?1 AND password_hash = ?2";
    Ok(sql::first(connection, query, params![user_id, hash.expose()], |_| Ok(()))?.is_some())
}

/// Stores a person, unless their id or address is taken. Gives the number of rows.
pub(super) fn insert(connection: &Connection, user: &User) -> Result<usize, StoreError> {
    sql::change(
        connection,
        "INSERT INTO users (id, email, name, password_hash, role_id, fhir_user, practitioner_id, organization_id,
             created_at, deactivated_at, profile, user_type)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING",
        params![
            user.id,
            user.email,
            user.name,
            user.password_hash.as_ref().map(Secret::expose),
            user.role.as_ref().map(|role| &role.id),
            user.fhir_user,
            user.practitioner_id,
            user.organization_id,
            user.created_at.seconds(),
            sql::optional_seconds(user.deactivated_at),
            sql::to_json(&user.profile)?,
            user.user_type.as_str(),
        ],
    )
}

/// The person of this id.
pub(super) fn find(connection: &Connection, id: &str) -> Result<Option<User>, StoreError> {
    let query = "SELECT * FROM people WHERE id = ?1";
    sql::first(connection, query, [id], from_row)
}

/// A person from a row of the view `people`, whatever else is in it that has an `id`.
pub(super) fn from_row(row: &Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        id: row.get("user_id")?,
        email: row.get("email")?,
        name: row.get("name")?,
        password_hash: row.get::<_, Option<String>>("password_hash")?.map(Secret::new),
        user_type: UserType::from_name(&row.get::<_, String>("user_type")?)
            .ok_or(StoreError::Corrupt(TABLE))?,
        role: roles::of_person(row)?,
        fhir_user: row.get("fhir_user")?,
        practitioner_id: row.get("practitioner_id")?,
        organization_id: row.get("organization_id")?,
        profile: sql::json(row, "profile", TABLE)?,
        created_at: sql::instant(row, "created_at")?,
        deactivated_at: sql::optional_instant(row, "deactivated_at")?,
    })
}
