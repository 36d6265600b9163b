//! `wardgate role`: what people can be granted at most.

use clap::Args;
use serde_json::{Value, json};
use wardgate_shared::time::Timestamp;

use crate::administration::Actor;
use crate::administration::roles::{self, RoleRequest};
use crate::config::Config;
use crate::domain::role::Role;

use super::user::role::named;
use super::{Failure, opened, output};

/// Arguments of `role list`.
#[derive(Debug, Args)]
pub(super) struct ListRoles {
    /// Print the roles as JSON
    #[arg(long)]
    json: bool,
}

impl ListRoles {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let roles = store.roles().await?;
        store.close().await;
        if self.json {
            return output::json(&Value::Array(roles.iter().map(document).collect()));
        }
        let lines: Vec<String> = roles.iter().map(line).collect();
        output::result(&lines.join("\n"))
    }
}

/// Arguments of `role add`.
#[derive(Debug, Args)]
pub(super) struct AddRole {
    /// What it is called
    #[arg(long)]
    name: String,
    /// The most that its people can be granted: scopes, separated by spaces
    #[arg(long)]
    scope: String,
    /// Whether its people must have a second factor (required) or may (offered)
    #[arg(long, value_name = "POLICY", default_value = "offered")]
    second_factor: String,
    /// Print the role as JSON
    #[arg(long)]
    json: bool,
}

impl AddRole {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let request = RoleRequest {
            name: Some(self.name.clone()),
            scope: Some(self.scope.clone()),
            second_factor: Some(self.second_factor.clone()),
        };
        let store = opened::store(config, now)?;
        let role = roles::create(&store, &Actor::operator(), &request, now).await?;
        store.close().await;
        said("made", &role, self.json)
    }
}

/// Arguments of `role change`.
#[derive(Debug, Args)]
pub(super) struct ChangeRole {
    /// What it is called
    #[arg(long)]
    name: String,
    /// What it is to be called
    #[arg(long, value_name = "NAME")]
    new_name: Option<String>,
    /// The most that its people can be granted: scopes, separated by spaces
    #[arg(long)]
    scope: Option<String>,
    /// Whether its people must have a second factor (required) or may (offered)
    #[arg(long, value_name = "POLICY")]
    second_factor: Option<String>,
    /// Print the role as JSON
    #[arg(long)]
    json: bool,
}

impl ChangeRole {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let request = RoleRequest {
            name: self.new_name.clone(),
            scope: self.scope.clone(),
            second_factor: self.second_factor.clone(),
        };
        let store = opened::store(config, now)?;
        let role = named(&store, &self.name).await?;
        let role = roles::change(&store, &Actor::operator(), &role.id, &request, now).await?;
        store.close().await;
        said("changed", &role, self.json)
    }
}

/// Arguments of `role remove`.
#[derive(Debug, Args)]
pub(super) struct RemoveRole {
    /// What it is called
    #[arg(long)]
    name: String,
}

impl RemoveRole {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let role = named(&store, &self.name).await?;
        roles::remove(&store, &Actor::operator(), &role.id, now).await?;
        store.close().await;
        output::result(&format!("removed the role {}", role.name))
    }
}

fn said(done: &str, role: &Role, as_json: bool) -> Result<(), Failure> {
    if as_json {
        output::json(&document(role))
    } else {
        output::result(&format!("{done} the role {} ({})", role.name, role.id))
    }
}

fn document(role: &Role) -> Value {
    json!({
        "id": role.id,
        "name": role.name,
        "built_in": role.built_in,
        "scope": role.ceiling.as_ref().map(ToString::to_string),
        "second_factor": role.second_factor.as_str(),
    })
}

fn line(role: &Role) -> String {
    let ceiling = role.ceiling.as_ref();
    let ceiling = ceiling.map_or_else(|| String::from("no ceiling"), ToString::to_string);
    format!(
        "{}  {} (second factor {}): {ceiling}",
        role.id,
        role.name,
        role.second_factor.as_str()
    )
}
