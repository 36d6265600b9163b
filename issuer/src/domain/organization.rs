//! Organizations that people act for: a clinic, a practice, a company that builds apps.

use wardgate_shared::time::Timestamp;

use super::role::SecondFactorPolicy;

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// The value of the claim `organization_id`: the id of its FHIR resource, or another of that form.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it asks of its people, whatever their roles ask.
    pub second_factor: SecondFactorPolicy,
    /// When it was entered.
    pub created_at: Timestamp,
}

impl Organization {
    /// Whether its people must have a second factor.
    pub fn requires_second_factor(&self) -> bool {
        self.second_factor == SecondFactorPolicy::Required
    }
}
