//! `wardgate user sign-out` and `wardgate user deactivate`: a person's sessions end wherever they are signed in; and
//! `wardgate user reactivate`. `wardgate user reset-factors`: their second factors end.
//!
//! The clients of those sessions hear of it from the running issuer, which finds in the database what is queued here.

use clap::Args;
use serde_json::json;
use wardgate_shared::time::Timestamp;

use crate::administration::{Actor, factors, users};
use crate::cli::{Failure, opened, output};
use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::user::{User, normalize_email};
use crate::keys::MasterKey;
use crate::notices::Notices;
use crate::store::Store;

/// Whose account it is about.
#[derive(Debug, Args)]
pub(in crate::cli) struct Account {
    /// The address they sign in with
    #[arg(long)]
    email: String,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Account {
    async fn find(&self, store: &Store) -> Result<User, Failure> {
        let email = normalize_email(&self.email);
        let user = store.user_by_email(&email).await?;
        user.ok_or_else(|| Failure::NotFound(format!("there is no account for {email}")))
    }

    fn audit(action: AuditAction, user: &User, now: Timestamp) -> AuditEvent {
        AuditEvent::new(now, action, AuditOutcome::Success)
            .with_user(&*user.id)
            .with_method("cli")
    }
}

/// Arguments of `user sign-out`.
#[derive(Debug, Args)]
pub(in crate::cli) struct SignOutUser {
    #[command(flatten)]
    account: Account,
}

impl SignOutUser {
    pub(in crate::cli) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let user = self.account.find(&store).await?;
        let audit = Account::audit(AuditAction::SignOut, &user, now);
        let sessions = store.end_sessions_of(&user.id, audit).await?;
        store.close().await;
        if self.account.json {
            return output::json(&json!({ "id": user.id, "email": user.email, "sessions_ended": sessions }));
        }
        output::result(&format!("ended {sessions} sessions of {}", user.email))
    }
}

/// Arguments of `user deactivate`.
#[derive(Debug, Args)]
pub(in crate::cli) struct DeactivateUser {
    #[command(flatten)]
    account: Account,
}

impl DeactivateUser {
    pub(in crate::cli) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let user = self.account.find(&store).await?;
        let deactivated = users::deactivate(&store, &Actor::operator(), &user.id, now).await?;
        store.close().await;
        if self.account.json {
            return output::json(&json!({ "id": user.id, "email": user.email, "deactivated": deactivated }));
        }
        output::result(&if deactivated {
            format!("deactivated the account of {}", user.email)
        } else {
            format!("the account of {} was deactivated already", user.email)
        })
    }
}

/// Arguments of `user reactivate`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReactivateUser {
    #[command(flatten)]
    account: Account,
}

impl ReactivateUser {
    pub(in crate::cli) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let user = self.account.find(&store).await?;
        let reactivated = users::reactivate(&store, &Actor::operator(), &user.id, now).await?;
        store.close().await;
        if self.account.json {
            return output::json(&json!({ "id": user.id, "email": user.email, "reactivated": reactivated }));
        }
        output::result(&if reactivated {
            format!("opened the account of {} again", user.email)
        } else {
            format!("the account of {} is open", user.email)
        })
    }
}

/// Arguments of `user reset-factors`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ResetFactors {
    #[command(flatten)]
    account: Account,
}

impl ResetFactors {
    pub(in crate::cli) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let user = self.account.find(&store).await?;
        let sealer = MasterKey::load(&config.keys.master_key)?.sealer();
        let notices = Notices::new(config, &sealer);
        let factors = factors::reset(&store, notices, &Actor::operator(), &user.id, now).await?;
        store.close().await;
        if self.account.json {
            return output::json(&json!({ "id": user.id, "email": user.email, "factors_ended": factors }));
        }
        output::result(&format!(
            "ended {factors} second factors of {}, who can set up new ones with their password alone",
            user.email
        ))
    }
}

#[cfg(test)]
mod tests;
