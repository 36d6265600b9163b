//! What the issuer asks of others: key sets of clients that publish them at a URL (RFC 7591 `jwks_uri`), that they take a
//! logout token (Back-Channel Logout 1.0 section 2.5), patients of the FHIR server ([`crate::fhir`]), and that a provider sends short
//! messages ([`crate::messages`]).
//!
//! A URL that somebody registered must not make the issuer a window into the network it stands in. Only https is
//! spoken (by rustls: TLS 1.2 with forward secrecy, or 1.3), only with public addresses, checked where names are resolved, so that a name cannot say one thing to the
//! check and another to the connection. No redirects, no proxies from the environment, caps on time and size.
//!
//! Nothing fetched is trusted beyond being what that URL answered. Left out on purpose: credentials, but for an access token or a provider's secret where a
//! caller gives one.

mod address;
mod discovery;
mod dns;
mod freshness;
mod key_sets;

use std::error::Error as _;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, RequestBuilder, Url, redirect};
use tokio::sync::OnceCell;
use tracing::Instrument as _;

use wardgate_shared::secret::Secret;

use crate::clock::Stopwatch;
use crate::config::OutboundConfig;
use crate::metrics::instruments::OutboundInstruments;
use crate::telemetry::spans;

pub use discovery::{DiscoveryError, Providers};
#[cfg(test)]
pub(crate) use dns::tests::OneRecord;
pub use dns::{Dns, DnsError};
pub use key_sets::{KeySetError, KeySets, WantedKey};

/// How long a whole exchange may take.
const LONGEST_EXCHANGE: Duration = Duration::from_secs(5);
/// How long a connection may take to stand.
const LONGEST_CONNECT: Duration = Duration::from_secs(3);
/// The most of a body that is read, in bytes: far above the largest key set that is accepted.
const MAXIMUM_BODY_BYTES: usize = 128 * 1024;
/// The most that is read of a FHIR resource, in bytes: twenty patients, some of them with photographs.
const MAXIMUM_FHIR_BYTES: usize = 2 * 1024 * 1024;
/// The longest URL, in bytes.
const MAXIMUM_URL_BYTES: usize = 2048;

/// Why a URL is never fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefusal {
    /// No absolute URL with a host, or one of more than 2048 bytes.
    #[error("is not an absolute URL")]
    Malformed,
    /// Neither https nor, where the configuration allows it, http to this machine.
    #[error("must be an https URL")]
    NotHttps,
    /// A user name, a password or a fragment.
    #[error("must have no user name, password or fragment")]
    Extras,
    /// An address of a network that is not public and not named in the configuration.
    #[error("names an address that is not public (see outbound.private_networks)")]
    Address,
}

/// Why a fetch failed. Texts are for the log: they may name hosts.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL is not to be fetched.
    #[error("the URL {0}")]
    Url(#[from] UrlRefusal),
    /// TLS could not be set up on this machine.
    #[error("the HTTP client could not be made: {0}")]
    Client(String),
    /// No answer: name, address, connection, certificate or time.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// An answer other than 200, or 204 to a form, or success to another body; redirects are not followed.
    #[error("the answer has status {0}")]
    Status(StatusCode),
    /// A body of more than 128 KiB, or 2 MiB where it is a FHIR resource.
    #[error("the answer is too large")]
    TooLarge,
}

impl FetchError {
    /// The reason as a word for whoever counts.
    const fn label(&self) -> &'static str {
        match self {
            Self::Url(_) => "refused_url",
            Self::Client(_) => "client",
            Self::Unreachable(_) => "unreachable",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
        }
    }
}

/// A document that was fetched.
#[derive(Debug)]
pub struct Fetched {
    /// Its bytes.
    pub body: Vec<u8>,
    /// The headers it came with.
    pub headers: HeaderMap,
}

/// The issuer's HTTP client. It is made with the first fetch, so that a start does not wait for it.
/// Clones share it.
#[derive(Clone, Debug)]
pub struct Outbound(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: OutboundConfig,
    client: OnceCell<Client>,
    instruments: OutboundInstruments,
}

impl Outbound {
    /// A client that reaches what `config` allows.
    pub fn new(config: OutboundConfig) -> Self {
        Self(Arc::new(Inner {
            config,
            client: OnceCell::const_new(),
            instruments: OutboundInstruments::default(),
        }))
    }

    /// What is counted and measured here.
    pub fn instruments(&self) -> &OutboundInstruments {
        &self.0.instruments
    }

    /// Makes a call, and counts and measures it.
    async fn measured<T>(
        &self,
        kind: &'static str,
        call: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        let watch = Stopwatch::start();
        let span = spans::outbound(kind);
        let outcome = call.instrument(span.clone()).await;
        let told = outcome.as_ref().map_or_else(FetchError::label, |_| "success");
        spans::ended(&span, told);
        self.0.instruments.count(kind, told, watch.elapsed());
        outcome
    }

    /// Fetches a JSON document.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch_json(&self, url: &str) -> Result<Fetched, FetchError> {
        let call = async {
            let (client, url) = self.ready(url).await?;
            let request = client.get(url).header(header::ACCEPT, "application/json");
            receive(request, MAXIMUM_BODY_BYTES).await
        };
        self.measured("document", call).await
    }

    /// Fetches a FHIR resource with an access token.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch_fhir(&self, url: &str, access_token: &Secret<String>) -> Result<Fetched, FetchError> {
        let call = async {
            let (client, url) = self.ready(url).await?;
            let mut bearer = HeaderValue::from_str(&format!("Bearer {}", access_token.expose()))
                .map_err(|error| FetchError::Client(error.to_string()))?;
            bearer.set_sensitive(true);
            let request = client.get(url).header(header::ACCEPT, "application/fhir+json");
            receive(request.header(header::AUTHORIZATION, bearer), MAXIMUM_FHIR_BYTES).await
        };
        self.measured("fhir", call).await
    }

    /// Posts a form. 200 and 204 mean that it was taken; the body of the answer is not read.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<(), FetchError> {
        let call = async {
            let (client, url) = self.ready(url).await?;
            let form = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            let request = client
                .post(url)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form);
            let response = request.send().await.map_err(unreachable)?;
            match response.status() {
                StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
                status => Err(FetchError::Status(status)),
            }
        };
        self.measured("form", call).await
    }

    /// Posts a body of this media type with these headers. A status of success means that it was taken; the body of the answer is
    /// not read.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn post(
        &self,
        url: &str,
        media_type: &'static str,
        headers: HeaderMap,
        body: String,
    ) -> Result<(), FetchError> {
        let call = async {
            let (client, url) = self.ready(url).await?;
            let request = client
                .post(url)
                .headers(headers)
                .header(header::CONTENT_TYPE, media_type)
                .body(body);
            let response = request.send().await.map_err(unreachable)?;
            match response.status() {
                status if status.is_success() => Ok(()),
                status => Err(FetchError::Status(status)),
            }
        };
        self.measured("short_message", call).await
    }

    /// Posts a form to whoever answers it with JSON, and gives status and body: a refusal says why there. `authorization` is
    /// sent as it is.
    ///
    /// # Errors
    /// [`FetchError`], but for a status.
    pub async fn ask_by_form(
        &self,
        url: &str,
        fields: &[(&str, &str)],
        authorization: Option<HeaderValue>,
    ) -> Result<(StatusCode, Vec<u8>), FetchError> {
        let call = async {
            let (client, url) = self.ready(url).await?;
            let form = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            let mut request = client
                .post(url)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::ACCEPT, "application/json")
                .body(form);
            if let Some(authorization) = authorization {
                request = request.header(header::AUTHORIZATION, authorization);
            }
            let mut response = request.send().await.map_err(unreachable)?;
            let body = read(&mut response, MAXIMUM_BODY_BYTES).await?;
            Ok((response.status(), body))
        };
        self.measured("token", call).await
    }

    /// The client, and `url` as one that it may ask.
    async fn ready(&self, url: &str) -> Result<(&Client, Url), FetchError> {
        let url = check_url(url, &self.0.config)?;
        let client = &self.0.client;
        let client = client.get_or_try_init(|| build(self.0.config.clone())).await?;
        Ok((client, url))
    }
}

/// Sends a request and reads its answer, of at most `maximum_bytes`.
async fn receive(request: RequestBuilder, maximum_bytes: usize) -> Result<Fetched, FetchError> {
    let mut response = request.send().await.map_err(unreachable)?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    let body = read(&mut response, maximum_bytes).await?;
    Ok(Fetched {
        body,
        headers: std::mem::take(response.headers_mut()),
    })
}

/// Reads a body of at most `maximum_bytes`.
async fn read(response: &mut reqwest::Response, maximum_bytes: usize) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len().saturating_add(chunk.len()) > maximum_bytes {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Checks that `text` is a URL which may be fetched under `config`: https, or http to this machine where that is allowed,
/// with no credentials, and not an address of a network that is not public. Names are checked when they are resolved.
///
/// # Errors
/// [`UrlRefusal`].
pub fn check_url(text: &str, config: &OutboundConfig) -> Result<Url, UrlRefusal> {
    if text.len() > MAXIMUM_URL_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(UrlRefusal::Malformed);
    }
    let url = Url::parse(text).map_err(|_| UrlRefusal::Malformed)?;
    let host = url.host_str().ok_or(UrlRefusal::Malformed)?;
    // An IPv6 address stands in brackets.
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    match url.scheme() {
        "https" => {}
        "http" if config.allow_loopback_http => {
            let this_machine = address.as_ref().map_or(host == "localhost", IpAddr::is_loopback);
            if !this_machine {
                return Err(UrlRefusal::NotHttps);
            }
        }
        _ => return Err(UrlRefusal::NotHttps),
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(UrlRefusal::Extras);
    }
    match address {
        Ok(address) if !address::is_within_reach(address, config) => Err(UrlRefusal::Address),
        Ok(_) | Err(_) => Ok(url),
    }
}

/// Reading the machine's certificates takes a while, so it is done on a thread that may block.
async fn build(config: OutboundConfig) -> Result<Client, FetchError> {
    let build = move || {
        Client::builder()
            .user_agent(concat!("Wardgate/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(LONGEST_EXCHANGE)
            .connect_timeout(LONGEST_CONNECT)
            .dns_resolver(Arc::new(GuardedResolver(Arc::new(config))))
            .build()
    };
    match tokio::task::spawn_blocking(build).await {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(FetchError::Client(chain(&error))),
        Err(error) => Err(FetchError::Client(error.to_string())),
    }
}

/// Of the URL only the host is told: path and query of a FHIR request say which patient it is about.
fn unreachable(mut error: reqwest::Error) -> FetchError {
    if let Some(url) = error.url_mut() {
        url.set_path("");
        url.set_query(None);
    }
    FetchError::Unreachable(chain(&error))
}

/// An error with what caused it: reqwest's own text stops at the first.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Resolves names, and gives only addresses that may be reached: the connection is made to what was checked.
struct GuardedResolver(Arc<OutboundConfig>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let config = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted: Vec<SocketAddr> = found
                .filter(|address| address::is_within_reach(address.ip(), &config))
                .collect();
            if permitted.is_empty() {
                return Err(Box::from(UrlRefusal::Address));
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
