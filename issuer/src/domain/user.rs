//! People who sign in.

mod profile;

use wardgate_shared::claims::LaunchContext;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

pub use profile::{Address, Profile, ProfileError};

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
    /// The name of their role, when they have one.
    pub role: Option<String>,
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
