//! Whether this process should be sent requests: what is checked, and how it is told (the draft health format
//! `application/health+json`, draft-inadarei-api-health-check-06).
//!
//! Each check does what a request would need: a page is written to the disk, a key is there that may sign. The outcome is kept for a
//! second, and whoever asks meanwhile waits for the same outcome, so that probes cannot flood what they look at. No check's outcome
//! holds a path, a name or a secret; causes go to the log.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use wardgate_shared::time::Timestamp;

use crate::domain::instant;
use crate::keys::ID_TOKEN_ALGORITHMS;
use crate::state::AppState;

/// How long a write may take: longer, and requests pile up.
const LONGEST_WRITE: Duration = Duration::from_secs(2);

/// A check and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is checked, as `component:measurement`.
    pub name: &'static str,
    /// What was seen, with its unit.
    pub observed: Option<(u64, &'static str)>,
    /// What is wrong, if anything is.
    pub problem: Option<&'static str>,
}

/// The outcome of all checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    checked_at: Timestamp,
    /// Each of them.
    pub checks: Vec<Check>,
}

impl Health {
    /// Whether requests can be answered.
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.problem.is_none())
    }

    /// Everything, as a document.
    pub fn document(&self) -> Value {
        let status = |is_good: bool| if is_good { "pass" } else { "fail" };
        let time = instant::rfc3339(self.checked_at);
        let mut checks = Map::new();
        for check in &self.checks {
            let mut told = json!({"status": status(check.problem.is_none()), "time": time});
            if let Some((value, unit)) = check.observed {
                set(&mut told, "observedValue", value.into());
                set(&mut told, "observedUnit", unit.into());
            }
            if let Some(problem) = check.problem {
                set(&mut told, "output", problem.into());
            }
            checks.insert(check.name.into(), json!([told]));
        }
        json!({
            "status": status(self.is_ready()),
            "releaseId": env!("CARGO_PKG_VERSION"),
            "description": "Wardgate issuer",
            "checks": checks,
        })
    }
}

fn set(object: &mut Value, member: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(member.into(), value);
    }
}

/// The checks, with their last outcome.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<Arc<Health>>>);

impl Readiness {
    /// The outcome as of this second.
    pub async fn check(&self, state: &AppState) -> Arc<Health> {
        let now = state.now();
        let mut last = self.0.lock().await;
        let health = match &*last {
            Some(health) if health.checked_at == now => Arc::clone(health),
            Some(_) | None => {
                let health = Arc::new(look(state, now).await);
                for check in &health.checks {
                    if let Some(problem) = check.problem {
                        tracing::warn!(check = check.name, problem, "not ready");
                    }
                }
                *last = Some(Arc::clone(&health));
                health
            }
        };
        drop(last);
        // A stop is told at once.
        let mut health = Health::clone(&health);
        health.checks.push(Check {
            name: "process:stopping",
            observed: None,
            problem: state.is_stopping().then_some("the process was told to stop"),
        });
        Arc::new(health)
    }
}

async fn look(state: &AppState, now: Timestamp) -> Health {
    let checks = [
        database(state).await.to_vec(),
        vec![
            disk(state).await,
            keys(state, now),
            queue(state),
            passwords(state),
        ],
    ];
    Health {
        checked_at: now,
        checks: checks.concat(),
    }
}

/// A read, a write to the disk, and that the schema is the one of this program.
async fn database(state: &AppState) -> [Check; 2] {
    let outcome = tokio::time::timeout(LONGEST_WRITE, state.store().check()).await;
    let (write, schema) = match outcome {
        Ok(Ok(true)) => (None, None),
        Ok(Ok(false)) => (
            None,
            Some("the database has the schema of another version of this program"),
        ),
        Ok(Err(error)) => {
            tracing::error!(%error, "the database cannot be written");
            (Some("the database cannot be written"), None)
        }
        Err(_) => (Some("a write took longer than two seconds"), None),
    };
    [
        Check {
            name: "database:write",
            observed: None,
            problem: write,
        },
        Check {
            name: "database:schema",
            observed: None,
            problem: schema,
        },
    ]
}

async fn disk(state: &AppState) -> Check {
    let path = state.config().database.path.clone();
    let free = tokio::task::spawn_blocking(move || free_bytes(&path)).await;
    let free = free.ok().flatten();
    let least = state.config().health.minimum_free_bytes;
    Check {
        name: "disk:free",
        observed: free.map(|bytes| (bytes, "bytes")),
        // What the system does not tell is found out by the write.
        problem: free
            .is_some_and(|bytes| bytes < least)
            .then_some("less is free than health.minimum_free_bytes"),
    }
}

/// What is free for this user where `path` lies, in bytes; `None` when the system does not tell.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(path).ok()?;
    Some(told.f_bavail.saturating_mul(told.f_frsize))
}

/// Every algorithm has a key that may sign. One that was configured lately may still wait, and RS256 signs for it.
fn keys(state: &AppState, now: Timestamp) -> Check {
    let lives = state.keys().lives();
    let all_sign = ID_TOKEN_ALGORITHMS.into_iter().all(|algorithm| {
        lives
            .iter()
            .any(|key| key.algorithm == algorithm && key.may_sign(now))
    });
    Check {
        name: "keys:signing",
        observed: None,
        problem: (!all_sign).then_some("an algorithm has no key that may sign now"),
    }
}

fn queue(state: &AppState) -> Check {
    let (depth, most) = state.store().queue();
    // Above this, writes will soon be turned away.
    let bound = most.saturating_mul(3) / 4;
    Check {
        name: "writer:queue",
        observed: Some((u64::try_from(depth).unwrap_or(u64::MAX), "writes")),
        problem: (depth > bound).then_some("too many writes wait"),
    }
}

fn passwords(state: &AppState) -> Check {
    let waiting = state.passwords().instruments().waiting.get();
    Check {
        name: "argon2:queue",
        observed: Some((u64::try_from(waiting).unwrap_or(0), "computations")),
        problem: state
            .passwords()
            .is_saturated()
            .then_some("too many passwords wait to be checked"),
    }
}

#[cfg(test)]
mod tests;
