//! `wardgate organization`: whom people act for.

use clap::Args;
use serde_json::{Value, json};
use wardgate_shared::time::Timestamp;

use crate::administration::Actor;
use crate::administration::organizations::{self, OrganizationRequest};
use crate::config::Config;
use crate::domain::organization::Organization;
use crate::domain::page::PageRequest;

use super::{Failure, opened, output};

/// Arguments of `organization list`.
#[derive(Debug, Args)]
pub(super) struct ListOrganizations {
    /// Print the organizations as JSON
    #[arg(long)]
    json: bool,
}

impl ListOrganizations {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let mut found = Vec::new();
        let mut page = PageRequest {
            size: PageRequest::LARGEST_SIZE,
            after: None,
        };
        loop {
            let entries = organizations::list(&store, None, page.clone()).await?;
            found.extend(entries.entries);
            page.after = entries.next;
            if page.after.is_none() {
                break;
            }
        }
        store.close().await;
        if self.json {
            return output::json(&Value::Array(found.iter().map(document).collect()));
        }
        let lines: Vec<String> = found.iter().map(line).collect();
        output::result(&lines.join("\n"))
    }
}

/// Arguments of `organization add`.
#[derive(Debug, Args)]
pub(super) struct AddOrganization {
    /// The value of the claim organization_id
    #[arg(long)]
    id: String,
    /// What it is called
    #[arg(long)]
    name: String,
    /// Whether its people must have a second factor (required) or may (offered)
    #[arg(long, value_name = "POLICY", default_value = "offered")]
    second_factor: String,
    /// Print the organization as JSON
    #[arg(long)]
    json: bool,
}

impl AddOrganization {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let request = OrganizationRequest {
            id: Some(self.id.clone()),
            name: Some(self.name.clone()),
            second_factor: Some(self.second_factor.clone()),
        };
        let store = opened::store(config, now)?;
        let organization = organizations::create(&store, &Actor::operator(), &request, now).await?;
        store.close().await;
        if self.json {
            return output::json(&document(&organization));
        }
        output::result(&format!(
            "entered the organization {} ({})",
            organization.name, organization.id
        ))
    }
}

fn document(organization: &Organization) -> Value {
    json!({
        "id": organization.id,
        "name": organization.name,
        "second_factor": organization.second_factor.as_str(),
    })
}

fn line(organization: &Organization) -> String {
    let policy = organization.second_factor.as_str();
    format!(
        "{}  {} (second factor {policy})",
        organization.id, organization.name
    )
}
