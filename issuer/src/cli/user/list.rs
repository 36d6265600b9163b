//! `wardgate user list`: who has an account.

use clap::Args;
use serde_json::{Value, json};
use wardgate_shared::time::Timestamp;

use crate::administration::users;
use crate::cli::{Failure, opened, output};
use crate::config::Config;
use crate::domain::page::PageRequest;
use crate::domain::user::User;
use crate::store::UserFilter;

use super::role;

/// Arguments of `user list`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ListUsers {
    /// Only the one who signs in with this address
    #[arg(long)]
    email: Option<String>,
    /// Only those with the role of this name
    #[arg(long)]
    role: Option<String>,
    /// Print the accounts as JSON
    #[arg(long)]
    json: bool,
}

impl ListUsers {
    pub(in crate::cli) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let role_id = match &self.role {
            Some(name) => Some(role::named(&store, name).await?.id),
            None => None,
        };
        let filter = UserFilter {
            email: self.email.clone(),
            role_id,
            ..UserFilter::default()
        };
        let mut people = Vec::new();
        let mut page = PageRequest {
            size: PageRequest::LARGEST_SIZE,
            after: None,
        };
        loop {
            let found = users::list(&store, filter.clone(), page.clone()).await?;
            people.extend(found.entries);
            page.after = found.next;
            if page.after.is_none() {
                break;
            }
        }
        store.close().await;
        if self.json {
            return output::json(&Value::Array(people.iter().map(document).collect()));
        }
        let lines: Vec<String> = people.iter().map(line).collect();
        output::result(&lines.join("\n"))
    }
}

/// An account as the commands print it.
pub(super) fn document(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "user_type": user.user_type.as_str(),
        "role": user.role.as_ref().map(|role| &role.name),
        "fhir_user": user.fhir_user,
        "practitioner_id": user.practitioner_id,
        "organization_id": user.organization_id,
        "active": user.is_active(),
    })
}

fn line(user: &User) -> String {
    let role = user.role.as_ref().map_or("no role", |role| role.name.as_str());
    let state = if user.is_active() { "" } else { ", deactivated" };
    format!("{}  {}  {} ({role}{state})", user.id, user.email, user.name)
}
