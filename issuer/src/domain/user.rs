//! People who sign in.

mod profile;

use wardgate_shared::claims::LaunchContext;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use super::role::{self, Role};

pub use profile::{Address, Profile, ProfileError};

/// What people are to the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserType {
    /// Those who work with it: care teams, administrators, developers.
    Builder,
    /// Those who are treated, and those who act for them.
    Patient,
}

impl UserType {
    /// Every type.
    pub const ALL: [Self; 2] = [Self::Builder, Self::Patient];

    /// The name in the store and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Patient => "patient",
        }
    }

    /// What somebody is whose own FHIR resource is this, unless it is said otherwise.
    pub fn of(fhir_user: Option<&str>) -> Self {
        match fhir_user.and_then(|reference| reference.split('/').next()) {
            Some("Patient" | "RelatedPerson") => Self::Patient,
            Some(_) | None => Self::Builder,
        }
    }

    /// The type of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A person's account.
#[derive(Clone, Debug)]
pub struct User {
    /// `sub`: `user-` and 22 random characters; never given to another person.
    pub id: String,
    /// The address they sign in with, trimmed and in lower case; unique.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// Argon2id hash in PHC string form; none for people who sign in elsewhere.
    pub password_hash: Option<Secret<String>>,
    /// What they are to the issuer.
    pub user_type: UserType,
    /// Their role, when they have one, as it is now.
    pub role: Option<Role>,
    /// Their own FHIR resource, relative to the FHIR base: `Practitioner/123`, `Patient/123`, …
    pub fhir_user: Option<String>,
    /// The id of their Practitioner resource, for the claim `practitioner_id`.
    pub practitioner_id: Option<String>,
    /// The id of the organization they act for, for the claim `organization_id`.
    pub organization_id: Option<String>,
    /// What else is known of them.
    pub profile: Profile,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Since when they may not sign in any more.
    pub deactivated_at: Option<Timestamp>,
}

impl User {
    /// Whether they may sign in.
    pub const fn is_active(&self) -> bool {
        self.deactivated_at.is_none()
    }

    /// What of `requested` they can be granted at all, by their role. `patient_in_context` decides what the short form
    /// means, see [`role::allowed`].
    pub fn allowed(&self, requested: &ScopeSet, patient_in_context: bool) -> ScopeSet {
        role::allowed(requested, self.role.as_ref(), patient_in_context)
    }

    /// Whether they may open the record of any patient: a health professional. What they may do there, the API decides.
    pub fn may_choose_patients(&self) -> bool {
        let kind = self
            .fhir_user
            .as_deref()
            .and_then(|reference| reference.rsplit('/').nth(1));
        self.practitioner_id.is_some() || matches!(kind, Some("Practitioner" | "PractitionerRole"))
    }

    /// The context that needs no choosing: a patient's own record.
    pub fn own_launch_context(&self) -> LaunchContext {
        let patient_id = self
            .fhir_user
            .as_deref()
            .and_then(|user| user.strip_prefix("Patient/"))
            .map(String::from);
        LaunchContext {
            patient_id,
            encounter_id: None,
        }
    }
}

/// An e-mail address in the form in which addresses are compared.
pub fn normalize_email(email: &str) -> String {
    email.trim().to_lowercase()
}
