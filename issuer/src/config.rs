//! The issuer's configuration: one typed value, made at start and never changed.
//!
//! Sources, each overriding the one before: the defaults of the table in `options`, a TOML file, the environment
//! (`WARDGATE_SECTION__KEY`). Unknown keys are refused, and all faults are reported together, each with its key's name
//! and its source. Secrets come as a value or as a file (`…_file`), never as both. The table in `options` is the one
//! place that names keys and defaults; `docs/configuration.md` is made from it.

mod api_keys;
mod audit;
mod backup;
mod connections;
mod console;
mod fault;
mod load;
mod messages;
mod network;
mod options;
mod public_url;
mod reader;
mod registration;
mod second_factor;
mod sections;
mod telemetry;
mod tls;
mod trusted_issuers;
mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;

use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::secret::Secret;

use crate::domain::client::SecurityProfile;

pub use api_keys::ApiKeysConfig;
pub use audit::AuditConfig;
pub use backup::BackupConfig;
pub use connections::ConnectionsConfig;
pub use console::ConsoleConfig;
pub use fault::{ConfigFault, ConfigFaults};
pub use messages::{DevelopmentConfig, LinksConfig, MailConfig, MailTls, SmsConfig, SmsSender};
pub use network::IpNetwork;
pub use options::{documentation, example_file};
pub use public_url::{PublicUrl, PublicUrlError};
pub use registration::{RegistrationConfig, RegistrationMode};
pub use second_factor::SecondFactorConfig;
pub(crate) use sections::parse_master_key;
pub use telemetry::{CollectorTls, Sampling, TelemetryConfig};
pub use tls::TlsConfig;
pub use trusted_issuers::{AccountMatch, TrustedIssuer};
pub use watch::{HealthConfig, MetricsConfig};

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Section `server`.
    pub server: ServerConfig,
    /// Section `database`.
    pub database: DatabaseConfig,
    /// Section `keys`.
    pub keys: KeysConfig,
    /// Section `security`.
    pub security: SecurityConfig,
    /// Section `tokens`.
    pub tokens: TokensConfig,
    /// Section `dpop`.
    pub dpop: DpopConfig,
    /// Section `sessions`.
    pub sessions: SessionsConfig,
    /// The resources that access tokens may name in `aud`, never empty; the first is the default.
    pub resources: Vec<Resource>,
    /// Others whose tokens become access tokens here, each issuer once; mostly none.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// Section `documentation`.
    pub documentation: DocumentationConfig,
    /// Section `passwords`.
    pub passwords: PasswordsConfig,
    /// Section `outbound`.
    pub outbound: OutboundConfig,
    /// Section `registration`.
    pub registration: RegistrationConfig,
    /// Section `api_keys`.
    pub api_keys: ApiKeysConfig,
    /// Section `audit`.
    pub audit: AuditConfig,
    /// Section `backup`.
    pub backup: BackupConfig,
    /// Section `console`.
    pub console: ConsoleConfig,
    /// Section `connections`.
    pub connections: ConnectionsConfig,
    /// Section `tls`, where the issuer has a certificate of its own.
    pub tls: Option<TlsConfig>,
    /// Section `second_factor`.
    pub second_factor: SecondFactorConfig,
    /// Section `limits`.
    pub limits: LimitsConfig,
    /// Section `logging`.
    pub logging: LoggingConfig,
    /// Section `mail`, where mail is sent.
    pub mail: Option<MailConfig>,
    /// Section `sms`, where short messages are sent.
    pub sms: Option<SmsConfig>,
    /// Section `links`.
    pub links: LinksConfig,
    /// Section `metrics`, where metrics are served.
    pub metrics: Option<MetricsConfig>,
    /// Section `health`.
    pub health: HealthConfig,
    /// Section `telemetry`, where traces are sent.
    pub telemetry: Option<TelemetryConfig>,
    /// Section `development`.
    pub development: DevelopmentConfig,
}

impl Config {
    /// The resource of requests that name none.
    pub fn default_audience(&self) -> &str {
        self.resources
            .first()
            .map_or("", |resource| resource.identifier.as_str())
    }

    /// The resource that goes by `name`, as its identifier or one of its aliases.
    pub fn resource(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.goes_by(name))
    }

    /// The trusted issuer of this name, character by character.
    pub fn trusted_issuer(&self, issuer: &str) -> Option<&TrustedIssuer> {
        self.trusted_issuers
            .iter()
            .find(|trusted| trusted.issuer == issuer)
    }

    /// The longest time in seconds from the making of a token to its expiry, for any token that is signed.
    pub fn longest_token_seconds(&self) -> i64 {
        self.tokens
            .access_token_seconds
            .max(self.tokens.client_credentials_seconds)
            .max(self.api_keys.token_seconds)
            .max(self.tokens.id_token_seconds)
    }
}

/// Where the issuer listens and how the world reaches it.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The socket to listen on.
    pub listen: SocketAddr,
    /// The issuer's URL as clients see it: the `iss` of every token.
    pub public_url: PublicUrl,
    /// Proxies that are believed when they say where a request came from.
    pub trusted_proxies: Vec<IpNetwork>,
    /// In which headers they say it. The others come from clients, through proxies that do not know them.
    pub proxy_headers: ProxyHeaders,
    /// How long the issuer serves on, and says that it is not ready, after it was told to stop, in seconds.
    pub drain_seconds: u64,
    /// How long requests under way may take to finish when the server is told to stop, in seconds.
    pub shutdown_seconds: u64,
}

impl ServerConfig {
    /// Whether `address` is a proxy that may say who the client is.
    pub fn trusts_proxy(&self, address: std::net::IpAddr) -> bool {
        self.trusted_proxies
            .iter()
            .any(|network| network.contains(address))
    }
}

/// In which headers proxies say where a request came from, and by which scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeaders {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The database file.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// The file; made when absent.
    pub path: PathBuf,
    /// How many connections read at once.
    pub readers: usize,
}

/// Where the master key comes from: 32 bytes in base64url.
#[derive(Clone, Debug)]
pub enum MasterKeySource {
    /// The key itself, from the configuration or the environment.
    Value(Secret<[u8; 32]>),
    /// A file that holds nothing else.
    File(PathBuf),
}

/// Signing keys.
#[derive(Clone, Debug)]
pub struct KeysConfig {
    /// The key that seals the signing keys.
    pub master_key: MasterKeySource,
    /// What access tokens are signed with.
    pub algorithm: SignatureAlgorithm,
    /// How long a new key is published before it signs, in seconds.
    pub publish_lead_seconds: i64,
    /// How many days a key signs before its successor does; 0: until somebody asks for one.
    pub rotation_days: i64,
}

/// What every client is held to.
#[derive(Clone, Copy, Debug)]
pub struct SecurityConfig {
    /// The profile that holds for all clients, beside their own.
    pub profile: SecurityProfile,
}

/// How long tokens live, in seconds.
#[derive(Clone, Debug)]
pub struct TokensConfig {
    /// Access tokens in a person's name (SMART-44).
    pub access_token_seconds: i64,
    /// Access tokens of clients that act for themselves (SMART-65).
    pub client_credentials_seconds: i64,
    /// Refresh tokens, from their making; each exchange starts anew.
    pub refresh_token_seconds: i64,
    /// ID tokens.
    pub id_token_seconds: i64,
    /// Copies of status lists (`ttl`).
    pub status_list_seconds: u32,
}

/// Proofs of possession (RFC 9449).
#[derive(Clone, Debug)]
pub struct DpopConfig {
    /// Whether proofs must hold a nonce.
    pub nonce: DpopNonces,
}

/// Whether DPoP proofs must hold a nonce of this server (RFC 9449 sections 8 and 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DpopNonces {
    /// None is given or looked at.
    Off,
    /// Every proof must hold one.
    Required,
}

/// How long a person stays signed in, in seconds.
#[derive(Clone, Debug)]
pub struct SessionsConfig {
    /// Without being seen.
    pub idle_seconds: i64,
    /// In all.
    pub absolute_seconds: i64,
}

/// An API that access tokens are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What stands in `aud`.
    pub identifier: String,
    /// Other names by which `aud` or `resource` parameters may call it.
    pub aliases: Vec<String>,
    /// Whether it speaks FHIR; SMART's `aud` parameter must name such a one.
    pub fhir: bool,
    /// The FHIR base at which the issuer itself looks for patients, where that is not the API's own URL.
    pub search_url: Option<String>,
}

impl Resource {
    /// Whether `name` is the identifier or an alias, character by character.
    pub fn goes_by(&self, name: &str) -> bool {
        self.identifier == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// The FHIR base at which the issuer looks for patients, if there is one.
    pub fn search_base(&self) -> Option<&str> {
        let base = self.search_url.as_deref().or_else(|| self.url());
        base.filter(|_| self.fhir).map(|base| base.trim_end_matches('/'))
    }

    /// The name that is a URL, if there is one: the identifier before the aliases.
    pub fn url(&self) -> Option<&str> {
        self.names().find(|name| is_url(name))
    }

    /// Every name: the identifier, then the aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = std::iter::once(&self.identifier).chain(&self.aliases);
        names.map(String::as_str)
    }
}

/// Whether a resource's name is one that can be asked, and not a mere name.
pub(crate) fn is_url(name: &str) -> bool {
    name.starts_with("https://") || name.starts_with("http://")
}

/// Where readers of error answers are sent.
#[derive(Clone, Debug)]
pub struct DocumentationConfig {
    /// The base of `error_uri`; see [`wardgate_shared::error_uri`].
    pub error_uri: String,
    /// Whether people can sign in and try calls on the API reference.
    pub try_it: bool,
}

/// What Argon2id costs (RFC 9106), and which passwords may be set.
#[derive(Clone, Debug)]
pub struct PasswordsConfig {
    /// Memory of one computation, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// How many computations may run at once; each takes a thread and the memory above.
    pub concurrency: usize,
    /// The fewest characters of a new password.
    pub minimum_length: usize,
    /// Of how many kinds of characters a new password must have one.
    pub minimum_classes: usize,
    /// Passwords that may not be set, beside the common ones.
    pub refused: Vec<String>,
}

/// What the issuer may fetch from others: key sets and sector documents of clients.
#[derive(Clone, Debug, Default)]
pub struct OutboundConfig {
    /// Whether http, and this machine, may be reached: for development.
    pub allow_loopback_http: bool,
    /// Networks that are not public and may be reached all the same.
    pub private_networks: Vec<IpNetwork>,
}

/// How often programs may call, in calls a minute; 0 is no limit. See [`crate::throttle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Failures from one network.
    pub failures_per_minute: u32,
    /// Successes of one client that proves itself, at one endpoint.
    pub client_requests_per_minute: u32,
    /// Successes of one client that does not, from one network at one endpoint.
    pub public_client_requests_per_minute: u32,
}

impl LimitsConfig {
    /// No limits.
    pub const NONE: Self = Self {
        failures_per_minute: 0,
        client_requests_per_minute: 0,
        public_client_requests_per_minute: 0,
    };
}

/// What the log looks like.
#[derive(Clone, Debug)]
pub struct LoggingConfig {
    /// The form of a line.
    pub format: LogFormat,
    /// Which lines are written, in the words of `tracing`: `info`, `wardgate_issuer=debug,info`.
    pub filter: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// A JSON object a line.
    Json,
    /// For human readers.
    Text,
}

#[cfg(test)]
mod tests;
