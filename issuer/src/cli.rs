//! The commands of the binary `wardgate`.
//!
//! A command reads the configuration, does one thing and says one thing. A failure is one clear sentence on standard
//! error and an exit code by its kind (see [`Failure`]). Results go to standard output, as text or, with `--json`, as
//! one JSON document; logs go to standard error. All printing is in `output`.

mod api_key;
mod audit;
mod backup;
mod check_config;
mod client;
mod deny;
mod failure;
mod init;
mod keys;
mod master_key;
mod migrate;
mod opened;
mod organization;
mod output;
mod registration_token;
mod role;
mod secret_input;
mod serve;
mod sso;
mod usage;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use wardgate_shared::time::Timestamp;

use crate::clock::Clock;
use crate::config::Config;

pub use failure::{EXIT_CODES, Failure};

/// Wardgate's issuer: OAuth 2.0, OpenID Connect and SMART on FHIR in one binary with an embedded database.
#[derive(Debug, Parser)]
#[command(name = "wardgate", version, after_help = AFTER_HELP)]
pub struct Arguments {
    /// The configuration file (TOML). Keys may also be set in the environment as WARDGATE_SECTION__KEY.
    #[arg(long, value_name = "FILE", env = "WARDGATE_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
First steps:
  wardgate check-config --print-example > wardgate.toml
  wardgate --config wardgate.toml init --admin-email ada@example.org
  wardgate --config wardgate.toml serve

Exit codes: 0 done, 1 other, 2 usage or configuration, 3 database, 4 exists already or not found, 5 keys or certificates, 6 network,
7 damaged or tampered with. docs/commands.md says more.";

const SERVE_HELP: &str = "\
The first signal to stop makes /health/ready say 503; after server.drain_seconds no more connections are taken, what was begun is
finished within server.shutdown_seconds, and the database is closed. A second signal ends at once. SIGHUP has the issuer look whether
its TLS certificate was replaced. Settings: sections [server], [tls] and [connections]; `check-config` says what is wrong with them.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the issuer until it is told to stop (Ctrl-C or SIGTERM)
    #[command(after_help = SERVE_HELP)]
    Serve,
    /// Make what is missing: master key file, database, signing keys, the first administrator. Safe to repeat
    Init(init::Init),
    /// Say everything that is wrong with the configuration
    CheckConfig(check_config::CheckConfig),
    /// Manage the people who sign in
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Manage what people can be granted at most
    Role {
        #[command(subcommand)]
        command: RoleCommand,
    },
    /// Manage the organizations that people act for
    Organization {
        #[command(subcommand)]
        command: OrganizationCommand,
    },
    /// Manage the applications that ask for tokens
    Client {
        #[command(subcommand)]
        command: ClientCommand,
    },
    /// Manage API keys: credentials of integrations that act for themselves
    ApiKey {
        #[command(subcommand)]
        command: api_key::ApiKeyCommand,
    },
    /// Manage single sign-on: the identity providers of organizations
    Sso {
        #[command(subcommand)]
        command: sso::SsoCommand,
    },
    /// Check the audit trail, and take it out
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Write a copy of the database, while the server runs
    Backup(backup::Backup),
    /// Put a backup in the place of the database, or say whether it could be
    Restore(backup::Restore),
    /// Refuse what a person, a client or an API key was issued until now
    Deny(deny::Deny),
    /// Bring the database of an older program up to date, or say what that would do
    Migrate(migrate::Migrate),
    /// Manage the signing keys and the master key
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make an account
    Add(Box<user::AddUser>),
    /// List the accounts
    List(user::ListUsers),
    /// Change an account
    Change(Box<user::ChangeUser>),
    /// Send somebody a link by which they set their password, or print it
    Invite(user::InviteUser),
    /// End all sessions of a person, and tell the applications they were signed in to
    SignOut(user::SignOutUser),
    /// Close an account: its person cannot sign in any more, and nothing they gave lives on
    Deactivate(user::DeactivateUser),
    /// Open a closed account again; nothing that ended with it comes back
    Reactivate(user::ReactivateUser),
    /// Give a person an authenticator app whose seed exists already
    AddTotp(user::AddTotp),
    /// End the second factors of somebody who has lost them, their recovery codes and sessions
    ResetFactors(user::ResetFactors),
    /// Let a person sign in with a password although their organization has an identity provider
    AllowLocalSignIn(user::AllowLocalSignIn),
    /// Replace what is known of a person
    SetProfile(user::SetProfile),
}

impl UserCommand {
    async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(config, now).await,
            Self::Invite(command) => command.run(config, now).await,
            Self::List(command) => command.run(config, now).await,
            Self::Change(command) => command.run(config, now).await,
            Self::SignOut(command) => command.run(config, now).await,
            Self::Deactivate(command) => command.run(config, now).await,
            Self::Reactivate(command) => command.run(config, now).await,
            Self::AddTotp(command) => command.run(config, now).await,
            Self::ResetFactors(command) => command.run(config, now).await,
            Self::AllowLocalSignIn(command) => command.run(config, now).await,
            Self::SetProfile(command) => command.run(config, now).await,
        }
    }
}

#[derive(Debug, Subcommand)]
enum RoleCommand {
    /// Make a role
    Add(role::AddRole),
    /// List the roles
    List(role::ListRoles),
    /// Change a role; what it allows less is gone from every grant at its next refresh
    Change(role::ChangeRole),
    /// Remove a role that nobody has
    Remove(role::RemoveRole),
}

impl RoleCommand {
    async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(config, now).await,
            Self::List(command) => command.run(config, now).await,
            Self::Change(command) => command.run(config, now).await,
            Self::Remove(command) => command.run(config, now).await,
        }
    }
}

#[derive(Debug, Subcommand)]
enum OrganizationCommand {
    /// Enter an organization
    Add(organization::AddOrganization),
    /// List the organizations
    List(organization::ListOrganizations),
}

impl OrganizationCommand {
    async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(config, now).await,
            Self::List(command) => command.run(config, now).await,
        }
    }
}

#[derive(Debug, Subcommand)]
enum ClientCommand {
    /// Register an application; its generated secret is shown once
    Add(Box<client::AddClient>),
    /// List the registered applications
    List(client::ListClients),
    /// Remove an application; every grant and token that it had is over
    Remove(client::RemoveClient),
    /// Manage the tokens that let clients register themselves (RFC 7591)
    RegistrationToken {
        #[command(subcommand)]
        command: RegistrationTokenCommand,
    },
}

#[derive(Debug, Subcommand)]
enum RegistrationTokenCommand {
    /// Make a token; it is shown once
    Add(registration_token::AddRegistrationToken),
    /// List the tokens, without what is secret of them
    List(registration_token::ListRegistrationTokens),
    /// Make a token useless; clients that were registered by it stay
    Revoke(registration_token::RevokeRegistrationToken),
}

impl RegistrationTokenCommand {
    async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(config, now).await,
            Self::List(command) => command.run(config, now).await,
            Self::Revoke(command) => command.run(config, now).await,
        }
    }
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// List the signing keys with the times of their lives
    List(keys::ListKeys),
    /// Make a new signing key; it is published now and signs after the configured lead
    Rotate(keys::RotateKeys),
    /// End a signing key at once, and all that it signed
    Revoke(keys::RevokeKey),
    /// Seal everything under another master key
    RotateMaster(master_key::RotateMasterKey),
}

/// Runs the command that the process's arguments name, with `clock` for the present.
pub fn main(clock: Arc<dyn Clock>) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::answer(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return output::failure(&Failure::Other(format!("no threads could be started: {error}")));
        }
    };
    match runtime.block_on(run(arguments, clock)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output::failure(&failure),
    }
}

/// Runs a command on this clock.
///
/// # Errors
/// [`Failure`].
pub async fn run(arguments: Arguments, clock: Arc<dyn Clock>) -> Result<(), Failure> {
    let load = || Config::load(arguments.config.as_deref());
    let now = clock.now();
    match arguments.command {
        Command::Serve => serve::serve(load()?, clock).await,
        Command::Init(command) => init::init(&command, &load()?, now).await,
        Command::CheckConfig(command) => command.run(load, now),
        Command::User { command } => command.run(&load()?, now).await,
        Command::Role { command } => command.run(&load()?, now).await,
        Command::Organization { command } => command.run(&load()?, now).await,
        Command::ApiKey { command } => command.run(&load()?, now).await,
        Command::Sso { command } => command.run(&load()?, now).await,
        Command::Audit { command } => command.run(&load()?, now).await,
        Command::Backup(command) => command.run(&load()?, now).await,
        Command::Restore(command) => command.run(&load()?, now).await,
        Command::Migrate(command) => command.run(&load()?, clock.as_ref()).await,
        Command::Client {
            command: ClientCommand::Add(command),
        } => command.run(&load()?, now).await,
        Command::Client {
            command: ClientCommand::List(command),
        } => command.run(&load()?, now).await,
        Command::Client {
            command: ClientCommand::Remove(command),
        } => command.run(&load()?, now).await,
        Command::Client {
            command: ClientCommand::RegistrationToken { command },
        } => command.run(&load()?, now).await,
        Command::Deny(command) => command.run(&load()?, now).await,
        Command::Keys {
            command: KeysCommand::Revoke(command),
        } => command.run(&load()?, now).await,
        Command::Keys {
            command: KeysCommand::RotateMaster(command),
        } => command.run(&load()?, now).await,
        Command::Keys {
            command: KeysCommand::List(command),
        } => command.run(&load()?, now).await,
        Command::Keys {
            command: KeysCommand::Rotate(command),
        } => command.run(&load()?, now).await,
    }
}
