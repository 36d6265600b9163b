//! Settings of the Worker: read once an isolate, typed, and wrong in all places at once or not at all.
//!
//! The variables are declared in [`variables`]. Trusted on entry: nothing; a fault names the variable and the rule,
//! never the value. Left out on purpose: secrets, of which this Worker holds none.

pub mod url;
pub mod variables;

use std::collections::BTreeMap;
use std::ops::{Not as _, RangeInclusive};

use wardgate_shared::error_uri::{MUST_BE, is_error_uri_base};

use crate::refresh::RefreshSettings;
use crate::routes;
use url::UrlFault;
use variables::Variable;

/// Variables by name; `None` stands for a value that is no text (a table, a list, a number, another service).
pub type Values = BTreeMap<String, Option<String>>;

/// What the Worker needs to know. Made by [`Config::parse`] alone.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuer as `iss` has to say it.
    pub issuer: String,
    /// Where the issuer's keys are.
    pub jwks_url: String,
    /// Where the issuer's SMART configuration is.
    pub smart_configuration_url: String,
    /// Accepted audiences; at least one.
    pub audiences: Vec<String>,
    /// Base URL of the FHIR server, without a slash at the end.
    pub upstream: String,
    /// Path of the FHIR API here: begins with a slash, ends without one, never empty.
    pub prefix: String,
    /// Own URL: an origin, without a path and a slash at the end.
    pub public_url: String,
    /// Tolerated clock difference, in seconds.
    pub clock_skew_seconds: i64,
    /// Longest accepted lifetime of a token, in seconds.
    pub maximum_token_lifetime_seconds: i64,
    /// When keys and the SMART configuration are fetched again.
    pub refresh: RefreshSettings,
    /// How long a fetch from the issuer may take, in milliseconds.
    pub jwks_timeout_milliseconds: u32,
    /// How long the FHIR server may take until its answer begins, in milliseconds.
    pub upstream_timeout_milliseconds: u32,
    /// Where the address of a client comes from.
    pub client_address: ClientAddress,
    /// Whose pages may call the API.
    pub cors_origins: CorsOrigins,
    /// Base of `error_uri`; see [`wardgate_shared::error_uri`].
    pub error_uri: String,
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

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The variable's name.
    pub variable: String,
    /// What is wrong, without the value.
    pub problem: String,
}

impl Config {
    /// Reads the configuration from variables by name. Names outside the namespace are passed over.
    ///
    /// # Errors
    /// Every fault there is, in the order of [`variables::ALL`].
    pub fn parse(values: &Values) -> Result<Self, Vec<ConfigFault>> {
        let mut reader = Reader {
            values,
            faults: Vec::new(),
        };
        let issuer = reader.url(variables::ISSUER);
        let jwks_url = match values.get(variables::JWKS_URL.name) {
            Some(_) => reader.url(variables::JWKS_URL),
            None => well_known(&issuer, "jwks.json"),
        };
        let audiences = reader.audiences();
        let upstream = reader.base_url(variables::UPSTREAM);
        let prefix = reader.prefix();
        let public_url = reader.origin(variables::PUBLIC_URL);
        let error_uri = match values.get(variables::ERROR_URI.name) {
            Some(_) => reader.error_uri(),
            None => format!("{}/docs/errors", issuer.strip_suffix('/').unwrap_or(&issuer)),
        };
        let config = Self {
            smart_configuration_url: well_known(&issuer, "smart-configuration"),
            issuer,
            jwks_url,
            audiences,
            upstream,
            prefix,
            public_url,
            clock_skew_seconds: reader.number(variables::CLOCK_SKEW_SECONDS, 0..=60).into(),
            maximum_token_lifetime_seconds: reader
                .number(variables::MAXIMUM_TOKEN_LIFETIME_SECONDS, 1..=31_536_000)
                .into(),
            refresh: RefreshSettings {
                fresh_seconds: reader.number(variables::JWKS_FRESH_SECONDS, 1..=86_400).into(),
                stale_seconds: reader.number(variables::JWKS_STALE_SECONDS, 0..=604_800).into(),
                cooldown_seconds: reader.number(variables::JWKS_COOLDOWN_SECONDS, 1..=3_600).into(),
                // An attempt that has not ended after its timeout was given up by whoever made it.
                attempt_seconds: 0,
            },
            jwks_timeout_milliseconds: reader.number(variables::JWKS_TIMEOUT_MILLISECONDS, 10..=30_000),
            upstream_timeout_milliseconds: reader
                .number(variables::UPSTREAM_TIMEOUT_MILLISECONDS, 10..=600_000),
            client_address: reader.client_address(),
            cors_origins: reader.cors_origins(),
            error_uri,
        };
        reader.refuse_unknown_names();
        if reader.faults.is_empty() {
            Ok(config.with_attempt_bound())
        } else {
            Err(reader.faults)
        }
    }

    fn with_attempt_bound(mut self) -> Self {
        let whole_seconds = i64::from(self.jwks_timeout_milliseconds.div_ceil(1000));
        self.refresh.attempt_seconds = whole_seconds.saturating_add(1);
        self
    }

    /// The protected resource's identifier (RFC 9728 section 1.2): the FHIR base as clients know it.
    pub fn resource(&self) -> String {
        format!("{}{}", self.public_url, self.prefix)
    }

    /// Where the protected resource's metadata is (RFC 9728 section 3.1): the well-known part stands between host and
    /// path.
    pub fn resource_metadata_url(&self) -> String {
        format!(
            "{}/.well-known/oauth-protected-resource{}",
            self.public_url, self.prefix
        )
    }
}

/// `{issuer}/.well-known/{name}`: after the whole of the issuer's URL, as OpenID Connect Discovery and SMART want it.
fn well_known(issuer: &str, name: &str) -> String {
    format!(
        "{}/.well-known/{name}",
        issuer.strip_suffix('/').unwrap_or(issuer)
    )
}

/// Reads one variable after another and keeps what is wrong.
struct Reader<'a> {
    values: &'a Values,
    faults: Vec<ConfigFault>,
}

impl Reader<'_> {
    fn fault(&mut self, variable: Variable, problem: impl Into<String>) {
        self.faults.push(ConfigFault {
            variable: variable.name.into(),
            problem: problem.into(),
        });
    }

    /// The value or its default; empty, with a fault, when there is neither.
    fn text(&mut self, variable: Variable) -> String {
        match (
            self.values
                .get(variable.name)
                .map(|value| value.as_deref().map(str::trim)),
            variable.default,
        ) {
            (Some(None), _) => {
                self.fault(variable, "must be text");
                String::new()
            }
            (Some(Some("")), _) => {
                self.fault(variable, "must not be empty");
                String::new()
            }
            (Some(Some(value)), _) => value.to_owned(),
            (None, Some(default)) => default.to_owned(),
            (None, None) => {
                self.fault(variable, "is not set");
                String::new()
            }
        }
    }

    fn checked(&mut self, variable: Variable, check: impl FnOnce(&str) -> Result<(), UrlFault>) -> String {
        let text = self.text(variable);
        if !text.is_empty()
            && let Err(fault) = check(&text)
        {
            self.fault(variable, fault.to_string());
        }
        text
    }

    fn url(&mut self, variable: Variable) -> String {
        self.checked(variable, |text| url::check(text).map(|_| ()))
    }

    fn base_url(&mut self, variable: Variable) -> String {
        let text = self.url(variable);
        text.strip_suffix('/').unwrap_or(&text).to_owned()
    }

    fn origin(&mut self, variable: Variable) -> String {
        let text = self.base_url(variable);
        if url::check(&text).is_ok_and(|path| path.0 < text.len()) {
            // The metadata of a resource lies at the root of its host (RFC 9728 section 3.1), which has to be here.
            self.fault(
                variable,
                "must be an origin: scheme, host and port without a path",
            );
        }
        text
    }

    fn error_uri(&mut self) -> String {
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

    fn prefix(&mut self) -> String {
        let text = self.checked(variables::PREFIX, url::check_path);
        let prefix = text.strip_suffix('/').unwrap_or(&text);
        if prefix.is_empty() && !text.is_empty() {
            self.fault(variables::PREFIX, "must name a path below '/'");
        }
        if prefix == routes::HEALTH || prefix.starts_with("/.well-known") {
            self.fault(
                variables::PREFIX,
                "must not hide the health check or the well-known documents",
            );
        }
        prefix.to_owned()
    }

    fn audiences(&mut self) -> Vec<String> {
        self.text(variables::AUDIENCES)
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect()
    }

    fn number(&mut self, variable: Variable, range: RangeInclusive<u32>) -> u32 {
        let text = self.text(variable);
        match text.parse::<u32>() {
            Ok(number) if range.contains(&number) => number,
            Ok(_) | Err(_) => {
                // An empty text has its fault already.
                if !text.is_empty() {
                    let (least, most) = (range.start(), range.end());
                    self.fault(variable, format!("must be a whole number from {least} to {most}"));
                }
                0
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
        self.faults.extend(unknown.map(|name| ConfigFault {
            variable: name.clone(),
            problem: "is not a variable of Wardgate".into(),
        }));
    }
}

#[cfg(test)]
mod tests;
