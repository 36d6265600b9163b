//! `wardgate user change`: what is known of an account becomes something else.

use clap::Args;
use wardgate_shared::time::Timestamp;

use crate::administration::Actor;
use crate::administration::users::{self, UserChange};
use crate::cli::{Failure, opened, output};
use crate::config::Config;
use crate::domain::user::normalize_email;

use super::{list, role};

/// Arguments of `user change`. An empty value takes away what may be absent.
#[derive(Debug, Args)]
pub(in crate::cli) struct ChangeUser {
    /// The address they sign in with
    #[arg(long)]
    email: String,
    /// The address they are to sign in with
    #[arg(long, value_name = "EMAIL")]
    new_email: Option<String>,
    /// What they are called
    #[arg(long)]
    name: Option<String>,
    /// The name of their role
    #[arg(long)]
    role: Option<String>,
    /// What they are: builder (who works with it) or patient
    #[arg(long, value_name = "TYPE")]
    user_type: Option<String>,
    /// The id of the organization they act for; "" for none
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,
    /// Their own FHIR resource, such as Practitioner/123; "" for none
    #[arg(long, value_name = "TYPE/ID")]
    fhir_user: Option<String>,
    /// The id of their Practitioner resource; "" for none
    #[arg(long, value_name = "ID")]
    practitioner_id: Option<String>,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
}

impl ChangeUser {
    pub(in crate::cli) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let role_id = match &self.role {
            Some(name) => Some(role::named(&store, name).await?.id),
            None => None,
        };
        let change = UserChange {
            email: self.new_email.clone(),
            name: self.name.clone(),
            user_type: self.user_type.clone(),
            role_id,
            organization_id: removable(self.organization_id.as_deref()),
            fhir_user: removable(self.fhir_user.as_deref()),
            practitioner_id: removable(self.practitioner_id.as_deref()),
        };
        let email = normalize_email(&self.email);
        let user = store.user_by_email(&email).await?;
        let user = user.ok_or_else(|| Failure::NotFound(format!("there is no account for {email}")))?;
        let changed = users::change(&store, &Actor::operator(), &user.id, &change, now).await?;
        store.close().await;
        if self.json {
            return output::json(&list::document(&changed));
        }
        output::result(&format!(
            "changed the account of {} ({})",
            changed.id, changed.email
        ))
    }
}

#[expect(
    clippy::option_option,
    reason = "unchanged, taken away and a value are three things"
)]
fn removable(given: Option<&str>) -> Option<Option<String>> {
    given.map(|text| (!text.is_empty()).then(|| text.into()))
}
