//! `wardgate keys list`, `keys rotate` and `keys revoke`.

use clap::Args;
use serde_json::json;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

use crate::administration::Actor;
use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::instant;
use crate::domain::signing_key::{Phase, StoredSigningKey};

use super::{Failure, opened, output};

/// Arguments of `keys list`.
#[derive(Debug, Args)]
pub(super) struct ListKeys {
    /// Print the keys as JSON
    #[arg(long)]
    json: bool,
}

impl ListKeys {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let (store, keys) = opened::store_and_keys(config, now).await?;
        let lives = keys.lives();
        store.close().await;
        if self.json {
            return output::json(&lives.iter().map(|life| describe(life, now)).collect());
        }
        if lives.is_empty() {
            return output::result("there is no signing key: run `wardgate init`");
        }
        for life in lives {
            output::result(&format!(
                "{}  {}  {}",
                life.key_id,
                life.algorithm,
                Phase::of(&life, now).as_str()
            ))?;
            output::result(&format!(
                "  signs from {}{}",
                instant::rfc3339(life.signs_from),
                until(life.signs_until)
            ))?;
            output::result(&format!(
                "  published from {}{}",
                instant::rfc3339(life.created_at),
                until(life.published_until)
            ))?;
        }
        for algorithm in keys.algorithms() {
            if let Some(due) = keys.successor_due(algorithm) {
                output::result(&format!(
                    "the next {algorithm} key is made on {}",
                    instant::rfc3339(due)
                ))?;
            }
        }
        Ok(())
    }
}

/// Arguments of `keys rotate`.
#[derive(Debug, Args)]
pub(super) struct RotateKeys {
    /// Whose key to replace: the configured algorithm (the default), or one that signs ID tokens
    #[arg(long, value_name = "ALGORITHM")]
    algorithm: Option<String>,
    /// Print the new key as JSON
    #[arg(long)]
    json: bool,
}

impl RotateKeys {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let (store, keys) = opened::store_and_keys(config, now).await?;
        let algorithm = keys.algorithm_in_use(self.algorithm.as_deref()).ok_or_else(|| {
            let used: Vec<&str> = keys
                .algorithms()
                .into_iter()
                .map(SignatureAlgorithm::name)
                .collect();
            Failure::Usage(format!(
                "--algorithm {} is not in use: the issuer signs with {}",
                self.algorithm.as_deref().unwrap_or_default(),
                used.join(", ")
            ))
        })?;
        let audit = Actor::operator().audit(AuditAction::KeyRotation, AuditOutcome::Success, now);
        let life = keys.rotate(&store, algorithm, audit).await?;
        store.close().await;
        if self.json {
            return output::json(&describe(&life, now));
        }
        output::result(&format!(
            "made the {algorithm} signing key {}: published now, signs from {}",
            life.key_id,
            instant::rfc3339(life.signs_from)
        ))
    }
}

/// Arguments of `keys revoke`.
#[derive(Debug, Args)]
#[command(after_help = "\
For a key that somebody else may know. It leaves the published keys at once, another one signs, and every edge location refuses
what it signed within the time that status lists take (docs/revocation.md). People and applications stay signed in: refresh
tokens and sessions are no signatures. Access tokens that the key signed are over, and applications ask for new ones.

Example:
  wardgate keys list
  wardgate keys revoke gH0fYb1l…")]
pub(super) struct RevokeKey {
    /// The `kid` of the key, as `keys list` shows it
    key_id: String,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

impl RevokeKey {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let (store, keys) = opened::store_and_keys(config, now).await?;
        let audit = Actor::operator().audit(AuditAction::KeyRevocation, AuditOutcome::Success, now);
        let revoked = keys.revoke(&store, &self.key_id, audit).await;
        store.close().await;
        let Some(successor) = revoked? else {
            return Err(Failure::NotFound(format!(
                "there is no published signing key {}: `wardgate keys list` shows them",
                self.key_id
            )));
        };
        if self.json {
            return output::json(&json!({ "revoked": self.key_id, "successor": successor }));
        }
        output::result(&format!(
            "revoked the signing key {}: what it signed is refused",
            self.key_id
        ))?;
        successor.map_or(Ok(()), |successor| {
            output::result(&format!("the key {successor} takes its place"))
        })
    }
}

fn describe(life: &StoredSigningKey, now: Timestamp) -> serde_json::Value {
    json!({
        "kid": life.key_id,
        "alg": life.algorithm.name(),
        "phase": Phase::of(life, now).as_str(),
        "created_at": instant::rfc3339(life.created_at),
        "signs_from": instant::rfc3339(life.signs_from),
        "signs_until": life.signs_until.map(instant::rfc3339),
        "published_until": life.published_until.map(instant::rfc3339),
    })
}

fn until(instant: Option<Timestamp>) -> String {
    instant.map_or_else(String::new, |instant| {
        format!(" until {}", instant::rfc3339(instant))
    })
}
