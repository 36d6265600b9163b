//! `wardgate user allow-local-sign-in`: who may sign in with a password on the day their identity provider is away.

use clap::Args;
use wardgate_shared::time::Timestamp;

use crate::cli::{Failure, opened, output};
use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::user::normalize_email;

/// Arguments of `user allow-local-sign-in`.
#[derive(Debug, Args)]
pub(in crate::cli) struct AllowLocalSignIn {
    /// The address they sign in with
    #[arg(long)]
    email: String,
    /// Take the permission back
    #[arg(long)]
    revoke: bool,
}

impl AllowLocalSignIn {
    pub(in crate::cli) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let email = normalize_email(&self.email);
        let user = store.user_by_email(&email).await?;
        let user = user.ok_or_else(|| Failure::NotFound(format!("there is no account for {email}")))?;
        let audit = AuditEvent::new(now, AuditAction::UserChange, AuditOutcome::Success)
            .with_user(&*user.id)
            .with_method("cli")
            .with_reason(if self.revoke {
                "local_sign_in_revoked"
            } else {
                "local_sign_in_allowed"
            });
        store.set_local_sign_in(&user.id, !self.revoke, audit).await?;
        store.close().await;
        output::result(&if self.revoke {
            format!("{email} signs in as their organization does")
        } else {
            format!(
                "{email} may sign in with a password at {}, whatever connection their domain has",
                config.server.public_url.join("/login?local=1")
            )
        })
    }
}
