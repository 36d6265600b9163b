//! Settings of the Worker: read once an isolate, typed, and wrong in all places at once or not at all.
//!
//! The variables are declared in [`variables`]. There are issuers, APIs and limits: one issuer and one FHIR API are
//! described by variables of their own, any further ones by the lists in JSON `WARDGATE_ISSUERS`, `WARDGATE_APIS` and
//! `WARDGATE_LIMITS`; either way they become the same types, by the same code.
//!
//! Trusted on entry: nothing; a fault names the place and the rule, never the value. Left out on purpose: secrets, of
//! which this Worker holds none.

pub mod apis;
pub mod dpop;
pub mod issuers;
pub mod limits;
mod members;
pub mod rules;
pub mod url;
pub mod values;
pub mod variables;

use std::ops::Not as _;

use wardgate_shared::error_uri::{MUST_BE, is_error_uri_base};

use crate::refresh::RefreshSettings;
use crate::routes::{HEALTH, below_prefix};
use crate::status::StatusSettings;
pub use apis::{Api, ApiKind, PatientCompartment};
pub use issuers::TrustedIssuer;
pub use limits::LimitPolicy;
use values::Faults;
pub use values::{ConfigFault, Given, Values};
use variables::Variable;

/// The shortest time, in seconds, between two fetches of a status list: so often an issuer that is away is tried again.
const STATUS_COOLDOWN_SECONDS: i64 = 5;

/// What the Worker needs to know. Made by [`Config::parse`] alone.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuers that are trusted; at least one.
    pub issuers: Vec<TrustedIssuer>,
    /// The APIs that are guarded, the longest prefix first; at least one.
    pub apis: Vec<Api>,
    /// The limits that APIs can be held to; more are here than are named, but none that is named is missing.
    pub limits: Vec<LimitPolicy>,
    /// Own URL: an origin, without a path and a slash at the end.
    pub public_url: String,
    /// Tolerated clock difference, in seconds.
    pub clock_skew_seconds: i64,
    /// Longest accepted lifetime of a token, in seconds.
    pub maximum_token_lifetime_seconds: i64,
    /// When keys and the SMART configuration are fetched again.
    pub refresh: RefreshSettings,
    /// How old status lists may become.
    pub status: StatusSettings,
    /// How long a fetch from an issuer may take, in milliseconds.
    pub jwks_timeout_milliseconds: u32,
    /// The largest body that is read because a decision depends on it, in bytes.
    pub maximum_body_bytes: u32,
    /// Where the address of a client comes from.
    pub client_address: ClientAddress,
    /// Whether the platform has a cache that must not keep answers of the servers behind.
    pub bypasses_cache: bool,
    /// What holds for DPoP proofs ([`crate::dpop`]).
    pub dpop: dpop::DpopSettings,
    /// Whose pages may call the API.
    pub cors_origins: CorsOrigins,
    /// Base of `error_uri`; see [`wardgate_shared::error_uri`].
    pub error_uri: String,
    /// How long a token is used at most that an API key was exchanged for, in seconds.
    pub api_key_seconds: i64,
    /// Whether whoever asks is told how requests are decided ([`crate::explain`]).
    pub explain: bool,
    /// The platform's limit for requests of which nothing is known, by the name of its binding ([`crate::unverified`]).
    pub unverified_limit: Option<String>,
    /// The dataset for data points, by the name of its binding ([`crate::metrics`]).
    pub metrics: Option<String>,
    /// The path of the counters ([`crate::metrics`]).
    pub counters: Option<String>,
}

/// Origins of pages that may call the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Any page. Safe, because credentials are never sent by the browser on its own: there are no cookies here.
    Any,
    /// Pages of these origins.
    Listed(Vec<String>),
}

/// Where the address of a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// From `CF-Connecting-IP`. Cloudflare sets it and lets no client do so.
    Cloudflare,
    /// From nowhere: whoever reaches the Worker can write any header.
    Unknown,
}

impl Config {
    /// Reads the configuration from variables by name. Names outside the namespace are passed over.
    ///
    /// # Errors
    /// Every fault there is.
    pub fn parse(values: &Values) -> Result<Self, Vec<ConfigFault>> {
        let mut reader = Reader {
            values,
            faults: Faults::default(),
        };
        let issuers = issuers::read(values, &mut reader.faults);
        let limits = limits::read(values, &mut reader.faults);
        let public_url = reader.origin(variables::PUBLIC_URL);
        let context = apis::Context {
            issuers: &issuers,
            limits: &limits,
            public_url: &public_url,
            upstream_timeout_milliseconds: reader.number(
                variables::UPSTREAM_TIMEOUT_MILLISECONDS,
                variables::UPSTREAM_TIMEOUT,
            ),
        };
        let apis = apis::read(values, &context, &mut reader.faults);
        let clock_skew_seconds = reader.number(variables::CLOCK_SKEW_SECONDS, (0, 60)).into();
        let maximum_token_lifetime_seconds = reader
            .number(variables::MAXIMUM_TOKEN_LIFETIME_SECONDS, (1, 31_536_000))
            .into();
        let mut refresh = RefreshSettings {
            fresh_seconds: reader.number(variables::JWKS_FRESH_SECONDS, (1, 86_400)).into(),
            stale_seconds: reader.number(variables::JWKS_STALE_SECONDS, (0, 604_800)).into(),
            cooldown_seconds: reader.number(variables::JWKS_COOLDOWN_SECONDS, (1, 3_600)).into(),
            attempt_seconds: 0,
        };
        let jwks_timeout_milliseconds = reader.number(variables::JWKS_TIMEOUT_MILLISECONDS, (10, 30_000));
        // An attempt that has not ended after its timeout was given up by whoever made it.
        refresh.attempt_seconds = i64::from(jwks_timeout_milliseconds.div_ceil(1000)).saturating_add(1);
        let status_fresh_seconds = reader.number(variables::STATUS_FRESH_SECONDS, (1, 3_600)).into();
        let status = StatusSettings {
            fresh_seconds: status_fresh_seconds,
            maximum_age_seconds: reader
                .number(variables::STATUS_MAXIMUM_AGE_SECONDS, (1, 86_400))
                .into(),
            // A rest that is longer than a list may be used would keep a revoked token good for longer than was said.
            cooldown_seconds: STATUS_COOLDOWN_SECONDS.min(status_fresh_seconds),
            attempt_seconds: refresh.attempt_seconds,
        };
        let config = Self {
            status,
            clock_skew_seconds,
            maximum_token_lifetime_seconds,
            refresh,
            jwks_timeout_milliseconds,
            maximum_body_bytes: reader.number(variables::MAXIMUM_BODY_BYTES, (1024, 8_388_608)),
            client_address: reader.client_address(),
            bypasses_cache: reader.bypasses_cache(),
            dpop: reader.dpop(&apis),
            cors_origins: reader.cors_origins(),
            error_uri: reader.error_uri(&issuers),
            api_key_seconds: reader.number(variables::API_KEY_SECONDS, (2, 3_600)).into(),
            explain: reader.explain(&public_url),
            unverified_limit: reader.binding(variables::UNVERIFIED_LIMIT),
            metrics: reader.binding(variables::METRICS),
            counters: reader.counters(&public_url, &apis),
            issuers,
            apis,
            limits,
            public_url,
        };
        let counts_networks = config.unverified_limit.is_some()
            || config
                .limits
                .iter()
                .any(|limit| limit.counts == limits::Counted::Network);
        if config.client_address == ClientAddress::Unknown && counts_networks {
            reader.fault(
                variables::CLIENT_ADDRESS,
                "must be 'cloudflare' for limits that count networks",
            );
        }
        reader.refuse_unknown_names();
        if reader.faults.0.is_empty() {
            Ok(config)
        } else {
            Err(reader.faults.0)
        }
    }

    /// A fault for each binding that the configuration names and that is not there. `binds` says whether something with such a
    /// method is bound under a name.
    pub fn unbound(&self, binds: impl Fn(&str, &str) -> bool) -> Vec<ConfigFault> {
        let mut faults = Faults::default();
        for (variable, name, method) in [
            (variables::UNVERIFIED_LIMIT, &self.unverified_limit, "limit"),
            (variables::METRICS, &self.metrics, "writeDataPoint"),
        ] {
            if name.as_ref().is_some_and(|name| !binds(name, method)) {
                faults.add(variable.name, "names no binding of that kind");
            }
        }
        faults.0
    }

    /// The API that a path addresses: the one with the longest prefix that the path is or lies below.
    pub fn api_of(&self, path: &str) -> Option<&Api> {
        self.apis
            .iter()
            .find(|api| below_prefix(&api.prefix, path).is_some())
    }

    /// Who exchanges API keys for tokens that are for `api`: the first issuer that it trusts and that does, by its `iss`, and the
    /// address at which it does.
    pub fn api_key_exchange<'a>(&'a self, api: &Api) -> Option<(&'a str, &'a str)> {
        api.issuers.iter().find_map(|iss| {
            let issuer = self.issuers.iter().find(|issuer| issuer.issuer == *iss)?;
            Some((issuer.issuer.as_str(), issuer.api_keys_url.as_deref()?))
        })
    }

    /// Whether requests to `api` may present an API key.
    pub fn takes_api_keys(&self, api: &Api) -> bool {
        self.api_key_exchange(api).is_some()
    }

    /// The limits that an API is held to.
    pub fn limits_of<'a>(&'a self, api: &'a Api) -> impl Iterator<Item = &'a LimitPolicy> {
        self.limits
            .iter()
            .filter(|limit| api.limits.contains(&limit.name))
    }
}

/// Reads the variables that hold one thing each, and keeps what is wrong.
struct Reader<'a> {
    values: &'a Values,
    faults: Faults,
}

impl Reader<'_> {
    fn fault(&mut self, variable: Variable, problem: &str) {
        self.faults.add(variable.name, problem);
    }

    fn text(&mut self, variable: Variable) -> String {
        values::text(self.values, variable, &mut self.faults)
    }

    fn number(&mut self, variable: Variable, bounds: (u32, u32)) -> u32 {
        values::number(self.values, variable, bounds, &mut self.faults)
    }

    fn origin(&mut self, variable: Variable) -> String {
        let text = self.text(variable);
        let origin = text.strip_suffix('/').unwrap_or(&text);
        match url::check(&text) {
            Ok(path) if path.0 < origin.len() => {
                // The metadata of a resource lies at the root of its host (RFC 9728 section 3.1), which has to be here.
                let problem = "must be an origin: scheme, host and port without a path";
                self.fault(variable, problem);
            }
            Ok(_) => {}
            // An empty text has its fault already.
            Err(_) if text.is_empty() => {}
            Err(fault) => self.fault(variable, &fault.to_string()),
        }
        origin.to_owned()
    }

    fn error_uri(&mut self, issuers: &[TrustedIssuer]) -> String {
        if !self.values.contains_key(variables::ERROR_URI.name) {
            let issuer = issuers.first().map_or("", |issuer| issuer.issuer.as_str());
            return format!("{}/docs/errors", issuer.strip_suffix('/').unwrap_or(issuer));
        }
        let text = self.text(variables::ERROR_URI);
        let base = text
            .strip_suffix('/')
            .filter(|base| !base.contains('#'))
            .unwrap_or(&text);
        if !base.is_empty() && !is_error_uri_base(base) {
            self.fault(variables::ERROR_URI, MUST_BE);
        }
        base.to_owned()
    }

    fn explain(&mut self, public_url: &str) -> bool {
        match self.text(variables::EXPLAIN).as_str() {
            "on-public" => true,
            // Only this machine is spoken to without TLS.
            "on" if public_url.starts_with("http://") => true,
            // An empty text has its fault already.
            "off" | "" => false,
            "on" => {
                self.fault(
                    variables::EXPLAIN,
                    "must be 'on-public' where WARDGATE_PUBLIC_URL is not on this machine",
                );
                false
            }
            _ => {
                self.fault(variables::EXPLAIN, "must be 'off', 'on' or 'on-public'");
                false
            }
        }
    }

    /// The name of a binding; `none` for none.
    fn binding(&mut self, variable: Variable) -> Option<String> {
        let text = self.text(variable);
        // An empty text has its fault already.
        if ["none", ""].contains(&text.as_str()) {
            return None;
        }
        let fine = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if !text.bytes().all(fine) || text.starts_with(variables::NAMESPACE) {
            self.fault(
                variable,
                "must be 'none' or the name of a binding: capital letters, digits and _, not beginning with WARDGATE_",
            );
        }
        Some(text)
    }

    fn counters(&mut self, public_url: &str, apis: &[Api]) -> Option<String> {
        let text = self.text(variables::COUNTERS);
        if ["off", ""].contains(&text.as_str()) {
            return None;
        }
        let fine = |byte: u8| byte.is_ascii_lowercase() || b"/-_".contains(&byte);
        let is_taken = text == HEALTH || apis.iter().any(|api| below_prefix(&api.prefix, &text).is_some());
        if !text.starts_with('/') || !text.bytes().all(fine) || is_taken {
            self.fault(
                variables::COUNTERS,
                "must be 'off' or a path of its own: lower case letters, '/', '-' and '_'",
            );
        }
        // Only this machine is spoken to without TLS.
        if !public_url.starts_with("http://") {
            self.fault(
                variables::COUNTERS,
                "must be 'off' where WARDGATE_PUBLIC_URL is not on this machine",
            );
        }
        Some(text)
    }

    fn bypasses_cache(&mut self) -> bool {
        match self.text(variables::PLATFORM_CACHE).as_str() {
            "absent" => false,
            // An empty text has its fault already.
            "bypassed" | "" => true,
            _ => {
                self.fault(variables::PLATFORM_CACHE, "must be 'bypassed' or 'absent'");
                true
            }
        }
    }

    fn client_address(&mut self) -> ClientAddress {
        match self.text(variables::CLIENT_ADDRESS).as_str() {
            "cloudflare" => ClientAddress::Cloudflare,
            // An empty text has its fault already.
            "none" | "" => ClientAddress::Unknown,
            _ => {
                self.fault(variables::CLIENT_ADDRESS, "must be 'cloudflare' or 'none'");
                ClientAddress::Unknown
            }
        }
    }

    fn cors_origins(&mut self) -> CorsOrigins {
        let text = self.text(variables::CORS_ORIGINS);
        if text == "*" {
            return CorsOrigins::Any;
        }
        let origins: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
        // An origin is a URL that ends before the path (RFC 6454 section 6.1).
        if origins.iter().any(|origin| {
            url::check(origin)
                .is_ok_and(|start| start.0 == origin.len())
                .not()
        }) {
            self.fault(
                variables::CORS_ORIGINS,
                "must be '*' or a list of origins: scheme, host and port without a path; https except for this machine",
            );
        }
        CorsOrigins::Listed(origins)
    }

    fn refuse_unknown_names(&mut self) {
        let unknown = self.values.keys().filter(|name| {
            name.starts_with(variables::NAMESPACE)
                && !variables::ALL.iter().any(|variable| variable.name == **name)
        });
        for name in unknown {
            self.faults.add(name, "is not a variable of Wardgate");
        }
    }
}

#[cfg(test)]
mod tests;
