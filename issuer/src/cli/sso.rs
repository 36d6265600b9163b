//! `wardgate sso`: connections to identity providers, and the domains whose people they sign in.

mod add;
mod domains;
mod explain;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wardgate_shared::time::Timestamp;

use crate::administration::Actor;
use crate::administration::sso_connections::{self, ConnectionError, Tools};
use crate::config::Config;
use crate::domain::instant;
use crate::domain::single_sign_on::{Connection, ConnectionDomain};
use crate::error::internal::InternalError;
use crate::keys::{MasterKey, Sealer};
use crate::outbound::Outbound;
use crate::store::Store;

use super::{Failure, opened, output};

/// The commands of `wardgate sso`.
#[derive(Debug, Subcommand)]
pub(super) enum SsoCommand {
    /// Connect an identity provider; it stays disabled until it is attested and enabled
    Add(Box<add::AddConnection>),
    /// Change a connection; what is not given stays
    Change(Box<add::ChangeConnection>),
    /// List the connections with their domains
    List(ListConnections),
    /// Remove a connection; its people sign in with passwords from then on
    Remove(NamedConnection),
    /// Record your word that the identity provider asks everybody for more than one factor
    AttestMfa(NamedConnection),
    /// Send the people of the verified domains to the identity provider
    Enable(NamedConnection),
    /// Send nobody to the identity provider any more
    Disable(NamedConnection),
    /// Claim a domain; says which TXT record its owner has to publish
    AddDomain(domains::AddDomain),
    /// Look for the TXT record of a domain, and use the domain once it is there
    VerifyDomain(domains::VerifyDomain),
    /// Take a domain from a connection
    RemoveDomain(domains::RemoveDomain),
    /// Forget who a person is at an identity provider, after their address was given to somebody else there
    Unlink(domains::Unlink),
    /// Say step by step what happens when this address is typed, and why
    Explain(explain::Explain),
}

impl SsoCommand {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let open = Opened::open(config, now)?;
        let outcome = match self {
            Self::Add(command) => command.run(&open, now).await,
            Self::Change(command) => command.run(&open, now).await,
            Self::List(command) => command.run(&open).await,
            Self::Remove(command) => command.remove(&open, now).await,
            Self::AttestMfa(command) => command.attest_mfa(&open, now).await,
            Self::Enable(command) => command.enable(&open, now).await,
            Self::Disable(command) => command.disable(&open, now).await,
            Self::AddDomain(command) => command.run(&open, now).await,
            Self::VerifyDomain(command) => command.run(&open, now).await,
            Self::RemoveDomain(command) => command.run(&open, now).await,
            Self::Unlink(command) => command.run(&open, now).await,
            Self::Explain(command) => command.run(&open).await,
        };
        open.store.close().await;
        outcome
    }
}

/// What the commands work with.
struct Opened<'a> {
    config: &'a Config,
    store: Store,
    outbound: Outbound,
    sealer: Sealer,
}

impl<'a> Opened<'a> {
    fn open(config: &'a Config, now: Timestamp) -> Result<Self, Failure> {
        let store = opened::store(config, now)?;
        let sealer = MasterKey::load(&config.keys.master_key)?.sealer();
        let outbound = Outbound::new(config.outbound.clone());
        Ok(Self {
            config,
            store,
            outbound,
            sealer,
        })
    }

    const fn tools(&self) -> Tools<'_> {
        Tools {
            store: &self.store,
            outbound: &self.outbound,
            outbound_config: &self.config.outbound,
            sealer: &self.sealer,
        }
    }
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Invalid { .. }
            | ConnectionError::NotAttested
            | ConnectionError::BeyondOwnRole => Self::Usage(error.to_string()),
            ConnectionError::NotFound => Self::NotFound(error.to_string()),
            ConnectionError::Taken(_) => Self::AlreadyExists(error.to_string()),
            ConnectionError::Provider(_) | ConnectionError::Dns(_) | ConnectionError::NoRecord { .. } => {
                Self::Network(error.to_string())
            }
            ConnectionError::Internal(InternalError::Store(error)) => Self::Store(error),
            ConnectionError::Internal(error) => Self::Other(error.to_string()),
        }
    }
}

/// Arguments of the commands about one connection.
#[derive(Debug, Args)]
pub(super) struct NamedConnection {
    /// The connection's name or id
    connection: String,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl NamedConnection {
    async fn remove(&self, open: &Opened<'_>, now: Timestamp) -> Result<(), Failure> {
        sso_connections::remove(&open.store, &Actor::operator(), &self.connection, now).await?;
        output::result(&format!(
            "removed {}; its people sign in with passwords now",
            self.connection
        ))
    }

    async fn attest_mfa(&self, open: &Opened<'_>, now: Timestamp) -> Result<(), Failure> {
        let connection =
            sso_connections::attest_mfa(&open.store, &Actor::operator(), &self.connection, now).await?;
        self.print(
            &connection,
            "recorded that its identity provider asks everybody for more than one factor",
        )
    }

    async fn enable(&self, open: &Opened<'_>, now: Timestamp) -> Result<(), Failure> {
        let connection =
            sso_connections::enable(&open.store, &Actor::operator(), &self.connection, now).await?;
        let (_, domains) = sso_connections::get(&open.store, &connection.id).await?;
        if domains.iter().all(|domain| domain.verified.is_none()) {
            output::remark(
                "it has no verified domain yet, so nobody is sent there: use add-domain and verify-domain",
            );
        }
        self.print(&connection, "enabled")
    }

    async fn disable(&self, open: &Opened<'_>, now: Timestamp) -> Result<(), Failure> {
        let connection =
            sso_connections::disable(&open.store, &Actor::operator(), &self.connection, now).await?;
        self.print(&connection, "disabled; its people sign in with passwords now")
    }

    fn print(&self, connection: &Connection, done: &str) -> Result<(), Failure> {
        if self.json {
            return output::json(&describe(connection, &[]));
        }
        output::result(&format!("{}: {done}", connection.settings.name))
    }
}

/// Arguments of `sso list`.
#[derive(Debug, Args)]
pub(super) struct ListConnections {
    /// Print the connections as JSON
    #[arg(long)]
    json: bool,
}

impl ListConnections {
    async fn run(&self, open: &Opened<'_>) -> Result<(), Failure> {
        let connections = sso_connections::list(&open.store).await?;
        let domains = open.store.sso_domains(None).await?;
        let of = |connection: &Connection| -> Vec<ConnectionDomain> {
            let own = domains
                .iter()
                .filter(|domain| domain.connection_id == connection.id);
            own.cloned().collect()
        };
        if self.json {
            let all = connections
                .iter()
                .map(|connection| describe(connection, &of(connection)));
            return output::json(&all.collect());
        }
        if connections.is_empty() {
            return output::result("there is no connection");
        }
        for connection in &connections {
            let domains: Vec<String> = of(connection).iter().map(shown_domain).collect();
            output::result(&format!(
                "{}  {}  ({}, {}{})\n  issuer: {}\n  client: {} ({})\n  domains: {}\n  unknown people: {}",
                connection.id,
                connection.settings.name,
                connection.settings.preset.as_str(),
                if connection.enabled { "enabled" } else { "disabled" },
                if connection.mfa_attestation.is_some() {
                    ""
                } else {
                    ", not attested"
                },
                connection.settings.issuer,
                connection.settings.client_id,
                connection.settings.credential.method(),
                if domains.is_empty() {
                    "none".into()
                } else {
                    domains.join(", ")
                },
                connection.settings.unknown_people.as_str(),
            ))?;
        }
        Ok(())
    }
}

fn shown_domain(domain: &ConnectionDomain) -> String {
    match domain.verified {
        Some((_, by)) => format!("{} (verified by {})", domain.domain, by.as_str()),
        None => format!("{} (not verified)", domain.domain),
    }
}

/// A connection without its secret.
fn describe(connection: &Connection, domains: &[ConnectionDomain]) -> Value {
    let settings = &connection.settings;
    json!({
        "id": connection.id,
        "name": settings.name,
        "preset": settings.preset.as_str(),
        "issuer": settings.issuer,
        "client_id": settings.client_id,
        "client_authentication": settings.credential.method(),
        "scopes": settings.scopes,
        "required_amr": settings.required_amr,
        "required_acr": settings.required_acr,
        "unknown_people": settings.unknown_people.as_str(),
        "default_role": settings.default_role,
        "role_rules": settings.role_rules,
        "grants_administration": settings.grants_administration,
        "mfa_attested_by": connection.mfa_attestation.as_ref().map(|attestation| &attestation.by),
        "enabled": connection.enabled,
        "checked_at": instant::rfc3339(connection.checked_at),
        "created_at": instant::rfc3339(connection.created_at),
        "domains": domains.iter().map(domains::describe).collect::<Vec<_>>(),
    })
}
