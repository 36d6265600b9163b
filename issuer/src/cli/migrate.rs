//! `wardgate migrate`: from the schema of an older program to that of this one.
//!
//! Every command that opens the database does it by itself. This one does nothing else, and with `--dry-run` tries it on a copy.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use wardgate_shared::time::Timestamp;

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::instant;
use crate::keys::MasterKey;
use crate::store::{Upgrade, check_integrity};

use super::backup::try_out;
use super::{Failure, opened, output};

const EXAMPLES: &str = "\
Examples:
  wardgate migrate --dry-run      # beside the running server of the older version
  wardgate migrate                # after it was stopped; keeps the database of before beside the new one";

/// Arguments of `migrate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Migrate {
    /// Say which migrations would run, run them on a copy, check it, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Keep no copy of the database as it was
    #[arg(long, conflicts_with = "dry_run")]
    no_snapshot: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

impl Migrate {
    pub(super) async fn run(&self, config: &Config, clock: &dyn Clock) -> Result<(), Failure> {
        opened::see_that_there_is_a_database(config)?;
        // Without it the server could not start afterwards.
        MasterKey::load(&config.keys.master_key)?;
        let database = &config.database.path;
        let Some(upgrade) = Upgrade::needed(database)? else {
            if self.json {
                return output::json(&json!({ "migrations": [] }));
            }
            return output::result(&format!(
                "the database {} has the schema of this program: there is nothing to do",
                database.display()
            ));
        };
        if self.dry_run {
            return self.try_it(config, &upgrade, clock).await;
        }
        let start = clock.now();
        let kept = run(&upgrade, !self.no_snapshot, start)?;
        let seconds = clock.now().since(start);
        if self.json {
            return output::json(&json!({
                "from": upgrade.from(),
                "to": upgrade.to(),
                "migrations": upgrade.steps(),
                "seconds": seconds,
                "database_of_before": kept.map(|path| path.display().to_string()),
            }));
        }
        output::result(&format!(
            "{} in {}",
            done(database, &upgrade, kept.as_deref()),
            lasted(seconds)
        ))
    }

    async fn try_it(&self, config: &Config, upgrade: &Upgrade, clock: &dyn Clock) -> Result<(), Failure> {
        let trial = upgrade.trial()?;
        let start = clock.now();
        let found = try_out(config, trial.path(), true, start).await?;
        let seconds = clock.now().since(start);
        check_integrity(trial.path())?;
        let (from, to, steps) = (upgrade.from(), upgrade.to(), upgrade.steps());
        if self.json {
            return output::json(&json!({
                "from": from,
                "to": to,
                "migrations": steps,
                "seconds": seconds,
                "users": found.people,
                "clients": found.clients,
                "audit_lines": found.audit_lines,
            }));
        }
        output::result(&format!(
            "{} migrations lead from schema version {from} to {to}: {}",
            steps.len(),
            steps.join(", ")
        ))?;
        output::result(&format!(
            "on a copy they took {}; it is sound, and holds {} people, {} clients, {} audit lines; the database was not changed",
            lasted(seconds),
            found.people,
            found.clients,
            found.audit_lines
        ))
    }
}

/// Brings the database, which exists, up to date if it is of an older program, and says so: to the log of a server, else to
/// standard error.
///
/// # Errors
/// [`Failure::Open`] or [`Failure::Backup`]; the database is as it was.
pub(super) fn before_opening(config: &Config, now: Timestamp) -> Result<(), Failure> {
    let database = &config.database.path;
    if let Some(upgrade) = Upgrade::needed(database)? {
        let kept = run(&upgrade, true, now)?;
        let done = done(database, &upgrade, kept.as_deref());
        if tracing::dispatcher::has_been_set() {
            tracing::info!("{done}");
        } else {
            output::remark(&done);
        }
    }
    Ok(())
}

/// Takes a copy if it is wanted, then all steps. Gives the copy.
fn run(upgrade: &Upgrade, snapshot: bool, now: Timestamp) -> Result<Option<PathBuf>, Failure> {
    let others = upgrade.keep_others_out()?;
    let moment = instant::rfc3339(now).replace([':', '-'], "");
    let kept = snapshot.then(|| upgrade.snapshot(&moment)).transpose()?;
    upgrade.run(now)?;
    drop(others);
    Ok(kept)
}

fn done(database: &Path, upgrade: &Upgrade, kept: Option<&Path>) -> String {
    let kept = kept.map_or_else(String::new, |kept| {
        format!("; the database of before is kept as {}", kept.display())
    });
    format!(
        "brought the database {} from schema version {} to {}{kept}",
        database.display(),
        upgrade.from(),
        upgrade.to()
    )
}

/// A time of whole seconds, as people read it.
fn lasted(seconds: i64) -> String {
    if seconds < 1 {
        String::from("less than a second")
    } else {
        format!("{seconds} s")
    }
}
