//! What administrators change about people: each change with its checks and its audit event in one transaction, so that
//! neither two administrators at once nor a role that changes meanwhile get around a check.

use rusqlite::{Connection, params};

use crate::domain::audit_event::AuditEvent;
use crate::domain::page::{Cursor, Page, PageRequest};
use crate::domain::role::{ADMINISTRATION_WRITE, Role};
use crate::domain::user::{User, UserType};

use super::{Store, StoreError, audit_events, grants, organizations, roles, sessions, sql, users};

/// Why a change by an administrator was not made. Nothing of it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// What it is about does not exist.
    NotFound,
    /// The address, name or id that must be unique is another's.
    Taken,
    /// The role that it names does not exist.
    NoRole,
    /// The organization that it names does not exist.
    NoOrganization,
    /// It is about more than the administrator has themselves.
    BeyondGiver,
    /// Nobody would be left who may administrate.
    LastAdministrator,
    /// It came with the program.
    BuiltIn,
    /// Somebody has it.
    InUse,
}

/// What of an account changes; what is `None` stays, what is `Some(None)` goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// The address, normalised.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// What they are.
    pub user_type: Option<UserType>,
    /// The id of their role.
    pub role_id: Option<String>,
    /// The id of their organization.
    pub organization_id: Option<Option<String>>,
    /// Their own FHIR resource.
    pub fhir_user: Option<Option<String>>,
    /// The id of their Practitioner resource.
    pub practitioner_id: Option<Option<String>>,
}

/// Which people a list shows: those with all that is said here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Of this exact name.
    pub name: Option<String>,
    /// Of this address, normalised.
    pub email: Option<String>,
    /// With this role.
    pub role_id: Option<String>,
    /// Of this organization.
    pub organization_id: Option<String>,
    /// Who may sign in, or who may not.
    pub active: Option<bool>,
}

impl Store {
    /// Makes an account with the role of this id. `giver` is the person whose role limits what may be given; none for the
    /// operator and for clients that act for themselves. Only what is made is recorded.
    ///
    /// # Errors
    /// [`StoreError`]. Inside the `Ok`: [`Refused`].
    pub async fn create_account(
        &self,
        user: User,
        role_id: Option<String>,
        giver: Option<String>,
        audit: AuditEvent,
    ) -> Result<Result<User, Refused>, StoreError> {
        self.write(move |connection| {
            let role = match given_role(connection, role_id.as_deref(), giver.as_deref())? {
                Ok(role) => role,
                Err(refused) => return Ok(Err(refused)),
            };
            if !organization_exists(connection, user.organization_id.as_deref())? {
                return Ok(Err(Refused::NoOrganization));
            }
            let user = User { role, ..user };
            if users::insert(connection, &user)? == 0 {
                return Ok(Err(Refused::Taken));
            }
            audit_events::insert(connection, &audit)?;
            Ok(Ok(user))
        })
        .await
    }

    /// Changes an account; `giver` as in [`Store::create_account`]. With another address, the one before counts as
    /// verified no more.
    ///
    /// # Errors
    /// [`StoreError`]. Inside the `Ok`: [`Refused`].
    pub async fn change_account(
        &self,
        id: &str,
        change: AccountChange,
        giver: Option<String>,
        audit: AuditEvent,
    ) -> Result<Result<User, Refused>, StoreError> {
        let id = String::from(id);
        self.write(move |connection| {
            let mut user = match managed(connection, &id, giver.as_deref())? {
                Ok(user) => user,
                Err(refused) => return Ok(Err(refused)),
            };
            if let Some(role_id) = &change.role_id {
                let role = match given_role(connection, Some(role_id), giver.as_deref())? {
                    Ok(role) => role,
                    Err(refused) => return Ok(Err(refused)),
                };
                let stays = roles::administers_all(connection, role.as_ref())?;
                if !stays && is_last_administrator(connection, &user)? {
                    return Ok(Err(Refused::LastAdministrator));
                }
                user.role = role;
            }
            if let Some(organization_id) = change.organization_id {
                if !organization_exists(connection, organization_id.as_deref())? {
                    return Ok(Err(Refused::NoOrganization));
                }
                // Whoever leaves it is no longer asked for the second factor that it requires.
                let asks_less = requires_second_factor(connection, user.organization_id.as_deref())?
                    && !requires_second_factor(connection, organization_id.as_deref())?;
                if asks_less && !roles::is_unlimited(connection, giver.as_deref())? {
                    return Ok(Err(Refused::BeyondGiver));
                }
                user.organization_id = organization_id;
            }
            if let Some(email) = change.email.filter(|email| *email != user.email) {
                let query = "SELECT 1 FROM users WHERE email = ?1";
                if sql::first(connection, query, [&email], |_| Ok(()))?.is_some() {
                    return Ok(Err(Refused::Taken));
                }
                user.email = email;
                user.profile.email_verified = false;
            }
            user.name = change.name.unwrap_or(user.name);
            user.user_type = change.user_type.unwrap_or(user.user_type);
            user.fhir_user = change.fhir_user.unwrap_or(user.fhir_user);
            user.practitioner_id = change.practitioner_id.unwrap_or(user.practitioner_id);
            user.profile.updated_at = Some(audit.at.seconds());
            update(connection, &user)?;
            audit_events::insert(connection, &audit)?;
            Ok(Ok(user))
        })
        .await
    }

    /// Closes an account at the time of `audit`: ends its sessions, with what clients are to hear of that, and everything that was
    /// granted in its name, `offline_access` included. Says whether it was open; only then is `audit` recorded. `giver` as in
    /// [`Store::create_account`].
    ///
    /// # Errors
    /// [`StoreError`]. Inside the `Ok`: [`Refused`].
    pub async fn deactivate_user(
        &self,
        id: &str,
        giver: Option<String>,
        audit: AuditEvent,
    ) -> Result<Result<bool, Refused>, StoreError> {
        let id = String::from(id);
        let deactivated = self.write(move |connection| {
            let user = match managed(connection, &id, giver.as_deref())? {
                Ok(user) => user,
                Err(refused) => return Ok(Err(refused)),
            };
            if is_last_administrator(connection, &user)? {
                return Ok(Err(Refused::LastAdministrator));
            }
            let update = "UPDATE users SET deactivated_at = ?2 WHERE id = ?1 AND deactivated_at IS NULL";
            if sql::change(connection, update, params![id, audit.at.seconds()])? == 0 {
                return Ok(Ok(false));
            }
            sessions::end_all_of(connection, &id, audit.at)?;
            grants::end_all_of(connection, &id, audit.at)?;
            audit_events::insert(connection, &audit)?;
            Ok(Ok(true))
        });
        let deactivated = deactivated.await?;
        self.ring_logout_bell();
        Ok(deactivated)
    }

    /// Opens a closed account again. Nothing that ended with it comes back. Says whether it was closed; only then is `audit`
    /// recorded. `giver` as in [`Store::create_account`].
    ///
    /// # Errors
    /// [`StoreError`]. Inside the `Ok`: [`Refused`].
    pub async fn reactivate_user(
        &self,
        id: &str,
        giver: Option<String>,
        audit: AuditEvent,
    ) -> Result<Result<bool, Refused>, StoreError> {
        let id = String::from(id);
        self.write(move |connection| {
            if let Err(refused) = managed(connection, &id, giver.as_deref())? {
                return Ok(Err(refused));
            }
            let update =
                "UPDATE users SET deactivated_at = NULL WHERE id = ?1 AND deactivated_at IS NOT NULL";
            let reactivated = sql::change(connection, update, [&id])? > 0;
            if reactivated {
                audit_events::insert(connection, &audit)?;
            }
            Ok(Ok(reactivated))
        })
        .await
    }

    /// A page of the people whom `filter` lets through.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn users(&self, filter: UserFilter, page: PageRequest) -> Result<Page<User>, StoreError> {
        self.read(move |connection| {
            let (at, id) = sql::place(page.after.as_ref());
            let entries = sql::all(
                connection,
                "SELECT * FROM people
                 WHERE (?1 IS NULL OR name = ?1) AND (?2 IS NULL OR email = ?2) AND (?3 IS NULL OR role_id = ?3)
                   AND (?4 IS NULL OR organization_id = ?4) AND (?5 IS NULL OR (deactivated_at IS NULL) = ?5)
                   AND (created_at, id) > (?6, ?7)
                 ORDER BY created_at, id LIMIT ?8",
                params![
                    filter.name,
                    filter.email,
                    filter.role_id,
                    filter.organization_id,
                    filter.active,
                    at,
                    id,
                    sql::one_more_than(page.size),
                ],
                users::from_row,
            )?;
            Ok(Page::cut(entries, page.size, |user| Cursor {
                at: user.created_at,
                id: user.id.clone(),
            }))
        })
        .await
    }
}

fn update(connection: &Connection, user: &User) -> Result<(), StoreError> {
    let update = "UPDATE users SET email = ?2, name = ?3, user_type = ?4, role_id = ?5, organization_id = ?6, fhir_user = ?7,
                      practitioner_id = ?8, profile = ?9
                  WHERE id = ?1";
    let values = params![
        user.id,
        user.email,
        user.name,
        user.user_type.as_str(),
        user.role.as_ref().map(|role| &role.id),
        user.organization_id,
        user.fhir_user,
        user.practitioner_id,
        sql::to_json(&user.profile)?,
    ];
    sql::change(connection, update, values).map(drop)
}

/// The person of this id, if `giver` could give them what they have: whoever takes an account over has what it has.
pub(super) fn managed(
    connection: &Connection,
    id: &str,
    giver: Option<&str>,
) -> Result<Result<User, Refused>, StoreError> {
    let Some(user) = users::find(connection, id)? else {
        return Ok(Err(Refused::NotFound));
    };
    if giver == Some(id) || may_give(connection, giver, user.role.as_ref())? {
        Ok(Ok(user))
    } else {
        Ok(Err(Refused::BeyondGiver))
    }
}

fn given_role(
    connection: &Connection,
    id: Option<&str>,
    giver: Option<&str>,
) -> Result<Result<Option<Role>, Refused>, StoreError> {
    let role = match id {
        Some(id) => match roles::find(connection, id)? {
            Some(role) => Some(role),
            None => return Ok(Err(Refused::NoRole)),
        },
        None => None,
    };
    if may_give(connection, giver, role.as_ref())? {
        Ok(Ok(role))
    } else {
        Ok(Err(Refused::BeyondGiver))
    }
}

/// Whether `giver` may give this role, or that of having none, to somebody.
fn may_give(connection: &Connection, giver: Option<&str>, role: Option<&Role>) -> Result<bool, StoreError> {
    let ceiling = role.and_then(|role| role.ceiling.as_ref());
    roles::is_within_giver(connection, giver, ceiling)
}

fn organization_exists(connection: &Connection, id: Option<&str>) -> Result<bool, StoreError> {
    Ok(match id {
        Some(id) => organizations::find(connection, id)?.is_some(),
        None => true,
    })
}

fn requires_second_factor(connection: &Connection, organization: Option<&str>) -> Result<bool, StoreError> {
    Ok(match organization {
        Some(id) => organizations::find(connection, id)?
            .is_some_and(|organization| organization.requires_second_factor()),
        None => false,
    })
}

/// Whether this person may administrate without a limit, and nobody else.
pub(super) fn is_last_administrator(connection: &Connection, user: &User) -> Result<bool, StoreError> {
    let administers = user.is_active() && roles::administers_all(connection, user.role.as_ref())?;
    Ok(administers && !roles::is_administered_without(connection, Some(&user.id), None)?)
}

/// Whether a person whose role limits others may do so: they may sign in, and their role still lets them change things.
pub(super) fn is_giver(user: &User) -> bool {
    user.is_active()
        && user
            .role
            .as_ref()
            .is_some_and(|role| role.names(ADMINISTRATION_WRITE))
}
