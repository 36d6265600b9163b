//! People's accounts: made, looked at, changed, closed and opened again.

use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::page::{Page, PageRequest};
use crate::domain::user::{Profile, User, UserType, normalize_email};
use crate::rng;
use crate::store::{AccountChange, Store, UserFilter};

use super::fields::{self, Checks};
use super::{Actor, AdministrationError, FieldFault, Means};

/// Whether a new person is invited by mail to set a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invitation {
    /// They are.
    Send,
    /// They are not: they sign in elsewhere, have a password already, or are told in another way.
    None,
}

impl Invitation {
    /// What `wanted` asks for; when it says nothing, an invitation wherever mail can be sent.
    ///
    /// # Errors
    /// One is wanted, and no mail can be sent.
    pub fn from_wish(wanted: Option<bool>, can_send_mail: bool) -> Result<Self, FieldFault> {
        match (wanted, can_send_mail) {
            (Some(true) | None, true) => Ok(Self::Send),
            (Some(false) | None, _) => Ok(Self::None),
            (Some(true), false) => Err(FieldFault::new(
                "invite",
                "needs mail, which is not configured here",
            )),
        }
    }
}

/// An account to be made, as somebody wrote it.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// The address they sign in with.
    pub email: Option<String>,
    /// What they are called.
    pub name: Option<String>,
    /// `builder` or `patient`; by default what `fhir_user` says.
    pub user_type: Option<String>,
    /// The id of their role. Only at the machine itself may it be left out.
    pub role_id: Option<String>,
    /// The id of the organization they act for.
    pub organization_id: Option<String>,
    /// Their own FHIR resource.
    pub fhir_user: Option<String>,
    /// The id of their Practitioner resource; by default the one of `fhir_user`, if that is one.
    pub practitioner_id: Option<String>,
    /// What else is known of them, checked already.
    pub profile: Profile,
    /// The hash of their password, where they have one from the start.
    pub password_hash: Option<Secret<String>>,
}

/// A change of an account, as somebody wrote it: what is `None` stays, what is `Some(None)` goes.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The address they sign in with.
    pub email: Option<String>,
    /// What they are called.
    pub name: Option<String>,
    /// `builder` or `patient`.
    pub user_type: Option<String>,
    /// The id of their role. It can be replaced, not taken away: that would lift its ceiling.
    pub role_id: Option<String>,
    /// The id of the organization they act for.
    pub organization_id: Option<Option<String>>,
    /// Their own FHIR resource.
    pub fhir_user: Option<Option<String>>,
    /// The id of their Practitioner resource.
    pub practitioner_id: Option<Option<String>>,
}

impl NewUser {
    /// The account without its role, or everything that is wrong with it.
    ///
    /// # Errors
    /// [`AdministrationError::Invalid`], or no randomness.
    pub fn check(&self, actor: &Actor, now: Timestamp) -> Result<User, AdministrationError> {
        let mut checks = Checks::default();
        let email = checks.required("email", self.email.as_deref(), fields::email);
        let name = checks.required("name", self.name.as_deref(), fields::name);
        let user_type = checks.member("userType", self.user_type.as_deref(), fields::user_type);
        if self.role_id.is_none() && actor.means != Means::CommandLine {
            checks.0.push(FieldFault::new("roleId", "is missing"));
        }
        let organization = self.organization_id.as_deref();
        let organization_id = checks.member("organizationId", organization, fields::fhir_id);
        let fhir_user = checks.member("fhirUser", self.fhir_user.as_deref(), fields::fhir_user);
        let practitioner = self.practitioner_id.as_deref();
        let practitioner_id = checks.member("practitionerId", practitioner, fields::fhir_id);
        let (Some(email), Some(name), true) = (email, name, checks.0.is_empty()) else {
            return Err(AdministrationError::Invalid(checks.0));
        };
        let own_practitioner = fhir_user
            .as_deref()
            .and_then(|reference| reference.strip_prefix("Practitioner/"))
            .map(String::from);
        let mut profile = self.profile.clone();
        profile.updated_at.get_or_insert(now.seconds());
        Ok(User {
            id: rng::identifier("user-")?,
            email,
            name,
            password_hash: self.password_hash.clone(),
            user_type: user_type.unwrap_or_else(|| UserType::of(fhir_user.as_deref())),
            role: None,
            practitioner_id: practitioner_id.or(own_practitioner),
            fhir_user,
            organization_id,
            profile,
            created_at: now,
            deactivated_at: None,
        })
    }
}

impl UserChange {
    /// The change, or everything that is wrong with it.
    ///
    /// # Errors
    /// [`AdministrationError::Invalid`].
    pub fn check(&self) -> Result<AccountChange, AdministrationError> {
        let mut checks = Checks::default();
        let organization = self.organization_id.as_ref();
        let change = AccountChange {
            email: checks.member("email", self.email.as_deref(), fields::email),
            name: checks.member("name", self.name.as_deref(), fields::name),
            user_type: checks.member("userType", self.user_type.as_deref(), fields::user_type),
            role_id: self.role_id.clone(),
            organization_id: checks.removable("organizationId", organization, fields::fhir_id),
            fhir_user: checks.removable("fhirUser", self.fhir_user.as_ref(), fields::fhir_user),
            practitioner_id: checks.removable(
                "practitionerId",
                self.practitioner_id.as_ref(),
                fields::fhir_id,
            ),
        };
        if checks.0.is_empty() {
            Ok(change)
        } else {
            Err(AdministrationError::Invalid(checks.0))
        }
    }
}

/// Makes an account. Its person is invited by [`super::invitations`].
///
/// # Errors
/// [`AdministrationError`]; `Taken` names `email`.
pub async fn create(
    store: &Store,
    actor: &Actor,
    new: NewUser,
    now: Timestamp,
) -> Result<User, AdministrationError> {
    let user = new.check(actor, now)?;
    let audit = actor
        .audit(AuditAction::UserCreation, AuditOutcome::Success, now)
        .with_user(&*user.id);
    let giver = actor.user_id.clone();
    let created = store.create_account(user, new.role_id, giver, audit).await?;
    created.map_err(|refused| AdministrationError::refused(refused, "email"))
}

/// A page of the accounts that `filter` lets through.
///
/// # Errors
/// When the store cannot answer.
pub async fn list(
    store: &Store,
    filter: UserFilter,
    page: PageRequest,
) -> Result<Page<User>, AdministrationError> {
    let filter = UserFilter {
        email: filter.email.as_deref().map(normalize_email),
        ..filter
    };
    Ok(store.users(filter, page).await?)
}

/// The account of this id.
///
/// # Errors
/// [`AdministrationError::NotFound`], or the store cannot answer.
pub async fn get(store: &Store, id: &str) -> Result<User, AdministrationError> {
    store.user(id).await?.ok_or(AdministrationError::NotFound)
}

/// Changes an account.
///
/// # Errors
/// [`AdministrationError`]; `Taken` names `email`.
pub async fn change(
    store: &Store,
    actor: &Actor,
    id: &str,
    change: &UserChange,
    now: Timestamp,
) -> Result<User, AdministrationError> {
    let change = change.check()?;
    let audit = actor
        .audit(AuditAction::UserChange, AuditOutcome::Success, now)
        .with_user(id);
    let changed = store
        .change_account(id, change, actor.user_id.clone(), audit)
        .await?;
    changed.map_err(|refused| AdministrationError::refused(refused, "email"))
}

/// Closes an account: its sessions and everything granted in its name end. Says whether it was open.
///
/// # Errors
/// [`AdministrationError`].
pub async fn deactivate(
    store: &Store,
    actor: &Actor,
    id: &str,
    now: Timestamp,
) -> Result<bool, AdministrationError> {
    let audit = actor
        .audit(AuditAction::UserDeactivation, AuditOutcome::Success, now)
        .with_user(id);
    let closed = store.deactivate_user(id, actor.user_id.clone(), audit).await?;
    closed.map_err(|refused| AdministrationError::refused(refused, "email"))
}

/// Opens a closed account again; nothing that ended with it comes back. Says whether it was closed.
///
/// # Errors
/// [`AdministrationError`].
pub async fn reactivate(
    store: &Store,
    actor: &Actor,
    id: &str,
    now: Timestamp,
) -> Result<bool, AdministrationError> {
    let audit = actor
        .audit(AuditAction::UserReactivation, AuditOutcome::Success, now)
        .with_user(id);
    let opened = store.reactivate_user(id, actor.user_id.clone(), audit).await?;
    opened.map_err(|refused| AdministrationError::refused(refused, "email"))
}
