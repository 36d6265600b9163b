//! `wardgate client registration-token add`, `list` and `revoke`: who may register clients over the network (RFC 7591
//! section 3, initial access tokens).

use clap::Args;
use serde_json::json;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use crate::config::{Config, RegistrationMode};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::GrantType;
use crate::domain::digest::SecretDigest;
use crate::domain::instant;
use crate::domain::registration::{Ceiling, RegistrationToken};
use crate::rng;
use crate::store::Insertion;
use crate::tokens::opaque::OpaqueSecret;

use super::client::grant_type;
use super::{Failure, opened, output};

const EXAMPLES: &str = "\
Example:
  Let a partner register up to three services in the next week:
    wardgate client registration-token add --description \"Partner X\" --uses 3 --days 7 \\
      --grant client_credentials --scope \"system/*.rs\"";

/// Arguments of `client registration-token add`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AddRegistrationToken {
    /// What the token is for, to know it by
    #[arg(long)]
    description: String,
    /// How many clients can be registered by it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    uses: u32,
    /// How long it is good, in days
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(i64).range(1..=365))]
    days: i64,
    /// The most a client may ask for, separated by spaces; registration.scope of the configuration by default
    #[arg(long)]
    scope: Option<String>,
    /// A grant type a client may ask for (repeat for more); registration.grant_types of the configuration by default
    #[arg(long = "grant", value_name = "GRANT")]
    grants: Vec<String>,
    /// Print the token as JSON
    #[arg(long)]
    json: bool,
}

impl AddRegistrationToken {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let secret = OpaqueSecret::InitialAccessToken.generate()?;
        let token = self.token(config, secret.digest, now).map_err(Failure::Usage)?;
        let token = RegistrationToken {
            id: rng::identifier("regtoken-")?,
            ..token
        };
        let store = opened::store(config, now)?;
        let audit = AuditEvent::new(now, AuditAction::RegistrationTokenCreation, AuditOutcome::Success)
            .with_method("cli");
        let inserted = store.insert_registration_token(token.clone(), audit).await?;
        store.close().await;
        if inserted == Insertion::AlreadyExists {
            return Err(Failure::AlreadyExists(format!(
                "there is a token {} already",
                token.id
            )));
        }
        if config.registration.mode == RegistrationMode::Off {
            output::remark("registration.mode is off: set it to token, else nobody can use this token");
        }
        if self.json {
            let mut document = describe(&token);
            if let Some(members) = document.as_object_mut() {
                members.insert("token".into(), secret.value.expose().as_str().into());
            }
            return output::json(&document);
        }
        output::result(&format!(
            "made the registration token {}, good until {}; shown this once and stored only as a hash:\n  {}",
            token.id,
            instant::rfc3339(token.expires_at),
            secret.value.expose()
        ))
    }

    /// The token without a name, or what is wrong with the arguments.
    fn token(
        &self,
        config: &Config,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<RegistrationToken, String> {
        let description = self.description.trim();
        if description.is_empty() || description.len() > 200 || description.contains(char::is_control) {
            return Err(String::from("--description must be 1 to 200 bytes of text"));
        }
        let configured = &config.registration.ceiling;
        let scope = match &self.scope {
            Some(text) => ScopeSet::parse(text).map_err(|error| format!("--scope: {error}"))?,
            None => configured.scope.clone(),
        };
        let grant_types = if self.grants.is_empty() {
            configured.grant_types.clone()
        } else {
            self.grants
                .iter()
                .map(|name| grant_type(name))
                .collect::<Result<_, _>>()?
        };
        Ok(RegistrationToken {
            id: String::new(),
            digest,
            description: description.into(),
            ceiling: Ceiling { scope, grant_types },
            uses_left: self.uses,
            created_at: now,
            expires_at: now.plus(self.days.saturating_mul(86_400)),
        })
    }
}

/// Arguments of `client registration-token list`.
#[derive(Debug, Args)]
pub(super) struct ListRegistrationTokens {
    /// Print the tokens as JSON
    #[arg(long)]
    json: bool,
}

impl ListRegistrationTokens {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let tokens = store.registration_tokens().await?;
        store.close().await;
        if self.json {
            return output::json(&tokens.iter().map(describe).collect());
        }
        if tokens.is_empty() {
            return output::result("there is no registration token");
        }
        for token in tokens {
            let expiry = if token.expires_at <= now {
                "expired"
            } else {
                "good until"
            };
            output::result(&format!(
                "{}  {}\n  {} uses left, {expiry} {}\n  grants: {}\n  scope: {}",
                token.id,
                token.description,
                token.uses_left,
                instant::rfc3339(token.expires_at),
                names(&token.ceiling).join(", "),
                token.ceiling.scope
            ))?;
        }
        Ok(())
    }
}

/// Arguments of `client registration-token revoke`.
#[derive(Debug, Args)]
pub(super) struct RevokeRegistrationToken {
    /// The token's name, as `list` shows it
    id: String,
}

impl RevokeRegistrationToken {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let audit = AuditEvent::new(
            now,
            AuditAction::RegistrationTokenRevocation,
            AuditOutcome::Success,
        )
        .with_method("cli");
        let revoked = store.revoke_registration_token(&self.id, audit).await?;
        store.close().await;
        if revoked {
            output::result("revoked; clients that were registered by it stay")
        } else {
            Err(Failure::NotFound(String::from(
                "there is no registration token of this name",
            )))
        }
    }
}

fn names(ceiling: &Ceiling) -> Vec<&'static str> {
    ceiling
        .grant_types
        .iter()
        .copied()
        .map(GrantType::as_str)
        .collect()
}

fn describe(token: &RegistrationToken) -> serde_json::Value {
    json!({
        "id": token.id,
        "description": token.description,
        "scope": token.ceiling.scope.to_string(),
        "grant_types": names(&token.ceiling),
        "uses_left": token.uses_left,
        "created_at": instant::rfc3339(token.created_at),
        "expires_at": instant::rfc3339(token.expires_at),
    })
}
