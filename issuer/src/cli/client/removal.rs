//! `wardgate client remove`: a client is gone, with every grant and token that it had.

use clap::Args;
use wardgate_shared::time::Timestamp;

use crate::cli::{Failure, opened, output};
use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};

/// Arguments of `client remove`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RemoveClient {
    /// The client_id, as `list` shows it
    #[arg(long)]
    client_id: String,
}

impl RemoveClient {
    pub(in crate::cli) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let audit = AuditEvent::new(now, AuditAction::ClientDeletion, AuditOutcome::Success)
            .with_client(&*self.client_id)
            .with_method("cli");
        let removed = store.delete_client(&self.client_id, audit).await?;
        store.close().await;
        if removed {
            output::result(&format!("removed the client {}", self.client_id))
        } else {
            Err(Failure::NotFound(format!(
                "there is no client {}",
                self.client_id
            )))
        }
    }
}
