//! `wardgate user set-profile`, and the profile of a new account.

use std::path::{Path, PathBuf};

use clap::Args;
use wardgate_shared::time::Timestamp;

use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::user::{Profile, normalize_email};

use super::super::{Failure, opened, output};

/// Arguments of `user set-profile`.
#[derive(Debug, Args)]
pub(in super::super) struct SetProfile {
    /// The address they sign in with
    #[arg(long)]
    email: String,
    /// A JSON file with what is known of them, in the words of OpenID Connect Core section 5.1; it replaces what was known
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
}

impl SetProfile {
    pub(in super::super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let profile = read(Some(&self.profile), now).map_err(Failure::Usage)?;
        let email = normalize_email(&self.email);
        let store = opened::store(config, now)?;
        let not_found = || Failure::NotFound(format!("there is no account for {email}"));
        let user = store.user_by_email(&email).await?.ok_or_else(not_found)?;
        let audit = AuditEvent::new(now, AuditAction::UserChange, AuditOutcome::Success)
            .with_user(&user.id)
            .with_method("cli");
        let found = store.set_profile(&user.id, profile, audit).await?;
        store.close().await;
        if found {
            output::result(&format!("set the profile of {} ({email})", user.id))
        } else {
            Err(not_found())
        }
    }
}

/// The profile in the JSON file at `path`, last changed now unless it says otherwise, or what is wrong with it. Without a
/// file nothing is known but that.
pub(super) fn read(path: Option<&Path>, now: Timestamp) -> Result<Profile, String> {
    let mut profile = match path {
        None => Profile::default(),
        Some(path) => {
            let text = std::fs::read(path)
                .map_err(|error| format!("--profile {} cannot be read: {error}", path.display()))?;
            Profile::parse(&text, now).map_err(|error| format!("--profile {}: {error}", path.display()))?
        }
    };
    profile.updated_at.get_or_insert(now.seconds());
    Ok(profile)
}
