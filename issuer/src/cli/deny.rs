//! `wardgate deny`: what somebody or something got until now is refused from now on.

use clap::Args;
use serde_json::json;
use wardgate_shared::denial::DenyKind;
use wardgate_shared::time::Timestamp;

use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::denial::{Denial, name_of};
use crate::domain::instant;

use super::{Failure, opened, output};

const EXAMPLES: &str = "\
A denial reaches every edge location within the time that status lists take (docs/revocation.md), and tokens that no list
names as well. Tokens that are issued afterwards are good. To end what new tokens come from, too: `user deactivate`,
`client remove`, or the revocation of the API key. For a signing key: `keys revoke`.

Examples:
  wardgate deny --subject 0b7f3c1e
  wardgate deny --client portal --json";

/// Arguments of `deny`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[group(id = "whose", required = true, multiple = false, args = ["subject", "client", "api_key"])]
pub(super) struct Deny {
    /// The claim `sub` of the tokens
    #[arg(long, value_name = "SUB")]
    subject: Option<String>,
    /// The claim `client_id` of the tokens
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// The id of the API key that the tokens were exchanged for
    #[arg(long, value_name = "ID")]
    api_key: Option<String>,
    /// Print the denial as JSON
    #[arg(long)]
    json: bool,
}

impl Deny {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let (kind, name) = match (&self.subject, &self.client, &self.api_key) {
            (Some(subject), _, _) => (DenyKind::Subject, subject),
            (None, Some(client), _) => (DenyKind::Client, client),
            (None, None, Some(key)) => (DenyKind::ApiKey, key),
            (None, None, None) => return Err(Failure::Usage("say whose tokens are denied".into())),
        };
        if name.is_empty() || name.len() > 255 {
            return Err(Failure::Usage(
                "the name is empty or longer than 255 bytes".into(),
            ));
        }
        let store = opened::store(config, now)?;
        if kind == DenyKind::Client && store.client(name).await?.is_none() {
            store.close().await;
            return Err(Failure::NotFound(format!("there is no client {name}")));
        }
        if kind == DenyKind::ApiKey && store.api_key(name).await?.is_none() {
            store.close().await;
            return Err(Failure::NotFound(format!("there is no API key {name}")));
        }
        let denial = Denial::until_now(kind, name, config.longest_token_seconds(), now);
        let audit =
            AuditEvent::new(now, AuditAction::Denial, AuditOutcome::Success).with_method(name_of(kind));
        store.deny(denial.clone(), audit).await?;
        store.close().await;
        if self.json {
            return output::json(&json!({
                "kind": name_of(kind),
                "name": denial.name,
                "not_before": instant::rfc3339(denial.not_before),
                "expires_at": instant::rfc3339(denial.expires_at),
            }));
        }
        output::result(&format!(
            "denied: tokens of {} {name} from before {}",
            name_of(kind).replace('_', " "),
            instant::rfc3339(denial.not_before)
        ))
    }
}
