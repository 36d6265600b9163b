//! `wardgate client add`, `client list` and `client remove`: the applications that may ask for tokens.

mod keys;
mod metadata;
mod removal;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use wardgate_shared::redirect_uri::RegisteredRedirectUri;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::{Client, ClientAuthentication, ClientKeys, GrantType, SecurityProfile};
use crate::domain::digest::{NewSecret, SecretDigest};
use crate::endpoints::reference;
use crate::registration;
use crate::store::Insertion;
use crate::tokens::opaque::OpaqueSecret;
use crate::tokens::signed::OWN_CLIENT_ID;

use super::{Failure, opened, output, secret_input};

pub(super) use removal::RemoveClient;

const EXAMPLES: &str = "\
Examples:
  An app in a browser or on a phone, with a person who signs in:
    wardgate client add --client-id my-app --name \"My app\" --type public \\
      --grant authorization_code --grant refresh_token \\
      --redirect-uri https://app.example.org/callback --scope \"openid patient/*.rs\"
  A service that acts for itself:
    wardgate client add --client-id my-service --name \"My service\" --type confidential \\
      --grant client_credentials --scope \"system/*.rs\" --json
  A device without a browser, such as a monitor at the bedside:
    wardgate client add --client-id my-monitor --name \"My monitor\" --type public \\
      --grant urn:ietf:params:oauth:grant-type:device_code --scope \"openid patient/*.rs\"
  An app whose people sign in at an identity provider of [[trusted_issuers]], whose ID tokens it exchanges:
    wardgate client add --client-id my-partner --name \"My partner\" --type public \\
      --grant urn:ietf:params:oauth:grant-type:token-exchange --scope \"openid user/*.rs\"
  A service that signs assertions with its own key and has no secret:
    wardgate client add --client-id my-backend --name \"My backend\" --type confidential \\
      --auth private_key_jwt --jwks-uri https://backend.example.org/jwks.json \\
      --grant client_credentials --scope \"system/*.rs\"";

/// The shortest secret that is taken over from elsewhere. Secrets are stored by a fast hash, so they must be random.
const MINIMUM_SECRET_CHARACTERS: usize = 32;

/// Whether a client can keep a secret (RFC 6749 section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClientType {
    /// Cannot keep a secret: an app on a person's device
    Public,
    /// Keeps a secret: a service, or an app with a server of its own
    Confidential,
}

/// How a confidential client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ProofMethod {
    /// By a secret, in HTTP Basic or in the body
    #[value(name = "client_secret")]
    Secret,
    /// By assertions that it signs with its own key (RFC 7523)
    #[value(name = "private_key_jwt")]
    PrivateKeyJwt,
}

/// Arguments of `client add`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(super) struct AddClient {
    /// The client_id: 1 to 255 printable ASCII characters without spaces
    #[arg(long)]
    client_id: String,
    /// What people read on the consent page
    #[arg(long)]
    name: String,
    /// Whether it can keep a secret
    #[arg(long = "type", value_enum)]
    client_type: ClientType,
    /// A grant type it may use (repeat for more): authorization_code, client_credentials, refresh_token, and after
    /// urn:ietf:params:oauth:grant-type: device_code, token-exchange, jwt-bearer
    #[arg(long = "grant", value_name = "GRANT", required = true)]
    grants: Vec<String>,
    /// Where its codes may go (repeat for more); compared character by character
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Where its people may go once they have signed out (repeat for more); compared character by character
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// The most it can be granted, separated by spaces
    #[arg(long)]
    scope: String,
    /// How a confidential client proves who it is
    #[arg(long, value_enum, default_value = "client_secret")]
    auth: ProofMethod,
    /// A file with the client's public keys (JWK Set), for private_key_jwt
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks: Option<PathBuf>,
    /// Where the client publishes its public keys (JWK Set), for private_key_jwt
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
    /// Read the secret from standard input instead of making one
    #[arg(long)]
    secret_stdin: bool,
    /// Let a confidential client do without PKCE
    #[arg(long)]
    no_require_pkce: bool,
    /// Take its authorization requests only when they were pushed (RFC 9126)
    #[arg(long)]
    require_par: bool,
    /// A JSON file with further members of RFC 7591 (logo_uri, subject_type, backchannel_logout_uri, …) and of ours
    /// (profile, refresh_token_grace_seconds, launch_uri)
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
    /// Print the client as JSON
    #[arg(long)]
    json: bool,
}

impl AddClient {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        self.check_arguments().map_err(Failure::Usage)?;
        let (authentication, secret) = self.authentication(config)?;
        let client = self.client(authentication, now).map_err(Failure::Usage)?;
        registration::check(&client, config)
            .map_err(|fault| Failure::Usage(format!("the client cannot be registered: {fault}")))?;
        if self.no_require_pkce && client.rules(config.security.profile).requires_pkce {
            let problem = "--no-require-pkce is not for clients that are held to fapi2";
            return Err(Failure::Usage(problem.into()));
        }
        let store = opened::store(config, now)?;
        let audit = AuditEvent::new(now, AuditAction::ClientRegistration, AuditOutcome::Success)
            .with_client(&client.client_id)
            .with_method("cli");
        let inserted = store.insert_client(client.clone(), audit).await?;
        store.close().await;
        if inserted == Insertion::AlreadyExists {
            return Err(Failure::AlreadyExists(format!(
                "there is a client {} already",
                client.client_id
            )));
        }
        // A secret that the caller brought is not repeated.
        let shown = secret.filter(|_| !self.secret_stdin).map(|secret| secret.value);
        if self.json {
            let mut document = describe(&client);
            if let (Some(secret), Some(members)) = (&shown, document.as_object_mut()) {
                members.insert("client_secret".into(), secret.expose().as_str().into());
            }
            return output::json(&document);
        }
        output::result(&format!("registered the client {}", client.client_id))?;
        match shown {
            Some(secret) => output::result(&format!(
                "its secret, shown this once and stored only as a hash:\n  {}",
                secret.expose()
            )),
            None => Ok(()),
        }
    }

    /// How the client proves who it is, and the secret if it has one.
    fn authentication(&self, config: &Config) -> Result<(ClientAuthentication, Option<NewSecret>), Failure> {
        let secret = match (self.client_type, self.auth) {
            (ClientType::Public, _) => return Ok((ClientAuthentication::Public, None)),
            (ClientType::Confidential, ProofMethod::PrivateKeyJwt) => {
                let keys = self.keys(config).map_err(Failure::Usage)?;
                return Ok((ClientAuthentication::PrivateKeyJwt { keys }, None));
            }
            (ClientType::Confidential, ProofMethod::Secret) if self.secret_stdin => given_secret()?,
            (ClientType::Confidential, ProofMethod::Secret) => OpaqueSecret::ClientSecret.generate()?,
        };
        Ok((ClientAuthentication::Secret(secret.digest), Some(secret)))
    }

    /// The client, or what is wrong with the arguments one by one.
    fn client(&self, authentication: ClientAuthentication, now: Timestamp) -> Result<Client, String> {
        let id_is_lawful = (1..=255).contains(&self.client_id.len())
            && self.client_id.bytes().all(|byte| byte.is_ascii_graphic());
        if !id_is_lawful {
            return Err(String::from(
                "--client-id must be 1 to 255 printable ASCII characters without spaces",
            ));
        }
        if [OWN_CLIENT_ID, reference::client::ID].contains(&&*self.client_id) {
            return Err(format!("--client-id {} is the issuer's own", self.client_id));
        }
        let mut grant_types = Vec::new();
        for name in &self.grants {
            let grant_type = grant_type(name)?;
            if !grant_types.contains(&grant_type) {
                grant_types.push(grant_type);
            }
        }
        let redirect_uris = registered("--redirect-uri", &self.redirect_uris)?;
        let post_logout_redirect_uris =
            registered("--post-logout-redirect-uri", &self.post_logout_redirect_uris)?;
        let scope = ScopeSet::parse(&self.scope).map_err(|error| format!("--scope: {error}"))?;
        Ok(Client {
            client_id: self.client_id.clone(),
            name: self.name.trim().into(),
            authentication,
            grant_types,
            redirect_uris,
            post_logout_redirect_uris,
            scope,
            pkce_required: !self.no_require_pkce,
            push_required: self.require_par,
            metadata: metadata::read(self.metadata.as_deref())?,
            registered_itself: false,
            created_at: now,
        })
    }

    /// Refuses arguments that are lawful by themselves and senseless together. What makes no sense of a client, whoever
    /// registers it, is refused by [`registration::check`].
    fn check_arguments(&self) -> Result<(), String> {
        let public = self.client_type == ClientType::Public;
        let by_keys = self.auth == ProofMethod::PrivateKeyJwt;
        let keys_given = self.jwks.is_some() || self.jwks_uri.is_some();
        let problem = if public && by_keys {
            "a public client cannot keep a private key: use --type confidential with --auth private_key_jwt"
        } else if by_keys && !keys_given {
            "--auth private_key_jwt needs the client's public keys: --jwks FILE or --jwks-uri URL"
        } else if keys_given && !by_keys {
            "--jwks and --jwks-uri are of use only with --auth private_key_jwt"
        } else if by_keys && self.secret_stdin {
            "a client with --auth private_key_jwt has no secret: leave out --secret-stdin"
        } else if public && self.secret_stdin {
            "a public client has no secret: leave out --secret-stdin, or use --type confidential"
        } else {
            return Ok(());
        };
        Err(String::from(problem))
    }
}

/// The grant type that `--grant` names.
pub(super) fn grant_type(name: &str) -> Result<GrantType, String> {
    GrantType::from_name(name).ok_or_else(|| {
        let known = GrantType::ALL.map(GrantType::as_str).join(", ");
        format!("--grant {name} is not one of {known}")
    })
}

/// The URIs that were given by `option`, each once.
fn registered(option: &str, texts: &[String]) -> Result<Vec<RegisteredRedirectUri>, String> {
    let mut uris = Vec::new();
    for text in texts {
        let uri = RegisteredRedirectUri::parse(text)
            .map_err(|error| format!("{option} {text} cannot be registered: {error}"))?;
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    Ok(uris)
}

/// Arguments of `client list`.
#[derive(Debug, Args)]
pub(super) struct ListClients {
    /// Print the clients as JSON
    #[arg(long)]
    json: bool,
}

impl ListClients {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let clients = store.clients().await?;
        store.close().await;
        if self.json {
            return output::json(&clients.iter().map(describe).collect());
        }
        if clients.is_empty() {
            return output::result("no client is registered: see `wardgate client add --help`");
        }
        for client in clients {
            let kind = if client.is_public() {
                "public"
            } else {
                "confidential"
            };
            let grants = client
                .grant_types
                .iter()
                .map(|grant_type| grant_type.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            output::result(&format!(
                "{}  {kind}  {}\n  grants: {grants}",
                client.client_id, client.name
            ))?;
            if client.registered_itself {
                output::result("  registered itself")?;
            }
            for uri in &client.redirect_uris {
                output::result(&format!("  redirect URI: {}", uri.as_str()))?;
            }
            for uri in &client.post_logout_redirect_uris {
                output::result(&format!("  post-logout redirect URI: {}", uri.as_str()))?;
            }
            output::result(&format!("  scope: {}", client.scope))?;
            match &client.authentication {
                ClientAuthentication::PrivateKeyJwt {
                    keys: ClientKeys::Url(url),
                } => output::result(&format!("  keys at: {url}"))?,
                ClientAuthentication::PrivateKeyJwt {
                    keys: ClientKeys::Inline(keys),
                } => output::result(&format!("  keys: {} registered", keys.iter().count()))?,
                ClientAuthentication::Public | ClientAuthentication::Secret(_) => {}
            }
        }
        Ok(())
    }
}

/// A client in the words of dynamic registration, and what only this program says of it, without its secret.
fn describe(client: &Client) -> serde_json::Value {
    let mut members = registration::describe(client);
    let kind = if client.is_public() {
        "public"
    } else {
        "confidential"
    };
    members.insert("client_type".into(), kind.into());
    let rules = client.rules(SecurityProfile::Standard);
    members.insert("require_pkce".into(), rules.requires_pkce.into());
    members.insert(
        "require_pushed_authorization_requests".into(),
        rules.requires_push.into(),
    );
    members.insert("registered_itself".into(), client.registered_itself.into());
    members.into()
}

fn given_secret() -> Result<NewSecret, Failure> {
    let value = secret_input::from_stdin("client secret")?;
    let characters = value.expose().len();
    // RFC 6749 appendix A.2: printable ASCII.
    if characters < MINIMUM_SECRET_CHARACTERS || !value.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::Usage(format!(
            "the client secret must be at least {MINIMUM_SECRET_CHARACTERS} random printable ASCII characters"
        )));
    }
    Ok(NewSecret {
        digest: SecretDigest::of(value.expose()),
        value,
    })
}

#[cfg(test)]
mod tests;
