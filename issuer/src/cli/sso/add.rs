//! `wardgate sso add` and `wardgate sso change`.

use clap::Args;
use wardgate_shared::time::Timestamp;

use crate::administration::Actor;
use crate::administration::sso_connections::{self, ConnectionRequest};
use crate::cli::{Failure, output, secret_input};
use crate::domain::single_sign_on::RoleRule;
use crate::single_sign_on::CALLBACK_PATH;
use crate::store::Store;

use super::{Opened, describe};

const EXAMPLES: &str = "\
Examples:
  Google Workspace, Microsoft Entra ID, AWS Cognito, any other:
    wardgate sso add --name Clinic --preset google --client-id ID --client-secret-stdin < secret
    wardgate sso add --name Clinic --preset entra-id --tenant UUID --client-id ID --client-secret-stdin < secret
    wardgate sso add --name Clinic --preset cognito --region eu-west-1 --user-pool eu-west-1_AbC --client-id ID
    wardgate sso add --name Clinic --issuer https://idp.clinic.example --client-id wardgate --client-secret-stdin < secret
  Then: wardgate sso add-domain Clinic clinic.example, verify-domain, attest-mfa, enable.";

/// What can be said of a connection.
#[derive(Debug, Args)]
struct Settings {
    /// The kind of identity provider
    #[arg(long, value_parser = ["generic", "google", "entra-id", "cognito"])]
    preset: Option<String>,
    /// The issuer's URL, where the preset does not say it
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The tenant of Microsoft Entra ID
    #[arg(long, value_name = "UUID", conflicts_with = "issuer")]
    tenant: Option<String>,
    /// The region of the AWS Cognito user pool
    #[arg(long, requires = "user_pool", conflicts_with = "issuer")]
    region: Option<String>,
    /// The AWS Cognito user pool
    #[arg(long, value_name = "ID", requires = "region")]
    user_pool: Option<String>,
    /// By what name the identity provider knows this issuer
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Read the client secret from standard input
    #[arg(long)]
    client_secret_stdin: bool,
    /// How the secret is shown at the token endpoint; client_secret_basic by default
    #[arg(long, value_parser = ["client_secret_basic", "client_secret_post", "none"])]
    client_authentication: Option<String>,
    /// What is asked for, separated by spaces; openid email profile by default
    #[arg(long)]
    scope: Option<String>,
    /// A value of amr of which the answer must have one (repeat for more)
    #[arg(long, value_name = "VALUE")]
    require_amr: Vec<String>,
    /// A value of acr of which the answer must have one (repeat for more)
    #[arg(long, value_name = "VALUE")]
    require_acr: Vec<String>,
    /// What becomes of people without an account; refuse by default
    #[arg(long, value_parser = ["refuse", "create"])]
    unknown_people: Option<String>,
    /// The name of the role of new people, and of those whom no rule fits
    #[arg(long, value_name = "ROLE")]
    default_role: Option<String>,
    /// Which role follows from which claim: CLAIM=VALUE:ROLE. Repeat for more; the first that fits counts
    #[arg(long, value_name = "RULE")]
    role_rule: Vec<String>,
    /// Let rules and default role make somebody an administrator
    #[arg(long)]
    grants_administration: Option<bool>,
}

/// Arguments of `sso add`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct AddConnection {
    /// What people know it by: the organization
    #[arg(long)]
    name: String,
    #[command(flatten)]
    settings: Settings,
    /// Print the connection as JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `sso change`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ChangeConnection {
    /// The connection's name or id
    connection: String,
    /// Another name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    settings: Settings,
    /// Print the connection as JSON
    #[arg(long)]
    json: bool,
}

impl AddConnection {
    pub(super) async fn run(&self, open: &Opened<'_>, now: Timestamp) -> Result<(), Failure> {
        let request = self
            .settings
            .request(&open.store, Some(self.name.clone()))
            .await?;
        let made = sso_connections::create(open.tools(), &Actor::operator(), &request, now).await?;
        if self.json {
            return output::json(&describe(&made, &[]));
        }
        output::result(&format!(
            "made the connection {} ({}); nobody is sent there yet\n  redirect URI to register at the identity provider: {}\n  \
             next: wardgate sso add-domain {:?} DOMAIN, then verify-domain, attest-mfa and enable",
            made.settings.name,
            made.id,
            open.config.server.public_url.join(CALLBACK_PATH),
            made.settings.name
        ))
    }
}

impl ChangeConnection {
    pub(super) async fn run(&self, open: &Opened<'_>, now: Timestamp) -> Result<(), Failure> {
        let request = self.settings.request(&open.store, self.name.clone()).await?;
        let operator = Actor::operator();
        let changed =
            sso_connections::change(open.tools(), &operator, &self.connection, &request, now).await?;
        if self.json {
            return output::json(&describe(&changed, &[]));
        }
        if !changed.enabled {
            output::remark(
                "the connection is disabled: attest and enable it, if people are to be sent there",
            );
        }
        output::result(&format!("changed the connection {}", changed.settings.name))
    }
}

impl Settings {
    async fn request(&self, store: &Store, name: Option<String>) -> Result<ConnectionRequest, Failure> {
        let client_secret = if self.client_secret_stdin {
            Some(secret_input::from_stdin("client secret")?)
        } else {
            None
        };
        let default_role = match &self.default_role {
            Some(name) => Some(Some(role_id(store, name).await?)),
            None => None,
        };
        let mut rules = Vec::new();
        for text in &self.role_rule {
            let written = RoleRule::parse(text)
                .ok_or_else(|| Failure::Usage(format!("--role-rule {text:?} must be CLAIM=VALUE:ROLE")))?;
            rules.push(RoleRule {
                role: role_id(store, &written.role).await?,
                ..written
            });
        }
        let some = |values: &Vec<String>| (!values.is_empty()).then(|| values.clone());
        Ok(ConnectionRequest {
            name,
            preset: self.preset.as_ref().map(|preset| preset.replace('-', "_")),
            issuer: self.issuer.clone(),
            tenant_id: self.tenant.clone(),
            user_pool: self.region.clone().zip(self.user_pool.clone()),
            client_id: self.client_id.clone(),
            client_secret,
            client_authentication: self.client_authentication.clone(),
            scopes: self
                .scope
                .as_ref()
                .map(|scope| scope.split_ascii_whitespace().map(String::from).collect()),
            required_amr: some(&self.require_amr),
            required_acr: some(&self.require_acr),
            unknown_people: self.unknown_people.clone(),
            default_role,
            role_rules: (!rules.is_empty()).then_some(rules),
            grants_administration: self.grants_administration,
        })
    }
}

/// The id of the role of this name.
async fn role_id(store: &Store, name: &str) -> Result<String, Failure> {
    let role = store.role_by_name(name).await?;
    role.map(|role| role.id)
        .ok_or_else(|| Failure::NotFound(format!("there is no role {name:?}")))
}
