//! `wardgate api-key add`, `list`, `rotate` and `revoke`: credentials of integrations that act for themselves, as
//! `/v1/api-keys` has them. The operator at the machine may give every scope that a key can have.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::administration::Actor;
use crate::administration::api_keys::{self as service, ApiKeyError, LONGEST_OVERLAP_SECONDS, NewApiKey};
use crate::config::Config;
use crate::domain::api_key::ApiKey;
use crate::domain::instant;

use super::{Failure, opened, output};

const EXAMPLES: &str = "\
Example:
  A key for a nightly export, good until the end of the year:
    wardgate api-key add --name \"Nightly export\" --scope \"system/*.rs\" --expires-at 2027-12-31T23:59:59Z

The key goes into the header X-API-Key of a request, the secret into X-API-Secret.";

/// How many keys are read at a time.
const PAGE: usize = 200;

/// The commands about API keys.
#[derive(Debug, Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Make a key; its secret is shown once
    Add(AddApiKey),
    /// List the keys, without their secrets
    List(ListApiKeys),
    /// Give a key a new secret, which is shown once
    Rotate(RotateApiKey),
    /// End a key; every token that it was exchanged for ends with it
    Revoke(RevokeApiKey),
}

impl ApiKeyCommand {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(config, now).await,
            Self::List(command) => command.run(config, now).await,
            Self::Rotate(command) => command.run(config, now).await,
            Self::Revoke(command) => command.run(config, now).await,
        }
    }
}

/// Arguments of `api-key add`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AddApiKey {
    /// What the key is for, to know it by
    #[arg(long)]
    name: String,
    /// What it may do, separated by spaces; scopes that need a person are left out
    #[arg(long)]
    scope: String,
    /// From when on it is of no use, as 2027-12-31T23:59:59Z; never, by default
    #[arg(long, value_name = "INSTANT")]
    expires_at: Option<String>,
    /// Print the key as JSON
    #[arg(long)]
    json: bool,
}

impl AddApiKey {
    async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let new = self.read().map_err(Failure::Usage)?;
        let state = opened::state(config, now).await?;
        let made = service::create(&state, &Actor::operator(), new).await;
        state.store().close().await;
        let made = made.map_err(refused)?;
        let left_out: Vec<String> = made.left_out.iter().map(ToString::to_string).collect();
        if self.json {
            let mut document = with_secret(&made.key, &made.secret, now);
            if let Some(members) = document.as_object_mut() {
                members.insert("left_out_scopes".into(), left_out.into());
            }
            return output::json(&document);
        }
        if !left_out.is_empty() {
            output::remark(&format!(
                "left out, since no API key can have it: {}",
                left_out.join(" ")
            ));
        }
        output::result(&format!("made the API key {}", made.key.id))?;
        say_secret(&made.key, &made.secret)
    }

    /// What is asked for, or what is wrong with the arguments.
    fn read(&self) -> Result<NewApiKey, String> {
        let scope = ScopeSet::parse(&self.scope).map_err(|error| format!("--scope: {error}"))?;
        let expires_at = match &self.expires_at {
            None => None,
            Some(text) => Some(instant::parse(text).ok_or_else(|| {
                String::from("--expires-at must be an instant as RFC 3339 writes it: 2027-12-31T23:59:59Z")
            })?),
        };
        Ok(NewApiKey {
            name: self.name.clone(),
            scope,
            expires_at,
        })
    }
}

/// Arguments of `api-key list`.
#[derive(Debug, Args)]
pub(super) struct ListApiKeys {
    /// Print the keys as JSON
    #[arg(long)]
    json: bool,
}

impl ListApiKeys {
    async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let mut keys: Vec<ApiKey> = Vec::new();
        loop {
            let after = keys.last().map(|key| key.id.clone());
            let page = store.api_keys(after.as_deref(), PAGE).await?;
            if page.is_empty() {
                break;
            }
            keys.extend(page);
        }
        store.close().await;
        if self.json {
            return output::json(&keys.iter().map(|key| describe(key, now)).collect());
        }
        if keys.is_empty() {
            return output::result("there is no API key: see `wardgate api-key add --help`");
        }
        for key in keys {
            let end = match key.expires_at {
                Some(end) => format!("until {}", instant::rfc3339(end)),
                None => String::from("without an end"),
            };
            let used = match key.last_used_at {
                Some(at) => format!("last used {}", instant::rfc3339(at)),
                None => String::from("never used"),
            };
            output::result(&format!(
                "{}  {}  {}\n  key: {}\n  {end}, {used}\n  scope: {}",
                key.id,
                key.state(now).as_str(),
                key.name,
                key.key,
                key.scope
            ))?;
        }
        Ok(())
    }
}

/// Arguments of `api-key rotate`.
#[derive(Debug, Args)]
pub(super) struct RotateApiKey {
    /// The key's id, as `list` shows it
    id: String,
    /// For how many seconds more the present secret is taken, so that an integration can change over
    #[arg(long, value_name = "SECONDS", default_value_t = 0,
          value_parser = clap::value_parser!(i64).range(0..=LONGEST_OVERLAP_SECONDS))]
    overlap_seconds: i64,
    /// Print the key as JSON
    #[arg(long)]
    json: bool,
}

impl RotateApiKey {
    async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let state = opened::state(config, now).await?;
        let rotated = service::rotate(&state, &Actor::operator(), &self.id, self.overlap_seconds).await;
        state.store().close().await;
        let rotated = rotated.map_err(refused)?;
        if self.json {
            return output::json(&with_secret(&rotated.key, &rotated.secret, now));
        }
        let before = match self.overlap_seconds {
            0 => String::from("the one of before is over"),
            seconds => format!("the one of before is taken for {seconds} seconds more"),
        };
        output::result(&format!(
            "gave the API key {} a new secret; {before}",
            rotated.key.id
        ))?;
        say_secret(&rotated.key, &rotated.secret)
    }
}

/// Arguments of `api-key revoke`.
#[derive(Debug, Args)]
pub(super) struct RevokeApiKey {
    /// The key's id, as `list` shows it
    id: String,
}

impl RevokeApiKey {
    async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let state = opened::state(config, now).await?;
        let revoked = service::revoke(&state, &Actor::operator(), &self.id).await;
        state.store().close().await;
        revoked.map_err(refused)?;
        output::result("revoked; the edge refuses its tokens within half a minute")
    }
}

fn say_secret(key: &ApiKey, secret: &Secret<String>) -> Result<(), Failure> {
    output::result(&format!(
        "  key:    {}\n  secret: {}\n  scope:  {}\nThe secret is shown this once and stored only as a hash.",
        key.key,
        secret.expose(),
        key.scope
    ))
}

fn with_secret(key: &ApiKey, secret: &Secret<String>, now: Timestamp) -> Value {
    let mut document = describe(key, now);
    if let Some(members) = document.as_object_mut() {
        members.insert("api_secret".into(), secret.expose().as_str().into());
    }
    document
}

/// A key in the words of `/v1/api-keys`.
fn describe(key: &ApiKey, now: Timestamp) -> Value {
    let previous = key.previous.filter(|previous| now < previous.until);
    json!({
        "id": key.id,
        "api_key": key.key,
        "name": key.name,
        "scopes": key.scope.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "state": key.state(now).as_str(),
        "created_at": instant::rfc3339(key.created_at),
        "expires_at": key.expires_at.map(instant::rfc3339),
        "last_used_at": key.last_used_at.map(instant::rfc3339),
        "previous_secret_until": previous.map(|previous| instant::rfc3339(previous.until)),
    })
}

/// The failure, in the words of the arguments.
fn refused(error: ApiKeyError) -> Failure {
    match error {
        ApiKeyError::Name => Failure::Usage(format!("--name {error}")),
        ApiKeyError::NothingOfScope => {
            Failure::Usage("--scope must hold a scope that an API key can have, such as system/*.rs".into())
        }
        ApiKeyError::ScopeTooLong => Failure::Usage(format!("--scope {error}")),
        ApiKeyError::Expiry => Failure::Usage(format!("--expires-at {error}")),
        ApiKeyError::Overlap => Failure::Usage(format!("--overlap-seconds {error}")),
        ApiKeyError::NotActive | ApiKeyError::NotYours => Failure::Usage(error.to_string()),
        ApiKeyError::NotFound => Failure::NotFound(error.to_string()),
        ApiKeyError::Internal(error) => error.into(),
    }
}
