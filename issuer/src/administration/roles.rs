//! Roles: what their people can be granted, and what is asked of them.

use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::page::{Page, PageRequest};
use crate::domain::role::{Role, SecondFactorPolicy};
use crate::rng;
use crate::store::{RoleChange, Store};

use super::fields::{self, Checks};
use super::{Actor, AdministrationError};

/// A role as somebody wrote it: new, or what changes of one that is there.
#[derive(Clone, Debug, Default)]
pub struct RoleRequest {
    /// What it is called.
    pub name: Option<String>,
    /// Its ceiling: scopes, separated by spaces.
    pub scope: Option<String>,
    /// `offered` or `required`; `offered` when a new role says nothing.
    pub second_factor: Option<String>,
}

impl RoleRequest {
    /// The role that is to be made, or everything that is wrong with it.
    ///
    /// # Errors
    /// [`AdministrationError::Invalid`], or no randomness.
    pub fn check_new(&self, now: Timestamp) -> Result<Role, AdministrationError> {
        let mut checks = Checks::default();
        let name = checks.required("name", self.name.as_deref(), fields::name);
        let ceiling = checks.required("scope", self.scope.as_deref(), fields::ceiling);
        let second_factor = self.second_factor.as_deref();
        let second_factor = checks.member("secondFactor", second_factor, fields::second_factor);
        let (Some(name), Some(ceiling), true) = (name, ceiling, checks.0.is_empty()) else {
            return Err(AdministrationError::Invalid(checks.0));
        };
        Ok(Role {
            id: rng::identifier("role-")?,
            name,
            built_in: false,
            ceiling: Some(ceiling),
            second_factor: second_factor.unwrap_or(SecondFactorPolicy::Offered),
            created_at: now,
        })
    }

    /// The change, or everything that is wrong with it.
    ///
    /// # Errors
    /// [`AdministrationError::Invalid`].
    pub fn check_change(&self) -> Result<RoleChange, AdministrationError> {
        let mut checks = Checks::default();
        let second_factor = self.second_factor.as_deref();
        let change = RoleChange {
            name: checks.member("name", self.name.as_deref(), fields::name),
            ceiling: checks.member("scope", self.scope.as_deref(), fields::ceiling),
            second_factor: checks.member("secondFactor", second_factor, fields::second_factor),
        };
        if checks.0.is_empty() {
            Ok(change)
        } else {
            Err(AdministrationError::Invalid(checks.0))
        }
    }
}

/// Makes a role.
///
/// # Errors
/// [`AdministrationError`]; `Taken` names `name`.
pub async fn create(
    store: &Store,
    actor: &Actor,
    new: &RoleRequest,
    now: Timestamp,
) -> Result<Role, AdministrationError> {
    let role = new.check_new(now)?;
    let audit = actor
        .audit(AuditAction::RoleCreation, AuditOutcome::Success, now)
        .with_object(&*role.id);
    let created = store.create_role(role, actor.user_id.clone(), audit).await?;
    created.map_err(|refused| AdministrationError::refused(refused, "name"))
}

/// Every role, by name.
///
/// # Errors
/// When the store cannot answer.
pub async fn all(store: &Store) -> Result<Vec<Role>, AdministrationError> {
    Ok(store.roles().await?)
}

/// A page of the roles, or of those of this exact name.
///
/// # Errors
/// When the store cannot answer.
pub async fn list(
    store: &Store,
    name: Option<String>,
    page: PageRequest,
) -> Result<Page<Role>, AdministrationError> {
    Ok(store.roles_page(name, page).await?)
}

/// The role of this id.
///
/// # Errors
/// [`AdministrationError::NotFound`], or the store cannot answer.
pub async fn get(store: &Store, id: &str) -> Result<Role, AdministrationError> {
    store.role(id).await?.ok_or(AdministrationError::NotFound)
}

/// Changes a role. What it allows less is gone from every grant at its next refresh.
///
/// # Errors
/// [`AdministrationError`]; `Taken` names `name`.
pub async fn change(
    store: &Store,
    actor: &Actor,
    id: &str,
    change: &RoleRequest,
    now: Timestamp,
) -> Result<Role, AdministrationError> {
    let change = change.check_change()?;
    let audit = actor
        .audit(AuditAction::RoleChange, AuditOutcome::Success, now)
        .with_object(id);
    let changed = store
        .change_role(id, change, actor.user_id.clone(), audit)
        .await?;
    changed.map_err(|refused| AdministrationError::refused(refused, "name"))
}

/// Removes a role that nobody has.
///
/// # Errors
/// [`AdministrationError`].
pub async fn remove(
    store: &Store,
    actor: &Actor,
    id: &str,
    now: Timestamp,
) -> Result<(), AdministrationError> {
    let audit = actor
        .audit(AuditAction::RoleDeletion, AuditOutcome::Success, now)
        .with_object(id);
    let removed = store.remove_role(id, actor.user_id.clone(), audit).await?;
    removed.map_err(|refused| AdministrationError::refused(refused, "name"))
}
