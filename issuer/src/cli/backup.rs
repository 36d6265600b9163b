//! `wardgate backup` and `wardgate restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use wardgate_shared::time::Timestamp;

use crate::config::{Config, DatabaseConfig};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::instant;
use crate::keys::{KeyRing, MasterKey};
use crate::store::{Store, Trial};

use super::{Failure, opened, output};

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let line = AuditEvent::new(now, AuditAction::Backup, AuditOutcome::Success).with_method("cli");
        store.record(line).await?;
        let written = store.back_up(self.to.clone()).await;
        if written.is_err() {
            // Said before it was begun, so that no copy is without its line; now it is said that there is none.
            let line = AuditEvent::new(now, AuditAction::Backup, AuditOutcome::Failure).with_method("cli");
            store.record(line).await?;
        }
        store.close().await;
        written?;
        let bytes = std::fs::metadata(&self.to).map_or(0, |file| file.len());
        if self.json {
            return output::json(&json!({ "file": self.to.display().to_string(), "bytes": bytes }));
        }
        output::result(&format!(
            "wrote {} ({bytes} bytes); it is of use only with the master key, which is kept elsewhere",
            self.to.display()
        ))
    }
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Only say whether it can be restored: by this program, with this master key, sound and with an audit trail that is whole
    #[arg(long)]
    check: bool,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

/// What a backup was found to hold.
pub(super) struct Found {
    pub(super) people: i64,
    pub(super) clients: i64,
    pub(super) audit_lines: u64,
    newest: Option<Timestamp>,
}

impl Restore {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        if !self.from.exists() {
            return Err(Failure::NotFound(format!(
                "there is no file {}",
                self.from.display()
            )));
        }
        let trial = Trial::of(&self.from, &config.database.path)?;
        let found = try_out(config, trial.path(), self.check, now).await?;
        let kept = if self.check {
            None
        } else {
            let name = instant::rfc3339(now).replace([':', '-'], "");
            trial.put_in_place(&format!("before-{name}"))?
        };
        if self.json {
            return output::json(&json!({
                "restored": !self.check,
                "users": found.people,
                "clients": found.clients,
                "audit_lines": found.audit_lines,
                "newest_audit_line": found.newest.map(instant::rfc3339),
                "database_of_before": kept.map(|path| path.display().to_string()),
            }));
        }
        let done = if self.check {
            "can be restored"
        } else {
            "was restored"
        };
        let newest = found.newest.map_or_else(String::new, |newest| {
            format!(
                "; the newest line of its audit trail is of {}",
                instant::rfc3339(newest)
            )
        });
        output::result(&format!(
            "{} {done}: {} people, {} clients, {} audit lines{newest}",
            self.from.display(),
            found.people,
            found.clients,
            found.audit_lines
        ))?;
        match kept {
            Some(kept) => output::result(&format!("the database of before is kept as {}", kept.display())),
            None => Ok(()),
        }
    }
}

/// Opens the copy as a server would: brings its schema up to date, unseals its keys and checks its audit trail.
pub(super) async fn try_out(
    config: &Config,
    copy: &Path,
    is_check: bool,
    now: Timestamp,
) -> Result<Found, Failure> {
    let master_key = MasterKey::load(&config.keys.master_key)?;
    let database = DatabaseConfig {
        path: copy.to_owned(),
        readers: 1,
    };
    let store = Store::open(&database, &master_key.sealer(), now)?;
    let outcome = async {
        KeyRing::load(&store, master_key, config).await?;
        let report = store.verify_audit_events(None, |_| {}).await?;
        if let Some(fault) = report.faults.first() {
            return Err(Failure::Damaged(format!(
                "the audit trail of the backup is not whole: {fault}"
            )));
        }
        let numbers = store.numbers(0, now).await?;
        let newest = store.audit_events(1).await?.first().map(|line| line.at);
        if !is_check {
            let line =
                AuditEvent::new(now, AuditAction::Restoration, AuditOutcome::Success).with_method("cli");
            store.record(line).await?;
        }
        Ok(Found {
            people: numbers.active_users.saturating_add(numbers.deactivated_users),
            clients: numbers.clients,
            audit_lines: report.lines,
            newest,
        })
    };
    let found = outcome.await;
    store.close().await;
    found
}

#[cfg(test)]
mod tests;
