//! `wardgate keys rotate-master`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use wardgate_shared::time::Timestamp;

use crate::administration::Actor;
use crate::config::{Config, MasterKeySource};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::keys::{MasterKey, Sealers};
use crate::store::{OpenError, SealedCount, Store};

use super::{Failure, migrate, opened, output};

/// Arguments of `keys rotate-master`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every secret in the database is sealed anew, all of them or none: whatever interrupts this, the database is whole under one of the
two keys, and the same command tells which. The server has to be stopped for it. Afterwards the configuration names the new key.
Keep the old one as long as you keep backups from before: they are sealed under it (docs/keys.md).

Signing keys, accounts, second factors, sessions and tokens stay as they are; sign-ins that are under way begin again.

Example:
  systemctl stop wardgate
  wardgate keys rotate-master --to /etc/wardgate/master-2027.key")]
pub(super) struct RotateMasterKey {
    /// The file of the new master key; it is made unless it is there
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

impl RotateMasterKey {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        opened::see_that_there_is_a_database(config)?;
        let old = MasterKey::load(&config.keys.master_key)?;
        migrate::before_opening(config, now)?;
        let store = match Store::open_alone(&config.database, &old.sealer(), now) {
            Ok(store) => store,
            Err(error @ OpenError::MasterKey) => return self.see_whether_it_was_done(config, error, now),
            Err(error) => return Err(error.into()),
        };
        let done = self.reseal(&store, &old, now).await;
        store.close().await;
        self.say(config, &done?)
    }

    async fn reseal(
        &self,
        store: &Store,
        old: &MasterKey,
        now: Timestamp,
    ) -> Result<Vec<SealedCount>, Failure> {
        let there = self.load_new()?;
        if there.as_ref().is_some_and(|new| new.is_same_as(old)) {
            return Err(Failure::Usage(format!(
                "--to {} holds the master key that is configured: name a file that does not exist, for a new one",
                self.to.display()
            )));
        }
        let broken = store.broken_seals(Sealers::of(old)).await?;
        if !broken.is_empty() {
            return Err(Failure::Damaged(format!(
                "nothing was changed, since this does not open with the configured master key: {}",
                broken.join(", ")
            )));
        }
        let new = match there {
            Some(new) => new,
            None => MasterKey::create(&self.to)?,
        };
        let audit = Actor::operator().audit(AuditAction::MasterKeyRotation, AuditOutcome::Success, now);
        Ok(store.reseal(Sealers::of(old), Sealers::of(&new), audit).await?)
    }

    /// A database that does not open may be sealed under the new key already, and the configuration does not say so yet.
    fn see_whether_it_was_done(
        &self,
        config: &Config,
        error: OpenError,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let new = self.load_new()?;
        if new.is_some_and(|new| Store::open(&config.database, &new.sealer(), now).is_ok()) {
            return self.say(config, &[]);
        }
        Err(error.into())
    }

    /// The new key, if its file is there.
    fn load_new(&self) -> Result<Option<MasterKey>, Failure> {
        if !self.to.exists() {
            return Ok(None);
        }
        Ok(Some(MasterKey::load(&MasterKeySource::File(self.to.clone()))?))
    }

    /// What was done; nothing, when it was done before.
    fn say(&self, config: &Config, done: &[SealedCount]) -> Result<(), Failure> {
        if self.json {
            let sealed = done
                .iter()
                .map(|count| (count.called.1.to_owned(), json!(count.rows)));
            return output::json(&json!({
                "master_key_file": self.to.display().to_string(),
                "sealed": sealed.collect::<serde_json::Map<_, _>>(),
            }));
        }
        let file = self.to.display();
        if done.is_empty() {
            output::result(&format!("the database is sealed under {file} already"))?;
        } else {
            let parts: Vec<String> = done
                .iter()
                .filter(|count| count.rows > 0)
                .map(|count| match count.rows {
                    1 => format!("1 {}", count.called.0),
                    rows => format!("{rows} {}", count.called.1),
                })
                .collect();
            output::result(&format!("sealed under {file}: {}", parts.join(", ")))?;
        }
        let next = match &config.keys.master_key {
            MasterKeySource::File(old) => format!(
                "now put it where {} is, or set keys.master_key_file, and start the server; keep the old key with the backups \
                 that were made before",
                old.display()
            ),
            MasterKeySource::Value(_) => String::from(
                "now set keys.master_key to what the file holds and start the server; keep the old key with the backups that \
                 were made before",
            ),
        };
        output::result(&next)
    }
}
