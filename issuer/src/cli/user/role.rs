//! The role that a command names.

use crate::cli::Failure;
use crate::domain::role::Role;
use crate::store::Store;

/// The role of this name. When there is none, the failure says which there are.
pub(in crate::cli) async fn named(store: &Store, name: &str) -> Result<Role, Failure> {
    if let Some(role) = store.role_by_name(name).await? {
        return Ok(role);
    }
    let roles = store.roles().await?;
    let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
    Err(Failure::NotFound(format!(
        "there is no role {name:?}; there are {}",
        names.join(", ")
    )))
}
