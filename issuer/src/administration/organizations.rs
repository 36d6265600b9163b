//! Organizations that people act for.

use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::organization::Organization;
use crate::domain::page::{Page, PageRequest};
use crate::domain::role::SecondFactorPolicy;
use crate::store::{Insertion, OrganizationChange, Store};

use super::fields::{self, Checks};
use super::{Actor, AdministrationError};

/// An organization as somebody wrote it: new, or what changes of one that is there.
#[derive(Clone, Debug, Default)]
pub struct OrganizationRequest {
    /// The value of the claim `organization_id`. It never changes.
    pub id: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    /// `offered` or `required`; `offered` when a new one says nothing.
    pub second_factor: Option<String>,
}

impl OrganizationRequest {
    /// The organization that is to be entered, or everything that is wrong with it.
    ///
    /// # Errors
    /// [`AdministrationError::Invalid`].
    pub fn check_new(&self, now: Timestamp) -> Result<Organization, AdministrationError> {
        let mut checks = Checks::default();
        let id = checks.required("id", self.id.as_deref(), fields::fhir_id);
        let name = checks.required("name", self.name.as_deref(), fields::name);
        let second_factor = self.second_factor.as_deref();
        let second_factor = checks.member("secondFactor", second_factor, fields::second_factor);
        let (Some(id), Some(name), true) = (id, name, checks.0.is_empty()) else {
            return Err(AdministrationError::Invalid(checks.0));
        };
        Ok(Organization {
            id,
            name,
            second_factor: second_factor.unwrap_or(SecondFactorPolicy::Offered),
            created_at: now,
        })
    }

    /// The change, or everything that is wrong with it.
    ///
    /// # Errors
    /// [`AdministrationError::Invalid`].
    pub fn check_change(&self) -> Result<OrganizationChange, AdministrationError> {
        let mut checks = Checks::default();
        let second_factor = self.second_factor.as_deref();
        let change = OrganizationChange {
            name: checks.member("name", self.name.as_deref(), fields::name),
            second_factor: checks.member("secondFactor", second_factor, fields::second_factor),
        };
        if checks.0.is_empty() {
            Ok(change)
        } else {
            Err(AdministrationError::Invalid(checks.0))
        }
    }
}

/// Enters an organization.
///
/// # Errors
/// [`AdministrationError`]; `Taken` names `id`.
pub async fn create(
    store: &Store,
    actor: &Actor,
    new: &OrganizationRequest,
    now: Timestamp,
) -> Result<Organization, AdministrationError> {
    let organization = new.check_new(now)?;
    let audit = actor
        .audit(AuditAction::OrganizationCreation, AuditOutcome::Success, now)
        .with_object(&*organization.id);
    match store.insert_organization(organization.clone(), audit).await? {
        Insertion::Inserted => Ok(organization),
        Insertion::AlreadyExists => Err(AdministrationError::Taken("id")),
    }
}

/// A page of the organizations, or of those of this exact name.
///
/// # Errors
/// When the store cannot answer.
pub async fn list(
    store: &Store,
    name: Option<String>,
    page: PageRequest,
) -> Result<Page<Organization>, AdministrationError> {
    Ok(store.organizations(name, page).await?)
}

/// The organization of this id.
///
/// # Errors
/// [`AdministrationError::NotFound`], or the store cannot answer.
pub async fn get(store: &Store, id: &str) -> Result<Organization, AdministrationError> {
    let found = store.organization(id).await?;
    found.ok_or(AdministrationError::NotFound)
}

/// Changes an organization.
///
/// # Errors
/// [`AdministrationError`].
pub async fn change(
    store: &Store,
    actor: &Actor,
    id: &str,
    change: &OrganizationRequest,
    now: Timestamp,
) -> Result<Organization, AdministrationError> {
    let change = change.check_change()?;
    let audit = actor
        .audit(AuditAction::OrganizationChange, AuditOutcome::Success, now)
        .with_object(id);
    let changed = store
        .change_organization(id, change, actor.user_id.clone(), audit)
        .await?;
    changed.map_err(|refused| AdministrationError::refused(refused, "id"))
}

/// Removes an organization that nobody acts for.
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
        .audit(AuditAction::OrganizationDeletion, AuditOutcome::Success, now)
        .with_object(id);
    let removed = store
        .remove_organization(id, actor.user_id.clone(), audit)
        .await?;
    removed.map_err(|refused| AdministrationError::refused(refused, "id"))
}
